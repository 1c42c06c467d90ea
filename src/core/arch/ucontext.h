/* SPDX-License-Identifier: MIT */
/*
 * The switch through ucontext: the last resort, where neither assembly form fits. It saves the
 * signal mask by a system call at every switch.
 */
#ifndef FERN_CORE_ARCH_UCONTEXT_H
#define FERN_CORE_ARCH_UCONTEXT_H

#include <ucontext.h>

struct fern__context {
    ucontext_t *sp; /* at the top of its own stack, or the thread's */
    void *unused[2];
};

/* The context of a stack that fern did not make (main's, a dead greenlet's) saves itself in a
 * frame of fern__switch; a new stack keeps it at its top. */
void fern__context_init(struct fern__context *context, void *top);
void fern__switch(struct fern__context *from, struct fern__context *to);
__attribute__((noreturn)) void fern__context_jump(const struct fern__context *to);

static inline void
fern__context_fini(struct fern__context *context)
{
    context->sp = 0;
}

uintptr_t fern__context_pc(const struct fern__context *context);
uintptr_t fern__context_sp(const struct fern__context *context);
uintptr_t fern__context_bp(const struct fern__context *context);

#endif
