/* SPDX-License-Identifier: MIT */
/*
 * The switch as inline assembly, aarch64 (AAPCS64).
 *
 * As for x86-64. x29 is kept by hand. x18 is a register like others on Linux, and lost too.
 */
#ifndef FERN_CORE_ARCH_INLINE_AARCH64_H
#define FERN_CORE_ARCH_INLINE_AARCH64_H

#include "core/arch/inline.h"

static inline __attribute__((always_inline)) void
fern__switch(struct fern__context *from, struct fern__context *to)
{
    register struct fern__context *f __asm__("x0") = from;
    register struct fern__context *t __asm__("x1") = to;
    __asm__ volatile("mov x10, sp\n\t"
                     "stp x10, x29, [%0]\n\t"
                     "ldp x10, x29, [%1]\n\t"
                     "ldr x16, [%1, #16]\n\t"
                     "mov sp, x10\n\t"
                     "cbz x16, fern__switch_back\n\t"
                     "b fern__context_entry\n\t"
                     ".globl fern__switch_back\n\t"
                     ".hidden fern__switch_back\n"
                     "fern__switch_back:\n\t"
                     : "+r"(f), "+r"(t)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
                     "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22",
                     "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2",
                     "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
                     "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",
                     "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "memory",
                     "cc");
}

static inline __attribute__((always_inline, noreturn)) void
fern__context_jump(const struct fern__context *to)
{
    register const struct fern__context *t __asm__("x1") = to;
    __asm__ volatile("ldp x10, x29, [%0]\n\t"
                     "ldr x16, [%0, #16]\n\t"
                     "mov sp, x10\n\t"
                     "cbnz x16, 1f\n\t"
                     "b fern__switch_back\n"
                     "1:\n\t"
                     "b fern__context_entry"
                     :
                     : "r"(t)
                     : "memory");
    __builtin_unreachable();
}

#endif
