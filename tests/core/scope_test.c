/* SPDX-License-Identifier: MIT */
/*
 * Scopes, shields and kills: which of them fails which call, who is to blame, and what wins when
 * several things happen at one moment. Time is virtual: these tests take no time and never race.
 */

#include "harness.h"

#include <errno.h>

#include "trace.h"

static void *
park(void *word)
{
    int r = fern_park(FERN_FOREVER);
    trace("%s%d", (const char *)word, r);
    return word;
}

/* ---- one scope (D 46, 47, A3.01-03) ---- */

TEST(a_scope_expires_and_every_call_inside_it_fails_until_it_is_left)
{
    fern_greenlet *ended = fern_spawn(say, "x");
    ASSERT_OK(fern_join(ended, FERN_FOREVER));
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, fern_in(FERN_MS)));
    ASSERT_FALSE(fern_scope_fired(&scope));
    ASSERT_EQ(fern_scope_code(&scope), 0);
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ETIME);
    ASSERT_TRUE(fern_scope_fired(&scope));
    ASSERT_EQ(fern_scope_code(&scope), -ETIME);
    ASSERT_ERR(fern_sleep(1), -ETIME);
    ASSERT_ERR(fern_yield(), -ETIME);
    ASSERT_ERR(fern_checkpoint(), -ETIME);
    ASSERT_ERR(fern_join(ended, FERN_FOREVER), -ETIME);
    ASSERT_OK(fern_join(ended, FERN_NOWAIT));
    ASSERT_OK(fern_scope_stop(&scope));
    ASSERT_OK(fern_sleep(1));
    ASSERT_TRUE(fern_scope_fired(&scope));
    ASSERT_EQ(fern_scope_code(&scope), -ETIME);
    fern_greenlet_unref(ended);
}

TEST(a_scope_that_was_left_does_not_fire_and_can_be_opened_again)
{
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, fern_in(FERN_MS)));
    ASSERT_OK(fern_scope_stop(&scope));
    ASSERT_OK(fern_sleep(10 * FERN_MS));
    ASSERT_FALSE(fern_scope_fired(&scope));
    ASSERT_OK(fern_scope_start(&scope, fern_in(FERN_MS)));
    ASSERT_ERR(fern_scope_start(&scope, fern_in(FERN_MS)), -EALREADY);
    ASSERT_ERR(fern_sleep(10 * FERN_MS), -ETIME);
    ASSERT_OK(fern_scope_stop(&scope));
    ASSERT_OK(fern_scope_start(&scope, FERN_FOREVER));
    ASSERT_FALSE(fern_scope_fired(&scope));
    ASSERT_OK(fern_sleep(10 * FERN_MS));
    ASSERT_OK(fern_scope_stop(&scope));
}

