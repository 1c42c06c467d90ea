/* SPDX-License-Identifier: MIT */
/* Connections: dialling, accepting, transfers, ends. */
#include "io/ends.h"

#include "base/fault.h"
#include "poll/fdtab.h"

#include <sys/resource.h>
#include <sys/stat.h>

static void *
echo(void *arg)
{
    int fd = as_fd(arg);
    char buf[256];
    ssize_t n;
    while ((n = fern_recv(fd, buf, sizeof buf, 0, FERN_FOREVER)) > 0)
        ASSERT_OK(fern_write_all(fd, buf, (size_t)n, NULL, FERN_FOREVER));
    ASSERT_OK(fern_close(fd));
    return (void *)(intptr_t)n;
}

static void
talk_with_echo(int ends[2])
{
    fern_greenlet *g = fern_spawn(echo, as_arg(ends[1]));
    for (int i = 0; i < 200; i++) {
        say(ends[0], "hello");
        hear(ends[0], "hello");
    }
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_EQ(value_of(g), 0);
}

TEST(bytes_go_both_ways_over_tcp)
{
    int ends[2];
    tcp_pair(ends);
    talk_with_echo(ends);
}

TEST(bytes_go_both_ways_over_a_pair)
{
    int ends[2];
    unix_pair(ends);
    talk_with_echo(ends);
}

/* On a slow machine a park lasts long enough to be looked at, which costs calls of its own: from
 * now on nobody looks, and nothing was ever seen. */
static void
settle(const int ends[2])
{
    struct fern__fds *fds = fern__fds_of(fern__self_hub());
    for (int i = 0; i < 2; i++) {
        fds->chains[i].at = 0;
        fern__fd_at(fds, ends[i])->state |= FERN__FD_SHORT;
    }
    fds->sweep_at = INT64_MAX;
}

/* Count calls of these names from now on: plans that never come true. */
static void
count_calls(void)
{
    static const char *const names[] = {
            "recvfrom", "recvmsg", "sendto", "epoll_ctl", "fcntl", "getsockopt", "fstat"};
    fern__fault_clear();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ASSERT_OK(fern__fault_plan(names[i], INT64_MAX, EIO));
}

static void
count_calls_of_echo(int ends[2])
{
    enum { ROUNDS = 100 };
    fern_greenlet *g = fern_spawn(echo, as_arg(ends[1]));
    for (int i = 0; i < 5; i++) {
        say(ends[0], "warm");
        hear(ends[0], "warm");
        if (i == 1)
            settle(ends);
    }
    count_calls();
    for (int i = 0; i < ROUNDS; i++) {
        say(ends[0], "hello");
        hear(ends[0], "hello");
    }
    ASSERT_EQ(fern__fault_seen("sendto"), 2 * ROUNDS);
    ASSERT_EQ(fern__fault_seen("recvfrom") + fern__fault_seen("recvmsg"), 2 * ROUNDS);
    ASSERT_EQ(fern__fault_seen("epoll_ctl"), 0);
    ASSERT_EQ(fern__fault_seen("fcntl") + fern__fault_seen("getsockopt"), 0);
    ASSERT_EQ(fern__fault_seen("fstat"), 0);
    fern__fault_clear();
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_EQ(value_of(g), 0);
}

TEST(an_echo_over_tcp_costs_one_receive_and_one_send)
{
    int ends[2];
    tcp_pair(ends);
    count_calls_of_echo(ends);
}

TEST(an_echo_over_a_pair_costs_one_receive_and_one_send)
{
    int ends[2];
    unix_pair(ends);
    count_calls_of_echo(ends);
}

/* ---- much at once ---- */

enum { MUCH = 4 << 20 };

