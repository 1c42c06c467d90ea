/* SPDX-License-Identifier: MIT */
/*
 * Touch as many bytes as the argument says and give them back: the unmeasured round before a
 * measure of a million greenlets. In a virtual machine the first touch of a page that the host
 * never backed costs several times as much as the next, and would be charged to whoever ran
 * first.
 */
#include "../bench.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    if (argc != 2)
        bench_die("usage: touch BYTES", 0);
    size_t bytes = strtoull(argv[1], NULL, 10);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        bench_die("mmap", errno);
    for (size_t i = 0; i < bytes; i += page)
        memory[i] = 1;
    return 0;
}
