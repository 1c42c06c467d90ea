/* SPDX-License-Identifier: MIT */
/*
 * The dump that a signal asks for, without dying: FERN_DUMP_SIGNAL=QUIT.
 *
 * The thread that the kernel chose passes the signal on to every other thread with a hub, each
 * of which writes its own dump: at its next turn, which is a millisecond away in a program that
 * behaves. A hub that waits in its poller, or that has taken no turn for long (somebody hogs the
 * CPU, or blocks the thread), or that has been asked before and has not answered, is written
 * down by the handler itself. So that the last happens without a second request, the handler
 * sets a timer that asks again.
 *
 * While a thread waits in its poller it holds no
 * lock of libc's, so names can be looked up; a hog may hold any, so then the dump is lean.
 *
 * What the handler shares with the thread it interrupts: `polling` and `dump_wanted` of the hub
 * (core/fair sets the one before it looks at the other, the handler looks in the same order), and
 * `hub->current` and the contexts, which are in order unless a switch is under way: that is seen
 * by the stack pointer, which then does not lie in the current greenlet's stack.
 */
#include "debug/signal.h"

#include "base/clock.h"
#include "core/arch/fault.h"
#include "core/report.h"
#include "debug/backtrace.h"
#include "debug/dump.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { THREADS_MAX = 1024 };

int64_t fern__signal_patience_ns = 50 * FERN_MS;

static int chosen; /* the signal; 0: none */
static struct sigaction previous;
static pthread_once_t chosen_once = PTHREAD_ONCE_INIT;

/* Threads with a hub. A thread that finds no free place is dumped only when the kernel chooses
 * it. */
static struct thread {
    _Atomic(pid_t) tid; /* 0: a free place */
    timer_t timer;      /* its own, which asks it again */
} threads[THREADS_MAX];

static struct thread *
find(pid_t tid)
{
    for (size_t i = 0; i < THREADS_MAX; i++) {
        if (atomic_load(&threads[i].tid) == tid)
            return &threads[i];
    }
    return NULL;
}

/* ---- the handler ---- */

/* Whether the thread runs where the hub says. */
static bool
is_settled(const struct fern__hub *hub, uintptr_t sp)
{
    const fern_greenlet *g = hub->current;
    if (g == hub->root)
        return !fern__stack_slab_of(&hub->stacks, (const void *)sp);
    if (g == &hub->nobody)
        return false;
    uintptr_t low = (uintptr_t)fern__stack_low(&hub->stacks, g->stack_top);
    return sp >= low && sp <= (uintptr_t)g->stack_top;
}

static void
write_now(struct fern__hub *hub, const void *context)
{
    struct fern__fault place = fern__fault_place(context);
    enum fern__dump_kind kind = atomic_load(&hub->polling)  ? FERN__DUMP_FULL
                                : is_settled(hub, place.sp) ? FERN__DUMP_LEAN
                                                            : FERN__DUMP_UNSETTLED;
    atomic_store(&hub->dump_wanted, false);
    /* This is the hub's alternate stack, which has room, or one of somebody else's. */
    if (hub->altstack)
        fern__dump_here(hub, STDERR_FILENO, kind, (const void *)place.pc);
    else
        fern__dump_aside(hub, STDERR_FILENO, kind, (const void *)place.pc);
}

static void
serve(struct fern__hub *hub, const void *context)
{
    bool late = fern__clock_now() - hub->turned_at > fern__signal_patience_ns / 5;
    if (atomic_load(&hub->polling) || late || atomic_exchange(&hub->dump_wanted, true)) {
        write_now(hub, context);
        return;
    }
    struct itimerspec soon = {.it_value.tv_sec = fern__signal_patience_ns / FERN_SECOND,
            .it_value.tv_nsec = fern__signal_patience_ns % FERN_SECOND};
    struct thread *self = find(gettid());
    if (self)
        timer_settime(self->timer, 0, &soon, NULL);
}

static void
pass_to_others(int signal)
{
    siginfo_t info = {.si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = threads;
    pid_t self = gettid();
    for (size_t i = 0; i < THREADS_MAX; i++) {
        pid_t tid = atomic_load(&threads[i].tid);
        if (tid > 0 && tid != self)
            syscall(SYS_rt_tgsigqueueinfo, info.si_pid, tid, signal, &info);
    }
}

static void
handle(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    bool ours = info->si_code == SI_QUEUE || info->si_code == SI_TIMER;
    ours = ours && info->si_value.sival_ptr == threads;
    if (!ours)
        pass_to_others(signal);
    struct fern__hub *hub = fern__self_hub();
    if (hub && (info->si_code != SI_TIMER || !ours || atomic_load(&hub->dump_wanted)))
        serve(hub, context);
    errno = saved;
    if (ours)
        return;
    if (previous.sa_flags & SA_SIGINFO)
        previous.sa_sigaction(signal, info, context);
    else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)
        previous.sa_handler(signal);
}

/* ---- set-up ---- */

/* @return the signal of this name ("QUIT", "SIGQUIT") or number; 0: none */
static int
parse(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (end != text && !*end)
        return number > 0 && number <= SIGRTMAX ? (int)number : 0;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (int i = 1; i < SIGRTMIN; i++) {
        const char *name = sigabbrev_np(i);
        if (name && strcasecmp(name, text) == 0)
            return i;
    }
    return 0;
}

static void
choose(void)
{
    const char *text = getenv("FERN_DUMP_SIGNAL");
    if (!text || !*text)
        return;
    int signal = parse(text);
    struct sigaction action = {
            .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigemptyset(&action.sa_mask);
    bool ours = signal == SIGSEGV || signal == SIGBUS;
    if (!signal || ours || sigaction(signal, &action, &previous) < 0) {
        fern__report("FERN_DUMP_SIGNAL=%s is no signal that can be used; write QUIT, USR1, "
                     "USR2 or a number",
                text);
        return;
    }
    fern__backtrace_prime();
    chosen = signal;
}

void
fern__signal_attach(struct fern__hub *hub)
{
    (void)hub;
    pthread_once(&chosen_once, choose);
    if (!chosen)
        return;
    struct sigevent again = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = chosen};
    again.sigev_notify_thread_id = gettid();
    again.sigev_value.sival_ptr = threads;
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &again, &timer) < 0)
        return;
    /* The place is taken under a number of no thread until its timer is in it. */
    pid_t none = 0;
    struct thread *self = threads;
    while (self < threads + THREADS_MAX &&
            !atomic_compare_exchange_strong(&self->tid, &none, -1)) {
        none = 0;
        self++;
    }
    if (self == threads + THREADS_MAX) {
        timer_delete(timer);
        return;
    }
    self->timer = timer;
    atomic_store(&self->tid, gettid());
}

void
fern__signal_detach(void)
{
    struct thread *self = chosen ? find(gettid()) : NULL;
    if (!self)
        return;
    timer_delete(self->timer);
    atomic_store(&self->tid, 0);
}
