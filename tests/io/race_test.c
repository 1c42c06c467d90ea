/* SPDX-License-Identifier: MIT */
/*
 * What others do between a greenlet's wake-up and its run, and while it only lets others run.
 */
#include "io/ends.h"

#include "poll/fdtab.h"

static int trigger[2], data[2];

/* Let the poller look, and then everybody run. */
static void
settle(void)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    for (int i = 0; i < 10; i++)
        ASSERT_OK(fern_yield());
}

static void *
read_byte(void *arg)
{
    char c = 0;
    ssize_t n = fern_read(as_fd(arg), &c, 1, FERN_FOREVER);
    return (void *)(intptr_t)(n == 1 ? c : n);
}

static void *
read_byte_when_told(void *arg)
{
    hear(trigger[0], "t");
    return read_byte(arg);
}

TEST(who_comes_after_a_wake_up_and_before_its_run_takes_nothing_from_it)
{
    ASSERT_OK(fern_pipe(trigger, 0));
    ASSERT_OK(fern_pipe(data, 0));
    fern_greenlet *gs[3];
    gs[2] = fern_spawn(read_byte_when_told, as_arg(data[0]));
    settle();
    gs[0] = fern_spawn(read_byte, as_arg(data[0]));
    gs[1] = fern_spawn(read_byte, as_arg(data[0]));
    settle();
    say(trigger[1], "t"); /* so the third is woken before the first */
    say(data[1], "abc");
    settle();
    for (int i = 0; i < 3; i++) {
        ASSERT_OK(fern_join(gs[i], FERN_NOWAIT));
        ASSERT_EQ(value_of(gs[i]), "abc"[i]);
    }
    close_pair(trigger);
    close_pair(data);
}

/* ---- closed and opened again ---- */

static void *
reopen_when_told(void *unused)
{
    int fresh[2];
    hear(trigger[0], "t");
    ASSERT_OK(fern_close(data[0]));
    ASSERT_OK(fern_pipe(fresh, 0));
    ASSERT_EQ(fresh[0], data[0]);
    data[0] = fresh[1]; /* to be closed in the end */
    return unused;
}

static void *
poll_it(void *arg)
{
    struct pollfd p = {.fd = as_fd(arg), .events = POLLIN};
    return (void *)(intptr_t)fern_poll(&p, 1, fern_in(5 * FERN_SECOND));
}

TEST(a_poll_that_was_woken_does_not_take_the_next_file_for_its_own)
{
    ASSERT_OK(fern_pipe(trigger, 0));
    ASSERT_OK(fern_pipe(data, 0));
    int number = data[0];
    fern_greenlet *closer = fern_spawn(reopen_when_told, NULL);
    settle();
    fern_greenlet *g = fern_spawn(poll_it, as_arg(number));
    settle();
    say(trigger[1], "t");
    say(data[1], "d");
    ASSERT_EQ(value_of(g), -EBADF);
    ASSERT_EQ(value_of(closer), 0);
    ASSERT_OK(fern_close(number));
    close_pair(trigger);
    close_pair(data);
}

/* ---- streams that are closed while a call lets others run ---- */

/* Each operation that succeeds lets others run. */
static void
yield_each_time(void)
{
    fern_hub_options options = {.size = sizeof options, .budget_ops = 1};
    ASSERT_OK(fern_hub_set_options(&options));
}

static fern_stream *stream;

static void *
read_four(void *unused)
{
    char buf[4];
    (void)unused;
    return (void *)(intptr_t)fern_stream_read_exactly(
            stream, buf, sizeof buf, FERN_FOREVER);
}

TEST(a_stream_that_is_closed_reads_from_no_other_file)
{
    int ends[2], others[2];
    char buf[4];
    yield_each_time();
    unix_pair(ends);
    stream = fern_stream_open(ends[0]);
    say(ends[1], "ab");
    fern_greenlet *g = fern_spawn(read_four, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_stream_close(stream, FERN_NOWAIT));
    unix_pair(others);
    ASSERT_EQ(others[0], ends[0]);
    ASSERT_EQ(fern_write(others[1], "cd", 2, FERN_NOWAIT), 2);
    ASSERT_EQ(value_of(g), -EBADF);
    ASSERT_EQ(fern_read(others[0], buf, sizeof buf, FERN_NOWAIT), 2);
    ASSERT_OK(fern_close(ends[1]));
    close_pair(others);
}

