/* SPDX-License-Identifier: MIT */
/*
 * The phases of a turn, and what wins when several things happen before it: bytes before timers,
 * timers before time-outs, whoever is idle last. Time is virtual, and moved by hand where it
 * must pass without a turn.
 */

#include "harness.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "core/fair.h"
#include "core/sched.h"
#include "trace.h"

static int ends[2];
static fern_time when;

static void
open_ends(void)
{
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    when = fern_in(10 * FERN_MS);
}

static void
close_ends(void)
{
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}

static void *
receive(void *word)
{
    char byte;
    ssize_t r = fern_recv(ends[0], &byte, 1, 0, when);
    trace("%s%d", (const char *)word, (int)r);
    return NULL;
}

static void *
sleep_to(void *word)
{
    ASSERT_OK(fern_sleep_until(when));
    trace("%s", (const char *)word);
    return NULL;
}

static void *
time_out(void *word)
{
    ASSERT_ERR(fern_park(when), -ETIME);
    trace("%s", (const char *)word);
    return NULL;
}

static void *
be_idle(void *word)
{
    ASSERT_OK(fern_idle(FERN_FOREVER));
    trace("%s", (const char *)word);
    return NULL;
}

static void
call(void *word)
{
    trace("%s", (const char *)word);
}

TEST(bytes_come_before_timers_timers_before_time_outs_and_the_idle_last)
{
    open_ends();
    fern_timer timer = FERN_TIMER_INIT;
    ASSERT_OK(fern_go(time_out, "time-out"));
    ASSERT_OK(fern_go(sleep_to, "sleep"));
    ASSERT_OK(fern_go(receive, "bytes"));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_timer_start(&timer, when, 0, call, "timer"));
    /* All of it has happened before the next turn looks. */
    fern__clock_advance(when.ns + 1);
    ASSERT_EQ(fern_send(ends[1], "x", 1, 0, FERN_NOWAIT), 1);
    ASSERT_OK(fern_go(be_idle, "idle"));
    ASSERT_OK(fern_idle(FERN_FOREVER));
    trace("main");
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "bytes1 sleep timer time-out main idle");
    close_ends();
}

TEST(bytes_that_came_before_the_time_out_was_looked_at_are_received)
{
    open_ends();
    ASSERT_OK(fern_go(receive, "received "));
    ASSERT_OK(fern_yield());
    fern__clock_advance(when.ns + FERN_SECOND);
    ASSERT_EQ(fern_send(ends[1], "x", 1, 0, FERN_NOWAIT), 1);
    ASSERT_OK(fern_sleep(1));
    ASSERT_STR_EQ(trace_text, "received 1");
    close_ends();
}

TEST(a_close_that_comes_before_the_time_out_is_what_the_waiter_hears)
{
    open_ends();
    ASSERT_OK(fern_go(receive, "closed"));
    ASSERT_OK(fern_yield());
    fern__clock_advance(when.ns + FERN_SECOND);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_sleep(1));
    ASSERT_STR_EQ(trace_text, "closed-9");
    ASSERT_OK(fern_close(ends[1]));
}

TEST(a_kill_that_comes_before_the_bytes_are_looked_at_leaves_them_to_the_next)
{
    open_ends();
    fern_greenlet *g = fern_spawn(receive, "killed");
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_send(ends[1], "x", 1, 0, FERN_NOWAIT), 1);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    FINISH(fern_spawn(receive, "next "));
    ASSERT_STR_EQ(trace_text, "killed-125 next 1");
    fern_greenlet_unref(g);
    close_ends();
}

TEST(a_scope_and_the_bytes_at_one_moment_give_the_bytes_and_then_the_time_out)
{
    open_ends();
    char byte;
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, when));
    ASSERT_EQ(fern_send(ends[1], "xy", 2, 0, FERN_NOWAIT), 2);
    fern__clock_advance(when.ns + 1);
    ASSERT_EQ(fern_recv(ends[0], &byte, 1, 0, FERN_FOREVER), 1);
    ASSERT_ERR(fern_yield(), 0); /* the turn that sees the deadline */
    int r = fern_yield();
    for (int i = 0; i < 128 && r == 0; i++)
        r = fern_yield();
    ASSERT_ERR(r, -ETIME);
    ASSERT_ERR(fern_recv(ends[0], &byte, 1, 0, FERN_FOREVER), -ETIME);
    ASSERT_EQ(fern_recv(ends[0], &byte, 1, 0, FERN_NOWAIT), 1);
    ASSERT_OK(fern_scope_stop(&scope));
    close_ends();
}

/* ---- between being woken and running ---- */

static fern_greenlet *woken;

static void *
make_daemon(void *unused)
{
    ASSERT_EQ(fern_greenlet_state(woken), FERN_STATE_READY);
    ASSERT_OK(fern_set_daemon(woken, true));
    return unused;
}

static void *
make_no_daemon(void *unused)
{
    ASSERT_EQ(fern_greenlet_state(woken), FERN_STATE_READY);
    ASSERT_OK(fern_set_daemon(woken, false));
    return unused;
}

/* Wakes a receiver by bytes, and has `change` run before it does. What keeps main waiting is
 * counted, and the count is looked at when the test has ended. */
