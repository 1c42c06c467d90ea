/* SPDX-License-Identifier: MIT */
/*
 * Calling a function that needs more stack than the current one may have left.
 *
 * The hub works on the stack of whoever parks, within 2 KiB. What is rare and needs more (a
 * report with backtraces, a look at what the loader has loaded) is called from here. The frame in
 * between is an honest one: backtraces pass through it.
 */
#include "core/aside.h"

#include "core/tool.h"

#include <errno.h>
#include <sys/mman.h>

enum { ROOM_BYTES = 256 * 1024 };

/* Call fn(arg) below `top`. */
void fern__aside_call(void *top, void (*fn)(void *), void *arg);

#if defined(__x86_64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".globl fern__aside_call\n"
        ".hidden fern__aside_call\n"
        ".type fern__aside_call, @function\n"
        "fern__aside_call:\n" /* (top = rdi, fn = rsi, arg = rdx) */
        ".cfi_startproc\n"
        "endbr64\n"
        "pushq %rbp\n"
        ".cfi_adjust_cfa_offset 8\n"
        ".cfi_rel_offset rbp, 0\n"
        "movq %rsp, %rbp\n"
        ".cfi_def_cfa_register rbp\n"
        "andq $-16, %rdi\n"
        "movq %rdi, %rsp\n"
        "movq %rdx, %rdi\n"
        "callq *%rsi\n"
        "movq %rbp, %rsp\n"
        ".cfi_def_cfa_register rsp\n"
        "popq %rbp\n"
        ".cfi_adjust_cfa_offset -8\n"
        ".cfi_restore rbp\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size fern__aside_call, . - fern__aside_call\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".globl fern__aside_call\n"
        ".hidden fern__aside_call\n"
        ".type fern__aside_call, %function\n"
        "fern__aside_call:\n" /* (top = x0, fn = x1, arg = x2) */
        ".cfi_startproc\n"
        "hint #34\n"
        "stp x29, x30, [sp, #-16]!\n"
        ".cfi_adjust_cfa_offset 16\n"
        ".cfi_rel_offset x29, 0\n"
        ".cfi_rel_offset x30, 8\n"
        "mov x29, sp\n"
        ".cfi_def_cfa_register x29\n"
        "and x0, x0, #-16\n"
        "mov sp, x0\n"
        "mov x0, x2\n"
        "blr x1\n"
        "mov sp, x29\n"
        ".cfi_def_cfa_register sp\n"
        "ldp x29, x30, [sp], #16\n"
        ".cfi_adjust_cfa_offset -16\n"
        ".cfi_restore x29\n"
        ".cfi_restore x30\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size fern__aside_call, . - fern__aside_call\n");
#else
/* Elsewhere the current stack has to do. */
void
fern__aside_call(void *top, void (*fn)(void *), void *arg)
{
    (void)top;
    fn(arg);
}
#endif

int
fern__aside(void (*fn)(void *), void *arg)
{
    char *low = mmap(NULL, ROOM_BYTES, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (low == MAP_FAILED)
        return -ENOMEM;
    uintptr_t id = fern__tool_aside(low, ROOM_BYTES);
    fern__aside_call(low + ROOM_BYTES, fn, arg);
    fern__tool_aside_end(id);
    munmap(low, ROOM_BYTES);
    return 0;
}
