/* SPDX-License-Identifier: MIT */
/*
 * Where readiness that is cached, or reported by edges, could be wrong. In each of these a call
 * that believed too much would wait too long, or would block the thread.
 */
#include "io/ends.h"

#include "poll/fdtab.h"

#include <netinet/tcp.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <termios.h>

/* Read once what must be there. Where readiness comes by edges, which do not come again, the
 * record must say so already. */
static void
hear_at_once(int fd, const char *text)
{
    int error;
    struct fern__fd *rec = fern__fd_get(fern__fds_of(fern__self_hub()), fd, &error);
    ASSERT_NOT_NULL(rec);
    if (strcmp(fern_hub_poller(), "epoll") == 0)
        ASSERT_TRUE(rec->ready & FERN__FD_IN || !(rec->state & FERN__FD_OWN));
    hear(fd, text);
}

/* Have an fd registered and its readiness used up: a reader has waited and got one byte. */
static void
warm_up(int from, int to)
{
    fern_greenlet *g = fern_spawn(read_once, as_arg(to));
    let_them_wait();
    say(from, "w");
    ASSERT_EQ(value_of(g), 1);
}

static void *
expect_three(void *arg)
{
    hear(as_fd(arg), "abc");
    return NULL;
}

/* ---- a short read that leaves something ---- */

static void
send_fd(int by, int fd, const char *text)
{
    char control[CMSG_SPACE(sizeof(int))] = "";
    struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr msg = {.msg_iov = &iov,
            .msg_iovlen = 1,
            .msg_control = control,
            .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    *c = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(4)};
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    ASSERT_EQ(fern_sendmsg(by, &msg, 0, FERN_FOREVER), strlen(text));
}

TEST(a_read_that_stops_at_passed_fds_leaves_the_rest_readable)
{
    int ends[2];
    unix_pair(ends);
    warm_up(ends[1], ends[0]);
    fern_greenlet *g = fern_spawn(expect_three, as_arg(ends[0]));
    let_them_wait();
    send_fd(ends[1], ends[1], "abc");
    say(ends[1], "def");
    ASSERT_EQ(value_of(g), 0);
    hear(ends[0], "def"); /* found by a look some milliseconds later */
    /* From now on short reads prove nothing there. */
    g = fern_spawn(expect_three, as_arg(ends[0]));
    let_them_wait();
    send_fd(ends[1], ends[1], "abc");
    say(ends[1], "def");
    ASSERT_EQ(value_of(g), 0);
    hear_at_once(ends[0], "def");
    close_pair(ends);
}

/* As another user, which only root may say. */
static ssize_t
send_as(int by, const char *text, uid_t uid)
{
    struct ucred who = {.pid = getpid(), .uid = uid, .gid = getgid()};
    char control[CMSG_SPACE(sizeof who)] = "";
    struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr msg = {.msg_iov = &iov,
            .msg_iovlen = 1,
            .msg_control = control,
            .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
            .cmsg_type = SCM_CREDENTIALS,
            .cmsg_len = CMSG_LEN(sizeof who)};
    memcpy(CMSG_DATA(c), &who, sizeof who);
    return fern_sendmsg(by, &msg, 0, FERN_FOREVER);
}

