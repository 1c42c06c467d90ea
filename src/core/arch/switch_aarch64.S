/* SPDX-License-Identifier: MIT */
/*
 * The switch for aarch64: x19 to x30 and the low halves of v8 to v15.
 *
 * The saved stack, from its sp: x19 to x28 (10 words), x29, x30, d8 to d15. A context is two words:
 * sp, and the top of a new stack, which is entered there while sp is 0.
 */
        .text

        .p2align 4
        .globl  fern__switch
        .hidden fern__switch
        .type   fern__switch, %function
fern__switch:                           /* (from = x0, to = x1) */
        .cfi_startproc
        hint    #34                     /* bti c */
        sub     sp, sp, #160
        .cfi_adjust_cfa_offset 160
        stp     x19, x20, [sp, #0]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mov     x9, sp
        str     x9, [x0]
        ldr     x9, [x1]
        cbz     x9, entry
        mov     sp, x9
        ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        add     sp, sp, #160
        .cfi_adjust_cfa_offset -160
        .cfi_restore x29
        .cfi_restore x30
        ret
        .cfi_endproc
        .size   fern__switch, . - fern__switch

/* A new stack begins here, with `to` in x1. Two words of 0 lie above its first frame, and x29 = 0
 * ends walks along frame pointers. */
        .p2align 4
        .type   entry, %function
entry:
        .cfi_startproc
        .cfi_undefined x30
        ldr     x9, [x1, #8]
        mov     sp, x9
        stp     xzr, xzr, [sp, #-16]!
        mov     x29, xzr
        adr     x30, 1f                 /* never returned to; unwinders end here */
        mov     x0, x1
        b       fern__greenlet_main
1:      brk     #1
        .cfi_endproc
        .size   entry, . - entry

        .p2align 4
        .globl  fern__context_jump
        .hidden fern__context_jump
        .type   fern__context_jump, %function
fern__context_jump:                     /* (to = x0), never returns */
        .cfi_startproc
        hint    #34
        mov     x1, x0
        ldr     x9, [x0]
        cbz     x9, entry
        mov     sp, x9
        ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        add     sp, sp, #160
        ret
        .cfi_endproc
        .size   fern__context_jump, . - fern__context_jump

        .section .note.GNU-stack, "", %progbits
