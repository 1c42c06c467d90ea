/* SPDX-License-Identifier: MIT */
/*
 * Boost.Context's bare switch: jump_fcontext between two stacks, with no scheduler on top.
 */
#include "../bench.h"

#include <boost/context/detail/fcontext.hpp>
#include <cstdlib>

namespace context = boost::context::detail;

static const int64_t switches = 20000000;
static const size_t stack_bytes = 64 << 10;

static context::fcontext_t elsewhere;

static inline __attribute__((always_inline)) void
jump()
{
    elsewhere = context::jump_fcontext(elsewhere, nullptr).fctx;
}

static __attribute__((noinline)) void
jump_called()
{
    jump();
}

BENCH_CALLER(main_near, jump_called)
BENCH_CALLER(main_far, main_near)
BENCH_CALLER(other_near, jump_called)
BENCH_CALLER(other_middle, other_near)
BENCH_CALLER(other_far, other_middle)

static void
other_direct(context::transfer_t from)
{
    elsewhere = from.fctx;
    /* Ended by the process: the last jump out never comes back. */
    for (;;)
        jump();
}

static void
other_called(context::transfer_t from)
{
    elsewhere = from.fctx;
    /* As above. */
    for (;;)
        other_far();
}

static void
prepare(void (*entry)(context::transfer_t))
{
    char *stack = static_cast<char *>(std::malloc(stack_bytes));
    if (!stack)
        bench_die("malloc", 0);
    elsewhere = context::make_fcontext(stack + stack_bytes, stack_bytes, entry);
    jump();
}

static void
measure_yield(const char *)
{
    prepare(other_direct);
    int64_t start = bench_now_ns();
    for (int64_t i = 0; i < switches / 2; i++)
        jump();
    bench_print("yield", double(bench_now_ns() - start) / switches, "ns");
}

static void
measure_callers(const char *)
{
    prepare(other_called);
    int64_t start = bench_now_ns();
    for (int64_t i = 0; i < switches / 2; i++)
        main_far();
    bench_print("yield-callers", double(bench_now_ns() - start) / switches, "ns");
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {
            {"yield", measure_yield},
            {"yield-callers", measure_callers},
            {nullptr, nullptr},
    };
    return bench_main(argc, argv, measures);
}