static char much[3 * 65536];

static void *
write_much(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)fern_stream_write(
            stream, much, sizeof much, NULL, FERN_FOREVER);
}

TEST(a_stream_that_is_closed_writes_into_no_other_file)
{
    int ends[2], others[2];
    char c;
    yield_each_time();
    unix_pair(ends);
    stream = fern_stream_open(ends[0]);
    ASSERT_OK(fern_stream_cork(stream));
    fern_greenlet *g = fern_spawn(write_much, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_read(ends[0], &c, 1, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(fern_read(ends[1], &c, 1, FERN_NOWAIT), 1); /* it is at work */
    ASSERT_ERR(fern_stream_close(stream, FERN_NOWAIT), -EAGAIN);
    unix_pair(others);
    ASSERT_EQ(others[0], ends[0]);
    ASSERT_EQ(value_of(g), -EBADF);
    ASSERT_ERR(fern_read(others[1], &c, 1, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_close(ends[1]));
    close_pair(others);
}

/* ---- sweeps ---- */

TEST(bytes_that_come_just_before_a_sweep_are_not_taken_for_hidden_ones)
{
    int ends[2], error;
    if (strcmp(fern_hub_poller(), "epoll") != 0)
        SKIP("only epoll sweeps");
    struct fern__fds *fds = fern__fds_of(fern__self_hub());
    unix_pair(ends);
    fern_greenlet *g = fern_spawn(read_byte, as_arg(ends[0]));
    settle();
    struct fern__fd *rec = fern__fd_get(fds, ends[0], &error);
    fern__fd_note_park(fds, rec);
    fern__fds_sweep(fds, INT64_MAX); /* it is old from now on */
    say(ends[1], "a");
    fern__fds_sweep(fds, INT64_MAX);
    ASSERT_TRUE(fern__fds_found(fds));
    fern__fds_settle(fds, false); /* the poll could not tell all: look again later */
    ASSERT_FALSE(fern__fds_found(fds));
    for (int i = 0; i < 2; i++)
        fern__fds_sweep(fds, INT64_MAX);
    ASSERT_TRUE(fern__fds_found(fds));
    ASSERT_EQ(value_of(g), 'a');
    ASSERT_FALSE(fern__fds_found(fds));
    ASSERT_TRUE(rec->state & FERN__FD_SHORT);
    close_pair(ends);
}

enum { PIPES = 200, SWEEPS = 20 };

TEST(a_sweep_of_many_takes_several_turns)
{
    static int pipes[PIPES][2];
    static fern_greenlet *gs[PIPES];
    struct fern__fds *fds = fern__fds_of(fern__hub_need());
    for (int i = 0; i < PIPES; i++) {
        ASSERT_OK(fern_pipe(pipes[i], 0));
        gs[i] = fern_spawn(read_byte, as_arg(pipes[i][0]));
    }
    ASSERT_OK(fern_yield());
    int64_t later = fds->sweep_at + FERN_MINUTE;
    int calls = 0;
    /* The first look at each makes it old, the second verifies it. */
    for (; fds->sweep_at != INT64_MAX && calls < SWEEPS; calls++)
        fern__fds_sweep(fds, later);
    ASSERT_EQ(fds->sweep_at, INT64_MAX);
    ASSERT_GT(calls, 2);
    for (int i = 0; i < PIPES; i++) {
        ASSERT_TRUE(fern__fd_at(fds, pipes[i][0])->state & FERN__FD_AGED);
        ASSERT_EQ(fern_write(pipes[i][1], "x", 1, FERN_FOREVER), 1);
    }
    for (int i = 0; i < PIPES; i++) {
        ASSERT_EQ(value_of(gs[i]), 'x');
        close_pair(pipes[i]);
    }
}

TEST(a_foreign_loop_is_told_when_the_poller_wants_to_look_by_itself)
{
    int ends[2];
    if (fern_hub_fd() == -ENOSYS)
        SKIP("only epoll fits into a foreign loop");
    unix_pair(ends);
    fern_greenlet *g = fern_spawn(read_byte, as_arg(ends[0]));
    ASSERT_OK(fern_yield());
    ASSERT_GE(fern_hub_timeout(), 0);
    ASSERT_LE(fern_hub_timeout(), FERN_SECOND);
    say(ends[1], "a");
    ASSERT_EQ(value_of(g), 'a');
    close_pair(ends);
}
