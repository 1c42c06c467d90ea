/* SPDX-License-Identifier: MIT */
/* How greenlets end: failure, exit, cleanups; and who is told of it: hooks, FPU control words. */

#include "harness.h"

#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/wait.h>

#include "core/sched.h"
#include "trace.h"

/* ---- failure (D 7, A1.20, A1.21) ---- */

static void *
fail_with(void *code)
{
    int number = *(int *)code;
    return fern_fail(number, "number %d", number);
}

TEST(a_failure_is_kept_and_told_to_all_who_ask)
{
    int code = -EIO;
    FERN_SPAWN_OPTIONS(options);
    options.quiet = true;
    fern_greenlet *g = fern_spawn_with(fail_with, &code, &options);
    fern_outcome first, second;
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_TRUE(fern_ready(g));
    ASSERT_FALSE(fern_successful(g));
    ASSERT_OK(fern_get(g, &first, FERN_FOREVER));
    ASSERT_OK(fern_get(g, &second, FERN_NOWAIT));
    ASSERT_EQ(first.code, -EIO);
    ASSERT_FALSE(first.cancelled);
    ASSERT_NULL(first.value);
    ASSERT_STR_EQ(first.message, "number -5");
    ASSERT_TRUE(first.message == second.message);
    fern_greenlet_unref(g);
}

static void
fail_aloud(void *code)
{
    FERN_SPAWN_OPTIONS(options);
    options.name = "unlucky";
    fern_greenlet *g = fern_spawn_with(fail_with, code, &options);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
    (void)fern_fail(7, "and main");
}

TEST(a_failure_is_reported_once_with_name_place_code_and_text)
{
    int code = -5;
    char text[1024];
    ASSERT_EQ(harness_child(fail_aloud, &code, text, sizeof text), 0);
    ASSERT_STR_HAS(text, "\"unlucky\"");
    ASSERT_STR_HAS(text, "end_test.c");
    ASSERT_STR_HAS(text, "failed with code -5: number -5\n");
    ASSERT_STR_HAS(text, "main failed with code 7: and main\n");
    ASSERT_NULL(strstr(strstr(text, "unlucky") + 1, "unlucky"));
}

static void *
fail_long(void *text)
{
    (void)fern_fail(1, "first");
    return fern_fail(0, "%s", (const char *)text);
}

static void
fail_quietly(void *code)
{
    FERN_SPAWN_OPTIONS(options);
    options.quiet = true;
    fern_greenlet *g = fern_spawn_with(fail_with, code, &options);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_FALSE(fern_successful(g));
    fern_greenlet_unref(g);
    ASSERT_OK(fern_kill(fern_spawn(fail_with, code), 7, FERN_FOREVER));
}

TEST(an_expected_failure_and_a_kill_are_not_reported)
{
    int code = -5;
    char text[1024];
    ASSERT_EQ(harness_child(fail_quietly, &code, text, sizeof text), 0);
    ASSERT_STR_EQ(text, "");
}

TEST(the_last_failure_counts_and_its_text_is_cut)
{
    static char text[10000];
    memset(text, 'x', sizeof text - 1);
    FERN_SPAWN_OPTIONS(options);
    options.quiet = true;
    fern_greenlet *g = fern_spawn_with(fail_long, text, &options);
    fern_outcome outcome;
    ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
    ASSERT_NE(outcome.code, 0);
    ASSERT_EQ(strlen(outcome.message), 4096);
    fern_greenlet_unref(g);
}

static void *
fail_and_go_on(void *unused)
{
    (void)fern_fail(9, NULL);
    ASSERT_OK(fern_yield());
    trace("on");
    return unused;
}

static void
hook_error(fern_greenlet *g, const fern_outcome *outcome, void *arg)
{
    ASSERT_TRUE(g == fern_self());
    trace("%s %d %d", (const char *)arg, outcome->code, outcome->message == NULL);
    ASSERT_ERR(fern_sleep(1), -EDEADLK);
    ASSERT_ERR(fern_park(FERN_FOREVER), -EDEADLK);
}

TEST(an_error_hook_is_told_instead_and_cannot_wait)
{
    ASSERT_OK(fern_set_error_hook(hook_error, "hook"));
    fern_greenlet *g = fern_spawn(fail_and_go_on, &g);
    FINISH(g);
    ASSERT_STR_EQ(trace_text, "on hook 9 1");
    ASSERT_OK(fern_set_error_hook(NULL, NULL));
}

