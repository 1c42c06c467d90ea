/* SPDX-License-Identifier: MIT */
/* Spawning: order, every option, each misuse, and the states of a life. */

#include "harness.h"

#include <errno.h>
#include <stdint.h>

#include "trace.h"

/* ---- plain ---- */

TEST(spawn_never_switches_and_children_start_in_spawn_order)
{
    fern_greenlet *a = fern_spawn(say, "a");
    fern_greenlet *b = fern_spawn(say, "b");
    ASSERT_OK(fern_go(say, "c"));
    trace("main");
    FINISH(a);
    FINISH(b);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "main a b c");
}

TEST(a_function_that_is_null_is_einval_and_nothing_is_scheduled)
{
    errno = 0;
    ASSERT_NULL(fern_spawn(NULL, NULL));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_ERR(fern_go(NULL, NULL), -EINVAL);
    FERN_SPAWN_OPTIONS(options);
    errno = 0;
    ASSERT_NULL(fern_spawn_with(NULL, NULL, &options));
    ASSERT_EQ(errno, EINVAL);
    fern_hub_stats stats;
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_EQ(stats.spawned, 0);
}

TEST(the_functions_behind_the_macros_work_too)
{
    fern_greenlet *a = (fern_spawn)(say, "a");
    ASSERT_NULL(fern_greenlet_site(a));
    fern_greenlet *b = (fern_spawn_with)(say, "b", NULL);
    ASSERT_OK((fern_go)(say, "c"));
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "a b c");
}

TEST(the_place_of_the_spawn_is_known)
{
    fern_greenlet *g = fern_spawn(say, "x");
    const fern_site *site = fern_greenlet_site(g);
    ASSERT_STR_HAS(site->file, "spawn_test.c");
    ASSERT_STR_HAS(site->function, "the_place_of_the_spawn_is_known");
    ASSERT_EQ(site->line, __LINE__ - 4);
    ASSERT_NULL(fern_greenlet_site(fern_self()));
    FINISH(g);
}

/* ---- ids, names, parents ---- */

static void *
tell_parent(void *ret_id)
{
    *(uint64_t *)ret_id = fern_parent_id(NULL);
    return NULL;
}

TEST(main_is_number_one_and_ids_are_never_used_again)
{
    ASSERT_EQ(fern_id(NULL), 1);
    ASSERT_EQ(fern_parent_id(NULL), 0);
    uint64_t last = 1;
    for (int i = 0; i < 70000; i++) {
        fern_greenlet *g = fern_spawn(say, "");
        ASSERT_GT(fern_id(g), last);
        last = fern_id(g);
        ASSERT_ERR(fern_kill(g, 0, FERN_NOWAIT), 0);
        fern_greenlet_unref(g);
        if (i % 1000 == 0)
            ASSERT_OK(fern_yield());
    }
    ASSERT_OK(fern_yield());
}

TEST(the_parent_is_who_spawned)
{
    uint64_t id = 0;
    fern_greenlet *g = fern_spawn(tell_parent, &id);
    ASSERT_EQ(fern_parent_id(g), fern_id(NULL));
    FINISH(g);
    ASSERT_EQ(id, fern_id(NULL));
}

TEST(a_name_is_copied_and_cut_to_31_bytes)
{
    char name[64] = "0123456789012345678901234567890123456789";
    FERN_SPAWN_OPTIONS(options);
    options.name = name;
    fern_greenlet *g = fern_spawn_with(say, "x", &options);
    name[0] = 'x';
    ASSERT_STR_EQ(fern_name(g), "0123456789012345678901234567890");
    ASSERT_OK(fern_set_name(g, "short"));
    ASSERT_STR_EQ(fern_name(g), "short");
    ASSERT_OK(fern_set_name(g, NULL));
    ASSERT_STR_EQ(fern_name(g), "");
    ASSERT_OK(fern_set_name(NULL, "me"));
    ASSERT_STR_EQ(fern_name(NULL), "me");
    ASSERT_OK(fern_set_name(NULL, ""));
    FINISH(g);
}

