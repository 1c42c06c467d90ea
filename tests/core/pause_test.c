/* SPDX-License-Identifier: MIT */
/* Sleep, park and unpark, and the arithmetic of time. */

#include "harness.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "trace.h"

/* ---- time ---- */

TEST(sums_of_time_saturate)
{
    fern_time now = fern_now();
    ASSERT_EQ(fern_time_diff(fern_time_add(now, FERN_HOUR), now), FERN_HOUR);
    ASSERT_EQ(fern_time_add(now, INT64_MAX).ns, FERN_FOREVER.ns);
    ASSERT_EQ(fern_time_add(FERN_FOREVER, -FERN_HOUR).ns, FERN_FOREVER.ns);
    ASSERT_EQ(fern_time_add(now, INT64_MIN).ns, 1);
    ASSERT_NE(fern_time_add(now, -now.ns).ns, FERN_NOWAIT.ns);
    ASSERT_EQ(fern_in(INT64_MAX).ns, FERN_FOREVER.ns);
    ASSERT_LE(fern_in(-FERN_MS).ns, fern_now().ns);
    ASSERT_NE(fern_in(INT64_MIN).ns, FERN_NOWAIT.ns);
    ASSERT_EQ(fern_time_diff(FERN_FOREVER, (fern_time){-5}), INT64_MAX);
    ASSERT_EQ(fern_time_diff((fern_time){INT64_MIN}, FERN_FOREVER), INT64_MIN);
    ASSERT_EQ(fern_time_diff((fern_time){3}, (fern_time){5}), -2);
}

/* ---- sleep ---- */

struct nap {
    int64_t ns;
    const char *word;
};

static void *
nap(void *arg)
{
    struct nap *n = arg;
    fern_time start = fern_now();
    ASSERT_OK(fern_sleep(n->ns));
    ASSERT_GE(fern_time_diff(fern_now(), start), n->ns);
    trace("%s", n->word);
    return NULL;
}

TEST(sleepers_wake_in_order_of_their_deadlines_and_never_early)
{
    struct nap naps[] = {{30 * FERN_MS, "30"}, {10 * FERN_MS, "10"}, {FERN_HOUR, "hour"},
            {20 * FERN_MS, "20"}, {70 * FERN_US, "us"}, {1, "ns"}};
    fern_greenlet *gs[6];
    for (int i = 0; i < 6; i++)
        gs[i] = fern_spawn(nap, &naps[i]);
    ASSERT_OK(fern_join_all(gs, 6, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "ns us 10 20 30 hour");
    for (int i = 0; i < 6; i++)
        fern_greenlet_unref(gs[i]);
}

static void *
sleep_to(void *when)
{
    fern_time *t = when;
    ASSERT_OK(fern_sleep_until(*t));
    trace("%d", (int)fern_id(NULL));
    return NULL;
}

TEST(equal_deadlines_wake_in_order_of_falling_asleep)
{
    fern_time when = fern_in(5 * FERN_MS);
    for (int i = 0; i < 6; i++)
        ASSERT_OK(fern_go(sleep_to, &when));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_sleep_until(when));
    ASSERT_STR_EQ(trace_text, "2 3 4 5 6 7");
}

TEST(a_sleep_of_nothing_or_less_is_a_yield)
{
    ASSERT_OK(fern_go(say, "a"));
    ASSERT_OK(fern_sleep(0));
    ASSERT_OK(fern_go(say, "b"));
    ASSERT_OK(fern_sleep(-FERN_HOUR));
    ASSERT_OK(fern_go(say, "c"));
    ASSERT_OK(fern_sleep_until(fern_in(-1)));
    ASSERT_STR_EQ(trace_text, "a b c");
}

static void *
sleep_for_ever(void *unused)
{
    trace("%d", fern_sleep_until(FERN_FOREVER));
    return unused;
}

TEST(a_sleep_for_ever_ends_by_a_kill)
{
    fern_greenlet *g = fern_spawn(sleep_for_ever, NULL);
    ASSERT_OK(fern_sleep(FERN_HOUR));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "-125");
    fern_greenlet_unref(g);
}

TEST(one_sleep_of_many_can_be_killed_without_waking_the_others)
{
    struct nap naps[] = {{FERN_MS, "1"}, {2 * FERN_MS, "2"}, {3 * FERN_MS, "3"}};
    fern_greenlet *gs[3];
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(i == 1 ? sleep_for_ever : nap, &naps[i]);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(gs[1], 0, FERN_FOREVER));
    ASSERT_OK(fern_join_all(gs, 3, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "-125 1 3");
    for (int i = 0; i < 3; i++)
        fern_greenlet_unref(gs[i]);
}

/* ---- park and unpark (A2.17, D 34) ---- */

static void *
park_twice(void *unused)
{
    trace("%d", fern_park(FERN_FOREVER));
    trace("%d", fern_park(fern_in(FERN_MS)));
    return unused;
}

TEST(an_unpark_that_comes_first_is_remembered_once)
{
    fern_greenlet *g = fern_spawn(park_twice, NULL);
    ASSERT_OK(fern_unpark(g));
    ASSERT_OK(fern_unpark(g));
    FINISH(g);
    ASSERT_STR_EQ(trace_text, "0 -62");
}

TEST(an_unpark_of_one_that_waits_for_something_else_is_remembered)
{
    struct nap n = {FERN_MS, "napped"};
    fern_greenlet *g = fern_spawn(nap, &n);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_unpark(g));
    ASSERT_EQ(fern_greenlet_state(g), FERN_STATE_PARKED);
    FINISH(g);
    ASSERT_OK(fern_unpark(fern_self()));
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_park(FERN_NOWAIT));
    ASSERT_ERR(fern_park(FERN_NOWAIT), -EAGAIN);
}