static void
spend_budget(fern_greenlet *g, const fern_outcome *outcome, void *arg)
{
    (void)outcome;
    (void)arg;
    /* As many operations that succeed at once as would cost a running greenlet the CPU. */
    for (int i = 0; i < 1000; i++)
        fern__sched_spend(fern__self_hub());
    ASSERT_TRUE(g == fern_self());
    trace("hooked");
}

TEST(one_that_has_ended_never_yields_however_much_its_hook_does)
{
    ASSERT_OK(fern_set_error_hook(spend_budget, NULL));
    fern_greenlet *g = fern_spawn(fail_and_go_on, NULL);
    fern_greenlet *other = fern_spawn(fail_and_go_on, NULL);
    FINISH(g);
    FINISH(other);
    ASSERT_STR_EQ(trace_text, "on hooked on hooked");
}

/* ---- exit and cleanups (A1.35) ---- */

static void
clean(void *word)
{
    trace("%s", (const char *)word);
}

static void
leave(void)
{
    FERN_AUTO(clean, "inner");
    fern_exit("left");
}

static void
leave_by(void (*way)(void))
{
    FERN_AUTO(clean, "outer");
    way();
    trace("not reached");
}

static void *
leave_from_deep(void *unused)
{
    FERN_AUTO(clean, "base");
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, fern_in(FERN_HOUR)));
    leave_by(leave);
    return unused;
}

TEST(exit_runs_the_cleanups_newest_first_and_gives_the_value)
{
    fern_greenlet *g = fern_spawn(leave_from_deep, NULL);
    fern_outcome outcome;
    ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
    ASSERT_STR_EQ(outcome.value, "left");
    ASSERT_EQ(outcome.code, 0);
    ASSERT_STR_EQ(trace_text, "inner outer base");
    fern_greenlet_unref(g);
}

static void *
clean_on_each_way(void *how)
{
    FERN_AUTO(clean, "a");
    for (int i = 0; i < 2; i++) {
        FERN_AUTO(clean, "b");
        if (how)
            break;
    }
    FERN_AUTO(clean, "c");
    return how;
}

TEST(a_cleanup_runs_once_on_whichever_way_its_block_is_left)
{
    (void)clean_on_each_way(NULL);
    trace("|");
    FINISH(fern_spawn(clean_on_each_way, "break"));
    ASSERT_STR_EQ(trace_text, "b b c a | b c a");
}

static void
wait_in_cleanup(void *unused)
{
    (void)unused;
    trace("%d", fern_sleep(FERN_MS));
    fern_scope shield = FERN_SCOPE_INIT;
    ASSERT_OK(fern_shield_start(&shield));
    trace("%d", fern_sleep(FERN_MS));
    ASSERT_OK(fern_shield_stop(&shield));
}

static void *
wait_then_exit(void *unused)
{
    FERN_AUTO(wait_in_cleanup, unused);
    ASSERT_ERR(fern_park(FERN_FOREVER), -ECANCELED);
    fern_exit(unused);
}

TEST(a_cleanup_of_an_exit_may_wait_under_a_shield)
{
    fern_greenlet *g = fern_spawn(wait_then_exit, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "-125 0");
    fern_greenlet_unref(g);
}

static void
exit_main(void *unused)
{
    ASSERT_OK(fern_go(say, unused));
    fern_exit(NULL);
}

TEST(exit_in_main_ends_the_process_with_0)
{
    char text[256];
    ASSERT_EQ(harness_child(exit_main, NULL, text, sizeof text), 0);
}

static void *
exit_a_thread(void *unused)
{
    fern_greenlet *g = fern_spawn(say, "greenlet");
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
    fern_exit(unused);
}

TEST(exit_on_another_threads_own_stack_ends_that_thread)
{
    pthread_t thread;
    void *value = NULL;
    static int mine;
    ASSERT_EQ(pthread_create(&thread, NULL, exit_a_thread, &mine), 0);
    ASSERT_EQ(pthread_join(thread, &value), 0);
    ASSERT_TRUE(value == &mine);
    ASSERT_STR_EQ(trace_text, "greenlet");
}

