/* SPDX-License-Identifier: MIT */
/*
 * When nothing can ever wake main: its call says so, and stderr says who waits for what.
 */
#include "harness.h"

#include <errno.h>
#include <fern.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int after;

/* ThreadSanitizer and emulators keep a thread of their own, which cannot be told from one of the
 * program's: fern then never claims that nothing can wake main. */
static void
skip_where_a_tool_has_threads(void)
{
    int threads = harness_other_threads();
    if (threads)
        SKIP("a tool keeps %d threads of its own", threads);
}

static __attribute__((noinline)) void
wait_in_here(void)
{
    (void)!fern_park(FERN_FOREVER);
    after = 1;
}

static void *
parker(void *arg)
{
    wait_in_here();
    return arg;
}

static void *
joiner(void *g)
{
    return (void *)(intptr_t)fern_join(g, FERN_FOREVER);
}

static int
exit_with(int r)
{
    exit(r == -EDEADLK ? 7 : 8);
}

static void
block_for_good(void *arg)
{
    (void)arg;
    FERN_SPAWN_OPTIONS(o);
    o.name = "first";
    fern_greenlet *g = fern_spawn_with(parker, NULL, &o);
    o.name = "second";
    fern_spawn_with(joiner, g, &o);
    exit_with(fern_join(g, FERN_FOREVER));
}

TEST(main_that_nothing_can_wake_is_told_and_everybody_is_named)
{
    skip_where_a_tool_has_threads();
    char err[8192];
    int status = harness_child(block_for_good, NULL, err, sizeof err);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 7);
    ASSERT_STR_HAS(err, "fern: nothing can ever wake main");
    ASSERT_STR_HAS(err, "#1 \"main\": parked in join: end of #2, no deadline");
    ASSERT_STR_HAS(err, "#2 \"first\" spawned at ");
    ASSERT_STR_HAS(err, "deadlock_test.c:");
    ASSERT_STR_HAS(err, "parked in park, no deadline");
    ASSERT_STR_HAS(err, "    at wait_in_here+0x");
    ASSERT_STR_HAS(err, "    at block_for_good+0x");
    ASSERT_STR_HAS(err, "#3 \"second\" spawned at ");
    ASSERT_NULL(strstr(err, "fern__"));
}

static void
block_as_the_last(void *arg)
{
    (void)arg;
    fern_spawn(parker, NULL);
    if (fern_yield() < 0)
        exit(9);
    /* Main itself looks for work when it finds that there is none. */
    exit_with(fern_park(FERN_FOREVER));
}

TEST(main_is_shown_where_it_waits_even_if_it_found_out_itself)
{
    skip_where_a_tool_has_threads();
    char err[8192];
    int status = harness_child(block_as_the_last, NULL, err, sizeof err);
    ASSERT_EQ(WEXITSTATUS(status), 7);
    ASSERT_STR_HAS(err, "#1 \"main\": parked in park, no deadline");
    ASSERT_STR_HAS(err, "    at block_as_the_last+0x");
    ASSERT_NULL(strstr(err, "fern__"));
}

/* ---- circles ---- */

static fern_mutex locks[2];

struct pair {
    fern_mutex *first;
    fern_mutex *second;
};

__attribute__((noinline)) static void *
take_both(void *arg)
{
    struct pair *pair = arg;
    if (fern_mutex_lock(pair->first, FERN_FOREVER) < 0 || fern_yield() < 0 ||
            fern_mutex_lock(pair->second, FERN_FOREVER) < 0)
        exit(9);
    return NULL;
}

static void
cross_over(void *arg)
{
    struct pair pairs[] = {{&locks[0], &locks[1]}, {&locks[1], &locks[0]}};
    FERN_SPAWN_OPTIONS(o);
    (void)arg;
    o.name = "left";
    fern_greenlet *left = fern_spawn_with(take_both, &pairs[0], &o);
    o.name = "right";
    fern_spawn_with(take_both, &pairs[1], &o);
    o.name = "outside"; /* waits for one of them and is not part of the circle */
    fern_spawn_with(joiner, left, &o);
    exit_with(fern_join(left, FERN_FOREVER));
}

