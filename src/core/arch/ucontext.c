/* SPDX-License-Identifier: MIT */
/*
 * The switch through ucontext.
 *
 * The saved state lives in the frame of fern__switch on the stack that is left, and is found
 * through the context; only the first entry of a new stack needs a place of its own, which is
 * the top of that stack.
 */
#include "core/arch/switch.h"

#if defined(FERN__SWITCH_UCONTEXT) || (!defined(__x86_64__) && !defined(__aarch64__))

#include "base/check.h"

/* makecontext passes ints: a pointer goes as two. */
static void
enter(unsigned high, unsigned low)
{
    uintptr_t context = (uintptr_t)high << 32 | low;
    fern__greenlet_main((struct fern__context *)context);
}

void
fern__context_init(struct fern__context *context, void *top)
{
    enum {
        ROOM = 16384
    }; /* what makecontext may look at: it writes at its upper end only */
    uintptr_t at = ((uintptr_t)top - sizeof(ucontext_t)) & ~(uintptr_t)63;
    ucontext_t *u = (ucontext_t *)at;
    fern__assert(getcontext(u) == 0);
    u->uc_stack.ss_sp = (void *)(at - ROOM);
    u->uc_stack.ss_size = ROOM;
    u->uc_link = NULL;
    uintptr_t c = (uintptr_t)context;
    makecontext(u, (void (*)(void))enter, 2, (unsigned)(c >> 32), (unsigned)c);
    context->sp = u;
}

void
fern__switch(struct fern__context *from, struct fern__context *to)
{
    ucontext_t here;
    from->sp = &here;
    fern__assert(swapcontext(&here, to->sp) == 0);
}

void
fern__context_jump(const struct fern__context *to)
{
    setcontext(to->sp);
    fern__die(__FILE__, __LINE__, "setcontext() failed");
}

uintptr_t
fern__context_pc(const struct fern__context *context)
{
#if defined(__x86_64__)
    return (uintptr_t)context->sp->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)context->sp->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

uintptr_t
fern__context_sp(const struct fern__context *context)
{
#if defined(__x86_64__)
    return (uintptr_t)context->sp->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    return (uintptr_t)context->sp->uc_mcontext.sp;
#else
    (void)context;
    return 0;
#endif
}

uintptr_t
fern__context_bp(const struct fern__context *context)
{
#if defined(__x86_64__)
    return (uintptr_t)context->sp->uc_mcontext.gregs[REG_RBP];
#elif defined(__aarch64__)
    return (uintptr_t)context->sp->uc_mcontext.regs[29];
#else
    (void)context;
    return 0;
#endif
}

#endif
