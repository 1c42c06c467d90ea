/* SPDX-License-Identifier: MIT */
#ifndef FERN_TESTS_HARNESS_H
#define FERN_TESTS_HARNESS_H

/*
 * What a test file sees. A test is a sentence that is true, and registers itself:
 *
 *     #include "harness.h"
 *
 *     TEST(sum_of_two_and_two_is_four)
 *     {
 *         ASSERT_EQ(2 + 2, 4);
 *     }
 *
 *     TEST(a_long_one_has_its_own_limit, .seconds = 60)
 *     {
 *         ...
 *     }
 *
 * Each test runs in a process of its own, with a time limit. A failed assertion prints both
 * values and ends that process, wherever it is called: in main, on a greenlet's stack or on
 * another thread. Results go to stdout as TAP; whatever a test writes to its stdout is sent to
 * stderr, so that it cannot be mistaken for a result.
 *
 *     core_wheel_test                 all tests of the file
 *     core_wheel_test cancel order    those whose name contains one of the words
 *     core_wheel_test --list          their names
 *     CK_FORK=no gdb --args ...       in one process, for a debugger
 *
 * CK_TIMEOUT_MULTIPLIER lengthens every limit (valgrind, sanitizers, emulators).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One test; made by TEST only. Lives as long as the program. */
struct harness_test {
    const char *name;
    const char *file;
    void (*run)(void);
    int seconds; /* 0: HARNESS_SECONDS */
    struct harness_test *next;
};

enum { HARNESS_SECONDS = 10 };

#define TEST(id, ...)                                                                      \
    static void test_##id(void);                                                           \
    static struct harness_test harness_##id = {                                            \
            .name = #id, .file = __FILE__, .run = test_##id, __VA_ARGS__};                 \
    __attribute__((constructor)) static void harness_add_##id(void)                        \
    {                                                                                      \
        harness_add(&harness_##id);                                                        \
    }                                                                                      \
    static void test_##id(void)

void harness_add(struct harness_test *test);

/**
 * End the running test as failed, from any stack or thread of its process.
 */
__attribute__((noreturn, format(printf, 3, 4))) void harness_fail(
        const char *file, int line, const char *format, ...);

/**
 * End the running test as skipped, with the reason.
 */
__attribute__((noreturn, format(printf, 1, 2))) void harness_skip(const char *format, ...);

/**
 * Run `body` in a child process and collect what it writes to stderr.
 *
 * @param  body     runs in the child; when it returns the child exits with 0
 * @param  arg      handed to `body`
 * @param  ret_err  receives the text, cut to fit and ended by a 0 byte
 * @param  size     bytes at `ret_err`, at least 1
 * @return the child's status as from waitpid
 */
int harness_child(void (*body)(void *arg), void *arg, char *ret_err, size_t size);

/**
 * Whether the run is slowed by valgrind, a sanitizer or an emulator: for a test that repeats
 * something many times, to repeat it less.
 */
bool harness_is_slow(void);

/**
 * Whether the run is under a tool of this name: "valgrind", "asan", "tsan", "sanitizers" (either of
 * them) or "emulator". For a test of something that the tool takes away; it says so by SKIP.
 */
bool harness_runs_under(const char *tool);

/**
 * Run a function for each of `count` seeds, from 1 on; harness_draw() then draws from it. Whichever
 * way the test fails, the seed is told; with FERN_TEST_SEED=N in the environment only N is run.
 */
void harness_each_seed(uint64_t count, void (*run)(void));

/**
 * The next 64 bits of the seed's sequence; of one that is always the same where there is no seed.
 */
uint64_t harness_random(void);

/**
 * The same as a number from 0 to below - 1.
 */
uint32_t harness_draw(uint32_t below);

/**
 * How many threads there are besides the caller's. Under some tools there is one from the start,
 * which fern cannot tell from the program's own: then nothing is ever known to be stuck.
 */
int harness_other_threads(void);

/**
 * Whether time is virtual (FERN_POLLER=sim), so that it stands still while anybody runs.
 */
bool harness_time_is_virtual(void);

/**
 * Provided by tests/leaks.c when linked: NULL, or what the test left behind.
 */
const char *fern__test_leaks(void) __attribute__((weak));

/* Used by the assertions below. */
void harness_ok(const char *file, int line, const char *expr, long long value);
void harness_err(
        const char *file, int line, const char *expr, long long value, long long wanted);
void harness_str_eq(
        const char *file, int line, const char *expr, const char *a, const char *b);
void harness_str_has(
        const char *file, int line, const char *expr, const char *text, const char *part);
void harness_mem_eq(const char *file, int line, const char *expr, const void *a,
        const void *b, size_t size);

#define HARNESS_COMPARE(a, op, b)                                                          \
    do {                                                                                   \
        long long harness_a = (long long)(a);                                              \
        long long harness_b = (long long)(b);                                              \
        if (!(harness_a op harness_b))                                                     \
            harness_fail(__FILE__, __LINE__, "%s " #op " %s: %lld against %lld", #a, #b,   \
                    harness_a, harness_b);                                                 \
    } while (0)

#define ASSERT_EQ(a, b) HARNESS_COMPARE(a, ==, b)
#define ASSERT_NE(a, b) HARNESS_COMPARE(a, !=, b)
#define ASSERT_LT(a, b) HARNESS_COMPARE(a, <, b)
#define ASSERT_LE(a, b) HARNESS_COMPARE(a, <=, b)
#define ASSERT_GT(a, b) HARNESS_COMPARE(a, >, b)
#define ASSERT_GE(a, b) HARNESS_COMPARE(a, >=, b)

/* The call is good: it gave 0 or more. */
#define ASSERT_OK(expr) harness_ok(__FILE__, __LINE__, #expr, (long long)(expr))
/* The call gave exactly this negative errno: ASSERT_ERR(fern_join(g, t), -ETIME). */
#define ASSERT_ERR(expr, wanted)                                                           \
    harness_err(__FILE__, __LINE__, #expr, (long long)(expr), (long long)(wanted))

#define ASSERT_TRUE(expr)                                                                  \
    do {                                                                                   \
        if (!(expr))                                                                       \
            harness_fail(__FILE__, __LINE__, "not true: %s", #expr);                       \
    } while (0)
#define ASSERT_FALSE(expr)                                                                 \
    do {                                                                                   \
        if (expr)                                                                          \
            harness_fail(__FILE__, __LINE__, "true: %s", #expr);                           \
    } while (0)
#define ASSERT_NULL(expr)                                                                  \
    do {                                                                                   \
        const void *harness_p = (expr);                                                    \
        if (harness_p)                                                                     \
            harness_fail(__FILE__, __LINE__, "%s is %p, not NULL", #expr, harness_p);      \
    } while (0)
#define ASSERT_NOT_NULL(expr)                                                              \
    do {                                                                                   \
        if (!(expr))                                                                       \
            harness_fail(__FILE__, __LINE__, "%s is NULL", #expr);                         \
    } while (0)
#define ASSERT_STR_EQ(a, b) harness_str_eq(__FILE__, __LINE__, #a " is " #b, a, b)
/* `part` occurs in `text`. */
#define ASSERT_STR_HAS(text, part)                                                         \
    harness_str_has(__FILE__, __LINE__, #text " has " #part, text, part)
#define ASSERT_MEM_EQ(a, b, size)                                                          \
    harness_mem_eq(__FILE__, __LINE__, #a " is " #b, a, b, size)

#define FAIL(...) harness_fail(__FILE__, __LINE__, __VA_ARGS__)
#define SKIP(...) harness_skip(__VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
