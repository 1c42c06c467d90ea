/* SPDX-License-Identifier: MIT */
/*
 * The floor under every yield: two stacks and a jump between them, with no queue, no error
 * number, no cancellation. Only the program counter and the stack and frame pointers move; all
 * else is named as clobbered, so the compiler saves just what is alive.
 */
#include "../bench.h"

#include <errno.h>
#include <sys/mman.h>

#define SWITCHES    INT64_C(20000000)
#define STACK_BYTES (64 << 10)

struct context {
    void *pc;
    void *sp;
    void *bp;
};

static struct context main_context, other_context;

/* CALL_PUSHES: how many bytes a call leaves on the stack, as a function's entry expects. */
#if defined(__x86_64__)
#define CALL_PUSHES 8
static inline __attribute__((always_inline)) void
jump(struct context *from, struct context *to)
{
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rax, 0(%%rdi)\n\t"
                     "movq %%rsp, 8(%%rdi)\n\t"
                     "movq %%rbp, 16(%%rdi)\n\t"
                     "movq 8(%%rsi), %%rsp\n\t"
                     "movq 16(%%rsi), %%rbp\n\t"
                     "jmpq *0(%%rsi)\n"
                     "1:\n\t"
                     "endbr64"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13",
                     "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                     "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                     "xmm15", "memory", "cc");
}
#elif defined(__aarch64__)
#define CALL_PUSHES 0
static inline __attribute__((always_inline)) void
jump(struct context *from, struct context *to)
{
    register struct context *source __asm__("x0") = from;
    register struct context *target __asm__("x1") = to;
    __asm__ volatile("adr x9, 1f\n\t"
                     "mov x10, sp\n\t"
                     "stp x9, x10, [x0]\n\t"
                     "str x29, [x0, #16]\n\t"
                     "ldp x9, x10, [x1]\n\t"
                     "ldr x29, [x1, #16]\n\t"
                     "mov sp, x10\n\t"
                     "br x9\n"
                     "1:\n\t"
                     "hint #36"
                     : "+r"(source), "+r"(target)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
                     "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22",
                     "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2",
                     "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
                     "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",
                     "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "memory",
                     "cc");
}
#else
#error "the bare switch is written for x86-64 and aarch64"
#endif

static __attribute__((noinline)) void
to_other(void)
{
    jump(&main_context, &other_context);
}

static __attribute__((noinline)) void
to_main(void)
{
    jump(&other_context, &main_context);
}

BENCH_CALLER(main_near, to_other)
BENCH_CALLER(main_far, main_near)
BENCH_CALLER(other_near, to_main)
BENCH_CALLER(other_middle, other_near)
BENCH_CALLER(other_far, other_middle)

static __attribute__((noreturn)) void
other_inline(void)
{
    /* Ended by the process: the last jump out never comes back. */
    for (;;)
        jump(&other_context, &main_context);
}

static __attribute__((noreturn)) void
other_called(void)
{
    /* As above. */
    for (;;)
        other_far();
}

static void
prepare_other(void (*entry)(void))
{
    char *stack = mmap(
            NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        bench_die("mmap", errno);
    other_context.pc = (void *)entry;
    other_context.sp = stack + STACK_BYTES - 64 - CALL_PUSHES;
    other_context.bp = NULL;
}

static void
measure_yield(const char *argument)
{
    (void)argument;
    prepare_other(other_inline);
    int64_t start = bench_now_ns();
    for (int64_t i = 0; i < SWITCHES / 2; i++)
        jump(&main_context, &other_context);
    bench_print("yield", (double)(bench_now_ns() - start) / SWITCHES, "ns");
}

static void
measure_callers(const char *argument)
{
    (void)argument;
    prepare_other(other_called);
    int64_t start = bench_now_ns();
    for (int64_t i = 0; i < SWITCHES / 2; i++)
        main_far();
    bench_print("yield-callers", (double)(bench_now_ns() - start) / SWITCHES, "ns");
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {
            {"yield", measure_yield},
            {"yield-callers", measure_callers},
            {NULL, NULL},
    };
    return bench_main(argc, argv, measures);
}
