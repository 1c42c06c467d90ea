/* SPDX-License-Identifier: MIT */
/* In which order things happen: one FIFO of greenlets, callbacks and wake-ups; phases of a turn. */

#include "harness.h"

#include "core/sched.h"
#include "trace.h"

static void *
twice(void *word)
{
    trace("1%s", (const char *)word);
    ASSERT_OK(fern_yield());
    trace("2%s", (const char *)word);
    return NULL;
}

TEST(two_tasks_that_yield_take_turns)
{
    fern_greenlet *a = fern_spawn(twice, "A");
    fern_greenlet *b = fern_spawn(twice, "B");
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "1A 1B 2A 2B");
}

/* ---- one FIFO (B1) ---- */

static void
call(void *word)
{
    trace("%s", (const char *)word);
}

TEST(spawned_greenlets_and_callbacks_stand_in_one_queue)
{
    fern_callback c1 = FERN_CALLBACK_INIT, c2 = FERN_CALLBACK_INIT;
    ASSERT_OK(fern_go(say, "s1"));
    ASSERT_OK(fern_call_soon(&c1, call, "c1"));
    ASSERT_OK(fern_go(say, "s2"));
    ASSERT_OK(fern_call_soon(&c2, call, "c2"));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "s1 c1 s2 c2");
}

static fern_callback added;

static void
call_and_add(void *word)
{
    trace("%s", (const char *)word);
    ASSERT_OK(fern_call_soon(&added, call, "added"));
}

TEST(what_a_callback_adds_runs_behind_what_was_ready_and_before_any_poll)
{
    ASSERT_OK(fern_hub_step());
    fern_callback a = FERN_CALLBACK_INIT, b = FERN_CALLBACK_INIT;
    fern_timer timer = FERN_TIMER_INIT;
    ASSERT_OK(fern_timer_start(&timer, fern_in(0), 0, call, "timer"));
    ASSERT_OK(fern_call_soon(&a, call_and_add, "a"));
    ASSERT_OK(fern_call_soon(&b, call, "b"));
    ASSERT_OK(fern_sleep(1));
    ASSERT_STR_HAS(trace_text, "a b added");
}

TEST(a_callback_taken_back_is_never_called_and_the_others_keep_their_order)
{
    fern_callback c[4] = {FERN_CALLBACK_INIT};
    static char *words[] = {"0", "1", "2", "3"};
    for (int i = 0; i < 4; i++)
        ASSERT_OK(fern_call_soon(&c[i], call, words[i]));
    ASSERT_TRUE(fern_callback_pending(&c[1]));
    ASSERT_EQ(fern_callback_cancel(&c[1]), 1);
    ASSERT_FALSE(fern_callback_pending(&c[1]));
    ASSERT_EQ(fern_callback_cancel(&c[1]), 0);
    ASSERT_OK(fern_call_soon(&c[1], call, "again"));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "0 2 3 again");
}

static fern_callback self_aware;

static void
call_asks(void *arg)
{
    trace("%d", fern_callback_pending(arg));
    ASSERT_OK(fern_call_soon(arg, call, "again"));
    trace("%d", fern_callback_pending(arg));
}

TEST(a_callback_is_not_pending_inside_its_call_and_can_be_made_anew_there)
{
    ASSERT_FALSE(fern_callback_pending(&self_aware));
    ASSERT_OK(fern_call_soon(&self_aware, call_asks, &self_aware));
    ASSERT_ERR(fern_call_soon(&self_aware, call_asks, NULL), -EALREADY);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "0 1 again");
    ASSERT_FALSE(fern_callback_pending(NULL));
    ASSERT_ERR(fern_callback_cancel(NULL), -EINVAL);
    ASSERT_ERR(fern_call_soon(NULL, call, NULL), -EINVAL);
    ASSERT_ERR(fern_call_soon(&self_aware, NULL, NULL), -EINVAL);
}

TEST(a_call_taken_back_while_the_queue_grows_stays_taken_back)
{
    enum { MANY = 500 };
    static fern_callback calls[MANY];
    for (int i = 0; i < MANY; i++) {
        ASSERT_OK(fern_call_soon(&calls[i], call, "x"));
        if (i % 7)
            ASSERT_EQ(fern_callback_cancel(&calls[i]), 1);
    }
    for (int i = 0; i < MANY; i += 7)
        if (i % 2)
            ASSERT_EQ(fern_callback_cancel(&calls[i]), 1);
    ASSERT_OK(fern_yield());
    int made = 0;
    for (const char *p = trace_text; *p; p++)
        made += *p == 'x';
    ASSERT_EQ(made, (MANY + 6) / 7 / 2);
}

/* ---- callbacks must not wait (A2.32) ---- */

