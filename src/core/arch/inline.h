/* SPDX-License-Identifier: MIT */
/*
 * What the inline forms of the switch keep of a stack, whatever the processor.
 */
#ifndef FERN_CORE_ARCH_INLINE_H
#define FERN_CORE_ARCH_INLINE_H

#include <stdint.h>

struct fern__context {
    void *sp;
    void *bp;
    void *entry; /* of a new stack; else NULL */
};

/* Where a new stack is entered, with its context in the register of `to`. */
void fern__context_entry(void);

/* The place behind the switch. */
extern const char fern__switch_back[] __attribute__((visibility("hidden")));

static inline void
fern__context_init(struct fern__context *context, void *top)
{
    /* Zero words above the first frame end walks along frame pointers. */
    uintptr_t sp = ((uintptr_t)top & ~(uintptr_t)15) - 16;
    ((uintptr_t *)sp)[0] = 0;
    ((uintptr_t *)sp)[1] = 0;
    context->sp = (void *)sp;
    context->bp = 0;
    context->entry = (void *)(uintptr_t)fern__context_entry;
}

static inline uintptr_t
fern__context_pc(const struct fern__context *context)
{
    return context->entry ? 0 : (uintptr_t)fern__switch_back;
}

static inline uintptr_t
fern__context_sp(const struct fern__context *context)
{
    return (uintptr_t)context->sp;
}

static inline uintptr_t
fern__context_bp(const struct fern__context *context)
{
    return (uintptr_t)context->bp;
}

#endif