static void *
send_much(void *arg)
{
    unsigned char *bytes = malloc(MUCH);
    for (size_t i = 0; i < MUCH; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    size_t done = 0;
    ASSERT_OK(fern_write_all(as_fd(arg), bytes, MUCH, &done, FERN_FOREVER));
    ASSERT_EQ(done, MUCH);
    free(bytes);
    return NULL;
}

static void *
take_much(void *arg)
{
    unsigned char buf[10000];
    size_t at = 0;
    while (at < MUCH) {
        ssize_t n = fern_recv(as_fd(arg), buf, sizeof buf, 0, FERN_FOREVER);
        ASSERT_GT(n, 0);
        for (ssize_t i = 0; i < n; i++, at++)
            ASSERT_EQ(buf[i], (unsigned char)(at * 2654435761u >> 13));
    }
    return NULL;
}

static void
pass_much_both_ways(int ends[2])
{
    fern_greenlet *gs[] = {fern_spawn(send_much, as_arg(ends[0])),
            fern_spawn(send_much, as_arg(ends[1])), fern_spawn(take_much, as_arg(ends[0])),
            fern_spawn(take_much, as_arg(ends[1]))};
    for (int i = 0; i < 4; i++)
        ASSERT_EQ(value_of(gs[i]), 0);
    close_pair(ends);
}

TEST(a_connection_is_full_duplex_and_loses_nothing)
{
    int ends[2];
    tcp_pair(ends);
    pass_much_both_ways(ends);
}

TEST(a_unix_pair_is_full_duplex_and_loses_nothing)
{
    int ends[2];
    unix_pair(ends);
    pass_much_both_ways(ends);
}

/* ---- time-outs ---- */

TEST(a_receive_times_out_and_loses_nothing)
{
    int ends[2];
    tcp_pair(ends);
    char buf[8];
    ASSERT_ERR(fern_recv(ends[0], buf, sizeof buf, 0, fern_in(FERN_MS)), -ETIME);
    say(ends[1], "abc");
    hear(ends[0], "abc");
    close_pair(ends);
}

TEST(sending_all_times_out_and_says_how_much_was_sent)
{
    int ends[2];
    tcp_pair(ends);
    char *bytes = calloc(1, 64 << 20);
    size_t sent = 0, came = 0;
    int r = fern_write_all(ends[0], bytes, 64 << 20, &sent, fern_in(20 * FERN_MS));
    ASSERT_ERR(r, -ETIME);
    ASSERT_GT(sent, 0);
    ASSERT_LT(sent, 64 << 20);
    ASSERT_OK(fern_shutdown(ends[0], SHUT_WR));
    ssize_t n;
    while ((n = fern_read(ends[1], bytes, 1 << 20, FERN_FOREVER)) > 0)
        came += (size_t)n;
    ASSERT_EQ(came, sent);
    free(bytes);
    close_pair(ends);
}

TEST(sending_all_without_waiting_sends_what_there_is_room_for)
{
    int ends[2];
    tcp_pair(ends);
    char *bytes = calloc(1, 64 << 20);
    size_t sent = 0;
    ASSERT_ERR(fern_write_all(ends[0], bytes, 64 << 20, &sent, FERN_NOWAIT), -EAGAIN);
    ASSERT_GT(sent, 0);
    free(bytes);
    close_pair(ends);
}

TEST(sending_nothing_succeeds_at_once)
{
    int ends[2];
    tcp_pair(ends);
    size_t done = 1;
    ASSERT_OK(fern_write_all(ends[0], NULL, 0, &done, FERN_FOREVER));
    ASSERT_EQ(done, 0);
    ASSERT_OK(fern_write_all(ends[0], NULL, 0, NULL, fern_in(FERN_MS)));
    ASSERT_EQ(fern_send(ends[0], NULL, 0, 0, FERN_FOREVER), 0);
    close_pair(ends);
}

TEST(an_accept_times_out)
{
    fern_address at;
    int listener = listen_anywhere(&at);
    ASSERT_ERR(fern_accept(listener, NULL, fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_accept(listener, NULL, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_close(listener));
}

/* ---- ends ---- */

TEST(a_closed_connection_reads_as_its_end_again_and_again)
{
    int ends[2];
    tcp_pair(ends);
    ASSERT_OK(fern_close(ends[1]));
    hear(ends[0], "");
    hear(ends[0], "");
    ASSERT_OK(fern_close(ends[0]));
}

TEST(a_reset_connection_gives_econnreset)
{
    int ends[2];
    tcp_pair(ends);
    struct linger at_once = {1, 0};
    ASSERT_OK(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    fern_greenlet *g = fern_spawn(read_once, as_arg(ends[0]));
    let_them_wait();
    ASSERT_OK(fern_close(ends[1]));
    ASSERT_EQ(value_of(g), -ECONNRESET);
    ASSERT_OK(fern_close(ends[0]));
}

TEST(sending_to_a_closed_connection_gives_epipe_and_no_signal)
{
    int ends[2];
    unix_pair(ends);
    ASSERT_OK(fern_close(ends[1]));
    ASSERT_ERR(fern_send(ends[0], "x", 1, 0, FERN_FOREVER), -EPIPE);
    ASSERT_ERR(fern_write(ends[0], "x", 1, FERN_FOREVER), -EPIPE);
    struct iovec two[] = {{"x", 1}, {"y", 1}};
    ASSERT_ERR(fern_writev(ends[0], two, 2, FERN_FOREVER), -EPIPE);
    ASSERT_OK(fern_close(ends[0]));
}

TEST(shutting_down_wakes_a_receiver_with_the_end)
{
    int ends[2];
    tcp_pair(ends);
    fern_greenlet *g = fern_spawn(read_once, as_arg(ends[0]));
    let_them_wait();
    ASSERT_OK(fern_shutdown(ends[0], SHUT_RD));
    ASSERT_EQ(value_of(g), 0);
    close_pair(ends);
}

static void *
fill_up(void *arg)
{
    char bytes[4096] = "";
    ssize_t n;
    while ((n = fern_write(as_fd(arg), bytes, sizeof bytes, FERN_FOREVER)) > 0)
        ;
    return (void *)(intptr_t)n;
}

TEST(shutting_down_wakes_a_sender_with_epipe)
{
    int ends[2];
    unix_pair(ends);
    fern_greenlet *g = fern_spawn(fill_up, as_arg(ends[0]));
    let_them_wait();
    ASSERT_OK(fern_shutdown(ends[0], SHUT_WR));
    ASSERT_EQ(value_of(g), -EPIPE);
    close_pair(ends);
}

static void *
accept_once(void *arg)
{
    return (void *)(intptr_t)fern_accept(as_fd(arg), NULL, FERN_FOREVER);
}

TEST(shutting_down_a_listener_wakes_who_accepts)
{
    fern_address at;
    int listener = listen_anywhere(&at);
    fern_greenlet *g = fern_spawn(accept_once, as_arg(listener));
    let_them_wait();
    ASSERT_OK(fern_shutdown(listener, SHUT_RD));
    ASSERT_EQ(value_of(g), -EINVAL);
    ASSERT_OK(fern_close(listener));
}

/* ---- closing under a waiter ---- */

static void
close_under(fern_fn *fn, int fd)
{
    fern_greenlet *g = fern_spawn(fn, as_arg(fd));
    let_them_wait();
    ASSERT_OK(fern_close(fd));
    ASSERT_EQ(value_of(g), -EBADF);
}

TEST(a_reader_of_a_closed_fd_gets_ebadf)
{
    int ends[2];
    unix_pair(ends);
    close_under(read_once, ends[0]);
    ASSERT_OK(fern_close(ends[1]));
}

TEST(a_writer_to_a_closed_fd_gets_ebadf)
{
    int ends[2];
    unix_pair(ends);
    close_under(fill_up, ends[0]);
    ASSERT_OK(fern_close(ends[1]));
}

TEST(who_accepts_on_a_closed_listener_gets_ebadf)
{
    fern_address at;
    close_under(accept_once, listen_anywhere(&at));
}

TEST(a_reader_that_was_woken_for_bytes_gets_ebadf_if_the_fd_is_closed_before_it_runs)
{
    int ends[2], others[2];
    unix_pair(ends);
    fern_greenlet *g = fern_spawn(read_once, as_arg(ends[0]));
    let_them_wait();
    say(ends[1], "x");
    /* The poller makes it ready in the turn of this yield, behind this greenlet. */
    ASSERT_OK(fern_hub_step());
    ASSERT_OK(fern_close(ends[0]));
    /* The number's next file has bytes too. */
    unix_pair(others);
    say(others[1], "y");
    intptr_t got = value_of(g);
    ASSERT_TRUE(got == 1 || got == -EBADF);
    hear(others[0], "y");
    close_pair(others);
    ASSERT_OK(fern_close(ends[1]));
}

TEST(closing_twice_gives_ebadf)
{
    int ends[2];
    unix_pair(ends);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_ERR(fern_close(ends[0]), -EBADF);
    ASSERT_ERR(fern_close(-1), -EBADF);
    ASSERT_OK(fern_close(ends[1]));
}

TEST(a_number_that_is_used_again_starts_afresh)
{
    int ends[2], first = -1;
    for (int i = 0; i < 50; i++) {
        i % 2 ? unix_pair(ends) : tcp_pair(ends);
        if (i == 0)
            first = ends[0];
        ASSERT_EQ(ends[0], i % 2 ? first - 1 : first);
        fern_greenlet *g = fern_spawn(read_once, as_arg(ends[0]));
        let_them_wait();
        say(ends[1], "abc");
        ASSERT_EQ(value_of(g), 3);
        close_pair(ends);
    }
}

/* ---- several waiters ---- */

struct line {
    int fd;
    int next;
    char order[8];
};

static void *
read_in_line(void *arg)
{
    struct line *line = arg;
    int place = line->next++;
    char c;
    ASSERT_EQ(fern_read(line->fd, &c, 1, FERN_FOREVER), 1);
    line->order[c - 'a'] = (char)('0' + place);
    return NULL;
}

static void
read_with_four(int ends[2], const char *first, const char *second)
{
    struct line line = {.fd = ends[0]};
    fern_greenlet *gs[4];
    for (int i = 0; i < 4; i++)
        gs[i] = fern_spawn(read_in_line, &line);
    let_them_wait();
    say(ends[1], first);
    if (*second) {
        ASSERT_OK(fern_yield());
        say(ends[1], second);
    }
    for (int i = 0; i < 4; i++)
        ASSERT_EQ(value_of(gs[i]), 0);
    ASSERT_STR_EQ(line.order, "0123");
    close_pair(ends);
}

TEST(several_readers_are_served_in_order_of_arrival)
{
    int ends[2];
    tcp_pair(ends);
    read_with_four(ends, "abcd", "");
}

TEST(several_readers_are_served_in_order_from_several_arrivals)
{
    int ends[2];
    unix_pair(ends);
    read_with_four(ends, "ab", "cd");
}

TEST(who_comes_while_others_wait_does_not_overtake_them)
{
    int ends[2];
    tcp_pair(ends);
    struct line line = {.fd = ends[0]};
    fern_greenlet *gs[2];
    for (int i = 0; i < 2; i++)
        gs[i] = fern_spawn(read_in_line, &line);
    let_them_wait();
    say(ends[1], "abc");
    char c;
    ASSERT_ERR(fern_read(ends[0], &c, 1, FERN_NOWAIT), -EAGAIN);
    hear(ends[0], "c");
    for (int i = 0; i < 2; i++)
        ASSERT_EQ(value_of(gs[i]), 0);
    ASSERT_STR_EQ(line.order, "01");
    close_pair(ends);
}

TEST(a_reader_whose_bytes_were_taken_keeps_its_place)
{
    int ends[2];
    unix_pair(ends);
    struct line line = {.fd = ends[0]};
    fern_greenlet *gs[2];
    for (int i = 0; i < 2; i++)
        gs[i] = fern_spawn(read_in_line, &line);
    let_them_wait();
    say(ends[1], "x");
    struct fern__poller *poller = fern__self_hub()->poller;
    ASSERT_EQ(poller->ops->turn(poller, 0), 1);
    char c;
    ASSERT_EQ(read(ends[0], &c, 1), 1);
    let_them_wait();
    say(ends[1], "ab");
    for (int i = 0; i < 2; i++)
        ASSERT_EQ(value_of(gs[i]), 0);
    ASSERT_STR_EQ(line.order, "01");
    close_pair(ends);
}

TEST(a_reader_that_gives_up_passes_its_place_on)
{
    int ends[2];
    tcp_pair(ends);
    fern_greenlet *first = fern_spawn(read_once, as_arg(ends[0]));
    fern_greenlet *second = fern_spawn(read_once, as_arg(ends[0]));
    let_them_wait();
    ASSERT_OK(fern_kill(first, 0, FERN_FOREVER));
    say(ends[1], "abc");
    ASSERT_EQ(value_of(second), 3);
    fern_greenlet_unref(first);
    close_pair(ends);
}

TEST(a_killed_reader_gets_ecanceled)
{
    int ends[2];
    tcp_pair(ends);
    fern_greenlet *g = fern_spawn(read_once, as_arg(ends[0]));
    let_them_wait();
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(value_of(g), -ECANCELED);
    close_pair(ends);
}

TEST(a_scope_ends_a_wait_for_bytes)
{
    int ends[2];
    tcp_pair(ends);
    char c;
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, fern_in(FERN_MS)));
    ASSERT_ERR(fern_read(ends[0], &c, 1, FERN_FOREVER), -ETIME);
    /* Inside it even what could be done at once fails, before any effect. */
    ASSERT_ERR(fern_write(ends[0], "x", 1, FERN_FOREVER), -ETIME);
    ASSERT_EQ(fern_write(ends[0], "y", 1, FERN_NOWAIT), 1);
    ASSERT_OK(fern_scope_stop(&scope));
    hear(ends[1], "y");
    close_pair(ends);
}

static void
read_in_callback(void *arg)
{
    char c;
    *(ssize_t *)arg = fern_read(*(int *)arg, &c, 1, FERN_FOREVER);
}

TEST(a_read_that_may_wait_is_refused_in_a_callback)
{
    int ends[2];
    unix_pair(ends);
    union {
        int fd;
        ssize_t got;
    } both = {.got = 0};
    both.fd = ends[0];
    fern_callback callback = FERN_CALLBACK_INIT;
    ASSERT_OK(fern_call_soon(&callback, read_in_callback, &both));
    let_them_wait();
    ASSERT_EQ(both.got, -EDEADLK);
    close_pair(ends);
}

/* ---- connecting ---- */

TEST(a_refused_connection_gives_econnrefused)
{
    fern_address at;
    int listener = listen_anywhere(&at);
    ASSERT_OK(fern_close(listener));
    ASSERT_ERR(fern_dial_at(&at, FERN_FOREVER), -ECONNREFUSED);
    ASSERT_ERR(fern_dial("unix:@fern-test-nobody-listens", FERN_FOREVER), -ECONNREFUSED);
    ASSERT_ERR(fern_dial("unix:/nowhere/at/all", FERN_FOREVER), -ENOENT);
}

TEST(connecting_twice_gives_eisconn)
{
    fern_address at;
    int listener = listen_anywhere(&at);
    int fd = fern_dial_at(&at, FERN_FOREVER);
    ASSERT_OK(fd);
    ASSERT_ERR(fern_connect(fd, &at, FERN_FOREVER), -EISCONN);
    ASSERT_OK(fern_close(fd));
    ASSERT_OK(fern_close(listener));
}

TEST(both_ends_know_each_others_addresses)
{
    fern_address at, peer, local, other;
    char a[80], b[80];
    int listener = listen_anywhere(&at);
    int fd = fern_dial_at(&at, FERN_FOREVER);
    int accepted = fern_accept(listener, &peer, FERN_FOREVER);
    ASSERT_OK(accepted);
    ASSERT_OK(fern_local_address(fd, &local));
    ASSERT_OK(fern_peer_address(accepted, &other));
    ASSERT_OK(fern_address_format(&peer, a, sizeof a));
    ASSERT_OK(fern_address_format(&local, b, sizeof b));
    ASSERT_STR_EQ(a, b);
    ASSERT_OK(fern_address_format(&other, b, sizeof b));
    ASSERT_STR_EQ(a, b);
    ASSERT_ERR(fern_peer_address(listener, &other), -ENOTCONN);
    ASSERT_OK(fern_close(fd));
    ASSERT_OK(fern_close(accepted));
    ASSERT_OK(fern_close(listener));
}

static void *
connect_foreign(void *arg)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_OK(fd);
    ASSERT_OK(fern_connect(fd, arg, FERN_FOREVER));
    ASSERT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    struct timeval left;
    socklen_t len = sizeof left;
    ASSERT_OK(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &left, &len));
    ASSERT_EQ(left.tv_sec + left.tv_usec, 0);
    say(fd, "hello");
    ASSERT_OK(fern_close(fd));
    return NULL;
}

