/* SPDX-License-Identifier: MIT */
/* Waiting for fds without a transfer: fern_wait_fd, fern_poll, fern_select_fds. */
#include "io/ends.h"

enum { MANY = 300 };

/* ---- one fd ---- */

struct wait {
    int fd;
    int events;
};

static void *
wait_once(void *arg)
{
    struct wait *w = arg;
    return (void *)(intptr_t)fern_wait_fd(w->fd, w->events, FERN_FOREVER);
}

TEST(an_fd_is_waited_for_until_it_is_readable)
{
    int ends[2];
    tcp_pair(ends);
    struct wait w = {ends[0], POLLIN};
    ASSERT_ERR(fern_wait_fd(ends[0], POLLIN, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_wait_fd(ends[0], POLLIN, fern_in(FERN_MS)), -ETIME);
    fern_greenlet *g = fern_spawn(wait_once, &w);
    let_them_wait();
    say(ends[1], "abc");
    ASSERT_EQ(value_of(g), POLLIN);
    ASSERT_EQ(fern_wait_fd(ends[0], POLLIN | POLLOUT, FERN_FOREVER), POLLIN | POLLOUT);
    hear(ends[0], "abc");
    close_pair(ends);
}

TEST(an_fd_is_waited_for_until_it_is_writable)
{
    int ends[2];
    unix_pair(ends);
    char bytes[65536] = "";
    size_t done = 0;
    while (fern_write_all(ends[0], bytes, sizeof bytes, &done, FERN_NOWAIT) == 0)
        ;
    struct wait w = {ends[0], POLLOUT};
    fern_greenlet *g = fern_spawn(wait_once, &w);
    let_them_wait();
    ASSERT_FALSE(fern_ready(g));
    while (fern_read(ends[1], bytes, sizeof bytes, FERN_NOWAIT) > 0)
        ;
    ASSERT_EQ(value_of(g), POLLOUT);
    close_pair(ends);
}

TEST(urgent_bytes_are_waited_for)
{
    int ends[2];
    tcp_pair(ends);
    struct wait w = {ends[0], POLLPRI};
    fern_greenlet *g = fern_spawn(wait_once, &w);
    let_them_wait();
    say(ends[1], "abc");
    let_them_wait();
    ASSERT_FALSE(fern_ready(g));
    ASSERT_EQ(fern_send(ends[1], "!", 1, MSG_OOB, FERN_FOREVER), 1);
    ASSERT_EQ(value_of(g), POLLPRI);
    close_pair(ends);
}

TEST(a_hang_up_is_told_even_if_nothing_was_asked_for)
{
    int ends[2];
    unix_pair(ends);
    struct wait w = {ends[0], 0};
    fern_greenlet *g = fern_spawn(wait_once, &w);
    let_them_wait();
    say(ends[1], "abc");
    let_them_wait();
    ASSERT_FALSE(fern_ready(g));
    ASSERT_OK(fern_close(ends[1]));
    ASSERT_EQ(value_of(g), POLLHUP);
    ASSERT_OK(fern_close(ends[0]));
}

TEST(the_other_ends_shutdown_is_told)
{
    int ends[2];
    tcp_pair(ends);
    struct wait w = {ends[0], POLLRDHUP};
    fern_greenlet *g = fern_spawn(wait_once, &w);
    let_them_wait();
    ASSERT_OK(fern_shutdown(ends[1], SHUT_WR));
    ASSERT_EQ(value_of(g), POLLRDHUP);
    close_pair(ends);
}

TEST(several_who_wait_for_one_fd_are_all_told_and_a_reader_gets_the_bytes)
{
    int ends[2];
    tcp_pair(ends);
    struct wait w = {ends[0], POLLIN};
    fern_greenlet *gs[3];
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(wait_once, &w);
    let_them_wait();
    say(ends[1], "abc");
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(value_of(gs[i]), POLLIN);
    hear(ends[0], "abc");
    close_pair(ends);
}

TEST(who_waits_for_a_closed_fd_gets_ebadf)
{
    int ends[2];
    tcp_pair(ends);
    struct wait w = {ends[0], POLLIN};
    fern_greenlet *g = fern_spawn(wait_once, &w);
    let_them_wait();
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_EQ(value_of(g), -EBADF);
    ASSERT_ERR(fern_wait_fd(ends[0], POLLIN, FERN_FOREVER), -EBADF);
    ASSERT_ERR(fern_wait_fd(-1, POLLIN, FERN_FOREVER), -EBADF);
    ASSERT_OK(fern_close(ends[1]));
}

TEST(a_file_is_always_ready)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ASSERT_OK(fd);
    ASSERT_EQ(fern_wait_fd(fd, POLLIN, FERN_NOWAIT), POLLIN);
    ASSERT_EQ(fern_wait_fd(fd, POLLIN | POLLOUT, FERN_FOREVER), POLLIN | POLLOUT);
    ASSERT_OK(fern_close(fd));
}