TEST(misuse_of_scopes_is_answered)
{
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_ERR(fern_scope_start(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_scope_stop(NULL), -EINVAL);
    ASSERT_ERR(fern_scope_stop(&scope), -EINVAL);
    ASSERT_ERR(fern_scope_reschedule(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_scope_reschedule(&scope, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_scope_cancel(NULL, 0), -EINVAL);
    ASSERT_ERR(fern_scope_cancel(&scope, 0), -EINVAL);
    ASSERT_ERR(fern_shield_start(NULL), -EINVAL);
    ASSERT_ERR(fern_shield_stop(NULL), -EINVAL);
    ASSERT_ERR(fern_shield_stop(&scope), -EINVAL);
    ASSERT_FALSE(fern_scope_fired(NULL));
    ASSERT_EQ(fern_scope_code(NULL), 0);
    ASSERT_ERR(fern_with_timeout(NULL, NULL, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_OK(fern_shield_start(&scope));
    ASSERT_ERR(fern_shield_start(&scope), -EALREADY);
    ASSERT_ERR(fern_scope_stop(&scope), -EINVAL);
    ASSERT_ERR(fern_scope_cancel(&scope, 0), -EINVAL);
    ASSERT_ERR(fern_scope_reschedule(&scope, FERN_FOREVER), -EINVAL);
    ASSERT_OK(fern_shield_stop(&scope));
}

static void *
touch_foreign_scope(void *scope)
{
    ASSERT_ERR(fern_scope_stop(scope), -EPERM);
    ASSERT_ERR(fern_scope_reschedule(scope, FERN_FOREVER), -EPERM);
    return scope;
}

TEST(another_greenlets_scope_can_only_be_cancelled)
{
    fern_scope scope = FERN_SCOPE_INIT, shield = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, FERN_FOREVER));
    FINISH(fern_spawn(touch_foreign_scope, &scope));
    ASSERT_OK(fern_scope_stop(&scope));
    ASSERT_OK(fern_shield_start(&shield));
    fern_greenlet *g = fern_spawn(park, "x");
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_OK(fern_shield_stop(&shield));
}

/* ---- nothing to wait for (A3.07, A3.08, D 56) ---- */

TEST(a_scope_that_is_over_at_once_lets_everything_up_to_the_first_wait_run)
{
    fern_greenlet *ended = fern_spawn(say, "x");
    ASSERT_OK(fern_join(ended, FERN_FOREVER));
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, FERN_NOWAIT));
    ASSERT_OK(fern_join(ended, FERN_FOREVER));
    ASSERT_OK(fern_unpark(fern_self()));
    ASSERT_OK(fern_park(FERN_FOREVER));
    ASSERT_OK(fern_go(say, "others"));
    ASSERT_ERR(fern_park(FERN_FOREVER), -ETIME);
    ASSERT_STR_EQ(trace_text, "x others");
    ASSERT_OK(fern_scope_stop(&scope));
    fern_greenlet_unref(ended);
}

TEST(a_deadline_in_the_past_still_lets_others_run_once)
{
    ASSERT_OK(fern_go(say, "a"));
    ASSERT_ERR(fern_park(fern_in(-1)), -ETIME);
    ASSERT_STR_EQ(trace_text, "a");
    ASSERT_OK(fern_go(say, "b"));
    ASSERT_ERR(fern_park(FERN_NOWAIT), -EAGAIN);
    ASSERT_STR_EQ(trace_text, "a");
    ASSERT_OK(fern_yield());
}

TEST(one_that_computes_may_ask_whether_its_scope_is_over)
{
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_checkpoint());
    ASSERT_OK(fern_scope_start(&scope, FERN_NOWAIT));
    ASSERT_ERR(fern_checkpoint(), -ETIME);
    ASSERT_TRUE(fern_scope_fired(&scope));
    ASSERT_OK(fern_scope_stop(&scope));
    ASSERT_OK(fern_checkpoint());
}

/* ---- nested scopes (D 50, 51, B7.10) ---- */

TEST(the_nearest_of_nested_deadlines_counts_and_says_so)
{
    fern_scope outer = FERN_SCOPE_INIT, inner = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&outer, fern_in(20 * FERN_MS)));
    ASSERT_OK(fern_scope_start(&inner, fern_in(10 * FERN_MS)));
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ETIME);
    ASSERT_TRUE(fern_scope_fired(&inner));
    ASSERT_FALSE(fern_scope_fired(&outer));
    ASSERT_OK(fern_scope_stop(&inner));
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ETIME);
    ASSERT_TRUE(fern_scope_fired(&outer));
    ASSERT_OK(fern_scope_stop(&outer));
}

TEST(an_outer_scope_that_fires_first_is_to_blame_and_the_inner_is_not)
{
    fern_scope outer = FERN_SCOPE_INIT, inner = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&outer, fern_in(10 * FERN_MS)));
    ASSERT_OK(fern_scope_start(&inner, fern_in(20 * FERN_MS)));
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ETIME);
    ASSERT_TRUE(fern_scope_fired(&outer));
    ASSERT_FALSE(fern_scope_fired(&inner));
    ASSERT_OK(fern_scope_stop(&inner));
    ASSERT_ERR(fern_sleep(1), -ETIME);
    ASSERT_OK(fern_scope_stop(&outer));
}

