/* SPDX-License-Identifier: MIT */
/*
 * Arguments at the edge of what is allowed, interrupted system calls, and what successes cost.
 */
#include "io/ends.h"

#include "base/fault.h"

#include <pty.h>
#include <stdio.h>

/* ---- nothing to read or write ---- */

TEST(reading_nothing_never_waits_and_takes_no_datagram)
{
    int ends[2];
    char buf[4] = "";
    struct iovec none[2] = {{buf, 0}, {buf, 0}};
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    ASSERT_EQ(fern_readv(ends[0], none, 2, FERN_NOWAIT), 0);
    ASSERT_EQ(fern_send(ends[1], "x", 1, 0, FERN_FOREVER), 1);
    ASSERT_EQ(fern_readv(ends[0], none, 2, FERN_FOREVER), 0);
    ASSERT_EQ(fern_read(ends[0], buf, 4, FERN_FOREVER), 1);
    ASSERT_ERR(
            fern_read(ends[0], buf, 4, fern_in(1)), -ETIME); /* it is known to be empty */
    ASSERT_EQ(fern_read(ends[0], NULL, 0, fern_in(5 * FERN_SECOND)), 0);
    ASSERT_EQ(fern_readv(ends[0], NULL, 0, fern_in(5 * FERN_SECOND)), 0);
    close_pair(ends);
}

TEST(writing_no_piece_to_a_terminal_is_nothing)
{
    int master, slave;
    ASSERT_OK(openpty(&master, &slave, NULL, NULL, NULL));
    say(slave, "x");
    ASSERT_EQ(fern_writev(slave, NULL, 0, FERN_FOREVER), 0);
    ASSERT_OK(fern_close(master));
    ASSERT_OK(fern_close(slave));
}

TEST(writing_no_piece_sends_no_datagram)
{
    int ends[2];
    char c;
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    ASSERT_EQ(fern_writev(ends[0], NULL, 0, FERN_FOREVER), 0);
    ASSERT_ERR(fern_recv(ends[1], &c, 1, 0, FERN_NOWAIT), -EAGAIN);
    close_pair(ends);
}

/* ---- other names of events ---- */

static void *
wait_for(void *arg)
{
    struct pollfd p = {.fd = as_fd(arg), .events = POLLRDNORM};
    int r = fern_poll(&p, 1, fern_in(5 * FERN_SECOND));
    return (void *)(intptr_t)(r == 1 ? p.revents : r);
}

TEST(poll_knows_the_other_names_of_readable)
{
    int ends[2];
    ASSERT_OK(fern_pipe(ends, 0));
    fern_greenlet *g = fern_spawn(wait_for, as_arg(ends[0]));
    let_them_wait();
    say(ends[1], "x");
    ASSERT_EQ(value_of(g), POLLRDNORM);
    close_pair(ends);
}

/* ---- an address that nobody has ---- */

static __attribute__((noinline)) void
soil_the_stack(void)
{
    volatile char dirt[4096];
    for (size_t i = 0; i < sizeof dirt; i++)
        dirt[i] = (char)0xff;
}

TEST(a_sender_without_an_address_is_told_as_none)
{
    int ends[2];
    char c;
    fern_address from, none = {0};
    memset(&from, 0xff, sizeof from);
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    ASSERT_EQ(fern_send(ends[1], "x", 1, 0, FERN_FOREVER), 1);
    soil_the_stack();
    ASSERT_EQ(fern_recvfrom(ends[0], &c, 1, 0, &from, FERN_FOREVER), 1);
    ASSERT_MEM_EQ(&from, &none, sizeof from);
    close_pair(ends);
}

/* ---- signals ---- */

TEST(an_interrupted_connect_goes_on)
{
    fern_address at;
    int listener = listen_anywhere(&at);
    int fd = fern_socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_OK(fern__fault_plan("ppoll", 1, EINTR));
    ASSERT_OK(fern_connect(fd, &at, FERN_FOREVER));
    ASSERT_GT(fern__fault_seen("ppoll"), 1);
    fern__fault_clear();
    ASSERT_OK(fern_close(fd));
    ASSERT_OK(fern_close(listener));
}

TEST(an_interrupted_transfer_at_a_place_is_made_again)
{
    char c = 0, path[] = "/tmp/fern-edge-XXXXXX";
    int fd = mkstemp(path);
    ASSERT_OK(fd);
    ASSERT_OK(unlink(path));
    ASSERT_OK(fern__fault_plan("pwritev", 1, EINTR));
    ASSERT_OK(fern__fault_plan("preadv", 1, EINTR));
    ASSERT_EQ(fern_pwrite(fd, "x", 1, 0, FERN_FOREVER), 1);
    ASSERT_EQ(fern_pread(fd, &c, 1, 0, FERN_FOREVER), 1);
    fern__fault_clear();
    ASSERT_EQ(c, 'x');
    ASSERT_OK(fern_close(fd));
}

/* ---- what one fd teaches about others ---- */

/* How often a pipe's writer had to keep SIGPIPE away by hand. */
static uint64_t
signals_blocked(void)
{
    int ends[2];
    ASSERT_OK(fern_pipe(ends, 0));
    ASSERT_OK(fern__fault_plan("rt_sigprocmask", 1000, EIO)); /* only counted */
    say(ends[1], "x");
    uint64_t seen = fern__fault_seen("rt_sigprocmask");
    fern__fault_clear();
    close_pair(ends);
    return seen;
}

TEST(a_terminal_does_not_make_writing_to_pipes_dear)
{
    int master, slave;
    if (signals_blocked())
        SKIP("this kernel has no RWF_NOSIGNAL");
    ASSERT_OK(openpty(&master, &slave, NULL, NULL, NULL));
    say(slave, "x");
    ASSERT_EQ(signals_blocked(), 0);
    ASSERT_OK(fern_close(master));
    ASSERT_OK(fern_close(slave));
}

/* ---- a number that means a file by now ---- */

TEST(a_file_in_the_place_of_a_pipe_is_read_even_if_it_must_be_fetched)
{
    int ends[2];
    char path[] = "/tmp/fern-edge-XXXXXX";
    ASSERT_OK(fern_pipe(ends, 0));
    int file = mkstemp(path);
    ASSERT_OK(file);
    ASSERT_OK(unlink(path));
    ASSERT_EQ(write(file, "abc", 3), 3);
    ASSERT_OK(lseek(file, 0, SEEK_SET));
    ASSERT_OK(dup2(file, ends[0])); /* behind fern's back */
    ASSERT_OK(fern__fault_plan("preadv2", 1, EAGAIN));
    hear(ends[0], "abc");
    fern__fault_clear();
    ASSERT_OK(close(file));
    close_pair(ends);
}

/* ---- what successes cost ---- */

enum { MANY = 100000 };

static int connects;

static void *
connect_again_and_again(void *arg)
{
    int fd = fern_socket(AF_INET, SOCK_DGRAM, 0);
    while (connects < MANY) {
        ASSERT_OK(fern_connect(fd, arg, FERN_FOREVER));
        connects++;
    }
    ASSERT_OK(fern_close(fd));
    return NULL;
}

TEST(connecting_at_once_lets_others_run_now_and_then)
{
    fern_address at;
    ASSERT_OK(fern_address_parse("127.0.0.1:9", &at));
    fern_greenlet *g = fern_spawn(connect_again_and_again, &at);
    ASSERT_OK(fern_yield());
    ASSERT_LT(connects, MANY);
    connects = MANY;
    ASSERT_EQ(value_of(g), 0);
}
