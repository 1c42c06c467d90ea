/* SPDX-License-Identifier: MIT */
/*
 * The first instructions on a new stack, for the inline form of the switch.
 *
 * The switch arrives here with `to` still in its register. fern__greenlet_main is jumped to, with
 * a return address that it never uses: it lies in this function, which declares its own return
 * address undefined, so unwinders, debuggers and C++ exceptions end here instead of running off.
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
        "xorl %ebp, %ebp\n"
        "movq $0, 16(%rsi)\n"
        "movq %rsi, %rdi\n"
        "leaq 1f(%rip), %rax\n"
        "pushq %rax\n"
        "jmp fern__greenlet_main\n"
        "1:\n"
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
        "mov x29, xzr\n"
        "str xzr, [x1, #16]\n"
        "adr x30, 1f\n"
        "mov x0, x1\n"
        "b fern__greenlet_main\n"
        "1:\n"
        "brk #1\n"
        ".cfi_endproc\n"
        ".size fern__context_entry, . - fern__context_entry\n");
#endif

#endif
