/* SPDX-License-Identifier: MIT */
/* Connections: dialling, accepting, transfers, ends. */
#include "harness.h"

#include <errno.h>
#include <fern.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Two ends of a TCP connection over loopback. */
static void
tcp_pair(int ends[2])
{
    int listener = fern_listen("127.0.0.1:0", 0);
    ASSERT_OK(listener);
    fern_address at;
    ASSERT_OK(fern_local_address(listener, &at));
    ends[0] = fern_dial_at(&at, FERN_FOREVER);
    ASSERT_OK(ends[0]);
    ends[1] = fern_accept(listener, NULL, FERN_FOREVER);
    ASSERT_OK(ends[1]);
    ASSERT_OK(fern_close(listener));
}

static void *
echo(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[256];
    ssize_t n;
    while ((n = fern_recv(fd, buf, sizeof buf, 0, FERN_FOREVER)) > 0)
        ASSERT_OK(fern_write_all(fd, buf, (size_t)n, NULL, FERN_FOREVER));
    ASSERT_OK(fern_close(fd));
    return (void *)(intptr_t)n;
}

static void
ask_and_hear(int fd, const char *text)
{
    char buf[256] = "";
    ASSERT_EQ(fern_send(fd, text, strlen(text), 0, FERN_FOREVER), strlen(text));
    ASSERT_EQ(fern_recv(fd, buf, sizeof buf, 0, FERN_FOREVER), strlen(text));
    ASSERT_STR_EQ(buf, text);
}

TEST(bytes_go_both_ways_over_tcp)
{
    int ends[2];
    tcp_pair(ends);
    fern_greenlet *g = fern_spawn(echo, (void *)(intptr_t)ends[1]);
    for (int i = 0; i < 100; i++)
        ask_and_hear(ends[0], "hello");
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
}

TEST(bytes_go_both_ways_over_a_pair)
{
    int ends[2];
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    fern_greenlet *g = fern_spawn(echo, (void *)(intptr_t)ends[1]);
    for (int i = 0; i < 100; i++)
        ask_and_hear(ends[0], "hello");
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
}

TEST(a_receive_times_out_and_loses_nothing)
{
    int ends[2];
    tcp_pair(ends);
    char buf[8];
    ASSERT_ERR(fern_recv(ends[0], buf, sizeof buf, 0, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_send(ends[1], "abc", 3, 0, FERN_FOREVER), 3);
    ASSERT_EQ(fern_recv(ends[0], buf, sizeof buf, 0, FERN_FOREVER), 3);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}

static void *
reader(void *arg)
{
    char buf[8];
    return (void *)(intptr_t)fern_read((int)(intptr_t)arg, buf, sizeof buf, FERN_FOREVER);
}

TEST(a_reader_of_a_closed_fd_gets_ebadf)
{
    int ends[2];
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    fern_greenlet *g = fern_spawn(reader, (void *)(intptr_t)ends[0]);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_close(ends[0]));
    fern_outcome outcome;
    ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
    ASSERT_EQ((intptr_t)outcome.value, -EBADF);
    fern_greenlet_unref(g);
    ASSERT_OK(fern_close(ends[1]));
}

TEST(a_pipe_carries_bytes_and_ends)
{
    int ends[2];
    ASSERT_OK(fern_pipe(ends, 0));
    fern_greenlet *g = fern_spawn(reader, (void *)(intptr_t)ends[0]);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_write(ends[1], "abc", 3, FERN_FOREVER), 3);
    fern_outcome outcome;
    ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
    ASSERT_EQ((intptr_t)outcome.value, 3);
    fern_greenlet_unref(g);
    ASSERT_OK(fern_close(ends[1]));
    char buf[8];
    ASSERT_EQ(fern_read(ends[0], buf, sizeof buf, FERN_FOREVER), 0);
    ASSERT_OK(fern_close(ends[0]));
}

TEST(writing_to_a_pipe_that_nobody_reads_gives_epipe_and_no_signal)
{
    int ends[2];
    ASSERT_OK(fern_pipe(ends, 0));
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_ERR(fern_write(ends[1], "abc", 3, FERN_FOREVER), -EPIPE);
    ASSERT_OK(fern_close(ends[1]));
}
