/* SPDX-License-Identifier: MIT */
/*
 * Boost.Fiber: fibers in C++ with Go-like channels, one OS thread. It has no select.
 */
#include "../bench.h"

#include <boost/fiber/all.hpp>

namespace fibers = boost::fibers;

static const int64_t passes = 4000000;
static const int64_t items = 8000000;

template <typename Channel>
static void
pass_on(Channel &in, Channel &out)
{
    int64_t ball;
    for (int64_t i = 0; i < passes / 2; i++) {
        in.pop(ball);
        out.push(ball);
    }
}

template <typename Channel>
static void
pass_between_two(const char *measure, Channel &one, Channel &other)
{
    int64_t ball = 1, start = bench_now_ns();
    fibers::fiber first([&] { pass_on(one, other); }), second([&] { pass_on(other, one); });
    one.push(ball);
    first.join();
    one.pop(ball);
    second.join();
    bench_print(measure, (double)(bench_now_ns() - start) / passes, "ns");
}

static void
measure_pingpong(const char *)
{
    /* A capacity of 2 holds one item. */
    fibers::buffered_channel<int64_t> one(2), other(2);
    pass_between_two("queue-pingpong", one, other);
}

static void
measure_rendezvous(const char *)
{
    fibers::unbuffered_channel<int64_t> one, other;
    pass_between_two("queue-rendezvous", one, other);
}

static void
measure_buffered(const char *)
{
    fibers::buffered_channel<int64_t> queue(128);
    int64_t item, start = bench_now_ns();
    fibers::fiber producer([&] {
        for (int64_t i = 0; i < items; i++)
            queue.push(i);
    });
    for (int64_t i = 0; i < items; i++)
        queue.pop(item);
    producer.join();
    bench_print("queue-buffered", (double)(bench_now_ns() - start) / items, "ns");
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {
            {"queue-pingpong", measure_pingpong},
            {"queue-rendezvous", measure_rendezvous},
            {"queue-buffered", measure_buffered},
            {nullptr, nullptr},
    };
    return bench_main(argc, argv, measures);
}