TEST(of_equal_deadlines_the_outer_scope_fires)
{
    fern_time when = fern_in(10 * FERN_MS);
    fern_scope outer = FERN_SCOPE_INIT, inner = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&outer, when));
    ASSERT_OK(fern_scope_start(&inner, when));
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ETIME);
    ASSERT_TRUE(fern_scope_fired(&outer));
    ASSERT_FALSE(fern_scope_fired(&inner));
    ASSERT_OK(fern_scope_stop(&outer));
    /* Leaving the outer one has left the inner one too. */
    ASSERT_ERR(fern_scope_stop(&inner), -EINVAL);
    ASSERT_OK(fern_sleep(1));
}

TEST(a_busy_greenlet_finds_that_the_outer_scope_was_first)
{
    fern_scope outer = FERN_SCOPE_INIT, inner = FERN_SCOPE_INIT;
    fern_scope shield = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&outer, fern_in(FERN_MS)));
    ASSERT_OK(fern_scope_start(&inner, fern_in(2 * FERN_MS)));
    ASSERT_OK(fern_shield_start(&shield));
    ASSERT_OK(fern_sleep(5 * FERN_MS)); /* it computes, as far as its scopes can tell */
    ASSERT_OK(fern_shield_stop(&shield));
    ASSERT_ERR(fern_yield(), -ETIME);
    ASSERT_TRUE(fern_scope_fired(&outer));
    ASSERT_FALSE(fern_scope_fired(&inner));
    ASSERT_OK(fern_scope_stop(&outer));
}

TEST(a_calls_own_deadline_is_no_scopes_fault)
{
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, fern_in(20 * FERN_MS)));
    ASSERT_ERR(fern_park(fern_in(FERN_MS)), -ETIME);
    ASSERT_FALSE(fern_scope_fired(&scope));
    ASSERT_ERR(fern_park(fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_ERR(fern_park(fern_in(FERN_HOUR)), -ETIME);
    ASSERT_TRUE(fern_scope_fired(&scope));
    ASSERT_OK(fern_scope_stop(&scope));
}

/* ---- moving a deadline (A3.12) ---- */

TEST(a_deadline_can_be_moved_until_it_has_fired)
{
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, fern_in(FERN_MS)));
    ASSERT_OK(fern_scope_reschedule(&scope, fern_in(20 * FERN_MS)));
    ASSERT_OK(fern_sleep(10 * FERN_MS));
    ASSERT_OK(fern_scope_reschedule(&scope, FERN_FOREVER));
    ASSERT_OK(fern_sleep(20 * FERN_MS));
    ASSERT_OK(fern_scope_reschedule(&scope, fern_in(-1)));
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ETIME);
    ASSERT_ERR(fern_scope_reschedule(&scope, FERN_FOREVER), -EALREADY);
    ASSERT_OK(fern_scope_stop(&scope));
    ASSERT_ERR(fern_scope_reschedule(&scope, FERN_FOREVER), -EINVAL);
}

/* ---- cancelling ---- */

static fern_scope *shared_scope;

static void *
work_in_scope(void *unused)
{
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, fern_in(FERN_HOUR)));
    shared_scope = &scope;
    trace("%d", fern_sleep(FERN_MINUTE));
    trace("%d", fern_yield());
    trace("%d", fern_scope_code(&scope));
    ASSERT_OK(fern_scope_stop(&scope));
    trace("%d", fern_yield());
    return unused;
}

TEST(a_scope_cancelled_by_another_fails_its_calls_until_it_is_left)
{
    fern_greenlet *g = fern_spawn(work_in_scope, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_scope_cancel(shared_scope, 77));
    ASSERT_ERR(fern_scope_cancel(shared_scope, 78), -EALREADY);
    FINISH(g);
    ASSERT_STR_EQ(trace_text, "-125 -125 77 0");
}

