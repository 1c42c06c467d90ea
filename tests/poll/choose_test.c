/* SPDX-License-Identifier: MIT */
/* Which poller a hub gets, and what is particular to each. */
#include "harness.h"

#include "base/fault.h"
#include "poll/fdtab.h"

#include <errno.h>
#include <fern.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run a function on a thread, and so on a hub, of its own, with a given poller. */
static void
run_with(const char *poller, void *(*fn)(void *arg), void *arg)
{
    pthread_t thread;
    if (harness_time_is_virtual())
        SKIP("the clock of this run is virtual, which no poller but sim moves on");
    ASSERT_OK(setenv("FERN_POLLER", poller, 1));
    ASSERT_EQ(pthread_create(&thread, NULL, fn, arg), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
}

static void *
check_name(void *arg)
{
    ASSERT_STR_EQ(fern_hub_poller(), arg);
    int fd = fern_hub_fd();
    if (strcmp(arg, "epoll") == 0)
        ASSERT_OK(fd);
    else
        ASSERT_ERR(fd, -ENOSYS);
    return NULL;
}

TEST(the_poller_that_is_named_is_used)
{
    run_with("epoll", check_name, "epoll");
    run_with("poll", check_name, "poll");
    run_with("select", check_name, "select");
    run_with("", check_name, "epoll");
}

static void
sleep_with_unknown_poller(void *arg)
{
    (void)arg;
    setenv("FERN_POLLER", "kqueue", 1);
    _exit(fern_sleep(1) == -EINVAL ? 7 : 8);
}

TEST(an_unknown_poller_is_answered_with_those_there_are)
{
    char err[512];
    int status = harness_child(sleep_with_unknown_poller, NULL, err, sizeof err);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 7);
    ASSERT_STR_HAS(err, "\"kqueue\"");
    ASSERT_STR_HAS(err, "epoll, poll, select, sim");
}

/* ---- select ---- */

static void *
read_high_fd(void *arg)
{
    char c;
    *(ssize_t *)arg = fern_read(FD_SETSIZE + 7, &c, 1, FERN_FOREVER);
    return NULL;
}

static void
read_high_with_select(void *arg)
{
    (void)arg;
    int ends[2];
    ssize_t got = 0;
    if (fern_pipe(ends, 0) < 0 || fern_dup2(ends[0], FD_SETSIZE + 7) < 0)
        _exit(77);
    run_with("select", read_high_fd, &got);
    _exit(got == -EMFILE ? 7 : 8);
}

TEST(select_refuses_numbers_that_it_cannot_hold)
{
    struct rlimit limit;
    ASSERT_OK(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_max <= FD_SETSIZE + 7 || harness_time_is_virtual())
        SKIP("no such number can be had here, or the clock is virtual");
    limit.rlim_cur = limit.rlim_max;
    ASSERT_OK(setrlimit(RLIMIT_NOFILE, &limit));
    char err[512];
    int status = harness_child(read_high_with_select, NULL, err, sizeof err);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 7);
    ASSERT_STR_HAS(err, "fd 1031: the select poller holds fds below 1024 only");
}

static void *
wait_for_hang_up(void *arg)
{
    int *ends = arg;
    return (void *)(intptr_t)fern_wait_fd(ends[0], 0, FERN_FOREVER);
}

static void *
hang_up_with_bytes_left(void *arg)
{
    (void)arg;
    int ends[2];
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    fern_greenlet *g = fern_spawn(wait_for_hang_up, ends);
    ASSERT_EQ(fern_write(ends[1], "x", 1, FERN_FOREVER), 1);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_close(ends[1]));
    fern_outcome outcome;
    ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
    ASSERT_TRUE((intptr_t)outcome.value & POLLHUP);
    fern_greenlet_unref(g);
    ASSERT_OK(fern_close(ends[0]));
    return NULL;
}

TEST(select_finds_a_hang_up_that_nobody_would_see_in_its_sets)
{
    run_with("select", hang_up_with_bytes_left, NULL);
}

