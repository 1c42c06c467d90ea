/* SPDX-License-Identifier: MIT */
/*
 * fern_dump and fern_backtrace: who is there, waiting for what, and where.
 */
#include "harness.h"

#include "debug/symbol.h"

#include <errno.h>
#include <execinfo.h>
#include <fern.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 64 };

static volatile int after;
static int mark;

/* Functions that a backtrace must show: `after` keeps the compiler from calling by a jump. */
static __attribute__((noinline)) void
inner(void)
{
    (void)!fern_park(FERN_FOREVER);
    after = 1;
}

static __attribute__((noinline)) void
middle(int depth)
{
    if (depth)
        middle(depth - 1);
    else
        inner();
    after = 2;
}

static __attribute__((noinline)) void *
outer(void *arg)
{
    middle((int)(intptr_t)arg);
    after = 3;
    return NULL;
}

static void *
sleep_long(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)fern_sleep(FERN_MINUTE);
}

static void *
join_it(void *g)
{
    return (void *)(intptr_t)fern_join(g, fern_in(FERN_SECOND));
}

static void *
end_at_once(void *arg)
{
    return arg;
}

static const char *
dump_text(int *ret_count)
{
    static char text[65536];
    memset(text, 0, sizeof text);
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    ASSERT_NOT_NULL(out);
    int count = fern_dump(out);
    fclose(out);
    if (ret_count)
        *ret_count = count;
    return text;
}

/* The line of the dump that holds some text. */
static const char *
line_with(const char *text, const char *part)
{
    static char line[512];
    const char *at = strstr(text, part);
    if (!at)
        FAIL("\"%s\" is not in: %s", part, text);
    while (at > text && at[-1] != '\n')
        at--;
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

static void
kill_and_drop(fern_greenlet *g)
{
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
}

TEST(dump_shows_what_everybody_waits_for_until_when_and_since_when)
{
    FERN_SPAWN_OPTIONS(o);
    o.name = "sleeper";
    fern_greenlet *sleeper = fern_spawn_with(sleep_long, NULL, &o);
    fern_greenlet *parker = fern_spawn(outer, (void *)2);
    fern_greenlet *joiner = fern_spawn(join_it, sleeper);
    o = (fern_spawn_options){.size = sizeof o, .delay_ns = FERN_MINUTE, .daemon = true};
    fern_greenlet *later = fern_spawn_with(end_at_once, NULL, &o);
    fern_greenlet *done = fern_spawn(end_at_once, NULL);
    ASSERT_OK(fern_yield());
    fern_greenlet *unrun = fern_spawn(end_at_once, NULL);
    int count;
    const char *text = dump_text(&count);
    ASSERT_EQ(count, 7);
    ASSERT_STR_HAS(line_with(text, "fern: thread"), " greenlets, ");
    ASSERT_STR_HAS(line_with(text, "\"main\""), "#1 \"main\": running, ");
    ASSERT_STR_HAS(line_with(text, "sleeper"), "tests/debug/dump_test.c:");
    ASSERT_STR_HAS(line_with(text, "sleeper"), " by #1: parked in sleep, wakes in ");
    ASSERT_STR_HAS(line_with(text, "sleeper"), " old");
    ASSERT_STR_HAS(line_with(text, "in park"), "no deadline");
    ASSERT_STR_HAS(line_with(text, "in join"), "end of #2, deadline in ");
    ASSERT_STR_HAS(line_with(text, "daemon"), "delayed, starts in ");
    ASSERT_STR_HAS(text, "ended with code 0");
    ASSERT_STR_HAS(text, "ready, has not run");
    ASSERT_STR_HAS(text, "    at inner+0x");
    ASSERT_STR_HAS(text, "    at outer+0x");
    kill_and_drop(joiner);
    kill_and_drop(sleeper);
    kill_and_drop(parker);
    kill_and_drop(later);
    kill_and_drop(unrun);
    fern_greenlet_unref(done);
}

TEST(dump_leaves_out_the_frames_inside_of_fern)
{
    fern_greenlet *parker = fern_spawn(outer, NULL);
    ASSERT_OK(fern_yield());
    const char *text = dump_text(NULL);
    ASSERT_NULL(strstr(text, "fern__"));
    kill_and_drop(parker);
}

static void *
dump_without_a_hub(void *arg)
{
    *(int *)arg = fern_dump(NULL);
    return NULL;
}

TEST(dump_on_a_thread_without_a_hub_writes_nobody)
{
    int count = -1;
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, dump_without_a_hub, &count), 0);
    pthread_join(thread, NULL);
    ASSERT_EQ(count, 0);
}

