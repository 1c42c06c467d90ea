/* SPDX-License-Identifier: MIT */
/*
 * FERN_DUMP_SIGNAL: the dump from outside, without dying.
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "debug/signal.h"

static volatile int after;

static int
count(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

/* Run in a child with the signal chosen; it must live to its end. */
static const char *
dump_of(void (*body)(void *arg), const char *name)
{
    static char err[32768];
    setenv("FERN_DUMP_SIGNAL", name, 1);
    int status = harness_child(body, NULL, err, sizeof err);
    unsetenv("FERN_DUMP_SIGNAL");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        FAIL("status %#x: %s", (unsigned)status, err);
    return err;
}

static void
make_a_hub(void *arg)
{
    (void)arg;
    if (!fern_self())
        exit(1);
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

static void
be_asked_while_waiting(void *arg)
{
    (void)arg;
    FERN_SPAWN_OPTIONS(o);
    o.name = "parker";
    fern_spawn_with(parker, NULL, &o);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec soon = {.it_value.tv_nsec = 20000000};
    timer_t timer;
    ASSERT_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
    ASSERT_OK(timer_settime(timer, 0, &soon, NULL));
    if (fern_sleep(200 * FERN_MS) < 0)
        exit(1);
}

TEST(a_hub_that_waits_is_dumped_at_once_with_names)
{
    if (harness_time_is_virtual())
        SKIP("nobody waits in virtual time");
    const char *err = dump_of(be_asked_while_waiting, "USR1");
    ASSERT_EQ(count(err, "fern: thread "), 1);
    ASSERT_STR_HAS(err, "\"main\": parked in sleep, wakes in ");
    ASSERT_STR_HAS(err, "\"parker\" spawned at ");
    ASSERT_STR_HAS(err, "    at wait_in_here+0x");
    ASSERT_STR_HAS(err, "    at be_asked_while_waiting+0x");
}

static void
be_asked_while_running(void *arg)
{
    (void)arg;
    fern__signal_patience_ns = FERN_HOUR;
    fern_spawn(parker, NULL);
    if (fern_yield() < 0)
        exit(1);
    raise(SIGQUIT);
    dprintf(STDERR_FILENO, "before the turn\n");
    if (fern_sleep(FERN_MS) < 0)
        exit(1);
    dprintf(STDERR_FILENO, "after the turn\n");
}

TEST(a_hub_that_runs_is_dumped_at_its_next_turn_with_names)
{
    const char *err = dump_of(be_asked_while_running, "QUIT");
    ASSERT_EQ(count(err, "fern: thread "), 1);
    const char *dump = strstr(err, "fern: thread ");
    ASSERT_TRUE(dump > strstr(err, "before the turn"));
    ASSERT_TRUE(dump < strstr(err, "after the turn"));
    ASSERT_STR_HAS(err, "    at wait_in_here+0x");
}

static void
be_asked_twice(void *arg)
{
    (void)arg;
    make_a_hub(NULL);
    raise(SIGUSR1);
    raise(SIGUSR1);
    dprintf(STDERR_FILENO, "no turn so far\n");
}

static void
be_asked_before_blocking(void *arg)
{
    make_a_hub(arg);
    raise(SIGUSR1);
    /* Not a call of fern's: no turn is taken. Much longer than the handler waits. */
    struct timespec left = {.tv_sec = 2};
    while (nanosleep(&left, &left) < 0)
        ;
    dprintf(STDERR_FILENO, "no turn so far\n");
}

TEST(a_request_that_no_turn_answers_is_answered_before_long)
{
    const char *err = dump_of(be_asked_before_blocking, "SIGUSR1");
    ASSERT_EQ(count(err, "fern: thread "), 1);
    ASSERT_TRUE(strstr(err, "fern: thread ") < strstr(err, "no turn so far"));
}

TEST(a_second_request_without_an_answer_is_answered_at_once)
{
    const char *err = dump_of(be_asked_twice, "SIGUSR1");
    ASSERT_TRUE(strstr(err, "fern: thread ") < strstr(err, "no turn so far"));
    ASSERT_STR_HAS(err, "\"main\": running");
}

static void *
hog(void *arg)
{
    fern_time begin = fern_now();
    while (fern_time_diff(fern_now(), begin) < 50 * FERN_MS)
        ;
    raise(SIGUSR2);
    dprintf(STDERR_FILENO, "still the hog\n");
    return arg;
}

static void
be_hogged(void *arg)
{
    (void)arg;
    FERN_SPAWN_OPTIONS(o);
    fern_spawn_with(parker, NULL, &o);
    o.name = "the hog";
    fern_greenlet *g = fern_spawn_with(hog, NULL, &o);
    if (fern_join(g, FERN_FOREVER) < 0)
        exit(1);
}

TEST(a_hog_is_caught_in_the_act)
{
    if (harness_time_is_virtual())
        SKIP("while somebody runs, no virtual time passes");
    const char *err = dump_of(be_hogged, "USR2");
    ASSERT_EQ(count(err, "fern: thread "), 1);
    ASSERT_TRUE(strstr(err, "fern: thread ") < strstr(err, "still the hog"));
    const char *line = strstr(err, "\"the hog\" spawned at ");
    ASSERT_NOT_NULL(line);
    ASSERT_STR_HAS(line, " by #1: running, ");
    /* No names then, but places: in the C library that raised, and in this program. */
    ASSERT_STR_HAS(line, "    at ");
    ASSERT_STR_HAS(line, "debug_signal+0x");
    ASSERT_STR_HAS(err, "parked in park, no deadline");
}

/* ---- several threads ---- */

static atomic_int ready;

static void *
second_hub(void *arg)
{
    (void)arg;
    FERN_SPAWN_OPTIONS(o);
    o.name = "on the second";
    fern_spawn_with(parker, NULL, &o);
    if (fern_yield() < 0)
        exit(1);
    atomic_store(&ready, 1);
    (void)!fern_sleep(200 * FERN_MS);
    return NULL;
}

static void
be_two(void *arg)
{
    make_a_hub(arg);
    pthread_t thread;
    pthread_create(&thread, NULL, second_hub, NULL);
    while (!atomic_load(&ready))
        (void)!fern_sleep(FERN_MS);
    kill(getpid(), SIGQUIT);
    (void)!fern_sleep(FERN_MS);
    pthread_join(thread, NULL);
}

TEST(the_hub_of_every_thread_is_dumped)
{
    if (harness_time_is_virtual())
        SKIP("nobody waits in virtual time");
    const char *err = dump_of(be_two, "3");
    ASSERT_EQ(count(err, "\"main\""), 2);
    ASSERT_EQ(count(err, "fern: thread "), 2);
    ASSERT_STR_HAS(err, "\"on the second\"");
}

static void *
ends(void *arg)
{
    (void)!fern_sleep(FERN_MS);
    return arg;
}

static void
be_one_again(void *arg)
{
    (void)arg;
    pthread_t thread;
    pthread_create(&thread, NULL, ends, NULL);
    pthread_join(thread, NULL);
    make_a_hub(NULL);
    raise(SIGQUIT);
    raise(SIGQUIT);
}

TEST(a_thread_that_has_ended_is_left_alone)
{
    const char *err = dump_of(be_one_again, "QUIT");
    /* On a slow machine each of the two requests is answered by itself; by one thread only. */
    const char *header = strstr(err, "fern: thread ");
    ASSERT_TRUE(header != NULL);
    char who[40];
    ASSERT_EQ(sscanf(header, "%39[^0-9]%*d", who), 1);
    snprintf(who + strlen(who), 12, "%d:", atoi(header + strlen(who)));
    ASSERT_EQ(count(err, "fern: thread "), count(err, who));
}

/* ---- manners ---- */

static void
own_handler(int signal)
{
    (void)signal;
    static const char text[] = "the program's own handler\n";
    ASSERT_GT(write(STDERR_FILENO, text, sizeof text - 1), 0);
}

static void
have_a_handler(void *arg)
{
    (void)arg;
    signal(SIGUSR1, own_handler);
    be_asked_twice(NULL);
}

TEST(a_handler_of_the_programs_is_called_too)
{
    const char *err = dump_of(have_a_handler, "usr1");
    ASSERT_STR_HAS(err, "fern: thread ");
    ASSERT_EQ(count(err, "the program's own handler"), 2);
}

TEST(a_name_that_is_no_signal_is_reported_and_nothing_else_happens)
{
    static const char *const wrong[] = {"QUITE", "0", "SEGV", "KILL", "12x", "99"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *err = dump_of(make_a_hub, wrong[i]);
        char expected[64];
        snprintf(expected, sizeof expected, "fern: FERN_DUMP_SIGNAL=%s is no signal",
                wrong[i]);
        ASSERT_STR_HAS(err, expected);
    }
}

static void
die_by_quit(void *arg)
{
    make_a_hub(arg);
    raise(SIGQUIT);
}

TEST(a_signal_that_was_not_chosen_keeps_its_effect)
{
    char err[1024];
    int status = harness_child(die_by_quit, NULL, err, sizeof err);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGQUIT);
}
