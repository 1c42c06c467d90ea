/* SPDX-License-Identifier: MIT */
/*
 * The switch through ucontext: the last resort, where neither assembly form fits. It saves the
 * signal mask by a system call at every switch.
 */
#ifndef FERN_CORE_ARCH_UCONTEXT_H
#define FERN_CORE_ARCH_UCONTEXT_H

#include <ucontext.h>

struct fern__context {
    ucontext_t *
            sp; /* in a frame of fern__switch; NULL: it has not run, and is entered at `top` */
    void *top; /* of the new stack */
    void *unused;
};

static inline void
fern__context_init(struct fern__context *context, void *top)
{
    /* Nothing is written to the stack: a greenlet that ends may be standing on it still. */
    context->sp = 0;
    context->top = (void *)((uintptr_t)top & ~(uintptr_t)15);
}

void fern__switch(struct fern__context *from, struct fern__context *to);
__attribute__((noreturn)) void fern__context_jump(const struct fern__context *to);

uintptr_t fern__context_pc(const struct fern__context *context);
uintptr_t fern__context_sp(const struct fern__context *context);
uintptr_t fern__context_bp(const struct fern__context *context);

#endif
