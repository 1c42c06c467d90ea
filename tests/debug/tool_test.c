/* SPDX-License-Identifier: MIT */
/*
 * A program's own sanitizer and the ordinary library: runs sanitized.cc, built once with each.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

struct run {
    const char *program;
    const char *what;
    const char *after_return; /* "1": look for uses after return */
};

static void
run_program(void *arg)
{
    const struct run *run = arg;
    char options[64] = "detect_stack_use_after_return=";
    setenv("ASAN_OPTIONS", strcat(options, run->after_return), 1);
    setenv("TSAN_OPTIONS", "", 1);
    /* Older thread sanitizers cannot start under strong address randomisation. */
    personality(ADDR_NO_RANDOMIZE);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execl(run->program, run->program, run->what, (char *)NULL);
    _exit(99);
}

static const char *
output_of(struct run run, int *ret_status)
{
    static char text[65536];
    *ret_status = harness_child(run_program, &run, text, sizeof text);
    return text;
}

static void
assert_clean(struct run run)
{
    int status;
    const char *text = output_of(run, &status);
    if (status != 0 || strcmp(text, "done\n") != 0)
        FAIL("status %#x: %s", (unsigned)status, text);
}

static void
assert_found(struct run run, const char *finding)
{
    int status;
    const char *text = output_of(run, &status);
    ASSERT_NE(status, 0);
    ASSERT_STR_HAS(text, finding);
}

TEST(address_and_leak_sanitizers_report_nothing_false, .seconds = 60)
{
    assert_clean((struct run){UNDER_ADDRESS, "clean", "0"});
    assert_clean((struct run){UNDER_ADDRESS, "clean", "1"});
}

TEST(address_sanitizer_finds_an_overrun_on_a_greenlets_stack, .seconds = 60)
{
    assert_found((struct run){UNDER_ADDRESS, "overrun", "0"}, "stack-buffer-overflow");
    assert_found((struct run){UNDER_ADDRESS, "overrun", "1"}, "stack-buffer-overflow");
}

TEST(address_sanitizer_finds_a_use_after_return_in_a_greenlet, .seconds = 60)
{
    assert_found((struct run){UNDER_ADDRESS, "after", "1"}, "stack-use-after-return");
}

TEST(thread_sanitizer_reports_nothing_false, .seconds = 60)
{
    assert_clean((struct run){UNDER_THREAD, "clean", "0"});
}

TEST(thread_sanitizer_names_the_greenlet_that_races, .seconds = 60)
{
    assert_found((struct run){UNDER_THREAD, "race", "0"}, "data race");
    assert_found((struct run){UNDER_THREAD, "race", "0"}, "'the writer'");
}