TEST(a_socket_of_others_is_connected_and_left_as_it_was)
{
    fern_address at;
    int listener = listen_anywhere(&at);
    fern_greenlet *g = fern_spawn(connect_foreign, &at);
    int fd = fern_accept(listener, NULL, FERN_FOREVER);
    ASSERT_OK(fd);
    hear(fd, "hello");
    ASSERT_EQ(value_of(g), 0);
    ASSERT_OK(fern_close(fd));
    ASSERT_OK(fern_close(listener));
}

TEST(a_listener_of_others_is_accepted_from)
{
    fern_address at = {.size = sizeof at.as.in};
    at.as.in.sin_family = AF_INET;
    at.as.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_OK(bind(listener, &at.as.any, at.size));
    ASSERT_OK(listen(listener, 8));
    ASSERT_OK(fern_local_address(listener, &at));
    fern_greenlet *g = fern_spawn(accept_once, as_arg(listener));
    let_them_wait();
    int fd = fern_dial_at(&at, FERN_FOREVER);
    ASSERT_OK(fd);
    int accepted = (int)value_of(g);
    ASSERT_OK(accepted);
    ASSERT_TRUE(fcntl(accepted, F_GETFD) & FD_CLOEXEC);
    ASSERT_EQ(fcntl(listener, F_GETFL) & O_NONBLOCK, 0);
    say(fd, "hello");
    hear(accepted, "hello");
    ASSERT_OK(fern_close(fd));
    ASSERT_OK(fern_close(accepted));
    ASSERT_OK(fern_close(listener));
}

