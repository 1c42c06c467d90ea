/* SPDX-License-Identifier: MIT */
/* The sim poller: virtual time, real fds. */
#include "harness.h"

#include <errno.h>
#include <fern.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(time_stands_still_but_for_timers)
{
    fern_time before = fern_now();
    ASSERT_STR_EQ(fern_hub_poller(), "sim");
    for (int i = 0; i < 1000; i++)
        ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_now().ns, before.ns);
    ASSERT_OK(fern_sleep(FERN_HOUR));
    ASSERT_EQ(fern_time_diff(fern_now(), before), FERN_HOUR);
}

static char order[8];
static size_t steps;

static void *
sleep_and_note(void *arg)
{
    int64_t hours = (int64_t)(intptr_t)arg;
    ASSERT_OK(fern_sleep(hours * FERN_HOUR));
    order[steps++] = (char)('0' + hours);
    return NULL;
}

TEST(sleepers_wake_in_the_order_of_their_times)
{
    static const intptr_t hours[] = {3, 1, 2, 5, 4};
    fern_time before = fern_now();
    fern_greenlet *gs[5];
    for (int i = 0; i < 5; i++)
        gs[i] = fern_spawn(sleep_and_note, (void *)hours[i]);
    ASSERT_OK(fern_join_all(gs, 5, FERN_FOREVER));
    for (int i = 0; i < 5; i++)
        fern_greenlet_unref(gs[i]);
    ASSERT_STR_EQ(order, "12345");
    ASSERT_EQ(fern_time_diff(fern_now(), before), 5 * FERN_HOUR);
}

TEST(bytes_that_are_there_come_before_a_time_out)
{
    int ends[2];
    char c;
    ASSERT_OK(fern_pipe(ends, 0));
    ASSERT_ERR(fern_read(ends[0], &c, 1, fern_in(1)), -ETIME);
    ASSERT_EQ(fern_write(ends[1], "x", 1, FERN_FOREVER), 1);
    fern_time before = fern_now();
    ASSERT_EQ(fern_read(ends[0], &c, 1, fern_in(1)), 1);
    ASSERT_EQ(fern_now().ns, before.ns);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}

TEST(bytes_from_outside_are_waited_for_in_real_time_while_no_timer_is_armed)
{
    int ends[2], status;
    char c;
    ASSERT_OK(fern_pipe(ends, 0));
    fern_time before = fern_now();
    pid_t pid = fork();
    ASSERT_OK(pid);
    if (pid == 0) {
        usleep(20000);
        _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
    }
    ASSERT_EQ(fern_read(ends[0], &c, 1, FERN_FOREVER), 1);
    ASSERT_EQ(fern_now().ns, before.ns);
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}

static void *
answer(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char c;
    while (fern_read(fd, &c, 1, FERN_FOREVER) == 1) {
        ASSERT_OK(fern_sleep(FERN_SECOND));
        ASSERT_EQ(fern_write(fd, &c, 1, FERN_FOREVER), 1);
    }
    return NULL;
}

TEST(a_day_of_slow_answers_takes_no_time_and_its_length_is_exact)
{
    enum { ANSWERS = 1000 };
    int ends[2];
    char c;
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    fern_greenlet *g = fern_spawn(answer, (void *)(intptr_t)ends[1]);
    fern_time before = fern_now();
    for (int i = 0; i < ANSWERS; i++) {
        ASSERT_EQ(fern_write(ends[0], "x", 1, FERN_FOREVER), 1);
        ASSERT_ERR(fern_read(ends[0], &c, 1, fern_in(FERN_MS)), -ETIME);
        ASSERT_EQ(fern_read(ends[0], &c, 1, fern_in(FERN_MINUTE)), 1);
    }
    ASSERT_EQ(fern_time_diff(fern_now(), before), ANSWERS * FERN_SECOND);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_OK(fern_close(ends[1]));
}

static void *
swallow(void *arg)
{
    const int *ends = arg;
    char c;
    while (fern_read(ends[0], &c, 1, FERN_FOREVER) == 1)
        ;
    return NULL;
}

TEST(a_hub_that_may_poll_before_it_sleeps_still_moves_time)
{
    int ends[2];
    fern_hub_options options = {.size = sizeof options, .spin_ns = 25 * FERN_US};
    ASSERT_OK(fern_hub_set_options(&options));
    ASSERT_OK(fern_pipe(ends, 0));
    fern_greenlet *g = fern_spawn(swallow, ends);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_EQ(fern_write(ends[1], "x", 1, FERN_FOREVER), 1);
    ASSERT_OK(fern_sleep(FERN_HOUR)); /* an event, and then a gap */
    ASSERT_OK(fern_sleep(FERN_HOUR));
    ASSERT_OK(fern_close(ends[1]));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_OK(fern_close(ends[0]));
}
