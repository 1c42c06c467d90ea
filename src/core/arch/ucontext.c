/* SPDX-License-Identifier: MIT */
/*
 * The switch through ucontext.
 *
 * The saved state lives in the frame of fern__switch on the stack that is left, and is found
 * through the context; the state that enters a new stack lives in the frame of who enters it.
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

/* A state that enters a new stack. makecontext writes a few words at the very top of it; if who
 * asks still stands there, as a greenlet that ends may, those are words of its first frame, to
 * which it never returns. */
static void
prepare(ucontext_t *fresh, const struct fern__context *context)
{
    enum { ROOM = 16384 }; /* what makecontext may believe to be the stack */
    fern__assert(getcontext(fresh) == 0);
    fresh->uc_stack.ss_sp = (char *)context->top - ROOM;
    fresh->uc_stack.ss_size = ROOM;
    fresh->uc_link = NULL;
    uintptr_t c = (uintptr_t)context;
    makecontext(fresh, (void (*)(void))enter, 2, (unsigned)(c >> 32), (unsigned)c);
}

static __attribute__((noinline)) void
swap_to_new(ucontext_t *here, const struct fern__context *to)
{
    ucontext_t fresh;
    prepare(&fresh, to);
    fern__assert(swapcontext(here, &fresh) == 0);
}

void
fern__switch(struct fern__context *from, struct fern__context *to)
{
    ucontext_t here;
    from->sp = &here;
    if (to->sp)
        fern__assert(swapcontext(&here, to->sp) == 0);
    else
        swap_to_new(&here, to);
}

void
fern__context_jump(const struct fern__context *to)
{
    ucontext_t fresh;
    if (!to->sp)
        prepare(&fresh, to);
    setcontext(to->sp ? to->sp : &fresh);
    fern__die(__FILE__, __LINE__, "setcontext() failed");
}

uintptr_t
fern__context_pc(const struct fern__context *context)
{
    if (!context->sp)
        return 0;
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