TEST(cancel_outranks_time_out_and_a_kill_outlives_the_scope)
{
    fern_scope scope = FERN_SCOPE_INIT, inner = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, FERN_FOREVER));
    ASSERT_OK(fern_scope_start(&inner, FERN_NOWAIT));
    ASSERT_ERR(fern_checkpoint(), -ETIME);
    ASSERT_OK(fern_scope_cancel(&scope, 0));
    ASSERT_ERR(fern_checkpoint(), -ECANCELED);
    ASSERT_EQ(fern_scope_code(&scope), -ECANCELED);
    ASSERT_ERR(fern_kill(fern_self(), 0, FERN_NOWAIT), -ECANCELED);
    ASSERT_OK(fern_scope_stop(&scope));
    ASSERT_ERR(fern_checkpoint(), -ECANCELED);
    ASSERT_EQ(fern_uncancel(), 0);
    ASSERT_OK(fern_checkpoint());
}

/* ---- shields (A3.14) ---- */

static void *
work_under_shield(void *unused)
{
    fern_scope outer = FERN_SCOPE_INIT, shield = FERN_SCOPE_INIT, inner = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&outer, fern_in(FERN_MS)));
    ASSERT_OK(fern_shield_start(&shield));
    trace("%d", fern_sleep(10 * FERN_MS));
    ASSERT_OK(fern_scope_start(&inner, fern_in(FERN_MS)));
    trace("%d", fern_sleep(10 * FERN_MS));
    ASSERT_OK(fern_scope_stop(&inner));
    trace("%d", fern_cancelling(NULL));
    ASSERT_OK(fern_shield_stop(&shield));
    trace("%d", fern_checkpoint());
    (void)fern_uncancel();
    trace("%d", fern_checkpoint());
    ASSERT_OK(fern_scope_stop(&outer));
    return unused;
}

TEST(a_shield_keeps_back_kills_and_outer_scopes_and_inner_ones_count)
{
    fern_greenlet *g = fern_spawn(work_under_shield, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(g, 0, FERN_NOWAIT), -EAGAIN);
    FINISH(g);
    ASSERT_STR_EQ(trace_text, "0 -62 1 -125 -62");
}

TEST(what_passed_under_a_shield_counts_from_the_next_call_on)
{
    fern_greenlet *ended = fern_spawn(say, "x");
    ASSERT_OK(fern_join(ended, FERN_FOREVER));
    fern_scope outer = FERN_SCOPE_INIT, shield = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&outer, fern_in(FERN_MS)));
    ASSERT_OK(fern_shield_start(&shield));
    ASSERT_OK(fern_sleep(10 * FERN_MS));
    ASSERT_FALSE(fern_scope_fired(&outer));
    ASSERT_OK(fern_shield_stop(&shield));
    ASSERT_ERR(fern_join(ended, FERN_FOREVER), -ETIME);
    ASSERT_TRUE(fern_scope_fired(&outer));
    ASSERT_OK(fern_scope_stop(&outer));
    fern_greenlet_unref(ended);
}

TEST(a_shield_inside_an_expired_scope_lets_calls_succeed_again)
{
    fern_scope outer = FERN_SCOPE_INIT, shield = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&outer, fern_in(FERN_MS)));
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ETIME);
    ASSERT_OK(fern_shield_start(&shield));
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_scope_stop(&outer)); /* leaves the shield too */
    ASSERT_ERR(fern_shield_stop(&shield), -EINVAL);
    ASSERT_OK(fern_sleep(1));
}

/* ---- blocks and helpers ---- */

static int
leave_by_return(void)
{
    FERN_SCOPE (s, fern_in(FERN_MS)) {
        if (fern_sleep(FERN_HOUR) == -ETIME)
            return fern_scope_fired(&s);
    }
    return -1;
}

