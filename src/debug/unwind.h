/* SPDX-License-Identifier: MIT */
/*
 * Two ways of calling a function that C has no words for.
 */
#ifndef FERN_DEBUG_UNWIND_H
#define FERN_DEBUG_UNWIND_H

#include <stdint.h>

/* Where a stack that does not run would go on. */
struct fern__place {
    uintptr_t sp;
    uintptr_t bp;
    uintptr_t pc;
};

/* Call a function so that unwinders take it to be called from that place. */
void fern__unwind_from(const struct fern__place *place, void (*fn)(void *), void *arg);

/* One past its last instruction. */
extern const char fern__unwind_from_end[];

/* Call a function on another stack, below `top`. */
void fern__unwind_aside(void *top, void (*fn)(void *), void *arg);

#endif