TEST(an_unpark_after_the_time_out_is_for_the_next_park)
{
    fern_greenlet *main = fern_self();
    ASSERT_ERR(fern_park(fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_unpark(main));
    ASSERT_OK(fern_park(FERN_FOREVER));
}

TEST(misuse_of_unpark_is_answered)
{
    ASSERT_ERR(fern_unpark(NULL), -EINVAL);
    fern_greenlet *g = fern_spawn(say, "x");
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_ERR(fern_unpark(g), -ESRCH);
    fern_greenlet_unref(g);
}

TEST(the_earliest_moment_there_is_has_passed)
{
    ASSERT_ERR(fern_park(FERN__TIME(INT64_MIN)), -ETIME);
    ASSERT_OK(fern_sleep_until(FERN__TIME(INT64_MIN)));
}

/* ---- drain ---- */

static void *
wait_in_vain(void *unused)
{
    ASSERT_ERR(fern_park(FERN_FOREVER), -ECANCELED);
    return unused;
}

static void *
doze(void *word)
{
    int r = fern_sleep(FERN_MS);
    if (r == 0)
        say(word);
    return word;
}

static void
tick(void *word)
{
    say(word);
}

static fern_greenlet *
spawn_daemon(fern_fn *fn, void *arg)
{
    FERN_SPAWN_OPTIONS(options);
    options.daemon = true;
    return fern_spawn_with(fn, arg, &options);
}

static void *
sleep_long(void *unused)
{
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED);
    return unused;
}

static void
stop_all(fern_greenlet **gs, int n)
{
    for (int i = 0; i < n; i++) {
        ASSERT_OK(fern_kill(gs[i], 0, FERN_FOREVER));
        fern_greenlet_unref(gs[i]);
    }
}

TEST(a_drain_waits_for_all_that_can_come_and_for_nobody_who_waits_in_vain)
{
    fern_timer timer = FERN_TIMER_INIT;
    fern_greenlet *gs[] = {fern_spawn(wait_in_vain, NULL), spawn_daemon(sleep_long, NULL)};
    ASSERT_OK(fern_go(doze, "slept"));
    ASSERT_OK(fern_call_later(&timer, 2 * FERN_MS, tick, "ticked"));
    ASSERT_ERR(fern_drain(FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_drain(FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "slept ticked");
    ASSERT_EQ(fern_greenlet_state(gs[0]), FERN_STATE_PARKED);
    ASSERT_OK(fern_drain(FERN_NOWAIT));
    ASSERT_OK(fern_drain(FERN_FOREVER));
    stop_all(gs, 2);
}

TEST(a_drain_has_its_own_deadline_and_its_scopes_and_waits_for_neither)
{
    fern_greenlet *gs[] = {fern_spawn(sleep_long, NULL)};
    ASSERT_ERR(fern_drain(fern_in(FERN_MS)), -ETIME);
    FERN_SCOPE (scope, fern_in(FERN_MS))
        ASSERT_ERR(fern_drain(FERN_FOREVER), -ETIME);
    stop_all(gs, 1);
    ASSERT_OK(fern_drain(fern_in(FERN_HOUR)));
    FERN_SCOPE (scope, fern_in(FERN_HOUR)) {
        ASSERT_OK(fern_drain(FERN_FOREVER));
        ASSERT_OK(fern_drain(FERN_NOWAIT));
    }
}

static void *
drain(void *word)
{
    ASSERT_OK(fern_drain(fern_in(FERN_HOUR)));
    return say(word);
}

TEST(several_may_drain_and_do_not_wait_for_each_other)
{
    fern_greenlet *gs[] = {fern_spawn(drain, "a"), fern_spawn(drain, "b")};
    ASSERT_OK(fern_drain(FERN_FOREVER));
    FINISH(gs[0]);
    FINISH(gs[1]);
    ASSERT_STR_EQ(trace_text, "a b");
}

static int ends[2];

static void *
wait_readable(void *unused)
{
    ASSERT_EQ(fern_wait_fd(ends[0], POLLIN, FERN_FOREVER), POLLIN);
    return say(unused);
}

static void *
hold(void *mutex)
{
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
    return NULL;
}

static void *
write_later(void *unused)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_EQ(write(ends[1], "x", 1), 1);
    return unused;
}

TEST(a_drain_waits_for_fds_and_not_for_other_threads)
{
    pthread_t thread;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    fern_greenlet *gs[] = {fern_spawn(wait_in_vain, NULL)};
    pthread_mutex_lock(&mutex);
    ASSERT_EQ(pthread_create(&thread, NULL, hold, &mutex), 0);
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_OK(fern_go(wait_readable, "read"));
    ASSERT_OK(fern_go(write_later, NULL));
    ASSERT_OK(fern_drain(FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "read");
    pthread_mutex_unlock(&mutex);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
    stop_all(gs, 1);
}

static void
drain_in_callback(void *unused)
{
    (void)unused;
    ASSERT_ERR(fern_drain(FERN_FOREVER), -EDEADLK);
    say("refused");
}

TEST(a_callback_cannot_drain_and_a_killed_one_does_not)
{
    fern_callback callback = FERN_CALLBACK_INIT;
    ASSERT_OK(fern_call_soon(&callback, drain_in_callback, NULL));
    ASSERT_OK(fern_drain(FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "refused");
    ASSERT_ERR(fern_kill(fern_self(), 0, FERN_NOWAIT), -ECANCELED);
    ASSERT_ERR(fern_drain(FERN_FOREVER), -ECANCELED);
    ASSERT_EQ(fern_uncancel(), 0);
}