static void
exit_now(void *unused)
{
    (void)unused;
    fern_exit(NULL);
}

static void
exit_in_callback(void *unused)
{
    (void)unused;
    fern_callback callback = FERN_CALLBACK_INIT;
    ASSERT_OK(fern_call_soon(&callback, exit_now, NULL));
    ASSERT_OK(fern_yield());
}

TEST(exit_in_a_callback_dies_with_a_message)
{
    char text[512];
    int status = harness_child(exit_in_callback, NULL, text, sizeof text);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_STR_HAS(text, "fern_exit() in a callback, or in what an end calls");
}

static void
exit_in_free(void *unused)
{
    FERN_SPAWN_OPTIONS(options);
    options.free_arg = exit_now;
    fern_greenlet *g = fern_spawn_with(say, unused, &options);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
}

TEST(exit_in_what_an_end_calls_dies_with_a_message)
{
    char text[512];
    int status = harness_child(exit_in_free, NULL, text, sizeof text);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_STR_HAS(text, "in what an end calls");
}

/* ---- hooks (A1.24, A1.27, A1.33) ---- */

static fern_greenlet *watched;

static void
hook_spawned(fern_greenlet *g, void *arg)
{
    /* A reference taken and given back in a hook must not be the last one. */
    fern_greenlet_unref(fern_greenlet_ref(g));
    trace("%s:spawned", (const char *)arg);
}

static void
hook_started(fern_greenlet *g, void *arg)
{
    trace("%s:started%d", (const char *)arg, fern_started(g));
}

static void
hook_ended(fern_greenlet *g, void *arg)
{
    trace("%s:ended%d", (const char *)arg, fern_ready(g));
    ASSERT_ERR(fern_sleep(1), -EDEADLK);
}

TEST(hooks_see_each_spawn_start_and_end)
{
    fern_hooks hooks = {.size = sizeof hooks, .arg = "h"};
    hooks.spawned = hook_spawned;
    hooks.started = hook_started;
    hooks.ended = hook_ended;
    ASSERT_OK(fern_set_hooks(&hooks));
    fern_greenlet *g = fern_spawn(say, "run");
    FINISH(g);
    g = fern_spawn(say, "never");
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    FERN_SPAWN_OPTIONS(options);
    options.detached = true;
    ASSERT_NOT_NULL(fern_spawn_with(say, "detached", &options));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_set_hooks(NULL));
    FINISH(fern_spawn(say, "unseen"));
    ASSERT_STR_EQ(trace_text, "h:spawned h:started1 run h:ended1 h:spawned h:ended1 "
                              "h:spawned h:started1 detached h:ended1 unseen");
    hooks.size = 1;
    ASSERT_ERR(fern_set_hooks(&hooks), -EINVAL);
}

TEST(a_hook_for_ends_alone_sees_the_end_of_one_that_ran)
{
    fern_hooks hooks = {.size = sizeof hooks, .arg = "h", .ended = hook_ended};
    ASSERT_OK(fern_set_hooks(&hooks));
    FINISH(fern_spawn(say, "run"));
    ASSERT_OK(fern_set_hooks(NULL));
    ASSERT_STR_EQ(trace_text, "run h:ended1");
}

static int switches;

static void
count_switch(fern_greenlet *from, fern_greenlet *to, void *arg)
{
    ASSERT_TRUE(from != to);
    ASSERT_TRUE(arg == &switches);
    switches++;
}

TEST(a_hook_sees_each_switch)
{
    fern_hooks hooks = {.size = sizeof hooks, .switched = count_switch, .arg = &switches};
    fern_greenlet *g = fern_spawn(fail_and_go_on, NULL);
    ASSERT_OK(fern_set_error_hook(spend_budget, NULL));
    ASSERT_OK(fern_set_hooks(&hooks));
    FINISH(g);
    ASSERT_OK(fern_set_hooks(NULL));
    ASSERT_EQ(switches, 2); /* to it, and from its end; its yield found nobody else */
}

static void
look_at_both(fern_greenlet *from, fern_greenlet *to, void *counts)
{
    (void)from;
    ASSERT_FALSE(fern_ready(to));
    ASSERT_FALSE(fern_ready(fern_self()) && fern_self() == to);
    ++*(int *)counts;
}