/* ---- states (D 6, D 28) ---- */

static void *
look_at_itself(void *unused)
{
    fern_greenlet *g = fern_self();
    ASSERT_EQ(fern_greenlet_state(g), FERN_STATE_RUNNING);
    ASSERT_TRUE(fern_started(g));
    ASSERT_FALSE(fern_ready(g));
    ASSERT_FALSE(fern_successful(g));
    fern_outcome outcome;
    ASSERT_ERR(fern_greenlet_outcome(g, &outcome), -EINPROGRESS);
    ASSERT_OK(fern_park(FERN_FOREVER));
    return unused;
}

TEST(states_before_start_after_start_and_after_the_end)
{
    FERN_SPAWN_OPTIONS(options);
    options.unstarted = true;
    fern_greenlet *g = fern_spawn_with(look_at_itself, &options, &options);
    ASSERT_EQ(fern_greenlet_state(g), FERN_STATE_NEW);
    ASSERT_FALSE(fern_started(g));
    ASSERT_FALSE(fern_ready(g));
    ASSERT_OK(fern_start(g));
    ASSERT_EQ(fern_greenlet_state(g), FERN_STATE_READY);
    ASSERT_TRUE(fern_started(g));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_greenlet_state(g), FERN_STATE_PARKED);
    ASSERT_TRUE(fern_started(g));
    ASSERT_OK(fern_unpark(g));
    ASSERT_EQ(fern_greenlet_state(g), FERN_STATE_READY);
    fern_outcome outcome;
    ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
    ASSERT_EQ(fern_greenlet_state(g), FERN_STATE_DONE);
    ASSERT_FALSE(fern_started(g));
    ASSERT_TRUE(fern_ready(g));
    ASSERT_TRUE(fern_successful(g));
    ASSERT_TRUE(outcome.value == &options);
    ASSERT_EQ(outcome.code, 0);
    ASSERT_FALSE(outcome.cancelled);
    ASSERT_NULL(outcome.message);
    fern_greenlet_unref(g);
}

TEST(nobody_is_neither_started_nor_ready_nor_successful)
{
    ASSERT_FALSE(fern_started(NULL));
    ASSERT_FALSE(fern_ready(NULL));
    ASSERT_FALSE(fern_successful(NULL));
    fern_outcome outcome;
    ASSERT_ERR(fern_greenlet_outcome(NULL, &outcome), -EINVAL);
    ASSERT_ERR(fern_greenlet_outcome(fern_self(), NULL), -EINVAL);
    ASSERT_NULL(fern_greenlet_ref(NULL));
    fern_greenlet_unref(NULL);
}

/* ---- unstarted (D 9) ---- */

TEST(started_twice_it_runs_once)
{
    FERN_SPAWN_OPTIONS(options);
    options.unstarted = true;
    fern_greenlet *g = fern_spawn_with(say, "once", &options);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_OK(fern_start(g));
    ASSERT_OK(fern_start(g));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_OK(fern_start(g));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "once");
    fern_greenlet_unref(g);
}

TEST(killed_before_its_start_it_never_starts)
{
    FERN_SPAWN_OPTIONS(options);
    options.unstarted = true;
    fern_greenlet *g = fern_spawn_with(say, "never", &options);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_OK(fern_start(g));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "");
    fern_greenlet_unref(g);
}

TEST(misuse_of_start_is_answered)
{
    ASSERT_ERR(fern_start(NULL), -EINVAL);
    fern_greenlet *raw = fern_raw_new(say, NULL);
    ASSERT_ERR(fern_start(raw), -EINVAL);
    fern_greenlet_unref(raw);
}

static void
on_end(fern_greenlet *g, void *word)
{
    fern_outcome outcome;
    ASSERT_OK(fern_greenlet_outcome(g, &outcome));
    trace("%s:%d", (const char *)word, outcome.code == -ECANCELED);
}

