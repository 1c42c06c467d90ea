/* SPDX-License-Identifier: MIT */
/*
 * The harness tested by itself: each test starts the program tests/harness/planted as a user
 * would, whose tests fail in every way that there is, and reads what it prints.
 */

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs the planted tests whose name contains `word`; returns their TAP, for the caller to free. */
static char *
run_planted(const char *word, int *ret_status)
{
    char command[512];
    const char *program = getenv("FERN_TEST_PLANTED");
    ASSERT_NOT_NULL(program);
    snprintf(command, sizeof command, "CK_TIMEOUT_MULTIPLIER=1 %s %s 2>/dev/null", program,
            word);
    FILE *pipe = popen(command, "r");
    ASSERT_NOT_NULL(pipe);
    char *text = calloc(1, 8192);
    ASSERT_NOT_NULL(text);
    ASSERT_TRUE(fread(text, 1, 8191, pipe) > 0);
    *ret_status = pclose(pipe);
    return text;
}

static void
expect_failure(const char *word, const char *wanted)
{
    int status;
    char *text = run_planted(word, &status);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 1);
    ASSERT_STR_HAS(text, "not ok 1 - ");
    ASSERT_STR_HAS(text, wanted);
    free(text);
}

TEST(a_test_that_passes_is_ok)
{
    int status;
    char *text = run_planted("planted_good", &status);
    ASSERT_EQ(status, 0);
    ASSERT_STR_EQ(text, "1..1\nok 1 - planted_good\n# 1 passed, 0 failed\n");
    free(text);
}

TEST(what_a_test_prints_is_not_taken_for_a_result)
{
    int status;
    char *text = run_planted("planted_prints", &status);
    ASSERT_EQ(status, 0);
    ASSERT_STR_EQ(text, "1..1\nok 1 - planted_prints\n# 1 passed, 0 failed\n");
    free(text);
}

TEST(a_skipped_test_gives_its_reason)
{
    int status;
    char *text = run_planted("planted_skip", &status);
    ASSERT_EQ(status, 0);
    ASSERT_STR_HAS(text, "ok 1 - planted_skip # SKIP there is no reason 7\n");
    free(text);
}

TEST(a_failed_comparison_prints_both_values)
{
    expect_failure("planted_eq", "one + one == 3: 2 against 3");
}

TEST(a_failed_call_prints_its_error)
{
    expect_failure("planted_call", "(Bad file descriptor)");
}

TEST(a_wrong_error_prints_both_errors)
{
    expect_failure(
            "planted_error", "gave -9 (Bad file descriptor), not -22 (Invalid argument)");
}

TEST(a_failed_string_prints_both_strings)
{
    expect_failure("planted_string", "\"left\" against \"right\"");
}

TEST(a_failed_block_of_bytes_names_the_first_byte)
{
    expect_failure("planted_bytes", "byte 2 is 0x63 against 0x78");
}

TEST(a_crash_is_a_failure)
{
    expect_failure("planted_crash", "signal");
}

TEST(an_early_exit_is_a_failure)
{
    expect_failure("planted_exit", "3");
}

TEST(a_failure_of_one_seed_of_many_tells_which)
{
    expect_failure("planted_seed", "again: FERN_TEST_SEED=7, planted_seed");
}

TEST(a_seed_that_is_asked_for_is_run_alone)
{
    setenv("FERN_TEST_SEED", "23", 1);
    expect_failure("planted_seed", "again: FERN_TEST_SEED=23, planted_seed");
}

TEST(a_hang_is_ended_by_its_limit, .seconds = 30)
{
    expect_failure("planted_hang", "planted_test.c");
}

TEST(no_test_of_that_name_is_an_error)
{
    int status;
    char *text = run_planted("no_such_test", &status);
    ASSERT_EQ(WEXITSTATUS(status), 1);
    ASSERT_STR_HAS(text, "1..0");
    free(text);
}

static void
say_and_abort(void *what)
{
    fprintf(stderr, "about to end: %s\n", (const char *)what);
    abort();
}

TEST(a_child_hands_over_its_stderr_and_its_status)
{
    char text[256];
    char what[] = "abort";
    int status = harness_child(say_and_abort, what, text, sizeof text);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGABRT);
    ASSERT_STR_HAS(text, "about to end: abort\n");
}
