/* SPDX-License-Identifier: MIT */
/*
 * A system call by way of libc, where fern has no code of its own for it.
 */
#ifndef FERN_BASE_ARCH_SYSCALL_LIBC_H
#define FERN_BASE_ARCH_SYSCALL_LIBC_H

#include <errno.h>
#include <unistd.h>

static inline long
fern__syscall(long number, long a, long b, long c, long d, long e, long f)
{
    int saved = errno;
    long result = syscall(number, a, b, c, d, e, f);
    if (result < 0) {
        result = -errno;
        errno = saved;
    }
    return result;
}

#endif