TEST(dropping_the_last_handle_of_an_unstarted_one_is_a_kill)
{
    FERN_SPAWN_OPTIONS(options);
    options.unstarted = true;
    fern_greenlet *g = fern_spawn_with(say, "never", &options);
    ASSERT_OK(fern_link(g, on_end, "link", FERN_LINK_ANY));
    ASSERT_OK(fern_link(g, on_end, "spawned", FERN_LINK_SPAWN));
    fern_greenlet_unref(g);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "link:1 spawned:1");
}

static void *
join_unstarted(void *g)
{
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    trace("joined");
    return NULL;
}

TEST(a_joiner_of_an_unstarted_one_that_is_dropped_wakes)
{
    FERN_SPAWN_OPTIONS(options);
    options.unstarted = true;
    fern_greenlet *g = fern_spawn_with(say, "never", &options);
    fern_greenlet *joiner = fern_spawn(join_unstarted, g);
    ASSERT_OK(fern_yield());
    fern_greenlet_unref(g);
    FINISH(joiner);
    ASSERT_STR_EQ(trace_text, "joined");
}

/* ---- the other options ---- */

static void *
say_where(void *word)
{
    trace("%s", (const char *)word);
    if (fern_yield() < 0)
        return NULL;
    trace("%s2", (const char *)word);
    return NULL;
}

TEST(now_runs_the_child_first_and_its_caller_last)
{
    FERN_SPAWN_OPTIONS(options);
    options.now = true;
    fern_greenlet *a = fern_spawn(say, "a");
    fern_greenlet *b = fern_spawn_with(say_where, "b", &options);
    trace("main");
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "b a main b2");
}

TEST(delayed_ones_start_in_the_order_of_their_times)
{
    FERN_SPAWN_OPTIONS(options);
    options.delay_ns = 2 * FERN_MS;
    fern_greenlet *late = fern_spawn_with(say, "late", &options);
    options.delay_ns = FERN_MS;
    fern_greenlet *early = fern_spawn_with(say, "early", &options);
    ASSERT_TRUE(fern_started(late));
    ASSERT_EQ(fern_greenlet_state(late), FERN_STATE_READY);
    options.delay_ns = -5;
    fern_greenlet *once = fern_spawn_with(say, "once", &options);
    FINISH(once);
    FINISH(late);
    FINISH(early);
    ASSERT_STR_EQ(trace_text, "once early late");
}

TEST(a_delayed_one_that_is_killed_never_runs)
{
    FERN_SPAWN_OPTIONS(options);
    options.delay_ns = FERN_HOUR;
    fern_greenlet *g = fern_spawn_with(say, "never", &options);
    ASSERT_OK(fern_link(g, on_end, "link", FERN_LINK_ANY));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "link:1");
    fern_greenlet_unref(g);
}

TEST(a_delay_for_ever_can_be_killed_too)
{
    FERN_SPAWN_OPTIONS(options);
    options.delay_ns = INT64_MAX;
    fern_greenlet *g = fern_spawn_with(say, "never", &options);
    ASSERT_EQ(fern_greenlet_state(g), FERN_STATE_READY);
    ASSERT_EQ(fern_cancel_start(g), 1);
    ASSERT_TRUE(fern_ready(g));
    fern_greenlet_unref(g);
}

static int freed;

static void
count_free(void *what)
{
    ASSERT_TRUE(what == &freed);
    freed++;
}

TEST(the_argument_is_freed_once_even_if_the_function_never_ran)
{
    FERN_SPAWN_OPTIONS(options);
    options.free_arg = count_free;
    fern_greenlet *ran = fern_spawn_with(look_at_itself, &freed, &options);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(freed, 0);
    ASSERT_OK(fern_unpark(ran));
    FINISH(ran);
    ASSERT_EQ(freed, 1);
    fern_greenlet *killed = fern_spawn_with(say, &freed, &options);
    ASSERT_OK(fern_kill(killed, 0, FERN_FOREVER));
    ASSERT_EQ(freed, 2);
    ASSERT_OK(fern_yield());
    fern_greenlet_unref(killed);
    options.unstarted = true;
    fern_greenlet_unref(fern_spawn_with(say, &freed, &options));
    ASSERT_EQ(freed, 3);
}

