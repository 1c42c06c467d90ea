/* SPDX-License-Identifier: MIT */
/*
 * Stack overflow.
 *
 * A fault on a guard arrives as SIGSEGV on an alternate stack. The handler finds the slab and the
 * stride that hold the address, tells whose stack it is and how to raise its size, and passes the
 * signal on to whoever handled it before; if nobody did, the default action is restored and the
 * faulting instruction runs again, so that the program dies with the true signal and core. Faults
 * that are not ours are passed on in the same way without a word.
 *
 * The handler takes no lock and allocates nothing. It reads the structures of the thread that it
 * interrupted: slabs and blocks are linked in only when they are complete.
 */
#include "core/overflow.h"

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
tell(fern_greenlet *g, size_t stack_bytes, const void *address)
{
    char label[160] = "(between two greenlets)";
    if (g)
        fern__greenlet_label(g, label, sizeof label);
    fern__report("stack overflow in greenlet %s: its stack of %zu KiB is full (fault at "
                 "%p). Give "
                 "it more with fern_spawn_options.stack_bytes, or all of them with "
                 "FERN_STACK=%zuk "
                 "in the environment",
            label, stack_bytes / 1024, address, stack_bytes / 1024 * 4);
}

/* Whether the address lies in the guard of one of this hub's stacks; then say whose. */
static bool
tell_if_guard(struct fern__hub *hub, const void *address)
{
    const struct fern__slab *slab = fern__stack_slab_of(&hub->stacks, address);
    if (!slab)
        return false;
    size_t offset = (size_t)((const char *)address - slab->base);
    if (offset % slab->stride >= FERN__STACK_GUARD_BYTES)
        return false;
    const char *stride = slab->base + offset / slab->stride * slab->stride;
    struct search search = {stride, stride + slab->stride, NULL};
    fern__greenlet_each(hub, owns, &search);
    tell(search.found, slab->stack_bytes, address);
    return true;
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
        tell_if_guard(hub, info->si_addr);
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
    const char *low = fern__stack_low(&hub->stacks, g->stack_top);
    tell(g, (size_t)((uintptr_t)g->stack_top - (uintptr_t)low + 1023) / 1024 * 1024, sp);
    /* What lies below may be anybody's by now: nothing can be trusted to run on. */
    struct sigaction fallback = {.sa_handler = SIG_DFL};
    sigaction(SIGSEGV, &fallback, NULL);
    raise(SIGSEGV);
    abort();
}
