/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H

/*
 * What every C and C++ program of the benchmarks shares: clocks, memory, random numbers, a
 * listening socket, and the one way of printing a result. A program is started as
 *
 *     program MEASURE [ARGUMENT]
 *
 * and prints one line `measure value unit` for each value it took. It knows nothing of rounds
 * or of other programs; bench/run.py does all of that.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_US INT64_C(1000)
#define BENCH_MS INT64_C(1000000)
#define BENCH_S  INT64_C(1000000000)

/* What a program exits with when a deadline common to all its sleepers passed before the last
 * of them was asleep: the harness then tries again with a later one. */
#define BENCH_TOO_LATE 3

/* A link in a chain of callers: `name` calls `callee` from an address of its own. The empty
 * statement after the call keeps it from becoming a jump. */
#define BENCH_CALLER(name, callee)                                                         \
    static __attribute__((noinline)) void name(void)                                       \
    {                                                                                      \
        callee();                                                                          \
        __asm__ volatile("");                                                              \
    }

typedef struct {
    const char *name;
    void (*run)(const char *argument);
} bench_measure;

/* Run the measure that argv names, from a table that ends with an empty entry. */
int bench_main(int argc, char **argv, const bench_measure *measures);

void bench_print(const char *measure, double value, const char *unit);

/* Print how `count` parked threads fared: `prefix`-bytes, -create and -wake. */
void bench_print_parked(const char *prefix, size_t count, int64_t memory_bytes,
        int64_t create_ns, int64_t wake_ns);

/* Print what went wrong with the text of `error` (an errno; 0 for none) and exit with 1. */
void bench_die(const char *what, int error) __attribute__((noreturn));

int64_t bench_now_ns(void);       /* monotonic */
int64_t bench_cpu_ns(void);       /* user and system time of all threads of this process */
int64_t bench_memory_bytes(void); /* resident pages and page tables */

/* Memory whose pages are all resident, so that filling it later changes no measure. */
void *bench_allocate(size_t bytes);

/* The nanoseconds that an argument in seconds means. */
int64_t bench_seconds(const char *argument);

/* The next number of a sequence whose state must not start as 0. */
uint64_t bench_random(uint64_t *state);

/* Fill `order` with 0 .. count - 1, shuffled the same way in each run. */
void bench_shuffle(uint32_t *order, size_t count);

double bench_median(double *values, size_t count);

/* Allow `count` open files, or say on stderr that it may not be done. */
void bench_fds_raise(uint64_t count);

/* A listening socket, TCP on a free port of 127.0.0.1 or Unix at `path` (NULL: TCP). */
int bench_listen(const char *path);

/* Tell the harness that connections are accepted at `fd`. */
void bench_listen_ready(int fd);

#ifdef __cplusplus
}
#endif
#endif