TEST(dump_to_a_stream_that_cannot_be_written_is_an_error)
{
    ASSERT_NOT_NULL(fern_self());
    FILE *full = fopen("/dev/full", "w");
    ASSERT_NOT_NULL(full);
    setvbuf(full, NULL, _IONBF, 0);
    ASSERT_ERR(fern_dump(full), -EIO);
    fclose(full);
}

static void
assert_name(const void *frame, const char *name)
{
    struct fern__symbols symbols;
    fern__symbols_init(&symbols, false);
    const struct fern__symbol *symbol = fern__symbol_find(&symbols, frame);
    if (!symbol->name)
        FAIL("no name for %p; it should be %s", frame, name);
    ASSERT_STR_EQ(symbol->name, name);
    fern__symbols_fini(&symbols);
}

TEST(backtrace_of_a_parked_greenlet_ends_at_its_function)
{
    fern_greenlet *g = fern_spawn(outer, (void *)3);
    ASSERT_OK(fern_yield());
    void *frames[FRAMES];
    int n = fern_backtrace(g, frames, FRAMES);
    ASSERT_GT(n, 6);
    ASSERT_LT(n, 12);
    assert_name(frames[n - 1], "outer");
    for (int i = 2; i <= 5; i++)
        assert_name(frames[n - i], "middle");
    assert_name(frames[n - 6], "inner");
    kill_and_drop(g);
}

static fern_greenlet *root;

static void *
look_at_main(void *ret_n)
{
    void *frames[FRAMES];
    *(int *)ret_n = fern_backtrace(root, frames, FRAMES);
    return NULL;
}

TEST(backtrace_of_a_waiting_main_ends_where_the_program_begins)
{
    int n = 0;
    root = fern_self();
    ASSERT_OK(fern_go(look_at_main, &n));
    ASSERT_OK(fern_yield());
    ASSERT_GT(n, 3);
    ASSERT_LT(n, FRAMES);
}

static __attribute__((noinline)) void *
look_at_oneself(void *ret_n)
{
    void *frames[FRAMES];
    int n = fern_backtrace(NULL, frames, FRAMES);
    ASSERT_EQ(n, 1);
    assert_name(frames[0], "look_at_oneself");
    ASSERT_EQ(fern_backtrace(fern_self(), frames, FRAMES), 1);
    *(int *)ret_n = n;
    return NULL;
}

TEST(backtrace_of_the_running_greenlet_begins_at_the_caller)
{
    int n = 0;
    ASSERT_OK(fern_go(look_at_oneself, &n));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(n, 1);
}

TEST(backtrace_keeps_to_the_room_it_has)
{
    fern_greenlet *g = fern_spawn(outer, (void *)3);
    ASSERT_OK(fern_yield());
    void *all[FRAMES], *some[4] = {NULL, NULL, NULL, &mark};
    ASSERT_GT(fern_backtrace(g, all, FRAMES), 3);
    ASSERT_EQ(fern_backtrace(g, some, 3), 3);
    ASSERT_MEM_EQ(all, some, 3 * sizeof *all);
    ASSERT_TRUE(some[3] == &mark);
    kill_and_drop(g);
}

TEST(backtrace_of_one_that_has_not_run_or_has_ended_is_empty)
{
    void *frames[FRAMES];
    fern_greenlet *g = fern_spawn(end_at_once, NULL);
    ASSERT_EQ(fern_backtrace(g, frames, FRAMES), 0);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_EQ(fern_backtrace(g, frames, FRAMES), 0);
    fern_greenlet_unref(g);
}

static void *
look_from_another_thread(void *g)
{
    void *frames[FRAMES];
    return (void *)(intptr_t)fern_backtrace(g, frames, FRAMES);
}

TEST(backtrace_answers_misuse_with_a_code)
{
    void *frames[FRAMES];
    ASSERT_ERR(fern_backtrace(NULL, NULL, FRAMES), -EINVAL);
    ASSERT_ERR(fern_backtrace(NULL, frames, 0), -EINVAL);
    ASSERT_ERR(fern_backtrace(NULL, frames, 1025), -EINVAL);
    pthread_t thread;
    void *r;
    ASSERT_EQ(pthread_create(&thread, NULL, look_from_another_thread, fern_self()), 0);
    pthread_join(thread, &r);
    ASSERT_ERR((intptr_t)r, -EXDEV);
}

/* libc's own backtrace, as a crash handler of the user's would take it. */
static void *
walk(void *ret_n)
{
    void *frames[FRAMES];
    *(int *)ret_n = backtrace(frames, FRAMES);
    after = 4;
    return NULL;
}

TEST(an_unwinder_ends_cleanly_at_the_greenlets_entry)
{
    int n = 0;
    ASSERT_OK(fern_go(walk, &n));
    ASSERT_OK(fern_yield());
    ASSERT_GT(n, 1);
    ASSERT_LT(n, 8);
}
