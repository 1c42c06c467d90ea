/* SPDX-License-Identifier: MIT */
/*
 * gdb, and tools/fern-gdb.py in it: this program runs itself under gdb, and stops at a place where
 * one greenlet runs and another is parked.
 */
#include "harness.h"

#include <fern.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int after;

static __attribute__((noinline)) void
stop_here(void)
{
    after = 1;
}

static __attribute__((noinline)) void
park_here(int secret)
{
    volatile int local = secret;
    (void)!fern_park(FERN_FOREVER);
    after = local;
}

static void *
parker(void *arg)
{
    park_here(4711);
    after = 2;
    return arg;
}

static void *
runner(void *arg)
{
    stop_here();
    after = 3;
    return arg;
}

/* What gdb runs; by itself it is nothing. */
TEST(inferior)
{
    if (!getenv("FERN_TEST_INFERIOR"))
        SKIP("run by gdb only");
    FERN_SPAWN_OPTIONS(o);
    o.name = "the parked one";
    fern_greenlet *g = fern_spawn_with(parker, NULL, &o);
    ASSERT_OK(fern_go(runner, NULL));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
}

static void
run_gdb(void *arg)
{
    const char *const *commands = arg;
    const char *argv[32] = {GDB, "-batch", "-nx", "-ex", "set confirm off", "-ex",
            "set width 0", "-ex", GDB_SOURCE, "-ex", "break stop_here", "-ex", "run"};
    size_t n = 13;
    for (; *commands; commands++) {
        argv[n++] = "-ex";
        argv[n++] = *commands;
    }
    argv[n++] = "--args";
    char self[4096] = "";
    ASSERT_GT(readlink("/proc/self/exe", self, sizeof self - 1), 0);
    argv[n++] = self;
    argv[n++] = "inferior";
    setenv("CK_FORK", "no", 1);
    setenv("FERN_TEST_INFERIOR", "yes", 1);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execv(GDB, (char *const *)(uintptr_t)argv);
    _exit(99);
}

static const char *
gdb(const char *const *commands)
{
    if (harness_is_slow())
        SKIP("no debugger beside a sanitizer, valgrind or an emulator");
    static char text[65536];
    harness_child(run_gdb, (void *)(uintptr_t)commands, text, sizeof text);
    if (!strstr(text, "Breakpoint 1, stop_here"))
        SKIP("gdb cannot run a program here");
    return text;
}

TEST(a_backtrace_in_gdb_ends_at_the_greenlets_entry, .seconds = 60)
{
    const char *text = gdb((const char *const[]){"bt", NULL});
    ASSERT_STR_HAS(text, "#0  stop_here");
    ASSERT_STR_HAS(text, " runner (");
    ASSERT_STR_HAS(text, " fern__greenlet_main (");
    ASSERT_NULL(strstr(text, "corrupt stack"));
    ASSERT_NULL(strstr(text, " main ("));
}

TEST(gdb_lists_every_greenlet, .seconds = 60)
{
    const char *text = gdb((const char *const[]){"fern-list", NULL});
    ASSERT_STR_HAS(text, "  #1 \"main\": ready");
    ASSERT_STR_HAS(text, "  #2 \"the parked one\" spawned at ");
    ASSERT_STR_HAS(text, "gdb_test.c:");
    ASSERT_STR_HAS(text, ": parked in park");
    ASSERT_STR_HAS(text, "* #3 spawned at ");
    ASSERT_STR_HAS(text, ": running");
}

TEST(gdb_shows_where_a_greenlet_is_parked, .seconds = 60)
{
    const char *text = gdb((const char *const[]){"fern-bt 2", NULL});
    ASSERT_STR_HAS(text, " park_here (");
    ASSERT_STR_HAS(text, " parker (");
    ASSERT_NULL(strstr(text, "corrupt stack"));
    ASSERT_NULL(strstr(text, " runner ("));
}

TEST(gdb_goes_to_a_parked_greenlet_and_back, .seconds = 60)
{
    const char *text =
            gdb((const char *const[]){"fern-select 2", "frame function park_here",
                    "info locals", "fern-select", "bt", "continue", NULL});
    ASSERT_STR_HAS(text, "local = 4711");
    ASSERT_STR_HAS(strstr(text, "local = 4711"), " runner (");
    ASSERT_STR_HAS(text, "exited normally");
}

TEST(gdb_is_told_what_is_wrong, .seconds = 60)
{
    const char *text = gdb((const char *const[]){"fern-bt 99", NULL});
    ASSERT_STR_HAS(text, "there is no greenlet #99");
    text = gdb((const char *const[]){"fern-bt 3", NULL});
    ASSERT_STR_HAS(text, "greenlet #3 runs: it is the thread itself");
}
