/* SPDX-License-Identifier: MIT */
/*
 * A call that unwinders take for another's.
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

#endif