static void
free_by_waiting(void *what)
{
    (void)what;
    ASSERT_ERR(fern_sleep(FERN_MS), -EDEADLK);
    ASSERT_ERR(fern_park(FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_yield(), -EDEADLK);
    ASSERT_ERR(fern_hub_step(), -EDEADLK);
    FERN_SHIELD (shield) {
        ASSERT_ERR(fern_sleep(FERN_MS), -EDEADLK);
    }
    (void)fern_uncancel();
    ASSERT_ERR(fern_sleep(FERN_MS), -EDEADLK);
    freed++;
}

TEST(what_frees_an_argument_cannot_wait)
{
    FERN_SPAWN_OPTIONS(options);
    options.free_arg = free_by_waiting;
    fern_greenlet *ran = fern_spawn_with(say, "ran", &options);
    FINISH(ran);
    fern_greenlet *killed = fern_spawn_with(say, "killed", &options);
    ASSERT_OK(fern_kill(killed, 0, FERN_FOREVER));
    ASSERT_EQ(freed, 2);
    ASSERT_OK(fern_sleep(1));
    fern_greenlet_unref(killed);
    ran = fern_spawn_with(say_where, "parked", &options);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(ran, 0, FERN_FOREVER));
    fern_greenlet_unref(ran);
    ASSERT_EQ(freed, 3);
    ASSERT_STR_EQ(trace_text, "ran parked parked2");
}

static fern_greenlet *to_kill;

static void
free_by_killing(void *what)
{
    (void)what;
    ASSERT_TRUE(fern_ready(to_kill));
    int r = fern_kill(to_kill, 0, FERN_NOWAIT);
    ASSERT_EQ(r, to_kill == fern_self() ? -ECANCELED : 0);
    freed++;
}

TEST(what_frees_an_argument_may_kill_its_greenlet_which_has_ended)
{
    FERN_SPAWN_OPTIONS(options);
    options.free_arg = free_by_killing;
    to_kill = fern_spawn_with(say, "never", &options);
    ASSERT_OK(fern_kill(to_kill, 0, FERN_FOREVER));
    fern_greenlet_unref(to_kill);
    ASSERT_OK(fern_yield());
    to_kill = fern_spawn_with(say, "ran", &options);
    FINISH(to_kill);
    ASSERT_EQ(freed, 2);
    ASSERT_STR_EQ(trace_text, "ran");
}

TEST(user_data_is_kept)
{
    int mine;
    FERN_SPAWN_OPTIONS(options);
    options.user_data = &mine;
    fern_greenlet *g = fern_spawn_with(say, "x", &options);
    ASSERT_TRUE(fern_greenlet_data(g) == &mine);
    ASSERT_NULL(fern_greenlet_data(NULL));
    FINISH(g);
}

TEST(a_detached_one_needs_no_unref)
{
    FERN_SPAWN_OPTIONS(options);
    options.detached = true;
    ASSERT_NOT_NULL(fern_spawn_with(say, "a", &options));
    options.delay_ns = 1;
    ASSERT_NOT_NULL(fern_spawn_with(say, "b", &options));
    options.delay_ns = 0;
    options.now = true;
    ASSERT_NOT_NULL(fern_spawn_with(say, "c", &options));
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_STR_EQ(trace_text, "c a b");
}

static void *
leave_children(void *unused)
{
    FERN_SPAWN_OPTIONS(options);
    options.with_parent = true;
    options.detached = true;
    options.delay_ns = FERN_HOUR;
    ASSERT_NOT_NULL(fern_spawn_with(say, "never", &options));
    options.delay_ns = 0;
    ASSERT_NOT_NULL(fern_spawn_with(say, "nor I", &options));
    options.with_parent = false;
    ASSERT_NOT_NULL(fern_spawn_with(say, "stays", &options));
    options.with_parent = true;
    options.now = true;
    ASSERT_NOT_NULL(fern_spawn_with(say_where, "runs", &options));
    return unused;
}

