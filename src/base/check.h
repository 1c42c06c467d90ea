/* SPDX-License-Identifier: MIT */
/*
 * Checks, and the few macros that every room uses.
 *
 * Misuse of the public API is answered with a code (FERN_CHECK). What can only be false when
 * fern itself is wrong is asserted: cheap ones stay in release builds, walks over whole
 * structures run under -Dchecks=full.
 */
#ifndef FERN_BASE_CHECK_H
#define FERN_BASE_CHECK_H

#include <stddef.h>
#include <stdint.h>

#define fern__likely(x)   __builtin_expect(!!(x), 1)
#define fern__unlikely(x) __builtin_expect(!!(x), 0)

#define fern__container_of(ptr, type, member)                                              \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Answer misuse of a public function: return the code unless the condition holds. */
#define FERN_CHECK(condition, code)                                                        \
    do {                                                                                   \
        if (fern__unlikely(!(condition)))                                                  \
            return (code);                                                                 \
    } while (0)

/* Stop the program with what is wrong, what to do about it, and the place. */
__attribute__((noreturn, cold, format(printf, 3, 4))) void fern__die(
        const char *file, int line, const char *format, ...);

#define fern__assert(condition)                                                            \
    do {                                                                                   \
        if (fern__unlikely(!(condition)))                                                  \
            fern__die(__FILE__, __LINE__, "internal error: %s is false", #condition);      \
    } while (0)

#ifdef FERN__CHECKS_FULL
#define fern__assert_slow(condition) fern__assert(condition)
#else
#define fern__assert_slow(condition) ((void)0)
#endif

/* One line to stderr, in one write, prefixed "fern: ". Keeps errno. */
__attribute__((cold, format(printf, 1, 2))) void fern__report(const char *format, ...);

#endif