TEST(a_read_that_stops_between_two_writers_leaves_the_rest_readable)
{
    int ends[2], on = 1;
    unix_pair(ends);
    ASSERT_OK(setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    warm_up(ends[1], ends[0]);
    for (int i = 0; i < 2; i++) {
        fern_greenlet *g = fern_spawn(expect_three, as_arg(ends[0]));
        let_them_wait();
        ASSERT_EQ(send_as(ends[1], "abc", getuid()), 3);
        if (send_as(ends[1], "def", 12345) == -EPERM)
            SKIP("only root may name another user");
        ASSERT_EQ(value_of(g), 0);
        /* Found by a look some milliseconds later; from then on short reads prove nothing. */
        i ? hear_at_once(ends[0], "def") : hear(ends[0], "def");
    }
    close_pair(ends);
}

TEST(a_read_of_a_pair_that_stops_at_the_urgent_mark_leaves_the_rest_readable)
{
    int ends[2];
    unix_pair(ends);
    warm_up(ends[1], ends[0]);
    fern_greenlet *g = fern_spawn(expect_three, as_arg(ends[0]));
    let_them_wait();
    say(ends[1], "abc");
    if (fern_send(ends[1], "!", 1, MSG_OOB, FERN_FOREVER) == -EOPNOTSUPP)
        SKIP("this kernel has no urgent bytes on Unix sockets");
    say(ends[1], "def");
    ASSERT_EQ(value_of(g), 0);
    hear_at_once(ends[0], "def");
    close_pair(ends);
}

TEST(passed_fds_are_met_as_strangers)
{
    int ends[2], pipe_ends[2];
    unix_pair(ends);
    ASSERT_OK(fern_pipe(pipe_ends, 0));
    send_fd(ends[1], pipe_ends[0], "x");
    /* The number that it will get was a socket of fern's, closed behind its back. */
    int stale = fern_socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_OK(stale);
    ASSERT_OK(close(stale));
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov,
            .msg_iovlen = 1,
            .msg_control = control,
            .msg_controllen = sizeof control};
    ASSERT_EQ(fern_recvmsg(ends[0], &msg, MSG_CMSG_CLOEXEC, FERN_FOREVER), 1);
    int fd;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof fd);
    ASSERT_EQ(fd, stale);
    ASSERT_EQ(fern__fd_kind_of(fd), FERN__FD_FOREIGN);
    say(pipe_ends[1], "abc");
    hear(fd, "abc");
    ASSERT_OK(fern_close(fd));
    close_pair(pipe_ends);
    close_pair(ends);
}

TEST(a_read_that_stops_at_the_urgent_mark_leaves_the_rest_readable)
{
    int ends[2];
    tcp_pair(ends);
    warm_up(ends[1], ends[0]);
    fern_greenlet *g = fern_spawn(expect_three, as_arg(ends[0]));
    let_them_wait();
    say(ends[1], "abc");
    ASSERT_EQ(fern_send(ends[1], "!", 1, MSG_OOB, FERN_FOREVER), 1);
    say(ends[1], "def");
    ASSERT_EQ(value_of(g), 0);
    char urgent;
    ASSERT_EQ(fern_recv(ends[0], &urgent, 1, MSG_OOB, FERN_FOREVER), 1);
    ASSERT_EQ(urgent, '!');
    hear_at_once(ends[0], "def");
    close_pair(ends);
}