TEST(accepting_when_no_fd_is_free_gives_emfile_and_loses_no_connection)
{
    if (harness_runs_under("valgrind"))
        SKIP("valgrind keeps the limit on descriptors itself");
    fern_address at;
    int listener = listen_anywhere(&at);
    int fd = fern_dial_at(&at, FERN_FOREVER);
    ASSERT_OK(fd);
    struct rlimit old, none;
    ASSERT_OK(getrlimit(RLIMIT_NOFILE, &old));
    none = old;
    none.rlim_cur = (rlim_t)fd + 1;
    ASSERT_OK(fern_yield());
    ASSERT_OK(setrlimit(RLIMIT_NOFILE, &none));
    ASSERT_ERR(fern_accept(listener, NULL, FERN_FOREVER), -EMFILE);
    ASSERT_ERR(fern_socket(AF_INET, SOCK_STREAM, 0), -EMFILE);
    ASSERT_ERR(fern_dup(fd), -EMFILE);
    ASSERT_OK(setrlimit(RLIMIT_NOFILE, &old));
    int accepted = fern_accept(listener, NULL, FERN_FOREVER);
    ASSERT_OK(accepted);
    ASSERT_OK(fern_close(accepted));
    ASSERT_OK(fern_close(fd));
    ASSERT_OK(fern_close(listener));
}

