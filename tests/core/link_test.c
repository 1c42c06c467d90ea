/* SPDX-License-Identifier: MIT */
/* Links: who is told of an end, in which order, and where. */

#include "harness.h"

#include <errno.h>

#include "trace.h"

static fern_greenlet *
spawn_quiet(fern_fn *fn, void *arg)
{
    FERN_SPAWN_OPTIONS(options);
    options.quiet = true;
    return fern_spawn_with(fn, arg, &options);
}

static void *
fail(void *unused)
{
    (void)unused;
    return fern_fail(-EIO, "on purpose");
}

static void *
park(void *unused)
{
    (void)fern_sleep(FERN_HOUR);
    return unused;
}

static void
told(fern_greenlet *g, void *word)
{
    ASSERT_TRUE(fern_ready(g));
    trace("%s", (const char *)word);
}

static int last;

static void
in_turn(fern_greenlet *g, void *number)
{
    (void)g;
    ASSERT_EQ(*(int *)number, last + 1);
    last = *(int *)number;
}

TEST(a_thousand_links_on_one_are_called_in_the_order_of_linking)
{
    static int numbers[1000];
    fern_greenlet *g = fern_spawn(say, "x");
    for (int i = 0; i < 1000; i++) {
        numbers[i] = i + 1;
        ASSERT_OK(fern_link(g, in_turn, &numbers[i], FERN_LINK_ANY));
    }
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(last, 1000);
    fern_greenlet_unref(g);
}

static void
link_by_outcome(fern_greenlet *g)
{
    ASSERT_OK(fern_link(g, told, "any", FERN_LINK_ANY));
    ASSERT_OK(fern_link(g, told, "good", FERN_LINK_SUCCESS));
    ASSERT_OK(fern_link(g, told, "bad", FERN_LINK_FAILURE));
    ASSERT_OK(fern_link(g, told, "both", FERN_LINK_SUCCESS | FERN_LINK_FAILURE));
    ASSERT_OK(fern_link(g, told, "SPAWN", FERN_LINK_SPAWN));
    ASSERT_OK(fern_link(g, told, "GOOD", FERN_LINK_SUCCESS | FERN_LINK_SPAWN));
    ASSERT_OK(fern_link(g, told, "BAD", FERN_LINK_FAILURE | FERN_LINK_SPAWN));
}

static const char *
links_of(fern_greenlet *g, bool late)
{
    trace_text[0] = '\0';
    if (!late)
        link_by_outcome(g);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    if (late)
        link_by_outcome(g);
    ASSERT_OK(fern_yield());
    fern_greenlet_unref(g);
    return trace_text;
}

static fern_greenlet *
spawn_killed(int code)
{
    fern_greenlet *g = fern_spawn(park, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(g, code, FERN_NOWAIT), -EAGAIN);
    return g;
}

TEST(only_the_links_of_its_outcome_are_called_early_or_late)
{
    for (int late = 0; late < 2; late++) {
        ASSERT_STR_EQ(links_of(fern_spawn(say, "x"), late), "x any good both SPAWN GOOD");
        ASSERT_STR_EQ(links_of(spawn_quiet(fail, NULL), late), "any bad both SPAWN BAD");
        ASSERT_STR_EQ(links_of(spawn_killed(0), late), "any good both SPAWN GOOD");
        ASSERT_STR_EQ(links_of(spawn_killed(5), late), "any bad both SPAWN BAD");
    }
    trace_text[0] = '\0';
}

TEST(a_link_to_one_that_has_ended_is_never_called_inside_the_linking)
{
    fern_greenlet *g = fern_spawn(say, "x");
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_OK(fern_link(g, told, "late", FERN_LINK_ANY));
    trace("main");
    fern_greenlet_unref(g);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "x main late");
}

static void *
join_and_say(void *g)
{
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    trace("joiner");
    return NULL;
}

TEST(joiners_and_links_are_served_in_the_order_in_which_they_came)
{
    fern_greenlet *g = fern_spawn(park, NULL);
    ASSERT_OK(fern_link(g, told, "first", FERN_LINK_ANY));
    ASSERT_OK(fern_yield());
    fern_greenlet *j1 = fern_spawn(join_and_say, g);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_link(g, told, "second", FERN_LINK_ANY));
    fern_greenlet *j2 = fern_spawn(join_and_say, g);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    FINISH(j1);
    FINISH(j2);
    ASSERT_STR_EQ(trace_text, "first joiner second joiner");
    fern_greenlet_unref(g);
}

/* ---- taking links back ---- */