static void
change_between(fern_fn *change, bool daemon)
{
    FERN_SPAWN_OPTIONS(options);
    options.daemon = daemon;
    when = fern_in(FERN_HOUR);
    woken = fern_spawn_with(receive, "", &options);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_greenlet_state(woken), FERN_STATE_PARKED);
    ASSERT_OK(fern_go(change, NULL));
    ASSERT_EQ(fern_send(ends[1], "x", 1, 0, FERN_NOWAIT), 1);
    fern__fair_hurry(fern__self_hub()); /* the next switch looks at the poller first */
    ASSERT_OK(fern_yield());
    FINISH(woken);
    ASSERT_EQ(fern__self_hub()->wakers, 0);
}

TEST(one_that_becomes_a_daemon_between_its_wake_up_and_its_run_is_counted_right)
{
    open_ends();
    change_between(make_daemon, false);
    change_between(make_no_daemon, true);
    ASSERT_STR_EQ(trace_text, "1 1");
    close_ends();
}

static void *
let_time_pass(void *unused)
{
    fern__clock_advance(fern_in(5 * FERN_MS).ns);
    fern__fair_hurry(fern__self_hub());
    ASSERT_OK(fern_yield());
    return unused;
}

TEST(the_scopes_of_one_that_leaves_by_a_yield_or_by_a_spawn_to_run_now_expire_meanwhile)
{
    fern_scope scope = FERN_SCOPE_INIT;
    FERN_SPAWN_OPTIONS(options);
    options.now = true;
    ASSERT_OK(fern_scope_start(&scope, fern_in(FERN_MS)));
    fern_greenlet *g = fern_spawn_with(let_time_pass, NULL, &options);
    ASSERT_TRUE(fern_scope_fired(&scope));
    ASSERT_OK(fern_scope_stop(&scope));
    FINISH(g);
    ASSERT_OK(fern_scope_start(&scope, fern_in(FERN_MS)));
    ASSERT_OK(fern_go(let_time_pass, NULL));
    ASSERT_OK(fern_yield());
    ASSERT_TRUE(fern_scope_fired(&scope));
    ASSERT_OK(fern_scope_stop(&scope));
    ASSERT_OK(fern_yield());
}

/* ---- an always-ready socket is no reason to keep others waiting ---- */

static bool stop;
static int turns;

static void *
send_to_itself(void *unused)
{
    char byte;
    while (!stop) {
        turns++;
        ASSERT_EQ(fern_send(ends[1], "x", 1, 0, FERN_FOREVER), 1);
        ASSERT_EQ(fern_recv(ends[0], &byte, 1, 0, FERN_FOREVER), 1);
    }
    return unused;
}

static void
stop_now(void *ret_turns)
{
    *(int *)ret_turns = turns;
    stop = true;
}

TEST(a_spinner_on_an_always_ready_socket_delays_a_timer_by_at_most_128_switches)
{
    open_ends();
    int taken = 0;
    fern_timer timer = FERN_TIMER_INIT;
    fern_greenlet *g = fern_spawn(send_to_itself, NULL);
    for (int i = 0; i < 1000; i++)
        ASSERT_OK(fern_yield());
    turns = 0;
    ASSERT_OK(fern_timer_start(&timer, fern_in(0), 0, stop_now, &taken));
    FINISH(g);
    /* 128 operations are 64 turns of the loop, and cost one switch. */
    ASSERT_GT(taken, 0);
    ASSERT_LE(taken, 64 * 130);
    close_ends();
}

TEST(a_spinner_on_an_always_ready_socket_delays_a_reader_likewise)
{
    open_ends();
    int others[2];
    char byte;
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_STREAM, 0, others));
    fern_greenlet *g = fern_spawn(send_to_itself, NULL);
    ASSERT_ERR(fern_recv(others[0], &byte, 1, 0, fern_in(0)), -ETIME);
    ASSERT_EQ(fern_send(others[1], "x", 1, 0, FERN_NOWAIT), 1);
    turns = 0;
    ASSERT_EQ(fern_recv(others[0], &byte, 1, 0, FERN_FOREVER), 1);
    ASSERT_LE(turns, 64 * 130);
    stop = true;
    FINISH(g);
    close_ends();
    ASSERT_OK(fern_close(others[0]));
    ASSERT_OK(fern_close(others[1]));
}

/* ---- counts ---- */

TEST(the_hub_counts_what_it_does)
{
    fern_hub_stats before, after;
    fern_callback callback = FERN_CALLBACK_INIT;
    fern_timer timer = FERN_TIMER_INIT;
    ASSERT_NOT_NULL(fern_self());
    ASSERT_OK(fern_hub_get_stats(&before));
    for (int i = 0; i < 10; i++)
        ASSERT_OK(fern_go(say, ""));
    ASSERT_OK(fern_call_soon(&callback, call, ""));
    ASSERT_OK(fern_timer_start(&timer, fern_in(FERN_MS), 0, call, ""));
    ASSERT_OK(fern_hub_get_stats(&after));
    ASSERT_EQ(after.greenlets, 11);
    ASSERT_EQ(after.timers, 1);
    ASSERT_OK(fern_sleep(2 * FERN_MS));
    ASSERT_OK(fern_hub_get_stats(&after));
    ASSERT_EQ(after.spawned - before.spawned, 10);
    ASSERT_EQ(after.callbacks - before.callbacks, 2);
    ASSERT_EQ(after.timers_fired - before.timers_fired, 2);
    ASSERT_GE(after.switches - before.switches, 12);
    ASSERT_GT(after.polls, before.polls);
    ASSERT_EQ(after.greenlets, 1);
    ASSERT_EQ(after.stacks, 0);
    ASSERT_EQ(after.timers, 0);
}
