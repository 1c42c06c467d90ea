/* SPDX-License-Identifier: MIT */
/* Enter and exit: the exit runs on every way out, may wait, and has the last word. */

#include "harness.h"

#include <errno.h>

#include "trace.h"

static int
enter(void *word)
{
    trace("+%s", (const char *)word);
    return fern_sleep(FERN_MS);
}

static int
refuse(void *word)
{
    trace("!%s", (const char *)word);
    return -EACCES;
}

/* An exit that waits. */
static int
leave(void *word, int code)
{
    int r = fern_sleep(FERN_SECOND);
    trace("-%s(%d)", (const char *)word, code);
    return r < 0 ? r : code;
}

static int
swallow(void *word, int code)
{
    trace("-%s(%d)", (const char *)word, code);
    return 0;
}

TEST(enter_and_exit_stand_around_the_block_and_may_wait)
{
    int r = 7;
    fern_time start = fern_now();
    FERN_WITH(r, enter, leave, "a")
    {
        ASSERT_EQ(r, 0);
        trace("block");
    }
    ASSERT_EQ(r, 0);
    ASSERT_STR_EQ(trace_text, "+a block -a(0)");
    ASSERT_EQ(fern_time_diff(fern_now(), start), FERN_SECOND + FERN_MS);
}

TEST(the_exit_is_told_of_the_failure_and_may_swallow_it)
{
    int r;
    FERN_WITH(r, enter, leave, "a")
    r = -5;
    ASSERT_EQ(r, -5);
    FERN_WITH(r, enter, swallow, "b")
    r = -5;
    ASSERT_EQ(r, 0);
    ASSERT_STR_EQ(trace_text, "+a -a(-5) +b -b(-5)");
}

TEST(what_could_not_be_entered_is_neither_used_nor_left)
{
    int r;
    FERN_WITH(r, refuse, leave, "a")
    trace("block");
    ASSERT_ERR(r, -EACCES);
    ASSERT_STR_EQ(trace_text, "!a");
}

static int
return_from_within(void)
{
    int r;
    FERN_WITH(r, enter, leave, "outer")
    {
        FERN_WITH(r, enter, leave, "inner")
        return 42;
    }
    return r;
}

TEST(the_exit_runs_when_the_block_is_left_by_return_break_or_goto)
{
    int r;
    ASSERT_EQ(return_from_within(), 42);
    ASSERT_STR_EQ(trace_text, "+outer +inner -inner(0) -outer(0)");
    FERN_WITH(r, enter, swallow, "break")
    break;
    FERN_WITH(r, enter, swallow, "goto")
    goto out;
    trace("not here");
out:
    ASSERT_STR_EQ(trace_text,
            "+outer +inner -inner(0) -outer(0) +break -break(0) +goto -goto(0)");
}

static void *
work_inside(void *exiting)
{
    int r;
    FERN_WITH(r, enter, leave, "a")
    {
        r = fern_sleep(FERN_HOUR);
        if (exiting)
            fern_exit("gone");
    }
    trace("r=%d", r == -ECANCELED || r == -ETIME);
    ASSERT_ERR(fern_sleep(FERN_MS), r); /* what was kept back counts again */
    return NULL;
}

TEST(the_exit_of_a_killed_greenlet_runs_and_may_wait)
{
    char wanted[64];
    fern_greenlet *g = fern_spawn(work_inside, NULL);
    ASSERT_OK(fern_sleep(FERN_SECOND));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    snprintf(wanted, sizeof wanted, "+a -a(%d) r=1", -ECANCELED);
    ASSERT_STR_EQ(trace_text, wanted);
}