/* ---- epoll ---- */

static void *
sleep_coarsely(void *arg)
{
    (void)arg;
    ASSERT_OK(fern__fault_plan("epoll_pwait2", 1, ENOSYS));
    ASSERT_OK(fern__fault_plan("epoll_pwait", 1, EINTR));
    for (int i = 0; i < 5; i++) {
        fern_time until = fern_in(100 * FERN_US);
        ASSERT_OK(fern_sleep_until(until));
        ASSERT_GE(fern_now().ns, until.ns);
    }
    ASSERT_OK(fern_sleep(50 * FERN_MS));
    ASSERT_GE(fern__fault_seen("epoll_pwait"), 1);
    ASSERT_EQ(fern__fault_seen("epoll_pwait2"), 1);
    fern__fault_clear();
    return NULL;
}

TEST(an_older_kernel_is_waited_in_by_milliseconds)
{
    run_with("epoll", sleep_coarsely, NULL);
}

static void *
close_the_pollers_fd(void *arg)
{
    (void)arg;
    close(fern_hub_fd());
    (void)!fern_sleep(5 * FERN_SECOND);
    return NULL;
}

static void
close_and_sleep(void *arg)
{
    run_with("epoll", close_the_pollers_fd, arg);
}

TEST(a_program_that_closes_the_pollers_fd_is_told_and_stopped)
{
    if (harness_time_is_virtual())
        SKIP("the clock of this run is virtual");
    char err[512];
    int status = harness_child(close_and_sleep, NULL, err, sizeof err);
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
    ASSERT_STR_HAS(err, "fern's own epoll descriptor, has been closed by the program");
}

/* ---- planned faults ---- */

TEST(faults_are_planned_by_text)
{
    char c;
    ASSERT_OK(fern__fault_read("recvfrom:2:ECONNRESET,sendto:1:5"));
    int ends[2];
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    ASSERT_ERR(fern_write(ends[1], "x", 1, FERN_FOREVER), -EIO);
    ASSERT_EQ(fern_write(ends[1], "xy", 2, FERN_FOREVER), 2);
    ASSERT_EQ(fern_read(ends[0], &c, 1, FERN_FOREVER), 1);
    ASSERT_ERR(fern_read(ends[0], &c, 1, FERN_FOREVER), -ECONNRESET);
    ASSERT_EQ(fern_read(ends[0], &c, 1, FERN_FOREVER), 1);
    fern__fault_clear();
    ASSERT_OK(fern__fault_read("*:1:EMFILE"));
    ASSERT_ERR(fern_pipe(ends, 0), -EMFILE);
    fern__fault_clear();
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}

static void
read_wrong_text(void *text)
{
    _exit(fern__fault_read(text) == -EINVAL ? 7 : 8);
}

TEST(a_plan_that_cannot_be_read_is_answered_with_an_example)
{
    static const char *const wrong[] = {"recv", "recv:1", "recv:0:EIO", "recv:x:EIO",
            "recv:1:ENOSUCHERROR", "recv:1:0", "recv:1:EIO,read"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char err[512];
        int status = harness_child(
                read_wrong_text, (void *)(uintptr_t)wrong[i], err, sizeof err);
        ASSERT_EQ(WEXITSTATUS(status), 7);
        ASSERT_STR_HAS(err, "recv:3:ECONNRESET");
    }
}

TEST(no_more_faults_are_planned_than_there_is_room_for)
{
    int planned = 0;
    while (fern__fault_plan("read", 1000, EIO) == 0)
        planned++;
    ASSERT_GE(planned, 16);
    ASSERT_ERR(fern__fault_plan("read", 1, EIO), -ENOSPC);
    ASSERT_ERR(fern__fault_plan("read", 0, EIO), -EINVAL);
    ASSERT_ERR(fern__fault_plan("read", 1, 0), -EINVAL);
    fern__fault_clear();
    ASSERT_OK(fern__fault_plan("read", 1, EIO));
    fern__fault_clear();
}