TEST(an_urgent_mark_that_comes_between_two_reads_hides_nothing)
{
    int ends[2];
    tcp_pair(ends);
    int on = 1;
    ASSERT_OK(setsockopt(ends[0], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
    warm_up(ends[1], ends[0]);
    for (int i = 0; i < 20; i++) {
        fern_greenlet *g = fern_spawn(read_once, as_arg(ends[0]));
        let_them_wait();
        say(ends[1], "abc");
        ASSERT_EQ(value_of(g), 3);
        say(ends[1], "de");
        ASSERT_EQ(fern_send(ends[1], "!", 1, MSG_OOB, FERN_FOREVER), 1);
        say(ends[1], "fg");
        hear(ends[0], "de");
        hear(ends[0], "!fg");
    }
    close_pair(ends);
}

/* Encryption by the kernel gives one record a read; here only fern is told of it. */
TEST(after_an_option_that_shortens_reads_a_short_read_proves_nothing)
{
    int ends[2], on = 1, got = 0;
    tcp_pair(ends);
    warm_up(ends[1], ends[0]);
    ASSERT_OK(fern_socket_set_option(ends[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    struct fern__fd *rec = fern__fd_at(fern__fds_of(fern__self_hub()), ends[0]);
    ASSERT_TRUE(rec->state & FERN__FD_SHORT);
    ASSERT_OK(fern_socket_set_option(ends[0], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
    ASSERT_FALSE(rec->state & FERN__FD_SHORT);
    ASSERT_EQ(fern_socket_get_option(ends[0], SOL_SOCKET, SO_OOBINLINE, &got, sizeof got),
            sizeof got);
    ASSERT_EQ(got, 1);
    say(ends[1], "abc");
    hear(ends[0], "abc");
    ASSERT_TRUE(rec->ready & FERN__FD_IN);
    ASSERT_ERR(fern_socket_set_option(ends[0], SOL_SOCKET, SO_OOBINLINE, NULL, 4), -EINVAL);
    ASSERT_ERR(fern_socket_get_option(ends[0], SOL_SOCKET, SO_TYPE, NULL, 4), -EINVAL);
    ASSERT_ERR(fern_socket_set_option(ends[0], SOL_SOCKET, 9999, &on, 4), -ENOPROTOOPT);
    ASSERT_ERR(fern_socket_get_option(999, SOL_SOCKET, SO_TYPE, &got, 4), -EBADF);
    close_pair(ends);
}

TEST(a_packet_pipe_gives_one_packet_a_read_and_leaves_the_next_readable)
{
    int ends[2];
    ASSERT_OK(fern_pipe(ends, O_DIRECT));
    warm_up(ends[1], ends[0]);
    fern_greenlet *g = fern_spawn(expect_three, as_arg(ends[0]));
    let_them_wait();
    say(ends[1], "abc");
    say(ends[1], "defg");
    ASSERT_EQ(value_of(g), 0);
    hear_at_once(ends[0], "defg");
    close_pair(ends);
}

static void
open_terminal(int ends[2])
{
    struct termios mode;
    ASSERT_OK(openpty(&ends[0], &ends[1], NULL, NULL, NULL));
    ASSERT_OK(tcgetattr(ends[1], &mode));
    mode.c_lflag &= (tcflag_t)~ECHO;
    mode.c_oflag &= (tcflag_t)~OPOST;
    ASSERT_OK(tcsetattr(ends[1], TCSANOW, &mode));
}

TEST(a_terminal_gives_one_line_a_read_and_leaves_the_next_readable)
{
    int ends[2];
    open_terminal(ends);
    int flags = fcntl(ends[1], F_GETFL);
    fern_greenlet *g = fern_spawn(read_once, as_arg(ends[1]));
    let_them_wait();
    say(ends[0], "ab\ndefg\n");
    ASSERT_EQ(value_of(g), 3);
    hear_at_once(ends[1], "defg\n");
    ASSERT_EQ(fcntl(ends[1], F_GETFL), flags);
    char c;
    ASSERT_ERR(fern_read(ends[1], &c, 1, fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_read(ends[1], &c, 1, FERN_NOWAIT), -EAGAIN);
    close_pair(ends);
}

TEST(writing_much_to_a_terminal_parks_until_it_is_read)
{
    int ends[2];
    open_terminal(ends);
    char *bytes = calloc(1, 200000), buf[5000];
    memset(bytes, 'x', 200000);
    size_t done = 0, came = 0;
    int r = fern_write_all(ends[1], bytes, 200000, &done, fern_in(5 * FERN_MS));
    ASSERT_ERR(r, -ETIME);
    ASSERT_LT(done, 200000);
    while (came < done) {
        ssize_t n = fern_read(ends[0], buf, sizeof buf, FERN_FOREVER);
        ASSERT_GT(n, 0);
        came += (size_t)n;
    }
    ASSERT_EQ(came, done);
    free(bytes);
    close_pair(ends);
}

/* ---- two things in one edge ---- */

TEST(bytes_and_the_end_that_come_as_one_are_both_found)
{
    int ends[2];
    tcp_pair(ends);
    warm_up(ends[1], ends[0]);
    fern_greenlet *g = fern_spawn(expect_three, as_arg(ends[0]));
    let_them_wait();
    say(ends[1], "abc");
    ASSERT_OK(fern_close(ends[1]));
    ASSERT_EQ(value_of(g), 0);
    hear_at_once(ends[0], "");
    ASSERT_OK(fern_close(ends[0]));
}

TEST(bytes_and_the_end_of_a_pipe_that_come_as_one_are_both_found)
{
    int ends[2];
    ASSERT_OK(fern_pipe(ends, 0));
    warm_up(ends[1], ends[0]);
    fern_greenlet *g = fern_spawn(expect_three, as_arg(ends[0]));
    let_them_wait();
    say(ends[1], "abc");
    ASSERT_OK(fern_close(ends[1]));
    ASSERT_EQ(value_of(g), 0);
    hear_at_once(ends[0], "");
    ASSERT_OK(fern_close(ends[0]));
}

TEST(an_end_that_comes_between_two_reads_is_found)
{
    int ends[2];
    for (int i = 0; i < 20; i++) {
        tcp_pair(ends);
        warm_up(ends[1], ends[0]);
        say(ends[1], "abc");
        hear(ends[0], "abc");
        ASSERT_OK(fern_close(ends[1]));
        hear(ends[0], "");
        ASSERT_OK(fern_close(ends[0]));
    }
}

/* ---- numbers that change their meaning behind fern's back ---- */

/* What the poller does by itself after some time: look at a record where somebody has parked. */
static void
look_after_a_while(int fd)
{
    struct fern__fds *fds = fern__fds_of(fern__self_hub());
    fern__fd_note_park(fds, fern__fd_at(fds, fd));
    for (int i = 0; i < 2; i++)
        fern__fds_sweep(fds, INT64_MAX);
}

TEST(an_fd_of_others_that_is_closed_and_opened_again_behind_ferns_back_goes_on_at_once)
{
    int first[2], second[2];
    ASSERT_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, first));
    warm_up(first[1], first[0]);
    ASSERT_OK(close(first[0]));
    ASSERT_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, second));
    ASSERT_EQ(second[0], first[0]);
    fern_greenlet *g = fern_spawn(expect_three, as_arg(second[0]));
    let_them_wait();
    say(second[1], "abc");
    ASSERT_EQ(value_of(g), 0);
    close_pair(second);
    ASSERT_OK(fern_close(first[1]));
}

TEST(an_fd_of_ferns_that_is_closed_and_opened_again_behind_its_back_costs_a_delay)
{
    int first[2], second[2];
    tcp_pair(first);
    int where_the_listener_was = fern_dup(0);
    ASSERT_OK(where_the_listener_was);
    warm_up(first[1], first[0]);
    ASSERT_OK(close(first[0]));
    ASSERT_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, second));
    ASSERT_EQ(second[0], first[0]);
    fern_greenlet *g = fern_spawn(expect_three, as_arg(second[0]));
    let_them_wait();
    say(second[1], "abc");
    let_them_wait();
    look_after_a_while(second[0]);
    ASSERT_EQ(value_of(g), 0);
    /* From now on it is known to be another's. */
    g = fern_spawn(expect_three, as_arg(second[0]));
    let_them_wait();
    say(second[1], "abc");
    ASSERT_EQ(value_of(g), 0);
    close_pair(second);
    ASSERT_OK(fern_close(first[1]));
    ASSERT_OK(fern_close(where_the_listener_was));
}

TEST(a_socket_of_ferns_that_became_a_pipe_behind_its_back_is_never_blocked_on)
{
    int ends[2];
    int fd = fern_socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_OK(fd);
    ASSERT_OK(close(fd));
    ASSERT_OK(pipe(ends));
    ASSERT_EQ(ends[0], fd);
    char c;
    ASSERT_ERR(fern_read(fd, &c, 1, fern_in(FERN_MS)), -ETIME);
    say(ends[1], "abc");
    hear(fd, "abc");
    close_pair(ends);
}

TEST(a_file_that_became_a_pipe_behind_ferns_back_is_never_blocked_on)
{
    int ends[2];
    char c;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ASSERT_OK(fd);
    ASSERT_EQ(fern_read(fd, &c, 1, FERN_FOREVER), 1);
    ASSERT_OK(close(fd));
    ASSERT_OK(pipe(ends));
    ASSERT_EQ(ends[0], fd);
    ASSERT_ERR(fern_read(fd, &c, 1, fern_in(FERN_MS)), -ETIME);
    close_pair(ends);
}

TEST(a_reader_whose_fd_is_closed_behind_ferns_back_gets_ebadf)
{
    int ends[2];
    unix_pair(ends);
    fern_greenlet *g = fern_spawn(read_once, as_arg(ends[0]));
    let_them_wait();
    ASSERT_OK(close(ends[0]));
    look_after_a_while(ends[0]);
    ASSERT_EQ(value_of(g), -EBADF);
    ASSERT_OK(fern_close(ends[1]));
}

TEST(a_reader_whose_number_fern_opens_anew_gets_ebadf)
{
    int ends[2], others[2];
    unix_pair(ends);
    fern_greenlet *g = fern_spawn(read_once, as_arg(ends[0]));
    let_them_wait();
    ASSERT_OK(close(ends[0]));
    unix_pair(others);
    ASSERT_EQ(others[0], ends[0]);
    ASSERT_EQ(value_of(g), -EBADF);
    close_pair(others);
    ASSERT_OK(fern_close(ends[1]));
}

/* ---- descriptions that are shared ---- */

TEST(closing_one_of_two_numbers_leaves_the_other_at_work)
{
    int ends[2], others[2];
    tcp_pair(ends);
    int copy = fern_dup(ends[0]);
    ASSERT_OK(copy);
    warm_up(ends[1], ends[0]);
    warm_up(ends[1], copy);
    fern_greenlet *g = fern_spawn(expect_three, as_arg(copy));
    let_them_wait();
    ASSERT_OK(fern_close(ends[0]));
    say(ends[1], "abc");
    ASSERT_EQ(value_of(g), 0);
    /* Events of the old file do not disturb the number's next one. */
    tcp_pair(others);
    g = fern_spawn(expect_three, as_arg(others[0]));
    let_them_wait();
    say(ends[1], "xyz");
    let_them_wait();
    say(others[1], "abc");
    ASSERT_EQ(value_of(g), 0);
    hear(copy, "xyz");
    ASSERT_OK(fern_close(copy));
    ASSERT_OK(fern_close(ends[1]));
    close_pair(others);
}

TEST(events_of_a_file_that_lives_on_under_another_number_wake_nobody)
{
    int ends[2], others[2];
    unix_pair(ends);
    warm_up(ends[1], ends[0]);
    int copy = dup(ends[0]);
    ASSERT_OK(copy);
    ASSERT_OK(close(ends[0]));
    unix_pair(others);
    ASSERT_EQ(others[0], ends[0]);
    fern_greenlet *g = fern_spawn(expect_three, as_arg(others[0]));
    let_them_wait();
    say(ends[1], "stray");
    let_them_wait();
    ASSERT_FALSE(fern_ready(g));
    say(others[1], "abc");
    ASSERT_EQ(value_of(g), 0);
    close_pair(others);
    ASSERT_OK(fern_close(copy));
    ASSERT_OK(fern_close(ends[1]));
}

TEST(dup2_over_an_fd_wakes_its_readers_with_ebadf)
{
    int ends[2], others[2];
    unix_pair(ends);
    unix_pair(others);
    fern_greenlet *g = fern_spawn(read_once, as_arg(ends[0]));
    let_them_wait();
    ASSERT_EQ(fern_dup2(others[0], ends[0]), ends[0]);
    ASSERT_EQ(value_of(g), -EBADF);
    say(others[1], "abc");
    hear(ends[0], "abc");
    ASSERT_EQ(fern_dup2(ends[0], ends[0]), ends[0]);
    close_pair(ends);
    close_pair(others);
}

/* Take one byte and end, when told to by a byte on another pipe. */
static void
child_reads(int fd, int told)
{
    char c;
    _exit(read(told, &c, 1) == 1 && read(fd, &c, 1) == 1 ? 0 : 1);
}

TEST(a_pipe_shared_with_a_child_is_not_changed_and_what_the_child_takes_is_not_missed)
{
    int ends[2], tell[2], status;
    ASSERT_OK(pipe(ends));
    ASSERT_OK(pipe(tell));
    pid_t pid = fork();
    ASSERT_OK(pid);
    if (pid == 0)
        child_reads(ends[0], tell[0]);
    int flags[] = {fcntl(ends[0], F_GETFL), fcntl(ends[1], F_GETFL)};
    fern_greenlet *g = fern_spawn(expect_three, as_arg(ends[0]));
    let_them_wait();
    ASSERT_EQ(write(tell[1], "!", 1), 1);
    ASSERT_EQ(write(ends[1], "c", 1), 1);
    /* This blocks the thread: nobody here can take the byte before the child does. */
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    let_them_wait();
    ASSERT_FALSE(fern_ready(g));
    say(ends[1], "abc");
    ASSERT_EQ(value_of(g), 0);
    ASSERT_EQ(fcntl(ends[0], F_GETFL), flags[0]);
    ASSERT_EQ(fcntl(ends[1], F_GETFL), flags[1]);
    close_pair(ends);
    close_pair(tell);
}

TEST(what_a_child_leaves_of_a_socket_is_not_missed)
{
    int ends[2], status;
    unix_pair(ends);
    warm_up(ends[1], ends[0]);
    pid_t pid = fork();
    ASSERT_OK(pid);
    if (pid == 0) {
        char c;
        struct pollfd p = {.fd = ends[0], .events = POLLIN};
        _exit(poll(&p, 1, -1) == 1 && read(ends[0], &c, 1) == 1 && c == 'x' ? 0 : 1);
    }
    fern_greenlet *g = fern_spawn(expect_three, as_arg(ends[0]));
    let_them_wait();
    say(ends[1], "xabc");
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ASSERT_EQ(value_of(g), 0);
    close_pair(ends);
}

/* ---- a listener without room ---- */

enum { DIALLERS = 6 };

static void *
dial(void *arg)
{
    int fd = fern_dial(arg, FERN_FOREVER);
    ASSERT_OK(fd);
    ASSERT_OK(fern_close(fd));
    return NULL;
}

TEST(connecting_to_a_full_unix_backlog_waits_for_room)
{
    char at[64];
    snprintf(at, sizeof at, "unix:@fern-test-backlog-%d", (int)getpid());
    int listener = fern_listen(at, 1), waiting = 0;
    ASSERT_OK(listener);
    fern_greenlet *gs[DIALLERS];
    for (int i = 0; i < DIALLERS; i++)
        gs[i] = fern_spawn(dial, at);
    let_them_wait();
    for (int i = 0; i < DIALLERS; i++)
        waiting += !fern_ready(gs[i]);
    ASSERT_GE(waiting, DIALLERS - 2);
    ASSERT_ERR(fern_dial(at, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_dial(at, fern_in(5 * FERN_MS)), -ETIME);
    for (int i = 0; i < DIALLERS; i++) {
        int fd = fern_accept(listener, NULL, FERN_FOREVER);
        ASSERT_OK(fd);
        ASSERT_OK(fern_close(fd));
    }
    for (int i = 0; i < DIALLERS; i++)
        ASSERT_EQ(value_of(gs[i]), 0);
    ASSERT_OK(fern_close(listener));
}