TEST(a_kill_that_comes_while_the_exit_runs_does_not_cut_it_short)
{
    fern_greenlet *g = fern_spawn(work_inside, NULL);
    ASSERT_OK(fern_sleep(FERN_SECOND));
    ASSERT_ERR(fern_kill(g, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_yield());
    fern_time start = fern_now();
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(fern_time_diff(fern_now(), start), FERN_SECOND);
    fern_greenlet_unref(g);
}

TEST(the_exit_runs_inside_a_scope_that_has_passed)
{
    char wanted[64];
    FERN_SCOPE (limit, fern_in(FERN_MINUTE))
        work_inside(NULL);
    snprintf(wanted, sizeof wanted, "+a -a(%d) r=1", -ETIME);
    ASSERT_STR_EQ(trace_text, wanted);
}

TEST(fern_exit_runs_the_exit_too)
{
    FINISH(fern_spawn(work_inside, "exiting"));
    ASSERT_STR_EQ(trace_text, "+a -a(0)");
}

/* ---- stacks ---- */

TEST(a_stack_of_exits_runs_the_newest_first_and_each_hears_the_one_before)
{
    fern_exits exits = FERN_EXITS_INIT;
    int r;
    FERN_EXITS(r, exits)
    {
        ASSERT_OK(fern_exits_enter(&exits, enter, leave, "a"));
        ASSERT_OK(fern_exits_push(&exits, swallow, "b"));
        ASSERT_ERR(fern_exits_enter(&exits, refuse, leave, "c"), -EACCES);
        ASSERT_OK(fern_exits_enter(&exits, enter, leave, "d"));
        r = -5;
    }
    ASSERT_EQ(r, 0);
    ASSERT_STR_EQ(trace_text, "+a !c +d -d(-5) -b(-5) -a(0)");
    ASSERT_EQ(fern_exits_run(&exits, -3), -3);
    ASSERT_EQ(fern_exits_run(NULL, -3), -3);
}

TEST(exits_that_are_moved_to_another_stack_run_with_that)
{
    fern_exits outer = FERN_EXITS_INIT, inner = FERN_EXITS_INIT;
    int r;
    ASSERT_OK(fern_exits_push(&outer, swallow, "first"));
    FERN_EXITS(r, inner)
    {
        ASSERT_OK(fern_exits_push(&inner, swallow, "second"));
        ASSERT_OK(fern_exits_push(&inner, swallow, "third"));
        ASSERT_OK(fern_exits_move(&inner, &outer));
        ASSERT_OK(fern_exits_move(&inner, &outer)); /* now empty */
    }
    ASSERT_EQ(r, 0);
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_EQ(fern_exits_run(&outer, 0), 0);
    ASSERT_STR_EQ(trace_text, "-third(0) -second(0) -first(0)");
}

static void *
die_with_a_stack(void *unused)
{
    fern_exits exits = FERN_EXITS_INIT;
    int r;
    FERN_EXITS(r, exits)
    {
        ASSERT_OK(fern_exits_push(&exits, leave, "a"));
        ASSERT_OK(fern_exits_push(&exits, leave, "b"));
        r = fern_sleep(FERN_HOUR);
        fern_exit(unused);
    }
    return NULL;
}

TEST(a_stack_of_exits_runs_when_its_greenlet_is_killed_and_exits)
{
    char wanted[64];
    fern_greenlet *g = fern_spawn(die_with_a_stack, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    snprintf(wanted, sizeof wanted, "-b(%d) -a(%d)", -ECANCELED, -ECANCELED);
    ASSERT_STR_EQ(trace_text, wanted);
}

TEST(misuse_of_a_stack_of_exits_is_einval)
{
    fern_exits exits = FERN_EXITS_INIT;
    ASSERT_ERR(fern_exits_push(NULL, leave, NULL), -EINVAL);
    ASSERT_ERR(fern_exits_push(&exits, NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_exits_enter(NULL, enter, leave, "a"), -EINVAL);
    ASSERT_ERR(fern_exits_enter(&exits, NULL, leave, "a"), -EINVAL);
    ASSERT_ERR(fern_exits_enter(&exits, enter, NULL, "a"), -EINVAL);
    ASSERT_ERR(fern_exits_move(&exits, &exits), -EINVAL);
    ASSERT_ERR(fern_exits_move(NULL, &exits), -EINVAL);
    ASSERT_ERR(fern_exits_move(&exits, NULL), -EINVAL);
}