TEST(a_scope_block_is_left_on_every_way_out)
{
    ASSERT_EQ(leave_by_return(), 1);
    ASSERT_OK(fern_checkpoint());
    for (int i = 0; i < 3; i++) {
        FERN_SCOPE (s, FERN_NOWAIT) {
            ASSERT_ERR(fern_checkpoint(), -ETIME);
            if (i == 1)
                break;
        }
        ASSERT_OK(fern_checkpoint());
    }
    FERN_SCOPE (outer, FERN_NOWAIT) {
        ASSERT_ERR(fern_checkpoint(), -ETIME);
        FERN_SHIELD (inner) {
            ASSERT_OK(fern_checkpoint());
        }
        ASSERT_ERR(fern_checkpoint(), -ETIME);
    }
    ASSERT_OK(fern_checkpoint());
}

static void *
sleep_ms(void *ms)
{
    return fern_sleep(*(int *)ms * FERN_MS) < 0 ? NULL : ms;
}

TEST(with_timeout_gives_the_value_or_time_out)
{
    int ms = 5;
    void *value = &value;
    ASSERT_ERR(fern_with_timeout(sleep_ms, &ms, &value, fern_in(FERN_MS)), -ETIME);
    ASSERT_TRUE(value == &value);
    ASSERT_OK(fern_with_timeout(sleep_ms, &ms, &value, fern_in(10 * FERN_MS)));
    ASSERT_TRUE(value == &ms);
    ASSERT_OK(fern_with_timeout(sleep_ms, &ms, NULL, FERN_FOREVER));
    fern_scope outer = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&outer, fern_in(FERN_MS)));
    ASSERT_OK(fern_with_timeout(sleep_ms, &ms, &value, fern_in(10 * FERN_MS)));
    ASSERT_NULL(value);
    ASSERT_TRUE(fern_scope_fired(&outer));
    ASSERT_OK(fern_scope_stop(&outer));
}

/* ---- what wins (B7.1, B7.2, A3.10, A3.11) ---- */

TEST(a_sleep_that_ends_at_its_scopes_deadline_has_ended)
{
    fern_time when = fern_in(10 * FERN_MS);
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, when));
    ASSERT_OK(fern_sleep_until(when));
    ASSERT_FALSE(fern_scope_fired(&scope));
    ASSERT_ERR(fern_sleep(1), -ETIME);
    ASSERT_OK(fern_scope_stop(&scope));
}

TEST(an_end_that_needs_a_run_behind_the_deadline_comes_too_late)
{
    int ms = 10;
    fern_time when = fern_in(10 * FERN_MS);
    fern_greenlet *g = fern_spawn(sleep_ms, &ms);
    int r = fern_join(g, when);
    /* The sleeper woke first; but its end needs a run of its own, behind the time-out. */
    ASSERT_ERR(r, -ETIME);
    FINISH(g);
}

static void *
unpark_main_and_spin(void *main)
{
    ASSERT_OK(fern_unpark(main));
    for (int i = 0; i < 300; i++) /* the timers are looked at meanwhile */
        ASSERT_OK(fern_yield());
    return NULL;
}

TEST(once_woken_a_late_time_out_or_kill_changes_nothing_for_that_call)
{
    fern_greenlet *g = fern_spawn(unpark_main_and_spin, fern_self());
    ASSERT_OK(fern_park(fern_in(0)));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
}

static void *
time_out_at(void *when)
{
    fern_time *t = when;
    trace("%d", fern_park(*t) == -ETIME);
    return NULL;
}

TEST(time_outs_of_one_moment_come_after_the_sleeps_and_in_order_of_arming)
{
    fern_time when = fern_in(FERN_MS);
    fern_greenlet *t1 = fern_spawn(time_out_at, &when);
    fern_greenlet *t2 = fern_spawn(time_out_at, &when);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_sleep_until(when));
    trace("slept");
    FINISH(t1);
    FINISH(t2);
    ASSERT_STR_EQ(trace_text, "slept 1 1");
}
