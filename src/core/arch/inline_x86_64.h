/* SPDX-License-Identifier: MIT */
/*
 * The switch as inline assembly, x86-64 System V.
 *
 * Only stack and frame pointer are exchanged. Since the switch has one call site, whoever is
 * switched to stands right behind it too, and running on there is all that is left to do; only a
 * new stack, whose `entry` is set, is entered by a jump. Nothing is pushed, so the red zone stays
 * intact. The frame pointer is kept by hand: it cannot be in a clobber list.
 */
#ifndef FERN_CORE_ARCH_INLINE_X86_64_H
#define FERN_CORE_ARCH_INLINE_X86_64_H

#include "core/arch/inline.h"

#ifdef __AVX512F__
#define FERN__CLOBBER_AVX512                                                               \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",     \
            "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2",     \
            "k3", "k4", "k5", "k6", "k7"
#else
#define FERN__CLOBBER_AVX512
#endif

static inline __attribute__((always_inline)) void
fern__switch(struct fern__context *from, struct fern__context *to)
{
    __asm__ volatile("movq %%rsp, 0(%0)\n\t"
                     "movq %%rbp, 8(%0)\n\t"
                     "movq 0(%1), %%rsp\n\t"
                     "movq 8(%1), %%rbp\n\t"
                     "cmpq $0, 16(%1)\n\t"
                     "jne fern__context_entry\n\t"
                     ".globl fern__switch_back\n\t"
                     ".hidden fern__switch_back\n"
                     "fern__switch_back:\n\t"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13",
                     "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                     "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                     "xmm15" FERN__CLOBBER_AVX512, "memory", "cc");
}

static inline __attribute__((always_inline, noreturn)) void
fern__context_jump(const struct fern__context *to)
{
    __asm__ volatile("movq 0(%0), %%rsp\n\t"
                     "movq 8(%0), %%rbp\n\t"
                     "cmpq $0, 16(%0)\n\t"
                     "jne fern__context_entry\n\t"
                     "jmp fern__switch_back"
                     :
                     : "S"(to)
                     : "memory");
    __builtin_unreachable();
}

#endif
