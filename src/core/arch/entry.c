/* SPDX-License-Identifier: MIT */
/*
 * The first instructions on a new stack, for the inline form of the switch.
 *
 * The switch arrives here with `to` still in its register. The return address is declared
 * undefined, so unwinders, debuggers and C++ exceptions end here instead of running off.
 */
#include "core/arch/switch.h"

#if !defined(FERN__SWITCH_UCONTEXT) && !defined(FERN__SWITCH_FILE)

#if defined(__x86_64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".globl fern__context_entry\n"
        ".hidden fern__context_entry\n"
        ".type fern__context_entry, @function\n"
        "fern__context_entry:\n"
        ".cfi_startproc\n"
        ".cfi_undefined rip\n"
        "endbr64\n"
        "xorl %ebp, %ebp\n"
        "movq %rsi, %rdi\n"
        "call fern__greenlet_main\n"
        "ud2\n"
        ".cfi_endproc\n"
        ".size fern__context_entry, . - fern__context_entry\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".globl fern__context_entry\n"
        ".hidden fern__context_entry\n"
        ".type fern__context_entry, %function\n"
        "fern__context_entry:\n"
        ".cfi_startproc\n"
        ".cfi_undefined x30\n"
        "hint #36\n"
        "mov x29, xzr\n"
        "mov x30, xzr\n"
        "mov x0, x1\n"
        "bl fern__greenlet_main\n"
        "brk #1\n"
        ".cfi_endproc\n"
        ".size fern__context_entry, . - fern__context_entry\n");
#endif

#endif
