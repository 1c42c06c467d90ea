/* SPDX-License-Identifier: MIT */
/*
 * The random schedules tested by a bug on purpose: a build of fern that forgets every thousandth
 * wake-up must be found out, and the seed that found it must find it again.
 */

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Runs the program that an environment variable names; returns the status and what it printed. */
static int
run(const char *variable, const char *arguments, char *ret_text, size_t size)
{
    char command[1024];
    const char *program = getenv(variable);
    ASSERT_NOT_NULL(program);
    snprintf(command, sizeof command, "%s %s", program, arguments);
    FILE *pipe = popen(command, "r");
    ASSERT_NOT_NULL(pipe);
    size_t n = fread(ret_text, 1, size - 1, pipe);
    ret_text[n] = '\0';
    int status = pclose(pipe);
    ASSERT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

TEST(a_lost_wake_up_is_found_and_its_seed_finds_it_again, .seconds = 60)
{
    char found[4096], again[4096], arguments[128];
    ASSERT_EQ(run("FERN_TEST_PLANTED", "--seed 1 --count 20000", found, sizeof found), 1);
    ASSERT_STR_HAS(found, "FAILED: seed ");
    const char *seed = strstr(found, "--seed ");
    ASSERT_NOT_NULL(seed);
    snprintf(arguments, sizeof arguments, "--seed %lu --count 1",
            strtoul(seed + 7, NULL, 10));
    ASSERT_EQ(run("FERN_TEST_PLANTED", arguments, again, sizeof again), 1);
    /* The same words about the same actor. */
    *strchr(found, '\n') = *strchr(again, '\n') = '\0';
    ASSERT_STR_EQ(again, found);
    ASSERT_EQ(run("FERN_TEST_SCHEDULES", arguments, again, sizeof again), 0);
    ASSERT_STR_HAS(again, "1 schedules held");
}

TEST(the_same_seed_gives_the_same_run)
{
    static char first[1 << 20], second[1 << 20];
    int seeds = harness_is_slow() ? 3 : 20;
    for (int seed = 1; seed <= seeds; seed++) {
        char arguments[128];
        snprintf(arguments, sizeof arguments, "--seed %d --count 1 --trace 2>&1", seed);
        ASSERT_EQ(run("FERN_TEST_SCHEDULES", arguments, first, sizeof first), 0);
        ASSERT_EQ(run("FERN_TEST_SCHEDULES", arguments, second, sizeof second), 0);
        ASSERT_STR_EQ(first, second);
    }
}
