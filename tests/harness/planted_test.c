/* SPDX-License-Identifier: MIT */
/*
 * Tests that fail, one in each way; harness_test.c runs them one by one and reads the outcome.
 */

#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TEST(planted_good)
{
    ASSERT_EQ(1, 1);
    ASSERT_OK(0);
    ASSERT_ERR(-EINVAL, -EINVAL);
    ASSERT_STR_EQ("a", "a");
    ASSERT_MEM_EQ("abc", "abc", 3);
}

TEST(planted_prints)
{
    puts("not ok 1 - this is not a result");
    fflush(stdout);
}

TEST(planted_skip)
{
    SKIP("there is no reason %d", 7);
}

TEST(planted_eq)
{
    int one = 1;
    ASSERT_EQ(one + one, 3);
}

TEST(planted_call)
{
    ASSERT_OK(-EBADF);
}

TEST(planted_error)
{
    ASSERT_ERR(-EBADF, -EINVAL);
}

TEST(planted_string)
{
    ASSERT_STR_EQ("left", "right");
}

TEST(planted_bytes)
{
    ASSERT_MEM_EQ("abcd", "abxd", 4);
}

TEST(planted_crash)
{
    raise(SIGKILL);
}

TEST(planted_exit)
{
    exit(3);
}

static void
fail_with_seven(void)
{
    static int runs;
    if (++runs == 7 || getenv("FERN_TEST_SEED"))
        ASSERT_EQ(harness_draw(1), 1);
}

TEST(planted_seed)
{
    harness_each_seed(10, fail_with_seven);
}

TEST(planted_hang, .seconds = 1)
{
    /* Ended by the limit alone: what it does never ends. */
    for (;;)
        pause();
}
