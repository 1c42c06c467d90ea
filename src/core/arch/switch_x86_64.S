/* SPDX-License-Identifier: MIT */
/*
 * The switch for x86-64 System V: the six registers that a function must keep, and `ret`, which
 * keeps the return predictor balanced. Floating-point control words are not saved.
 *
 * The saved stack, from its sp: r15 r14 r13 r12 rbx rbp return-address. A context is two words: sp,
 * and the top of a new stack, which is entered there while sp is 0.
 */
        .text

        .p2align 4
        .globl  fern__switch
        .hidden fern__switch
        .type   fern__switch, @function
fern__switch:                           /* (from = rdi, to = rsi) */
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0
        movq    %rsp, (%rdi)
        movq    (%rsi), %rax
        testq   %rax, %rax
        jz      entry
        movq    %rax, %rsp
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        ret
        .cfi_endproc
        .size   fern__switch, . - fern__switch

/* A new stack begins here, with `to` in rsi. Two words of 0 lie above its first frame, and rbp = 0
 * ends walks along frame pointers. */
        .p2align 4
        .type   entry, @function
entry:
        .cfi_startproc
        .cfi_undefined rip
        movq    8(%rsi), %rsp
        xorl    %ebp, %ebp
        pushq   %rbp
        pushq   %rbp
        movq    %rsi, %rdi
        leaq    1f(%rip), %rax          /* never returned to; unwinders end here */
        pushq   %rax
        jmp     fern__greenlet_main
1:      ud2
        .cfi_endproc
        .size   entry, . - entry

        .p2align 4
        .globl  fern__context_jump
        .hidden fern__context_jump
        .type   fern__context_jump, @function
fern__context_jump:                     /* (to = rdi), never returns */
        .cfi_startproc
        endbr64
        movq    %rdi, %rsi
        movq    (%rdi), %rax
        testq   %rax, %rax
        jz      entry
        movq    %rax, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        ret
        .cfi_endproc
        .size   fern__context_jump, . - fern__context_jump

        .section .note.GNU-stack, "", @progbits
