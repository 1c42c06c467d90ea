/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
/*
 * What the kernel takes for a million fresh stacks, with nothing run on them: as fern lays them
 * out, a guard of 64 KiB below each and one page touched at its top. Whoever gives each thread a
 * guarded stack of its own cannot sleep a million of them for less in the first round.
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
    STACKS = 1000000,
    GUARD = 64 << 10,
    STRIDE = 128 << 10,
    AT_ONCE = 500,
    SELF = -10001
};

static char *stacks;

static void
guard(size_t first)
{
    struct iovec ranges[AT_ONCE];
    for (size_t i = 0; i < AT_ONCE; i++)
        ranges[i] = (struct iovec){stacks + (first + i) * STRIDE, GUARD};
    if (syscall(SYS_process_madvise, SELF, ranges, AT_ONCE, MADV_GUARD_INSTALL, 0) < 0)
        bench_die("guards by advice want Linux 6.14", errno);
}

static void
measure_stacks(const char *argument)
{
    (void)argument;
    int64_t start = bench_cpu_ns();
    stacks = mmap(NULL, (size_t)STACKS * STRIDE, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED)
        bench_die("mmap", errno);
    madvise(stacks, (size_t)STACKS * STRIDE, MADV_NOHUGEPAGE);
    for (size_t first = 0; first < STACKS; first += AT_ONCE) {
        guard(first);
        for (size_t i = first; i < first + AT_ONCE; i++)
            stacks[(i + 1) * STRIDE - 64] = 1;
    }
    bench_print("sleepers-1m", (double)(bench_cpu_ns() - start) / 1e9, "s");
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {{"sleepers-1m", measure_stacks}, {NULL, NULL}};
    return bench_main(argc, argv, measures);
}