TEST(a_child_that_has_not_started_ends_with_its_spawner)
{
    fern_greenlet *parent = fern_spawn(leave_children, NULL);
    FINISH(parent);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_yield());
    ASSERT_STR_HAS(trace_text, "runs");
    ASSERT_STR_HAS(trace_text, "runs2");
    ASSERT_STR_HAS(trace_text, "stays");
    ASSERT_NULL(strstr(trace_text, "never"));
}

static void *
use_stack(void *bytes)
{
    size_t n = (size_t)(uintptr_t)bytes;
    volatile char *deep = __builtin_alloca(n);
    for (size_t i = 0; i < n; i += 512)
        deep[i] = (char)i;
    return deep[512] == 0 ? "fits" : NULL;
}

TEST(a_larger_stack_is_given_and_taken_back)
{
    FERN_SPAWN_OPTIONS(options);
    options.stack_bytes = 8u << 20;
    for (int i = 0; i < 3; i++) {
        void *bytes = (void *)(uintptr_t)(7u << 20);
        fern_greenlet *g = fern_spawn_with(use_stack, bytes, &options);
        fern_outcome outcome;
        ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
        ASSERT_STR_EQ(outcome.value, "fits");
        fern_greenlet_unref(g);
    }
    fern_greenlet *killed = fern_spawn_with(use_stack, NULL, &options);
    ASSERT_OK(fern_kill(killed, 0, FERN_FOREVER));
    fern_greenlet_unref(killed);
    options.unstarted = true;
    fern_greenlet_unref(fern_spawn_with(use_stack, NULL, &options));
    ASSERT_OK(fern_yield());
}

static void
expect_einval(const fern_spawn_options *options)
{
    errno = 0;
    ASSERT_NULL(fern_spawn_with(say, "never", options));
    ASSERT_EQ(errno, EINVAL);
}

TEST(options_that_contradict_each_other_are_einval)
{
    FERN_SPAWN_OPTIONS(options);
    options.size = 7;
    expect_einval(&options);
    options = (fern_spawn_options){.size = sizeof options, .stack_bytes = (1u << 30) + 1};
    expect_einval(&options);
    options = (fern_spawn_options){.size = sizeof options, .unstarted = true, .now = true};
    expect_einval(&options);
    options = (fern_spawn_options){.size = sizeof options, .unstarted = true};
    options.detached = true;
    expect_einval(&options);
    options.detached = false;
    options.delay_ns = 1;
    expect_einval(&options);
    options = (fern_spawn_options){.size = sizeof options, .now = true, .delay_ns = 1};
    expect_einval(&options);
}

/* ---- references ---- */

TEST(a_greenlet_without_references_still_runs_to_its_end)
{
    fern_greenlet_unref(fern_spawn(say_where, "a"));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "a a2");
}

TEST(each_reference_keeps_the_outcome)
{
    fern_greenlet *g = fern_spawn(say, "value");
    ASSERT_TRUE(fern_greenlet_ref(g) == g);
    fern_greenlet_unref(g);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_outcome outcome;
    ASSERT_OK(fern_greenlet_outcome(g, &outcome));
    ASSERT_STR_EQ(outcome.value, "value");
    fern_greenlet_unref(g);
}

TEST(many_can_be_spawned_before_any_runs)
{
    int count = harness_is_slow() ? 2000 : 50000;
    for (int i = 0; i < count; i++)
        ASSERT_OK(fern_go(say, ""));
    fern_hub_stats stats;
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_EQ(stats.greenlets, count + 1);
    ASSERT_EQ(stats.stacks, 0);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_EQ(stats.greenlets, 1);
}
