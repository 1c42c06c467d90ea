/* SPDX-License-Identifier: MIT */
/*
 * Stack overflow.
 *
 * A fault on a guard arrives as SIGSEGV on an alternate stack. The handler tells whose stack is
 * full and how to raise its size, and passes the signal on to whoever handled it before; if nobody
 * did, the default action is restored and the faulting instruction runs again, so that the program
 * dies with the true signal and core. Faults that are not ours are passed on in the same way
 * without a word.
 *
 * A fault in the guard of the running greenlet's own stack is an overflow; one in the guard of
 * another's says that somebody writes where he should not. Where there are no guards, what was
 * overrun is found when the greenlet leaves the CPU or ends, or by a fault far below.
 *
 * The handler takes no lock and allocates nothing. It reads the structures of the thread that it
 * interrupted: slabs and blocks are linked in only when they are complete.
 */
#include "core/overflow.h"

#include "core/arch/fault.h"
#include "core/report.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALT_BYTES = 64 * 1024 };

static struct sigaction previous[2]; /* of SIGSEGV and SIGBUS */
static pthread_once_t installed = PTHREAD_ONCE_INIT;

struct search {
    const char *low;
    const char *high;
    fern_greenlet *found;
};

static bool
owns(fern_greenlet *g, void *arg)
{
    struct search *search = arg;
    const char *top = g->stack_top;
    if (g->life == FERN__LIFE_LIVE && top > search->low && top <= search->high)
        search->found = g;
    return !search->found;
}

static void
tell_full(const fern_greenlet *g, size_t stack_bytes, const void *address)
{
    char label[160] = "(between two greenlets)";
    if (g)
        fern__greenlet_label(g, label, sizeof label);
    fern__report(
            "stack overflow in greenlet %s: its stack of %zu KiB is full (fault at %p). "
            "Give it more with fern_spawn_options.stack_bytes, or all of them with "
            "FERN_STACK=%zuk in the environment",
            label, stack_bytes / 1024, address, stack_bytes / 1024 * 4);
}

static void
tell_stray(const fern_greenlet *by, const fern_greenlet *of, const void *address)
{
    char culprit[160], owner[160];
    fern__greenlet_label(by, culprit, sizeof culprit);
    fern__greenlet_label(of, owner, sizeof owner);
    fern__report("bad access at %p by greenlet %s: it lies in the guard below the stack of "
                 "greenlet "
                 "%s; an array was overrun, or a pointer is wild",
            address, culprit, owner);
}

static size_t
size_of(struct fern__hub *hub, const fern_greenlet *g)
{
    const char *low = fern__stack_low(&hub->stacks, g->stack_top);
    return (size_t)((const char *)g->stack_top - low + 1023) / 1024 * 1024;
}

/* If the address lies in the guard of one of this hub's stacks, say whose. */
static void
tell_guard(struct fern__hub *hub, const fern_greenlet *self, const void *address)
{
    const struct fern__slab *slab = fern__stack_slab_of(&hub->stacks, address);
    if (!slab)
        return;
    size_t offset = (size_t)((const char *)address - slab->base);
    if (offset % slab->stride >= FERN__STACK_GUARD_BYTES)
        return;
    const char *stride = slab->base + offset / slab->stride * slab->stride;
    struct search search = {stride, stride + slab->stride, NULL};
    fern__greenlet_each(hub, owns, &search);
    if (search.found && self && search.found != self)
        tell_stray(self, search.found, address);
    else
        tell_full(search.found, slab->stack_bytes, address);
}

/* Whether the running greenlet has run down from its stack through the neighbours': where there
 * are no guards nothing stops it but the end of the slab. */
static bool
ran_through(struct fern__hub *hub, const fern_greenlet *self, const void *context)
{
    static const uintptr_t far = 256 << 20;
    uintptr_t sp = fern__fault_place(context).sp;
    if (hub->stacks.guard != FERN__GUARD_CANARY || !self || !self->stack_top || !sp)
        return false;
    uintptr_t low = (uintptr_t)fern__stack_low(&hub->stacks, self->stack_top);
    return sp < low && low - sp < far;
}

static void
tell(struct fern__hub *hub, const void *address, const void *context)
{
    const fern_greenlet *self = hub->current == &hub->nobody ? NULL : hub->current;
    if (ran_through(hub, self, context))
        tell_full(self, size_of(hub, self), address);
    else
        tell_guard(hub, self, address);
}

static void
pass_on(int signal, siginfo_t *info, void *context)
{
    struct sigaction *before = &previous[signal == SIGBUS];
    if (before->sa_flags & SA_SIGINFO && before->sa_sigaction) {
        before->sa_sigaction(signal, info, context);
        return;
    }
    if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(signal);
        return;
    }
    if (info->si_code <= 0 && before->sa_handler == SIG_IGN)
        return;
    /* The default cannot be called: restore it and run into the fault again, or, for a signal
     * that somebody sent, send it again. */
    struct sigaction fallback = {.sa_handler = SIG_DFL};
    sigaction(signal, &fallback, NULL);
    if (info->si_code <= 0)
        raise(signal);
}

static void
handle(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    struct fern__hub *hub = fern__self_hub();
    if (hub && info->si_code > 0)
        tell(hub, info->si_addr, context);
    errno = saved;
    pass_on(signal, info, context);
}

static void
install(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &previous[0]);
    sigaction(SIGBUS, &action, &previous[1]);
}

int
fern__overflow_attach(struct fern__hub *hub)
{
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && now.ss_flags & SS_DISABLE) {
        void *low = mmap(NULL, ALT_BYTES, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (low == MAP_FAILED)
            return -ENOMEM;
        stack_t alt = {.ss_sp = low, .ss_size = ALT_BYTES};
        sigaltstack(&alt, NULL);
        hub->altstack = low;
    }
    pthread_once(&installed, install);
    return 0;
}

void
fern__overflow_detach(struct fern__hub *hub)
{
    if (!hub->altstack)
        return;
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == hub->altstack) {
        stack_t none = {.ss_flags = SS_DISABLE};
        sigaltstack(&none, NULL);
    }
    munmap(hub->altstack, ALT_BYTES);
    hub->altstack = NULL;
}

void
fern__overflow_check(struct fern__hub *hub, fern_greenlet *g, bool ended)
{
    const void *sp = __builtin_frame_address(0);
    if (!fern__stack_overrun(&hub->stacks, g->stack_top, sp, ended))
        return;
    tell_full(g, size_of(hub, g), sp);
    /* What lies below may be anybody's by now: nothing can be trusted to run on. */
    struct sigaction fallback = {.sa_handler = SIG_DFL};
    sigaction(SIGSEGV, &fallback, NULL);
    raise(SIGSEGV);
    abort();
}
