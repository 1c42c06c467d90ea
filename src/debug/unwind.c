/* SPDX-License-Identifier: MIT */
/*
 * A call that unwinders take for another's.
 *
 * fern__unwind_from lies to unwinders. Its unwind information says that its caller's registers
 * are to be found in a fern__place: so a backtrace taken below it continues on a stack that does
 * not run, while everything still happens on this one. Nothing is written to the parked stack,
 * no unwinder has to be brought along, and neither frame pointers nor the form of the switch
 * matter. Only the three registers that a frame may be found by are told; an unwinder that
 * collects return addresses needs no more.
 */
#include "debug/unwind.h"

#if defined(__x86_64__)
/* In the escapes: register 3 is rbx, 6 is rbp, 16 the return address; 0x0f says how the caller's
 * sp is computed, 0x10 where a register was saved, 0x73 "rbx plus", 0x06 "load", 0x07 "lost". */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl fern__unwind_from\n"
        ".hidden fern__unwind_from\n"
        ".type fern__unwind_from, @function\n"
        "fern__unwind_from:\n" /* (place = rdi, fn = rsi, arg = rdx) */
        ".cfi_startproc\n"
        "endbr64\n"
        "pushq %rbx\n"
        ".cfi_adjust_cfa_offset 8\n"
        ".cfi_rel_offset rbx, 0\n"
        "movq %rdi, %rbx\n"
        "movq %rdx, %rdi\n"
        ".cfi_remember_state\n"
        ".cfi_escape 0x0f, 3, 0x73, 0, 0x06\n"
        ".cfi_escape 0x10, 6, 2, 0x73, 8\n"
        ".cfi_escape 0x10, 16, 2, 0x73, 16\n"
        ".cfi_escape 0x07, 3\n"
        "callq *%rsi\n"
        "nop\n"
        ".cfi_restore_state\n"
        "popq %rbx\n"
        ".cfi_adjust_cfa_offset -8\n"
        ".cfi_restore rbx\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size fern__unwind_from, . - fern__unwind_from\n"
        ".globl fern__unwind_from_end\n"
        ".hidden fern__unwind_from_end\n"
        "fern__unwind_from_end:\n");
#elif defined(__aarch64__)
/* As above: register 19 is x19 (0x83 "x19 plus"), 29 the frame pointer, 30 the return address. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl fern__unwind_from\n"
        ".hidden fern__unwind_from\n"
        ".type fern__unwind_from, %function\n"
        "fern__unwind_from:\n" /* (place = x0, fn = x1, arg = x2) */
        ".cfi_startproc\n"
        "hint #34\n"
        "stp x29, x30, [sp, #-32]!\n"
        ".cfi_adjust_cfa_offset 32\n"
        ".cfi_rel_offset x29, 0\n"
        ".cfi_rel_offset x30, 8\n"
        "str x19, [sp, #16]\n"
        ".cfi_rel_offset x19, 16\n"
        "mov x19, x0\n"
        "mov x0, x2\n"
        ".cfi_remember_state\n"
        ".cfi_escape 0x0f, 3, 0x83, 0, 0x06\n"
        ".cfi_escape 0x10, 29, 2, 0x83, 8\n"
        ".cfi_escape 0x10, 30, 2, 0x83, 16\n"
        ".cfi_escape 0x07, 19\n"
        "blr x1\n"
        "nop\n"
        ".cfi_restore_state\n"
        "ldr x19, [sp, #16]\n"
        ".cfi_restore x19\n"
        "ldp x29, x30, [sp], #32\n"
        ".cfi_adjust_cfa_offset -32\n"
        ".cfi_restore x29\n"
        ".cfi_restore x30\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size fern__unwind_from, . - fern__unwind_from\n"
        ".globl fern__unwind_from_end\n"
        ".hidden fern__unwind_from_end\n"
        "fern__unwind_from_end:\n");
#else
/* Elsewhere: nothing is told apart from the call itself. */
const char fern__unwind_from_end[1];

void
fern__unwind_from(const struct fern__place *place, void (*fn)(void *), void *arg)
{
    (void)place;
    fn(arg);
}
#endif