TEST(a_killed_waiter_for_an_fd_leaves_nothing_behind)
{
    int ends[2];
    tcp_pair(ends);
    struct wait w = {ends[0], POLLIN};
    fern_greenlet *g = fern_spawn(wait_once, &w);
    let_them_wait();
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(value_of(g), -ECANCELED);
    say(ends[1], "abc");
    hear(ends[0], "abc");
    close_pair(ends);
}

/* ---- poll ---- */

static void *
say_later(void *arg)
{
    ASSERT_OK(fern_sleep(2 * FERN_MS));
    say(as_fd(arg), "x");
    return NULL;
}

TEST(poll_tells_which_of_many_is_ready)
{
    static int ends[MANY][2];
    static struct pollfd fds[MANY];
    for (int i = 0; i < MANY; i++) {
        unix_pair(ends[i]);
        fds[i] = (struct pollfd){.fd = ends[i][0], .events = POLLIN};
    }
    ASSERT_ERR(fern_poll(fds, MANY, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_poll(fds, MANY, fern_in(FERN_MS)), -ETIME);
    for (int i = 0; i < MANY; i += 37) {
        fern_greenlet *g = fern_spawn(say_later, as_arg(ends[i][1]));
        ASSERT_EQ(fern_poll(fds, MANY, FERN_FOREVER), 1);
        for (int k = 0; k < MANY; k++)
            ASSERT_EQ(fds[k].revents, k == i ? POLLIN : 0);
        hear(ends[i][0], "x");
        ASSERT_EQ(value_of(g), 0);
    }
    for (int i = 0; i < MANY; i++)
        close_pair(ends[i]);
}

TEST(poll_marks_a_number_that_is_not_open_and_passes_over_negative_ones)
{
    int ends[2];
    unix_pair(ends);
    struct pollfd fds[] = {{.fd = -1, .events = POLLIN, .revents = 99},
            {.fd = 999, .events = POLLIN}, {.fd = ends[0], .events = POLLIN}};
    ASSERT_EQ(fern_poll(fds, 3, FERN_FOREVER), 1);
    ASSERT_EQ(fds[0].revents, 0);
    ASSERT_EQ(fds[1].revents, POLLNVAL);
    ASSERT_EQ(fds[2].revents, 0);
    fds[1].fd = -2;
    ASSERT_ERR(fern_poll(fds, 3, fern_in(FERN_MS)), -ETIME);
    close_pair(ends);
}

TEST(poll_of_nothing_waits_for_its_deadline)
{
    ASSERT_ERR(fern_poll(NULL, 0, fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_poll(NULL, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_poll(NULL, 1, FERN_NOWAIT), -EINVAL);
    struct pollfd none = {.fd = -1};
    ASSERT_ERR(fern_poll(&none, 1, fern_in(FERN_MS)), -ETIME);
}

TEST(poll_may_name_one_fd_twice)
{
    int ends[2];
    tcp_pair(ends);
    struct pollfd fds[] = {
            {.fd = ends[0], .events = POLLIN}, {.fd = ends[0], .events = POLLIN}};
    fern_greenlet *g = fern_spawn(say_later, as_arg(ends[1]));
    ASSERT_EQ(fern_poll(fds, 2, FERN_FOREVER), 2);
    ASSERT_EQ(value_of(g), 0);
    close_pair(ends);
}

/* ---- select ---- */

TEST(select_tells_readable_writable_and_urgent_apart)
{
    int ends[2];
    tcp_pair(ends);
    int limit = (ends[0] > ends[1] ? ends[0] : ends[1]) + 1;
    fd_set in, out, except;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&except);
    FD_SET(ends[0], &in);
    FD_SET(ends[0], &except);
    FD_SET(ends[0], &out);
    ASSERT_EQ(fern_select_fds(limit, &in, &out, &except, FERN_FOREVER), 1);
    ASSERT_FALSE(FD_ISSET(ends[0], &in));
    ASSERT_TRUE(FD_ISSET(ends[0], &out));
    ASSERT_FALSE(FD_ISSET(ends[0], &except));
    ASSERT_EQ(fern_send(ends[1], "ab!", 3, MSG_OOB, FERN_FOREVER), 3);
    FD_SET(ends[0], &except);
    ASSERT_EQ(fern_select_fds(limit, NULL, NULL, &except, FERN_FOREVER), 1);
    FD_SET(ends[0], &in);
    ASSERT_EQ(fern_select_fds(limit, &in, &out, &except, FERN_FOREVER), 3);
    close_pair(ends);
}

TEST(select_waits_and_leaves_the_sets_alone_when_time_is_up)
{
    int ends[2];
    tcp_pair(ends);
    fd_set in;
    FD_ZERO(&in);
    FD_SET(ends[0], &in);
    FD_SET(ends[1], &in);
    int limit = (ends[0] > ends[1] ? ends[0] : ends[1]) + 1;
    ASSERT_ERR(fern_select_fds(limit, &in, NULL, NULL, fern_in(FERN_MS)), -ETIME);
    ASSERT_TRUE(FD_ISSET(ends[0], &in) && FD_ISSET(ends[1], &in));
    fern_greenlet *g = fern_spawn(say_later, as_arg(ends[1]));
    ASSERT_EQ(fern_select_fds(limit, &in, NULL, NULL, FERN_FOREVER), 1);
    ASSERT_TRUE(FD_ISSET(ends[0], &in));
    ASSERT_FALSE(FD_ISSET(ends[1], &in));
    ASSERT_EQ(value_of(g), 0);
    close_pair(ends);
}

TEST(select_of_a_number_that_is_not_open_gives_ebadf)
{
    fd_set in;
    FD_ZERO(&in);
    FD_SET(999, &in);
    ASSERT_ERR(fern_select_fds(1000, &in, NULL, NULL, FERN_FOREVER), -EBADF);
    ASSERT_TRUE(FD_ISSET(999, &in));
    ASSERT_ERR(fern_select_fds(-1, &in, NULL, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_select_fds(FD_SETSIZE + 1, &in, NULL, NULL, FERN_FOREVER), -EINVAL);
}

TEST(select_of_nothing_sleeps_until_its_deadline)
{
    fern_time until = fern_in(3 * FERN_MS);
    ASSERT_ERR(fern_select_fds(0, NULL, NULL, NULL, until), -ETIME);
    ASSERT_GE(fern_now().ns, until.ns);
}

TEST(select_reads_a_hang_up_as_readable)
{
    int ends[2];
    ASSERT_OK(fern_pipe(ends, 0));
    ASSERT_OK(fern_close(ends[1]));
    fd_set in;
    FD_ZERO(&in);
    FD_SET(ends[0], &in);
    ASSERT_EQ(fern_select_fds(ends[0] + 1, &in, NULL, NULL, FERN_FOREVER), 1);
    hear(ends[0], "");
    ASSERT_OK(fern_close(ends[0]));
}

static void *
close_later(void *arg)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_close(as_fd(arg)));
    return NULL;
}

TEST(select_for_urgent_bytes_ends_not_by_a_hang_up)
{
    int ends[2];
    ASSERT_OK(fern_pipe(ends, 0));
    fd_set except;
    FD_ZERO(&except);
    FD_SET(ends[0], &except);
    fern_greenlet *g = fern_spawn(close_later, as_arg(ends[1]));
    ASSERT_ERR(fern_select_fds(ends[0] + 1, NULL, NULL, &except, fern_in(5 * FERN_MS)),
            -ETIME);
    ASSERT_EQ(value_of(g), 0);
    ASSERT_OK(fern_close(ends[0]));
}