static void *
yield_and_end(void *unused)
{
    ASSERT_FALSE(fern_ready(fern_self()));
    ASSERT_OK(fern_yield());
    ASSERT_FALSE(fern_ready(fern_self()));
    return unused;
}

TEST(no_switch_is_to_one_that_has_ended_and_who_runs_has_not)
{
    int looks = 0;
    fern_hooks hooks = {.size = sizeof hooks, .switched = look_at_both, .arg = &looks};
    ASSERT_OK(fern_set_hooks(&hooks));
    fern_greenlet *gs[5];
    for (int i = 0; i < 5; i++)
        gs[i] = fern_spawn(yield_and_end, NULL);
    for (int i = 0; i < 5; i++) {
        ASSERT_OK(fern_join(gs[i], FERN_FOREVER));
        ASSERT_TRUE(fern_ready(gs[i]));
        fern_greenlet_unref(gs[i]);
    }
    ASSERT_OK(fern_set_hooks(NULL));
    ASSERT_GE(looks, 10);
}

static void
hook_out(void *word)
{
    ASSERT_TRUE(fern_self() == watched);
    trace("%s-out", (const char *)word);
    errno = 77;
}

static void
hook_in(void *word)
{
    ASSERT_TRUE(fern_self() == watched);
    trace("%s-in", (const char *)word);
}

static void *
yield_once(void *unused)
{
    errno = 5;
    ASSERT_OK(fern_yield());
    ASSERT_EQ(errno, 5);
    trace("back");
    return unused;
}

TEST(switch_hooks_run_on_the_greenlets_own_stack_out_and_in)
{
    fern_greenlet *other = fern_spawn(yield_once, NULL);
    watched = fern_spawn(yield_once, NULL);
    ASSERT_OK(fern_set_switch_hooks(watched, hook_out, hook_in, "w"));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_join(watched, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "w-in w-out back w-in back");
    ASSERT_OK(fern_set_switch_hooks(watched, hook_out, NULL, "w"));
    fern_greenlet_unref(watched);
    FINISH(other);
    watched = fern_self();
    ASSERT_OK(fern_set_switch_hooks(NULL, hook_out, hook_in, "main"));
    ASSERT_OK(fern_go(say, "x"));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_set_switch_hooks(NULL, NULL, NULL, NULL));
    ASSERT_STR_HAS(trace_text, "main-out x main-in");
}

TEST(one_that_never_ran_leaves_no_trace_of_its_hooks_and_control_words)
{
    bool before = (fern_self(), fern__self_hub()->observed);
    FERN_SPAWN_OPTIONS(options);
    options.save_fpu = true;
    fern_greenlet *g = fern_spawn_with(say, "never", &options);
    ASSERT_OK(fern_set_switch_hooks(g, hook_out, hook_in, "w"));
    ASSERT_TRUE(fern__self_hub()->observed);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_set_switch_hooks(g, hook_out, hook_in, "w"));
    fern_greenlet_unref(g);
    ASSERT_EQ(fern__self_hub()->observed, before);
}

static void *
round_up(void *unused)
{
    ASSERT_EQ(fegetround(), FE_TONEAREST);
    ASSERT_EQ(fesetround(FE_UPWARD), 0);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fegetround(), FE_UPWARD);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fegetround(), FE_UPWARD);
    return unused;
}

TEST(floating_point_control_words_are_kept_where_asked_for)
{
    FERN_SPAWN_OPTIONS(options);
    options.save_fpu = true;
    fern_greenlet *g = fern_spawn_with(round_up, NULL, &options);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fegetround(), FE_TONEAREST);
    ASSERT_EQ(fesetround(FE_DOWNWARD), 0);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fegetround(), FE_DOWNWARD);
    FINISH(g);
    ASSERT_EQ(fegetround(), FE_DOWNWARD);
    ASSERT_EQ(fesetround(FE_TONEAREST), 0);
}

TEST(a_raw_coroutine_has_no_place_of_spawn_of_somebody_before_it)
{
    FINISH(fern_spawn(say, "x"));
    fern_greenlet *raw = fern_raw_new(say, NULL);
    ASSERT_NULL(fern_greenlet_site(raw));
    fern_greenlet_unref(raw);
}