/* ---- datagrams and messages ---- */

static int
udp_anywhere(fern_address *ret_at)
{
    fern_address at;
    ASSERT_OK(fern_address_parse("127.0.0.1:0", &at));
    int fd = fern_socket(AF_INET, SOCK_DGRAM, 0);
    ASSERT_OK(fd);
    ASSERT_OK(fern_bind(fd, &at));
    ASSERT_OK(fern_local_address(fd, ret_at));
    return fd;
}

TEST(datagrams_arrive_whole_with_their_senders_address)
{
    fern_address at[2], from;
    int fds[2] = {udp_anywhere(&at[0]), udp_anywhere(&at[1])};
    char buf[64];
    ASSERT_ERR(fern_recvfrom(fds[0], buf, 64, 0, &from, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_sendto(fds[1], "one", 3, 0, &at[0], FERN_FOREVER), 3);
    ASSERT_EQ(fern_sendto(fds[1], "", 0, 0, &at[0], FERN_FOREVER), 0);
    ASSERT_EQ(fern_sendto(fds[1], "three", 5, 0, &at[0], FERN_FOREVER), 5);
    ASSERT_EQ(fern_recvfrom(fds[0], buf, 64, 0, &from, FERN_FOREVER), 3);
    ASSERT_EQ(from.as.in.sin_port, at[1].as.in.sin_port);
    ASSERT_EQ(fern_recvfrom(fds[0], buf, 64, 0, NULL, FERN_FOREVER), 0);
    ASSERT_EQ(fern_recv(fds[0], buf, 64, MSG_PEEK, FERN_FOREVER), 5);
    ASSERT_EQ(fern_recvfrom(fds[0], buf, 2, 0, &from, FERN_FOREVER), 2);
    ASSERT_ERR(fern_recv(fds[0], buf, 64, 0, FERN_NOWAIT), -EAGAIN);
    close_pair(fds);
}

TEST(reading_nothing_takes_no_datagram)
{
    fern_address at[2];
    int fds[2] = {udp_anywhere(&at[0]), udp_anywhere(&at[1])};
    ASSERT_EQ(fern_sendto(fds[1], "one", 3, 0, &at[0], FERN_FOREVER), 3);
    ASSERT_EQ(fern_read(fds[0], NULL, 0, FERN_FOREVER), 0);
    hear(fds[0], "one");
    close_pair(fds);
}

TEST(pieces_are_gathered_and_scattered)
{
    int ends[2];
    tcp_pair(ends);
    char a[4] = "", b[8] = "";
    struct iovec out[] = {{"abc", 3}, {"", 0}, {"defg", 4}};
    struct iovec in[] = {{a, 3}, {b, 7}};
    ASSERT_EQ(fern_writev(ends[0], out, 3, FERN_FOREVER), 7);
    ASSERT_EQ(fern_readv(ends[1], in, 2, FERN_FOREVER), 7);
    ASSERT_STR_EQ(a, "abc");
    ASSERT_STR_EQ(b, "defg");
    ASSERT_EQ(fern_writev(ends[0], NULL, 0, FERN_FOREVER), 0);
    struct msghdr msg = {.msg_iov = out, .msg_iovlen = 3};
    ASSERT_EQ(fern_sendmsg(ends[0], &msg, 0, FERN_FOREVER), 7);
    msg = (struct msghdr){.msg_iov = in, .msg_iovlen = 2};
    ASSERT_EQ(fern_recvmsg(ends[1], &msg, 0, FERN_FOREVER), 7);
    ASSERT_ERR(fern_recvmsg(ends[1], &msg, 0, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(msg.msg_iovlen, 2);
    close_pair(ends);
}

/* ---- misuse ---- */

TEST(null_where_bytes_must_be_is_einval)
{
    int ends[2];
    unix_pair(ends);
    ASSERT_ERR(fern_read(ends[0], NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_write(ends[0], NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_write_all(ends[0], NULL, 1, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_readv(ends[0], NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_writev(ends[0], NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_readv(ends[0], NULL, -1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_recv(ends[0], NULL, 1, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_send(ends[0], NULL, 1, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_recvfrom(ends[0], NULL, 1, 0, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_sendto(ends[0], NULL, 1, 0, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_recvmsg(ends[0], NULL, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_sendmsg(ends[0], NULL, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_connect(ends[0], NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_bind(ends[0], NULL), -EINVAL);
    ASSERT_ERR(fern_local_address(ends[0], NULL), -EINVAL);
    ASSERT_ERR(fern_socketpair(AF_UNIX, SOCK_STREAM, 0, NULL), -EINVAL);
    ASSERT_ERR(fern_dial_at(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_listen_at(NULL, 0), -EINVAL);
    close_pair(ends);
}

TEST(a_number_that_is_not_open_is_ebadf)
{
    char c;
    fern_address at;
    ASSERT_OK(fern_address_parse("127.0.0.1:1", &at));
    for (int i = 0; i < 2; i++) {
        int fd = i ? 999 : -1;
        ASSERT_ERR(fern_read(fd, &c, 1, FERN_FOREVER), -EBADF);
        ASSERT_ERR(fern_write(fd, &c, 1, FERN_FOREVER), -EBADF);
        ASSERT_ERR(fern_write_all(fd, &c, 1, NULL, FERN_FOREVER), -EBADF);
        ASSERT_ERR(fern_recv(fd, &c, 1, 0, FERN_FOREVER), -EBADF);
        ASSERT_ERR(fern_accept(fd, NULL, FERN_FOREVER), -EBADF);
        ASSERT_ERR(fern_connect(fd, &at, FERN_FOREVER), -EBADF);
        ASSERT_ERR(fern_shutdown(fd, SHUT_RD), -EBADF);
        ASSERT_ERR(fern_dup(fd), -EBADF);
        ASSERT_ERR(fern_dup2(fd, 20), -EBADF);
        ASSERT_ERR(fern_close(fd), -EBADF);
    }
}

TEST(what_is_no_socket_is_enotsock)
{
    int ends[2];
    char c = 0;
    ASSERT_OK(fern_pipe(ends, 0));
    ASSERT_ERR(fern_recv(ends[0], &c, 1, 0, FERN_FOREVER), -ENOTSOCK);
    ASSERT_ERR(fern_send(ends[1], &c, 1, 0, FERN_FOREVER), -ENOTSOCK);
    ASSERT_ERR(fern_accept(ends[0], NULL, FERN_FOREVER), -ENOTSOCK);
    ASSERT_ERR(fern_shutdown(ends[0], SHUT_RD), -ENOTSOCK);
    close_pair(ends);
}

TEST(what_does_not_listen_is_not_accepted_from)
{
    int ends[2];
    tcp_pair(ends);
    ASSERT_ERR(fern_accept(ends[0], NULL, FERN_FOREVER), -EINVAL);
    close_pair(ends);
}

static void *
raise_flag(void *flag)
{
    *(bool *)flag = true;
    return NULL;
}

TEST(a_call_with_nowait_never_switches_however_many_succeed)
{
    int ends[2];
    char buffer[1024];
    bool others_ran = false;
    fern_hub_options options = {.size = sizeof options, .budget_ops = 2};
    ASSERT_OK(fern_hub_set_options(&options));
    unix_pair(ends);
    fern_greenlet *g = fern_spawn(raise_flag, &others_ran);
    for (int i = 0; i < 50; i++)
        ASSERT_EQ(fern_send(ends[0], "x", 1, 0, FERN_NOWAIT), 1);
    ASSERT_OK(fern_write_all(ends[0], "y", 1, NULL, FERN_NOWAIT));
    ASSERT_EQ(fern_recv(ends[1], buffer, 5, 0, FERN_NOWAIT), 5);
    ASSERT_TRUE(!others_ran);
    for (int i = 0; i < 5; i++)
        ASSERT_EQ(fern_send(ends[0], "x", 1, 0, FERN_FOREVER), 1);
    ASSERT_TRUE(others_ran);
    fern_greenlet_unref(g);
    close_pair(ends);
}
