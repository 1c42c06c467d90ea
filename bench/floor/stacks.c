/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
/*
 * What the kernel takes for fresh stacks, with nothing run on them: as fern lays them out, a guard
 * of 64 KiB below each and one page touched at its top. Whoever gives each thread a guarded stack
 * of its own cannot sleep a million of them for less in the first round.
 *
 * Of a tree with a million leaves whose threads run in the order of their spawns, all 111,111
 * parents wait before the first leaf runs, and all leaves have been spawned: beside the stacks
 * there is a record for each, here of 256 bytes in huge pages, that is written by the spawn and
 * again, in the same order, when its thread runs.
 */
#include "../bench.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum {
    GUARD = 64 << 10,
    STRIDE = 128 << 10,
    AT_ONCE = 500,
    RECORD = 256,
    LINE = 64,
    HUGE = 2 << 20,
    SELF = -10001
};

static char *stacks;

static void
guard(size_t first, size_t count)
{
    struct iovec ranges[AT_ONCE];
    for (size_t i = 0; i < count; i++)
        ranges[i] = (struct iovec){stacks + (first + i) * STRIDE, GUARD};
    if (syscall(SYS_process_madvise, SELF, ranges, count, MADV_GUARD_INSTALL, 0) < 0)
        bench_die("guards by advice want Linux 6.14", errno);
}

static double
touch_stacks(size_t count)
{
    int64_t start = bench_cpu_ns();
    stacks = mmap(NULL, count * STRIDE, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED)
        bench_die("mmap", errno);
    madvise(stacks, count * STRIDE, MADV_NOHUGEPAGE);
    for (size_t first = 0; first < count; first += AT_ONCE) {
        size_t some = count - first < AT_ONCE ? count - first : AT_ONCE;
        guard(first, some);
        for (size_t i = first; i < first + some; i++)
            stacks[(i + 1) * STRIDE - 64] = 1;
    }
    return (double)(bench_cpu_ns() - start);
}

static void
measure_sleepers(const char *argument)
{
    (void)argument;
    bench_print("sleepers-1m", touch_stacks(1000000) / 1e9, "s");
}

static double
touch_records(size_t count)
{
    int64_t start = bench_cpu_ns();
    size_t bytes = (count * RECORD + HUGE - 1) / HUGE * HUGE;
    char *mapping = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        bench_die("mmap", errno);
    char *records = mapping + (HUGE - (uintptr_t)mapping % HUGE) % HUGE;
    madvise(records, bytes, MADV_HUGEPAGE);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count * RECORD; i += LINE)
            records[i] = (char)(pass + 1);
    }
    return (double)(bench_cpu_ns() - start);
}

static void
measure_tree(const char *argument)
{
    (void)argument;
    double took_ns = touch_stacks(111111) + touch_records(1111111);
    bench_print("queue-skynet", took_ns / 1e6, "ms");
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {
            {"sleepers-1m", measure_sleepers},
            {"queue-skynet", measure_tree},
            {NULL, NULL},
    };
    return bench_main(argc, argv, measures);
}
