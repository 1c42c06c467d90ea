/* SPDX-License-Identifier: MIT */
/* I/O beside other things: other threads, other greenlets that never rest, kills. */
#include "io/ends.h"

#include "poll/fdtab.h"

#include <pthread.h>
#include <stdio.h>

/* ---- threads ---- */

static void *
echo_on_a_thread(void *arg)
{
    char buf[64];
    ssize_t n;
    while ((n = fern_read(as_fd(arg), buf, sizeof buf, FERN_FOREVER)) > 0)
        ASSERT_OK(fern_write_all(as_fd(arg), buf, (size_t)n, NULL, FERN_FOREVER));
    ASSERT_OK(fern_close(as_fd(arg)));
    return NULL;
}

static void
talk_with_a_thread(int ends[2])
{
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, echo_on_a_thread, as_arg(ends[1])), 0);
    for (int i = 0; i < 100; i++) {
        say(ends[0], "hello");
        hear(ends[0], "hello");
    }
    ASSERT_OK(fern_shutdown(ends[0], SHUT_WR));
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_close(ends[0]));
}

TEST(what_one_thread_has_opened_another_may_use)
{
    int ends[2];
    tcp_pair(ends);
    talk_with_a_thread(ends);
    unix_pair(ends);
    talk_with_a_thread(ends);
}

TEST(a_number_that_another_thread_has_closed_starts_afresh_here)
{
    int first[2], second[2];
    unix_pair(first);
    /* Both ends become known to this thread. */
    say(first[0], "x");
    hear(first[1], "x");
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, echo_on_a_thread, as_arg(first[1])), 0);
    ASSERT_OK(fern_shutdown(first[0], SHUT_WR));
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_pipe(second, 0));
    ASSERT_EQ(second[0], first[1]);
    say(second[1], "abc");
    hear(second[0], "abc");
    close_pair(second);
    ASSERT_OK(fern_close(first[0]));
}

struct stay {
    int fd;
    int tell; /* a byte: the reader waits */
    int told; /* a byte: the fd has been closed */
    intptr_t results[2];
};

static void *
wait_while_another_closes(void *arg)
{
    struct stay *stay = arg;
    fern_greenlet *gs[2];
    for (int i = 0; i < 2; i++)
        gs[i] = fern_spawn(read_once, as_arg(stay->fd));
    let_them_wait();
    say(stay->tell, "!");
    hear(stay->told, "!");
    /* What the poller does by itself after a second or two. */
    struct fern__fds *fds = fern__fds_of(fern__self_hub());
    fern__fd_note_park(fds, fern__fd_at(fds, stay->fd));
    for (int i = 0; i < 2; i++)
        fern__fds_sweep(fds, INT64_MAX);
    for (int i = 0; i < 2; i++)
        stay->results[i] = value_of(gs[i]);
    return NULL;
}

TEST(readers_whose_fd_another_thread_closes_and_opens_anew_get_ebadf_after_a_while)
{
    int ends[2], others[2], tell[2], told[2];
    pthread_t thread;
    unix_pair(ends);
    ASSERT_OK(fern_pipe(tell, 0));
    ASSERT_OK(fern_pipe(told, 0));
    struct stay stay = {.fd = ends[0], .tell = tell[1], .told = told[0]};
    ASSERT_EQ(pthread_create(&thread, NULL, wait_while_another_closes, &stay), 0);
    hear(tell[0], "!");
    ASSERT_OK(fern_close(ends[0]));
    unix_pair(others);
    ASSERT_EQ(others[0], ends[0]);
    say(others[1], "not yours");
    say(told[1], "!");
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_EQ(stay.results[0], -EBADF);
    ASSERT_EQ(stay.results[1], -EBADF);
    hear(others[0], "not yours");
    close_pair(others);
    close_pair(tell);
    close_pair(told);
    ASSERT_OK(fern_close(ends[1]));
}

struct use {
    fern_stream *s;
    int result;
};

static void *
use_stream(void *arg)
{
    struct use *use = arg;
    char line[8];
    use->result = (int)fern_stream_read_line(use->s, line, sizeof line, FERN_NOWAIT);
    return NULL;
}

