/* SPDX-License-Identifier: MIT */
/*
 * Leaving one stack for another.
 *
 * Three forms, chosen when fern is built: inline assembly that moves only stack pointer, frame
 * pointer and program counter and declares everything else clobbered (default); a function in an
 * assembly file; ucontext where there is neither. Each supplies
 *
 *     struct fern__context                       what is kept of a stack that is not running
 *     fern__context_init(context, top)           make it enter fern__greenlet_main on a new stack
 *     fern__switch(from, to)                     leave for `to`; returns when somebody comes back
 *     fern__context_jump(to)                     leave for `to` for good
 *     fern__context_pc/sp/bp(context)            for backtraces; pc 0: it has not run
 *
 * fern__switch has one call site in the whole library: the return predictor then guesses right.
 * A new stack is entered, and a dead one left, by jumps: with a call that is never returned from,
 * or a return to where nobody called, every return of whoever runs next would be mispredicted.
 */
#ifndef FERN_CORE_ARCH_SWITCH_H
#define FERN_CORE_ARCH_SWITCH_H

#include <stdint.h>

struct fern__context;

/* Where a new stack starts; never returns. */
__attribute__((noreturn)) void fern__greenlet_main(struct fern__context *context);

#if defined(FERN__SWITCH_UCONTEXT) && FERN__SWITCH_UCONTEXT
#include "core/arch/ucontext.h"
#elif defined(FERN__SWITCH_FILE) && FERN__SWITCH_FILE
#include "core/arch/file.h"
#elif defined(__x86_64__)
#include "core/arch/inline_x86_64.h"
#elif defined(__aarch64__)
#include "core/arch/inline_aarch64.h"
#else
#include "core/arch/ucontext.h"
#endif

#endif
