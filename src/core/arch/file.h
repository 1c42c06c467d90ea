/* SPDX-License-Identifier: MIT */
/*
 * The switch as a function in an assembly file (switch_x86_64.S, switch_aarch64.S): it saves the
 * registers that a called function must keep on the stack it leaves, and returns on the other.
 */
#ifndef FERN_CORE_ARCH_FILE_H
#define FERN_CORE_ARCH_FILE_H

struct fern__context {
    void *sp;  /* NULL: it has not run, and is entered at `top` */
    void *top; /* of the new stack */
    void *unused;
};

void fern__switch(struct fern__context *from, struct fern__context *to);
__attribute__((noreturn)) void fern__context_jump(const struct fern__context *to);

enum {
#if defined(__x86_64__)
    FERN__SWITCH_SAVED_BP = 5, /* words from the saved sp to the saved frame pointer */
    FERN__SWITCH_SAVED_PC = 6, /* and to the return address */
    FERN__SWITCH_SAVED = 7,    /* and to the caller's stack */
#else
    FERN__SWITCH_SAVED_BP = 10,
    FERN__SWITCH_SAVED_PC = 11,
    FERN__SWITCH_SAVED = 20,
#endif
};

static inline void
fern__context_init(struct fern__context *context, void *top)
{
    /* Nothing is written to the stack: a greenlet that ends may be standing on it still. */
    context->sp = 0;
    context->top = (void *)((uintptr_t)top & ~(uintptr_t)15);
}

static inline uintptr_t
fern__context_pc(const struct fern__context *context)
{
    return ((uintptr_t *)context->sp)[FERN__SWITCH_SAVED_PC];
}

static inline uintptr_t
fern__context_sp(const struct fern__context *context)
{
    return (uintptr_t)((uintptr_t *)context->sp + FERN__SWITCH_SAVED);
}

static inline uintptr_t
fern__context_bp(const struct fern__context *context)
{
    return ((uintptr_t *)context->sp)[FERN__SWITCH_SAVED_BP];
}

#endif