TEST(an_unlinked_one_is_not_called)
{
    fern_greenlet *g = fern_spawn(say, "x");
    ASSERT_ERR(fern_unlink(g, told, "a"), -ESRCH);
    static char a[] = "a", b[] = "b";
    ASSERT_OK(fern_link(g, told, a, FERN_LINK_ANY));
    ASSERT_OK(fern_link(g, told, b, FERN_LINK_ANY));
    ASSERT_OK(fern_link(g, told, a, FERN_LINK_SPAWN));
    ASSERT_OK(fern_unlink(g, told, a));
    ASSERT_ERR(fern_unlink(g, told, "c"), -ESRCH);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "x b a");
    ASSERT_ERR(fern_unlink(g, told, a), -ESRCH);
    fern_greenlet_unref(g);
}

TEST(all_links_can_be_taken_back_but_joiners_stay)
{
    fern_greenlet *g = fern_spawn(park, NULL);
    ASSERT_EQ(fern_unlink_all(g), 0);
    ASSERT_OK(fern_link(g, told, "a", FERN_LINK_ANY));
    fern_greenlet *joiner = fern_spawn(join_and_say, g);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_link(g, told, "b", FERN_LINK_SPAWN));
    ASSERT_OK(fern_link(g, told, "c", FERN_LINK_SUCCESS));
    ASSERT_EQ(fern_unlink_all(g), 3);
    ASSERT_EQ(fern_unlink_all(g), 0);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    FINISH(joiner);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "joiner");
    fern_greenlet_unref(g);
}

static char later[] = "later";

static void
link_and_unlink(fern_greenlet *g, void *other)
{
    trace("early");
    ASSERT_OK(fern_unlink(other, told, later));
    ASSERT_OK(fern_link(g, told, "relinked", FERN_LINK_ANY));
}

TEST(a_link_may_take_back_others_and_link_anew)
{
    fern_greenlet *g = fern_spawn(say, "x"), *other = fern_spawn(park, NULL);
    ASSERT_OK(fern_link(other, told, later, FERN_LINK_ANY));
    ASSERT_OK(fern_link(g, link_and_unlink, other, FERN_LINK_ANY));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(other, 0, FERN_FOREVER));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "x early relinked");
    fern_greenlet_unref(g);
    fern_greenlet_unref(other);
}

/* ---- what links may do ---- */

static void
fail_in_link(fern_greenlet *g, void *word)
{
    told(g, word);
    (void)fern_fail(1, "a link's own");
}

static void
fail_in_links(void *unused)
{
    fern_greenlet *g = fern_spawn(say, unused);
    ASSERT_OK(fern_link(g, fail_in_link, "a", FERN_LINK_ANY));
    ASSERT_OK(fern_link(g, fail_in_link, "b", FERN_LINK_SPAWN));
    ASSERT_OK(fern_link(g, told, "c", FERN_LINK_ANY));
    FINISH(g);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "x a b c");
}

TEST(a_link_that_fails_is_reported_and_does_not_stop_the_others)
{
    char text[1024];
    ASSERT_EQ(harness_child(fail_in_links, "x", text, sizeof text), 0);
    ASSERT_STR_HAS(text, "a callback failed with code 1: a link's own");
    ASSERT_STR_HAS(text, "greenlet #4 failed with code 1: a link's own");
}

static void
try_to_sleep(fern_greenlet *g, void *word)
{
    int r = fern_sleep(1);
    trace("%s%d", (const char *)word, r);
    if (r == 0)
        fern_exit(g);
}

TEST(a_link_in_a_greenlet_of_its_own_may_wait_and_exit)
{
    fern_greenlet *g = fern_spawn(say, "x");
    ASSERT_OK(fern_link(g, try_to_sleep, "call", FERN_LINK_ANY));
    ASSERT_OK(fern_link(g, try_to_sleep, "greenlet", FERN_LINK_SPAWN));
    FINISH(g);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_STR_EQ(trace_text, "x call-35 greenlet0");
}

TEST(the_greenlet_of_a_link_that_is_killed_before_leaves_nothing)
{
    fern_greenlet *g = fern_spawn(park, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_link(g, told, "never", FERN_LINK_SPAWN));
    ASSERT_OK(fern_kill_id(fern_id(g) + 1, 0));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_OK(fern_link(g, told, "never", FERN_LINK_SPAWN));
    ASSERT_OK(fern_kill_id(fern_id(g) + 2, 0));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "");
    fern_greenlet_unref(g);
}

TEST(misuse_of_links_is_answered)
{
    fern_greenlet *g = fern_spawn(say, "x");
    ASSERT_ERR(fern_link(NULL, told, NULL, 0), -EINVAL);
    ASSERT_ERR(fern_link(g, NULL, NULL, 0), -EINVAL);
    ASSERT_ERR(fern_link(g, told, NULL, 8), -EINVAL);
    ASSERT_ERR(fern_unlink(NULL, told, NULL), -EINVAL);
    ASSERT_ERR(fern_unlink_all(NULL), -EINVAL);
    FINISH(g);
}