TEST(two_that_want_each_others_locks_are_reported_as_a_circle_with_their_places)
{
    skip_where_a_tool_has_threads();
    char err[8192];
    int status = harness_child(cross_over, NULL, err, sizeof err);
    ASSERT_EQ(WEXITSTATUS(status), 7);
    ASSERT_STR_HAS(
            err, "fern: these wait for each other, each for the next one:\n#2 \"left\"");
    char *end = strstr(err, "fern: everybody");
    ASSERT_NOT_NULL(end);
    *end = '\0';
    ASSERT_STR_HAS(err, "parked in mutex: ");
    ASSERT_STR_HAS(err, ", held by #3\n    at ");
    ASSERT_STR_HAS(err, "#3 \"right\"");
    ASSERT_STR_HAS(err, ", held by #2\n    at ");
    ASSERT_STR_HAS(strstr(err, "#3 \"right\""), "    at take_both+0x");
    ASSERT_NULL(strstr(err, "outside"));
    ASSERT_NULL(strstr(err, "#1"));
}

static void *
take_along(void *lock)
{
    if (fern_mutex_lock(lock, FERN_FOREVER) < 0)
        exit(9);
    return NULL;
}

static void
want_what_is_gone(void *arg)
{
    (void)arg;
    fern_greenlet_unref(fern_spawn(take_along, &locks[0]));
    if (fern_yield() < 0)
        exit(9);
    exit_with(fern_mutex_lock(&locks[0], FERN_FOREVER));
}

TEST(who_waits_for_a_lock_whose_owner_has_ended_is_shown_that)
{
    skip_where_a_tool_has_threads();
    char err[8192];
    int status = harness_child(want_what_is_gone, NULL, err, sizeof err);
    ASSERT_EQ(WEXITSTATUS(status), 7);
    ASSERT_STR_HAS(err, ", held by #2, but #2 has ended, no deadline");
    ASSERT_NULL(strstr(err, "wait for each other"));
}

static fern_greenlet *main_greenlet;

static void *
wait_for_main(void *arg)
{
    exit_with(fern_join(main_greenlet, FERN_FOREVER));
    return arg;
}

static void
hold_and_join(void *arg)
{
    (void)arg;
    main_greenlet = fern_self();
    fern_greenlet *g = fern_spawn(wait_for_main, NULL);
    exit_with(fern_join(g, FERN_FOREVER));
}

TEST(two_that_join_each_other_are_a_circle)
{
    skip_where_a_tool_has_threads();
    char err[8192];
    int status = harness_child(hold_and_join, NULL, err, sizeof err);
    ASSERT_EQ(WEXITSTATUS(status), 7);
    ASSERT_STR_HAS(err, "fern: these wait for each other");
    ASSERT_STR_HAS(err, "#1 \"main\": parked in join: end of #2\n");
    ASSERT_STR_HAS(err, "    at wait_for_main+0x");
    ASSERT_STR_HAS(err, "parked in join: end of #1\n    at ");
}

TEST(what_main_does_then_can_go_on)
{
    skip_where_a_tool_has_threads();
    fern_greenlet *g = fern_spawn(parker, NULL);
    ASSERT_ERR(fern_join(g, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_join(g, FERN_FOREVER), -EDEADLK);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_unpark(g));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
}

static void *
sleeper(void *arg)
{
    return (void *)(intptr_t)fern_sleep((intptr_t)arg);
}

TEST(a_timer_that_will_fire_is_waited_for)
{
    fern_greenlet *g = fern_spawn(sleeper, (void *)(20 * FERN_MS));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
}

static int ends[2];

static void
write_byte(int signal)
{
    (void)signal;
    if (write(ends[1], "x", 1) != 1)
        _exit(9);
}

static void *
read_and_unpark(void *g)
{
    char c;
    ASSERT_EQ(fern_read(ends[0], &c, 1, FERN_FOREVER), 1);
    ASSERT_OK(fern_unpark(g));
    return NULL;
}

/* What writes is a signal handler: neither a thread nor a timer of fern's. */
TEST(somebody_who_waits_for_an_fd_is_reason_enough_to_wait_on)
{
    struct sigaction action = {.sa_handler = write_byte};
    struct itimerval soon = {.it_value.tv_usec = 20000};
    ASSERT_OK(fern_pipe(ends, 0));
    fern_greenlet *g = fern_spawn(read_and_unpark, fern_self());
    ASSERT_OK(sigaction(SIGALRM, &action, NULL));
    ASSERT_OK(setitimer(ITIMER_REAL, &soon, NULL));
    ASSERT_OK(fern_park(FERN_FOREVER));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}