TEST(a_stream_of_another_thread_is_refused)
{
    int ends[2];
    pthread_t thread;
    unix_pair(ends);
    struct use use = {.s = fern_stream_open(ends[0])};
    ASSERT_OK(fern_stream_write(use.s, "x", 1, NULL, FERN_FOREVER));
    ASSERT_EQ(pthread_create(&thread, NULL, use_stream, &use), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_EQ(use.result, -EXDEV);
    ASSERT_OK(fern_stream_close(use.s, FERN_FOREVER));
    ASSERT_OK(fern_close(ends[1]));
}

/* ---- greenlets that never rest ---- */

struct spin {
    int fd;
    bool stop;
    uint64_t operations;
};

static void *
peek_for_ever(void *arg)
{
    struct spin *spin = arg;
    char c;
    while (!spin->stop) {
        ASSERT_EQ(fern_recv(spin->fd, &c, 1, MSG_PEEK, FERN_FOREVER), 1);
        spin->operations++;
    }
    return NULL;
}

static uint64_t
switches(void)
{
    fern_hub_stats stats;
    ASSERT_OK(fern_hub_get_stats(&stats));
    return stats.switches;
}

TEST(a_socket_that_is_always_ready_delays_anothers_bytes_by_so_many_switches_and_no_more)
{
    int busy[2], quiet[2];
    unix_pair(busy);
    unix_pair(quiet);
    say(busy[1], "x");
    struct spin spin = {.fd = busy[0]};
    fern_greenlet *g = fern_spawn(peek_for_ever, &spin);
    for (int i = 0; i < 10; i++) {
        fern_greenlet *reader = fern_spawn(read_once, as_arg(quiet[0]));
        let_them_wait();
        say(quiet[1], "y");
        uint64_t before = switches();
        ASSERT_EQ(value_of(reader), 1);
        ASSERT_LE(switches() - before, 128 + 3);
    }
    ASSERT_GT(spin.operations, 1000);
    spin.stop = true;
    ASSERT_EQ(value_of(g), 0);
    close_pair(busy);
    close_pair(quiet);
}

/* ---- connecting ---- */

TEST(a_connection_comes_from_the_port_that_was_asked_for)
{
    fern_address at, from, peer;
    int listener = listen_anywhere(&at);
    int other = listen_anywhere(&from); /* a port that was free */
    ASSERT_OK(fern_close(other));
    int fd = fern_socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_OK(fern_bind(fd, &from));
    ASSERT_OK(fern_connect(fd, &at, FERN_FOREVER));
    int accepted = fern_accept(listener, &peer, FERN_FOREVER);
    ASSERT_OK(accepted);
    ASSERT_EQ(peer.as.in.sin_port, from.as.in.sin_port);
    ASSERT_OK(fern_close(fd));
    ASSERT_OK(fern_close(accepted));
    ASSERT_OK(fern_close(listener));
}

static void *
dial(void *arg)
{
    return (void *)(intptr_t)fern_dial(arg, FERN_FOREVER);
}

static int
lowest_free_fd(void)
{
    int fd = dup(0);
    ASSERT_OK(fd);
    ASSERT_OK(close(fd));
    return fd;
}

TEST(dialling_that_is_killed_leaves_no_fd_open)
{
    char at[64];
    snprintf(at, sizeof at, "unix:@fern-test-killed-%d", (int)getpid());
    int listener = fern_listen(at, 1), waiting[2];
    ASSERT_OK(listener);
    for (int i = 0; i < 2; i++) {
        waiting[i] = fern_dial(at, FERN_FOREVER);
        ASSERT_OK(waiting[i]);
    }
    int free_fd = lowest_free_fd();
    fern_greenlet *g = fern_spawn(dial, at);
    let_them_wait();
    ASSERT_GT(lowest_free_fd(), free_fd);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(value_of(g), -ECANCELED);
    ASSERT_EQ(lowest_free_fd(), free_fd);
    close_pair(waiting);
    ASSERT_OK(fern_close(listener));
}

TEST(a_connection_that_was_begun_without_waiting_is_waited_for_later)
{
    fern_address at;
    int listener = listen_anywhere(&at);
    int fd = fern_socket(AF_INET, SOCK_STREAM, 0);
    int r = fern_connect(fd, &at, FERN_NOWAIT);
    ASSERT_TRUE(r == 0 || r == -EAGAIN);
    if (r < 0) {
        r = fern_connect(fd, &at, FERN_FOREVER);
        ASSERT_TRUE(r == 0 || r == -EISCONN);
    }
    int accepted = fern_accept(listener, NULL, FERN_FOREVER);
    ASSERT_OK(accepted);
    say(fd, "hello");
    hear(accepted, "hello");
    ASSERT_OK(fern_close(fd));
    ASSERT_OK(fern_close(accepted));
    ASSERT_OK(fern_close(listener));
}