static void
try_to_wait(void *g)
{
    fern_outcome outcome;
    fern_greenlet *all[] = {g};
    ASSERT_ERR(fern_sleep(FERN_MS), -EDEADLK);
    ASSERT_ERR(fern_sleep_until(FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_yield(), -EDEADLK);
    ASSERT_ERR(fern_checkpoint(), -EDEADLK);
    ASSERT_ERR(fern_park(FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_park(FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_idle(FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_join(g, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_join(g, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_get(g, &outcome, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_join_all(all, 1, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_join_all(all, 1, FERN_NOWAIT), -EAGAIN);
    fern_greenlet *raw = fern_raw_new(say, NULL);
    ASSERT_ERR(fern_raw_switch(raw, NULL, NULL), -EDEADLK);
    fern_greenlet_unref(raw);
    ASSERT_OK(fern_unpark(g));
    ASSERT_OK(fern_go(say, "spawned"));
    FERN_SPAWN_OPTIONS(options);
    options.now = true;
    options.detached = true;
    ASSERT_NOT_NULL(fern_spawn_with(say, "not now", &options));
    trace("called");
}

static void *
park_once(void *word)
{
    ASSERT_OK(fern_park(FERN_FOREVER));
    return say(word);
}

TEST(a_blocking_call_inside_a_callback_is_edeadlk_and_others_work)
{
    fern_greenlet *g = fern_spawn(park_once, "unparked");
    ASSERT_OK(fern_yield());
    fern_callback callback = FERN_CALLBACK_INIT;
    ASSERT_OK(fern_call_soon(&callback, try_to_wait, g));
    FINISH(g);
    ASSERT_STR_EQ(trace_text, "called unparked spawned not now");
}

static void
look_around(void *arg)
{
    *(fern_greenlet **)arg = fern_self();
    ASSERT_NE(fern_id(NULL), 1);
    ASSERT_EQ(fern_greenlet_state(fern_self()), FERN_STATE_RUNNING);
}

TEST(in_a_callback_the_current_greenlet_is_the_hubs_own)
{
    fern_greenlet *one = NULL, *two = NULL;
    fern_callback a = FERN_CALLBACK_INIT, b = FERN_CALLBACK_INIT;
    ASSERT_OK(fern_call_soon(&a, look_around, &one));
    ASSERT_OK(fern_call_soon(&b, look_around, &two));
    ASSERT_OK(fern_yield());
    ASSERT_TRUE(one && one == two && one != fern_self());
    ASSERT_ERR(fern_kill(one, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_kill_id(fern_id(one), 0), -ESRCH);
}

/* ---- wake-ups (B3) ---- */

static fern_greenlet *parked[3];

static void *
wake_others(void *unused)
{
    fern_callback x = FERN_CALLBACK_INIT;
    for (int i = 0; i < 3; i++)
        ASSERT_OK(fern_unpark(parked[i]));
    ASSERT_OK(fern_call_soon(&x, call, "X"));
    trace("waker");
    ASSERT_OK(fern_yield());
    return unused;
}

static void *
park_and_spawn(void *word)
{
    ASSERT_OK(fern_park(FERN_FOREVER));
    ASSERT_OK(fern_go(say, "child"));
    return say(word);
}

TEST(waking_never_switches_and_the_woken_run_in_order_before_what_they_spawn)
{
    static char *words[] = {"w0", "w1", "w2"};
    for (int i = 0; i < 3; i++)
        parked[i] = fern_spawn(park_and_spawn, words[i]);
    ASSERT_OK(fern_yield());
    fern_greenlet *waker = fern_spawn(wake_others, NULL);
    for (int i = 0; i < 3; i++)
        FINISH(parked[i]);
    FINISH(waker);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "waker w0 w1 w2 X child child child");
}

/* ---- fairness by count (B1.3, D 3) ---- */

static bool stop;
static int turns;

static void *
spin_on_yields(void *unused)
{
    while (!stop) {
        turns++;
        ASSERT_OK(fern_yield());
    }
    return unused;
}

static void *
spin_on_sleeps_of_nothing(void *unused)
{
    while (!stop) {
        turns++;
        ASSERT_OK(fern_sleep(0));
    }
    return unused;
}

static void *
spin_on_operations(void *unused)
{
    while (!stop) {
        turns++;
        fern__sched_spend(fern__self_hub());
    }
    return unused;
}

static void
stop_all(void *ret_turns)
{
    *(int *)ret_turns = turns;
    stop = true;
}

/* How many turns the spinners take until a timer that is due already is served. */
static int
turns_until_timer(fern_fn *fn, int spinners)
{
    int taken = 0;
    fern_timer timer = FERN_TIMER_INIT;
    fern_greenlet *gs[4];
    for (int i = 0; i < spinners; i++)
        gs[i] = fern_spawn(fn, NULL);
    for (int i = 0; i < 1000; i++) /* the pace is at its longest now */
        ASSERT_OK(fern_yield());
    turns = 0;
    ASSERT_OK(fern_timer_start(&timer, fern_in(0), 0, stop_all, &taken));
    for (int i = 0; i < spinners; i++)
        FINISH(gs[i]);
    return taken;
}

TEST(a_spinner_on_yields_delays_a_timer_by_at_most_128_switches)
{
    ASSERT_LE(turns_until_timer(spin_on_yields, 1), 130);
}

TEST(several_spinners_delay_a_timer_by_at_most_128_switches)
{
    ASSERT_LE(turns_until_timer(spin_on_yields, 4), 134);
}

TEST(a_spinner_on_sleeps_of_nothing_delays_a_timer_by_at_most_128_switches)
{
    ASSERT_LE(turns_until_timer(spin_on_sleeps_of_nothing, 2), 132);
}

TEST(operations_that_succeed_at_once_cost_a_yield_every_128)
{
    fern_hub_options options = {.size = sizeof options, .switches_max = 4};
    ASSERT_OK(fern_hub_set_options(&options));
    ASSERT_LE(turns_until_timer(spin_on_operations, 1), 128 * 6);
}

TEST(both_bounds_are_options)
{
    fern_hub_options options = {
            .size = sizeof options, .switches_max = 10, .budget_ops = 5};
    ASSERT_OK(fern_hub_set_options(&options));
    ASSERT_LE(turns_until_timer(spin_on_operations, 1), 5 * 12);
    stop = false;
    ASSERT_LE(turns_until_timer(spin_on_yields, 1), 12);
}

static void *
spend(void *word)
{
    for (int i = 0; i < 200; i++)
        fern__sched_spend(fern__self_hub());
    return say(word);
}

TEST(a_greenlet_over_its_budget_lets_the_others_run)
{
    fern_greenlet *a = fern_spawn(spend, "a");
    fern_greenlet *b = fern_spawn(say, "b");
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "b a");
}

TEST(a_scope_ends_one_that_yields_for_ever)
{
    if (harness_time_is_virtual())
        SKIP("while somebody runs, no virtual time passes");
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, soon(10 * FERN_MS)));
    int r;
    do
        r = fern_sleep(0);
    while (r == 0);
    ASSERT_ERR(r, -ETIME);
    ASSERT_TRUE(fern_scope_fired(&scope));
    ASSERT_OK(fern_scope_stop(&scope));
}

/* ---- idle (A1.29, B2.7) ---- */

static void *
idle_then_say(void *word)
{
    ASSERT_OK(fern_idle(FERN_FOREVER));
    return say(word);
}

TEST(idle_waits_until_nobody_else_is_ready_and_keeps_the_order)
{
    fern_greenlet *i1 = fern_spawn(idle_then_say, "i1");
    fern_greenlet *i2 = fern_spawn(idle_then_say, "i2");
    fern_greenlet *a = fern_spawn(twice, "A");
    ASSERT_ERR(fern_idle(FERN_NOWAIT), -EAGAIN);
    FINISH(i1);
    FINISH(i2);
    FINISH(a);
    ASSERT_OK(fern_idle(FERN_NOWAIT));
    ASSERT_OK(fern_idle(FERN_FOREVER));
    fern_greenlet *spinner = fern_spawn(spin_on_yields, NULL);
    ASSERT_ERR(fern_idle(fern_in(0)), -ETIME);
    stop = true;
    FINISH(spinner);
    ASSERT_STR_EQ(trace_text, "1A 2A i1 i2");
}

/* ---- fds (B2.2) ---- */

enum { FDS = 4 };

static int fds[FDS][2];

static void *
receive(void *number)
{
    char byte;
    int i = *(int *)number;
    ASSERT_EQ(fern_recv(fds[i][0], &byte, 1, 0, FERN_FOREVER), 1);
    trace("%d", i);
    return NULL;
}

TEST(fds_that_become_ready_are_served_in_the_kernels_order)
{
    static int numbers[FDS] = {0, 1, 2, 3};
    static const int order[FDS] = {2, 0, 3, 1};
    bool by_event = strcmp(fern_hub_poller(), "epoll") == 0;
    fern_greenlet *gs[FDS];
    for (int i = 0; i < FDS; i++) {
        ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]));
        gs[i] = fern_spawn(receive, &numbers[i]);
    }
    ASSERT_OK(fern_idle(FERN_FOREVER));
    for (int i = 0; i < FDS; i++)
        ASSERT_EQ(fern_send(fds[order[i]][1], "x", 1, 0, FERN_NOWAIT), 1);
    ASSERT_OK(fern_join_all(gs, FDS, FERN_FOREVER));
    /* The other pollers are told of fds by their numbers. */
    ASSERT_STR_EQ(trace_text, by_event ? "2 0 3 1" : "0 1 2 3");
    for (int i = 0; i < FDS; i++) {
        fern_greenlet_unref(gs[i]);
        ASSERT_OK(fern_close(fds[i][0]));
        ASSERT_OK(fern_close(fds[i][1]));
    }
}