TEST(a_daemons_timer_keeps_nobody_waiting)
{
    skip_where_a_tool_has_threads();
    FERN_SPAWN_OPTIONS(o);
    o.daemon = true;
    fern_greenlet *daemon = fern_spawn_with(sleeper, (void *)(60 * FERN_SECOND), &o);
    ASSERT_OK(fern_yield());
    fern_greenlet *g = fern_spawn(parker, NULL);
    ASSERT_ERR(fern_join(g, FERN_FOREVER), -EDEADLK);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_OK(fern_kill(daemon, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    fern_greenlet_unref(daemon);
}

static void
count(void *counter)
{
    ++*(int *)counter;
}

TEST(a_daemon_timer_keeps_nobody_waiting)
{
    skip_where_a_tool_has_threads();
    int fired = 0;
    fern_timer timer = {0};
    ASSERT_OK(fern_timer_start(&timer, fern_in(60 * FERN_SECOND), 0, count, &fired));
    ASSERT_OK(fern_timer_set_daemon(&timer, true));
    ASSERT_ERR(fern_park(FERN_FOREVER), -EDEADLK);
    ASSERT_OK(fern_timer_stop(&timer));
    ASSERT_EQ(fired, 0);
}

/* ---- other threads ---- */

static atomic_int may_end;
static atomic_int result;

static void *
foreign(void *arg)
{
    while (!atomic_load(&may_end))
        usleep(1000);
    return arg;
}

static void *
let_it_end(void *arg)
{
    (void)arg;
    atomic_store(&may_end, 1);
    return NULL;
}

TEST(while_a_foreign_thread_lives_main_waits_and_then_is_told)
{
    skip_where_a_tool_has_threads();
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, foreign, NULL), 0);
    fern_greenlet *g = fern_spawn(parker, NULL);
    /* Well within the deadline the question has been asked, and answered with no. */
    ASSERT_ERR(fern_join(g, fern_in(50 * FERN_MS)), -ETIME);
    fern_greenlet *end = fern_spawn(let_it_end, NULL);
    ASSERT_ERR(fern_join(g, FERN_FOREVER), -EDEADLK);
    ASSERT_TRUE(atomic_load(&may_end));
    pthread_join(thread, NULL);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    fern_greenlet_unref(end);
}

static void *
second_hub(void *arg)
{
    (void)!fern_park(FERN_FOREVER);
    return arg;
}

TEST(of_two_hubs_that_both_wait_for_nothing_main_is_told)
{
    skip_where_a_tool_has_threads();
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, second_hub, NULL), 0);
    /* If the other finds out first its thread ends, and then main is alone. */
    ASSERT_ERR(fern_park(FERN_FOREVER), -EDEADLK);
}

static void *
compute(void *arg)
{
    (void)!fern_sleep(FERN_MS);
    atomic_store(&result, 1);
    while (!atomic_load(&may_end))
        ;
    return arg;
}

static void *
computing_hub(void *arg)
{
    FERN_SPAWN_OPTIONS(o);
    o.daemon = true;
    fern_greenlet_unref(fern_spawn_with(compute, NULL, &o));
    (void)!fern_park(FERN_FOREVER);
    return arg;
}

TEST(a_hub_that_computes_after_it_seemed_stuck_is_not_taken_for_it)
{
    skip_where_a_tool_has_threads();
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, computing_hub, NULL), 0);
    while (!atomic_load(&result))
        usleep(100);
    fern_greenlet *g = fern_spawn(parker, NULL);
    ASSERT_ERR(fern_join(g, fern_in(50 * FERN_MS)), -ETIME);
    /* Twice: the first answer must not be remembered as the last. */
    FERN_SPAWN_OPTIONS(o);
    o.daemon = true;
    fern_greenlet *end = fern_spawn_with(sleeper, (void *)(50 * FERN_MS), &o);
    fern_greenlet *watch = fern_spawn(joiner, end);
    ASSERT_OK(fern_join(watch, FERN_FOREVER));
    ASSERT_OK(fern_unpark(g));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    atomic_store(&may_end, 1);
    fern_greenlet_unref(g);
    fern_greenlet_unref(end);
    fern_greenlet_unref(watch);
}
