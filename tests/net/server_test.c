/* SPDX-License-Identifier: MIT */
/*
 * Stream servers over real sockets, on whatever poller the run is for.
 */
#include "harness.h"

#include <errno.h>
#include <fern.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void *
echo(int fd, void *unused)
{
    char data[256];
    ssize_t n;
    while ((n = fern_recv(fd, data, sizeof data, 0, FERN_FOREVER)) > 0)
        if (fern_write_all(fd, data, (size_t)n, NULL, FERN_FOREVER) < 0)
            break;
    return unused;
}

static fern_server *
started(const char *address, fern_serve_fn *handle, void *arg,
        const fern_server_options *options)
{
    fern_server *server = fern_server_new(address, handle, arg, options);
    ASSERT_NOT_NULL(server);
    ASSERT_OK(fern_server_start(server));
    return server;
}

static int
dial(const fern_server *server)
{
    int fd = fern_dial(fern_server_address(server), FERN_FOREVER);
    ASSERT_OK(fd);
    return fd;
}

/* Send a word and expect it back. */
static void
ask(int fd, const char *word)
{
    char answer[64] = "";
    size_t length = strlen(word), have = 0;
    ASSERT_OK(fern_write_all(fd, word, length, NULL, FERN_FOREVER));
    while (have < length) {
        ssize_t n = fern_recv(fd, answer + have, length - have, 0, FERN_FOREVER);
        ASSERT_GT(n, 0);
        have += (size_t)n;
    }
    ASSERT_STR_EQ(answer, word);
}

/* The other side has closed: nothing more comes, by EOF or by a reset. */
static void
expect_closed(int fd)
{
    char byte;
    ssize_t n = fern_recv(fd, &byte, 1, 0, FERN_FOREVER);
    ASSERT_TRUE(n == 0 || n == -ECONNRESET);
    ASSERT_OK(fern_close(fd));
}

static fern_server_stats
stats_of(const fern_server *server)
{
    fern_server_stats stats;
    ASSERT_OK(fern_server_get_stats(server, &stats));
    return stats;
}

/* Let everybody else run until `active` handlers are left. */
static void
settle(const fern_server *server, uint64_t active)
{
    for (int i = 0; i < 1000 && stats_of(server).active != active; i++)
        fern_sleep(FERN_MS);
    ASSERT_EQ(stats_of(server).active, active);
}

static void
finish(fern_server *server)
{
    ASSERT_OK(fern_server_stop(server, FERN_FOREVER));
    fern_server_free(server);
    fern_yield();
}

/* ---- serving ---- */

TEST(each_connection_is_served_at_the_same_time)
{
    fern_server *server = started("127.0.0.1:0", echo, NULL, NULL);
    int a = dial(server), b = dial(server);
    ask(a, "first of a");
    ask(b, "first of b");
    ask(a, "second of a");
    ask(b, "second of b");
    ASSERT_EQ(stats_of(server).active, 2);
    ASSERT_EQ(stats_of(server).accepted, 2);
    fern_close(a);
    fern_close(b);
    finish(server);
}

static void *
greet(int fd, void *arg)
{
    if (fern_write_all(fd, arg, strlen(arg), NULL, FERN_FOREVER) < 0)
        return NULL;
    return NULL;
}

static void
expect_text(int fd, const char *text)
{
    char got[64] = "";
    size_t have = 0;
    ssize_t n;
    while ((n = fern_recv(fd, got + have, sizeof got - 1 - have, 0, FERN_FOREVER)) > 0)
        have += (size_t)n;
    ASSERT_EQ(n, 0);
    ASSERT_STR_EQ(got, text);
    ASSERT_OK(fern_close(fd));
}

TEST(a_connection_is_closed_when_its_handler_has_returned)
{
    fern_server *server = started("127.0.0.1:0", greet, (void *)"hello", NULL);
    expect_text(dial(server), "hello");
    finish(server);
}

/* Closes its connection and opens something else, which gets the same number. */
static void *
close_and_reuse(int fd, void *ret_kept)
{
    int *kept = ret_kept;
    ASSERT_OK(fern_close(fd));
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_STREAM, 0, kept));
    ASSERT_TRUE(kept[0] == fd || kept[1] == fd);
    return NULL;
}

TEST(a_handler_may_close_its_connection_itself)
{
    int kept[2];
    fern_server *server = started("127.0.0.1:0", close_and_reuse, kept, NULL);
    expect_closed(dial(server));
    settle(server, 0);
    ASSERT_OK(fern_write_all(kept[0], "x", 1, NULL, FERN_FOREVER));
    ASSERT_OK(fern_close(kept[0]));
    ASSERT_OK(fern_close(kept[1]));
    finish(server);
}

static void *
talk_by_stream(int fd, void *unused)
{
    char line[64];
    fern_stream *stream = fern_stream_open(fd);
    ASSERT_NOT_NULL(stream);
    while (fern_stream_read_line(stream, line, sizeof line, FERN_FOREVER) >= 0)
        ASSERT_OK(fern_stream_printf(stream, FERN_FOREVER, "%s!\n", line));
    ASSERT_OK(fern_stream_close(stream, FERN_FOREVER));
    return unused;
}

TEST(a_handler_may_use_a_stream_which_closes_it)
{
    fern_server *server = started("127.0.0.1:0", talk_by_stream, NULL, NULL);
    int fd = dial(server);
    ASSERT_OK(fern_write_all(fd, "a\nb\n", 4, NULL, FERN_FOREVER));
    ASSERT_OK(fern_shutdown(fd, SHUT_WR));
    expect_text(fd, "a!\nb!\n");
    settle(server, 0);
    finish(server);
}

static void *
exit_inside(int fd, void *unused)
{
    (void)fd;
    fern_exit(unused);
}

TEST(a_connection_is_closed_when_its_handler_exits)
{
    fern_server *server = started("127.0.0.1:0", exit_inside, NULL, NULL);
    expect_closed(dial(server));
    finish(server);
}

static void
note_failure(fern_greenlet *g, const fern_outcome *outcome, void *arg)
{
    (void)g;
    snprintf(arg, 64, "%d %s", outcome->code, outcome->message);
}

static void *
fail_on_x(int fd, void *unused)
{
    char byte;
    while (fern_recv(fd, &byte, 1, 0, FERN_FOREVER) == 1) {
        if (byte == 'x')
            return fern_fail(-EBADMSG, "got an x");
        if (fern_write_all(fd, &byte, 1, NULL, FERN_FOREVER) < 0)
            return NULL;
    }
    return unused;
}

TEST(a_handler_that_fails_is_reported_and_the_others_run_on)
{
    char report[64] = "";
    ASSERT_OK(fern_set_error_hook(note_failure, report));
    fern_server *server = started("127.0.0.1:0", fail_on_x, NULL, NULL);
    int good = dial(server), bad = dial(server);
    ask(good, "a");
    ASSERT_OK(fern_write_all(bad, "x", 1, NULL, FERN_FOREVER));
    expect_closed(bad);
    ask(good, "b");
    ASSERT_EQ(stats_of(server).failed, 1);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "%d got an x", -EBADMSG);
    ASSERT_STR_EQ(report, wanted);
    fern_close(good);
    finish(server);
}

/* ---- limits ---- */

TEST(a_full_server_accepts_nothing_more_and_resumes)
{
    FERN_SERVER_OPTIONS(options);
    options.connections_max = 2;
    fern_server *server = started("127.0.0.1:0", echo, NULL, &options);
    int a = dial(server), b = dial(server), c = dial(server);
    ask(a, "a");
    ask(b, "b");
    ASSERT_OK(fern_write_all(c, "c", 1, NULL, FERN_FOREVER));
    char byte;
    ASSERT_ERR(fern_recv(c, &byte, 1, 0, fern_in(20 * FERN_MS)), -ETIME);
    ASSERT_EQ(stats_of(server).accepted, 2);
    ASSERT_EQ(stats_of(server).full, 1);
    fern_close(a);
    ASSERT_EQ(fern_recv(c, &byte, 1, 0, FERN_FOREVER), 1);
    ASSERT_EQ(stats_of(server).accepted, 3);
    fern_close(b);
    fern_close(c);
    finish(server);
}

/* Connections that the kernel has made and nobody has accepted. */
static void
connect_plainly(const fern_server *server, int *fds, int count)
{
    fern_address to;
    ASSERT_OK(fern_server_get_address(server, &to));
    for (int i = 0; i < count; i++) {
        fds[i] = socket(to.as.any.sa_family, SOCK_STREAM, 0);
        ASSERT_OK(connect(fds[i], &to.as.any, to.size));
    }
}

static void *
tell_name(int fd, void *unused)
{
    volatile char deep[200 * 1024]; /* more than a default stack has */
    deep[0] = deep[sizeof deep - 1] = 1;
    if (fern_write_all(fd, fern_name(NULL), strlen(fern_name(NULL)), NULL, FERN_FOREVER) <
            0)
        return NULL;
    return unused;
}

TEST(handlers_have_the_name_and_the_stack_that_were_asked_for)
{
    FERN_SERVER_OPTIONS(options);
    options.stack_bytes = 256 * 1024;
    options.name = "greeter";
    fern_server *server = started("127.0.0.1:0", tell_name, NULL, &options);
    expect_text(dial(server), "greeter");
    finish(server);
}

/* ---- addresses ---- */

TEST(port_zero_is_answered_with_the_port_that_the_kernel_chose)
{
    fern_server *server = started("127.0.0.1:0", echo, NULL, NULL);
    char wanted[64];
    ASSERT_GT(fern_server_port(server), 0);
    snprintf(wanted, sizeof wanted, "127.0.0.1:%d", fern_server_port(server));
    ASSERT_STR_EQ(fern_server_address(server), wanted);
    finish(server);
}

static bool
has_ipv6(void)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

static int
dial_port(const char *host, int port)
{
    char address[64];
    snprintf(address, sizeof address, "%s:%d", host, port);
    return fern_dial(address, FERN_FOREVER);
}

TEST(an_ipv6_address_stands_in_brackets)
{
    if (!has_ipv6())
        SKIP("no IPv6 here");
    fern_server *server = started("[::1]:0", echo, NULL, NULL);
    ASSERT_STR_HAS(fern_server_address(server), "[::1]:");
    int fd = dial(server);
    ask(fd, "six");
    fern_close(fd);
    finish(server);
}

static void
expect_every_address(const char *address)
{
    fern_server *server = started(address, echo, NULL, NULL);
    int four = dial_port("127.0.0.1", fern_server_port(server));
    int six = dial_port("[::1]", fern_server_port(server));
    ask(four, "four");
    ask(six, "six");
    fern_close(four);
    fern_close(six);
    finish(server);
}

TEST(a_star_or_no_host_means_ipv4_and_ipv6)
{
    if (!has_ipv6())
        SKIP("no IPv6 here");
    expect_every_address("*:0");
    expect_every_address(":0");
}

TEST(ipv6_without_ipv4_is_an_option)
{
    if (!has_ipv6())
        SKIP("no IPv6 here");
    FERN_SERVER_OPTIONS(options);
    options.ipv6_only = true;
    fern_server *server = started("[::]:0", echo, NULL, &options);
    int six = dial_port("[::1]", fern_server_port(server));
    ask(six, "six");
    ASSERT_ERR(dial_port("127.0.0.1", fern_server_port(server)), -ECONNREFUSED);
    fern_close(six);
    finish(server);
}

TEST(an_address_in_use_is_eaddrinuse)
{
    fern_server *first = started("127.0.0.1:0", echo, NULL, NULL);
    fern_server *second = fern_server_new(fern_server_address(first), echo, NULL, NULL);
    ASSERT_ERR(fern_server_start(second), -EADDRINUSE);
    ASSERT_STR_EQ(fern_server_address(second), "");
    fern_server_free(second);
    finish(first);
}

TEST(servers_with_reuse_port_share_a_port)
{
    FERN_SERVER_OPTIONS(options);
    options.reuse_port = true;
    fern_server *first = started("127.0.0.1:0", echo, NULL, &options);
    fern_server *second = started(fern_server_address(first), echo, NULL, &options);
    for (int i = 0; i < 64; i++) {
        int fd = dial(first);
        ask(fd, "shared");
        fern_close(fd);
    }
    ASSERT_EQ(stats_of(first).accepted + stats_of(second).accepted, 64);
    ASSERT_GT(stats_of(first).accepted, 0);
    ASSERT_GT(stats_of(second).accepted, 0);
    finish(first);
    finish(second);
}

TEST(an_adopted_socket_is_served)
{
    struct sockaddr_in at = {
            .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    FERN_SERVER_OPTIONS(options);
    options.adopt = true;
    options.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ASSERT_OK(bind(options.fd, (struct sockaddr *)&at, sizeof at));
    fern_server *server = started(NULL, echo, NULL, &options);
    ASSERT_EQ(fern_server_fd(server), options.fd);
    int fd = dial(server);
    ask(fd, "adopted");
    fern_close(fd);
    ASSERT_OK(fern_server_stop(server, FERN_FOREVER));
    ASSERT_ERR(fern_server_start(server), -EBADF);
    fern_server_free(server);
}

/* ---- Unix sockets ---- */

static const char *
temporary_path(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/fern-server-test-%d", (int)getpid());
    unlink(path);
    return path;
}

static const char *
temporary_address(void)
{
    static char address[80];
    snprintf(address, sizeof address, "unix:%s", temporary_path());
    return address;
}

TEST(a_unix_server_makes_its_path_and_removes_it)
{
    fern_server *server = started(temporary_address(), echo, NULL, NULL);
    struct stat file;
    ASSERT_STR_EQ(fern_server_address(server), temporary_address());
    fern_server_free(server);
    server = started(temporary_address(), echo, NULL, NULL);
    int fd = dial(server);
    ask(fd, "local");
    ASSERT_EQ(fern_server_port(server), 0);
    fern_close(fd);
    finish(server);
    ASSERT_TRUE(lstat(strchr(temporary_address(), '/'), &file) < 0);
}

TEST(a_path_that_a_dead_program_left_is_replaced)
{
    const char *path = temporary_path();
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strcpy(at.sun_path, path);
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_OK(bind(dead, (struct sockaddr *)&at, sizeof at));
    close(dead);
    char address[80];
    snprintf(address, sizeof address, "unix:%s", path);
    fern_server *server = started(address, echo, NULL, NULL);
    int fd = dial(server);
    ask(fd, "anew");
    fern_close(fd);
    finish(server);
}

TEST(a_path_on_which_somebody_listens_is_eaddrinuse)
{
    fern_server *first = started(temporary_address(), echo, NULL, NULL);
    fern_server *second = fern_server_new(fern_server_address(first), echo, NULL, NULL);
    ASSERT_ERR(fern_server_start(second), -EADDRINUSE);
    fern_server_free(second);
    int fd = dial(first);
    ask(fd, "still there");
    fern_close(fd);
    finish(first);
}

TEST(a_path_that_is_no_socket_is_left_alone)
{
    const char *path = temporary_path();
    char address[80];
    struct stat file;
    snprintf(address, sizeof address, "unix:%s", path);
    fclose(fopen(path, "w"));
    fern_server *server = fern_server_new(address, echo, NULL, NULL);
    ASSERT_ERR(fern_server_start(server), -EADDRINUSE);
    fern_server_free(server);
    ASSERT_OK(lstat(path, &file));
    unlink(path);
}

TEST(a_path_that_another_server_has_taken_over_is_not_removed)
{
    char address[80];
    snprintf(address, sizeof address, "%s", temporary_address());
    fern_server *first = started(address, echo, NULL, NULL);
    unlink(strchr(address, '/'));
    fern_server *second = started(address, echo, NULL, NULL);
    finish(first);
    int fd = dial(second);
    ask(fd, "second");
    fern_close(fd);
    finish(second);
}

TEST(an_abstract_name_needs_no_path)
{
    char address[80];
    snprintf(address, sizeof address, "unix:@fern-server-test-%d", (int)getpid());
    fern_server *server = started(address, echo, NULL, NULL);
    int fd = dial(server);
    ask(fd, "abstract");
    fern_close(fd);
    finish(server);
}

/* ---- starting, running, stopping ---- */

TEST(a_second_start_changes_nothing)
{
    fern_server *server = started("127.0.0.1:0", echo, NULL, NULL);
    int port = fern_server_port(server);
    ASSERT_OK(fern_server_start(server));
    ASSERT_EQ(fern_server_port(server), port);
    finish(server);
}

TEST(a_stopped_server_may_be_started_again)
{
    fern_server *server = started("127.0.0.1:0", echo, NULL, NULL);
    ASSERT_EQ(fern_server_stop(server, FERN_FOREVER), 0);
    ASSERT_ERR(fern_server_fd(server), -ENOTCONN);
    ASSERT_EQ(fern_server_port(server), 0);
    ASSERT_OK(fern_server_start(server));
    int fd = dial(server);
    ask(fd, "again");
    fern_close(fd);
    finish(server);
}

static void *
stop_it(void *server)
{
    ASSERT_EQ(fern_server_stop(server, FERN_FOREVER), 0);
    return NULL;
}

TEST(run_starts_and_returns_when_the_server_is_stopped)
{
    fern_server *server = fern_server_new("127.0.0.1:0", echo, NULL, NULL);
    fern_go(stop_it, server);
    ASSERT_EQ(fern_server_run(server, FERN_FOREVER), 0);
    finish(server);
}

TEST(run_with_a_deadline_leaves_the_server_running)
{
    fern_server *server = fern_server_new("127.0.0.1:0", echo, NULL, NULL);
    ASSERT_ERR(fern_server_run(server, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_server_run(server, fern_in(FERN_MS)), -ETIME);
    int fd = dial(server);
    ask(fd, "on");
    fern_close(fd);
    finish(server);
}

TEST(run_returns_the_error_that_ended_the_server)
{
    fern_server *server = started("127.0.0.1:0", echo, NULL, NULL);
    int open = dial(server);
    ask(open, "before");
    shutdown(fern_server_fd(server), SHUT_RDWR);
    ASSERT_ERR(fern_server_run(server, FERN_FOREVER), -EINVAL);
    ask(open, "and its connections go on");
    fern_close(open);
    finish(server);
}

TEST(a_server_killed_before_it_ran_gives_all_back)
{
    fern_server *server = started("127.0.0.1:0", echo, NULL, NULL);
    fern_server_free(server);
}

TEST(a_handler_killed_before_it_ran_has_its_connection_closed)
{
    int fd;
    fern_server *server = started("127.0.0.1:0", echo, NULL, NULL);
    connect_plainly(server, &fd, 1);
    fern_yield();
    ASSERT_EQ(stats_of(server).active, 1);
    ASSERT_EQ(fern_server_stop(server, FERN_NOWAIT), 1);
    ASSERT_EQ(stats_of(server).active, 0);
    expect_closed(fd);
    fern_server_free(server);
    fern_yield();
}

TEST(a_stop_without_waiting_kills_at_once)
{
    fern_server *server = started("127.0.0.1:0", echo, NULL, NULL);
    int fd = dial(server);
    ask(fd, "up");
    ASSERT_EQ(fern_server_stop(server, FERN_NOWAIT), 1);
    expect_closed(fd);
    ASSERT_EQ(stats_of(server).cancelled, 1);
    ASSERT_EQ(stats_of(server).active, 0);
    fern_server_free(server);
}

TEST(a_server_may_be_freed_while_handlers_run)
{
    fern_server *server = started("127.0.0.1:0", echo, NULL, NULL);
    int fd = dial(server);
    ask(fd, "up");
    fern_server_free(server);
    expect_closed(fd);
    fern_server_free(NULL);
}

struct closing {
    fern_server *server;
    int result;
};

static void *
stop_inside(int fd, void *arg)
{
    struct closing *closing = arg;
    char byte;
    if (fern_recv(fd, &byte, 1, 0, FERN_FOREVER) == 1)
        closing->result = fern_server_stop(closing->server, FERN_FOREVER);
    if (fern_write_all(fd, "bye", 3, NULL, FERN_FOREVER) < 0)
        return NULL;
    return NULL;
}

TEST(a_handler_may_stop_the_server_and_waits_for_the_others_only)
{
    struct closing closing = {.result = -1};
    closing.server = started("127.0.0.1:0", stop_inside, &closing, NULL);
    int stopper = dial(closing.server), other = dial(closing.server);
    settle(closing.server, 2);
    ASSERT_OK(fern_write_all(stopper, "q", 1, NULL, FERN_FOREVER));
    fern_sleep(5 * FERN_MS);
    ASSERT_EQ(closing.result, -1);
    fern_close(other);
    expect_text(stopper, "bye");
    ASSERT_EQ(closing.result, 0);
    finish(closing.server);
}

/* ---- misuse ---- */

static int
errno_of(const char *address, fern_serve_fn *handle, const fern_server_options *options)
{
    errno = 0;
    ASSERT_NULL(fern_server_new(address, handle, NULL, options));
    return errno;
}

TEST(misuse_of_new_is_answered)
{
    FERN_SERVER_OPTIONS(options);
    ASSERT_EQ(errno_of("127.0.0.1:0", NULL, NULL), EINVAL);
    ASSERT_EQ(errno_of(NULL, echo, NULL), EINVAL);
    ASSERT_EQ(errno_of("127.0.0.1:x", echo, NULL), EINVAL);
    ASSERT_EQ(errno_of("127.0.0.1:70000", echo, NULL), EINVAL);
    ASSERT_EQ(errno_of("localhost:80", echo, NULL), EADDRNOTAVAIL);
    options.backlog = -1;
    ASSERT_EQ(errno_of("127.0.0.1:0", echo, &options), EINVAL);
    options.backlog = 0;
    options.size = 3;
    ASSERT_EQ(errno_of("127.0.0.1:0", echo, &options), EINVAL);
    errno = 0;
    ASSERT_NULL(fern_server_new_datagram("127.0.0.1:0", NULL, NULL, NULL));
    ASSERT_EQ(errno, EINVAL);
}

TEST(what_cannot_be_adopted_is_refused)
{
    FERN_SERVER_OPTIONS(options);
    int pipes[2];
    ASSERT_OK(pipe(pipes));
    options.adopt = true;
    options.fd = pipes[0];
    ASSERT_EQ(errno_of(NULL, echo, &options), ENOTSOCK);
    close(pipes[0]);
    close(pipes[1]);
    ASSERT_EQ(errno_of(NULL, echo, &options), EBADF);
    options.fd = socket(AF_INET, SOCK_DGRAM, 0);
    ASSERT_EQ(errno_of(NULL, echo, &options), EINVAL);
    close(options.fd);
}

TEST(null_is_answered_with_einval)
{
    fern_server *server = fern_server_new("127.0.0.1:0", echo, NULL, NULL);
    fern_address address;
    fern_server_stats stats;
    ASSERT_ERR(fern_server_start(NULL), -EINVAL);
    ASSERT_ERR(fern_server_run(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_server_stop(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_server_get_address(NULL, &address), -EINVAL);
    ASSERT_ERR(fern_server_get_address(server, NULL), -EINVAL);
    ASSERT_ERR(fern_server_get_address(server, &address), -ENOTCONN);
    ASSERT_ERR(fern_server_port(NULL), -EINVAL);
    ASSERT_ERR(fern_server_fd(NULL), -EINVAL);
    ASSERT_ERR(fern_server_get_stats(NULL, &stats), -EINVAL);
    ASSERT_ERR(fern_server_get_stats(server, NULL), -EINVAL);
    ASSERT_STR_EQ(fern_server_address(NULL), "");
    fern_server_free(server);
}

static void *
use_from_thread(void *server)
{
    ASSERT_ERR(fern_server_start(server), -EXDEV);
    ASSERT_ERR(fern_server_stop(server, FERN_NOWAIT), -EXDEV);
    return NULL;
}

TEST(another_thread_is_answered_with_exdev)
{
    fern_server *server = fern_server_new("127.0.0.1:0", echo, NULL, NULL);
    pthread_t thread;
    ASSERT_OK(pthread_create(&thread, NULL, use_from_thread, server));
    pthread_join(thread, NULL);
    fern_server_free(server);
}

struct refused {
    fern_server *server;
    int run;
    int stop;
};

static void
use_in_callback(void *arg)
{
    struct refused *refused = arg;
    refused->run = fern_server_run(refused->server, FERN_FOREVER);
    refused->stop = fern_server_stop(refused->server, FERN_FOREVER);
}

TEST(a_callback_must_not_wait_for_a_server)
{
    fern_callback callback = FERN_CALLBACK_INIT;
    struct refused refused = {.server = started("127.0.0.1:0", echo, NULL, NULL)};
    ASSERT_OK(fern_call_soon(&callback, use_in_callback, &refused));
    fern_yield();
    ASSERT_ERR(refused.run, -EDEADLK);
    ASSERT_ERR(refused.stop, -EDEADLK);
    finish(refused.server);
}

/* ---- an acceptor that is overtaken by a stop ---- */

static int told[2];

static void *
restart_when_told(void *arg)
{
    char c;
    ASSERT_EQ(fern_read(told[0], &c, 1, FERN_FOREVER), 1);
    ASSERT_OK(fern_server_stop(arg, FERN_FOREVER));
    ASSERT_OK(fern_server_start(arg));
    return NULL;
}

TEST(an_acceptor_that_was_woken_before_a_stop_leaves_the_next_start_alone)
{
    ASSERT_OK(fern_pipe(told, 0));
    fern_server *server = fern_server_new("unix:@fern-test-restart", echo, NULL, NULL);
    ASSERT_NOT_NULL(server);
    fern_greenlet *g = fern_spawn(restart_when_told, server);
    ASSERT_OK(
            fern_sleep(FERN_MS)); /* it waits before the acceptor, and so is woken before */
    ASSERT_OK(fern_server_start(server));
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_EQ(fern_write(told[1], "t", 1, FERN_FOREVER), 1);
    int lost = dial(server);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
    for (int i = 0; i < 5; i++)
        fern_yield();
    ASSERT_OK(fern_server_fd(server));
    int fd = dial(server);
    ask(fd, "once more");
    ASSERT_OK(fern_close(fd));
    ASSERT_OK(fern_close(lost));
    ASSERT_OK(fern_close(told[0]));
    ASSERT_OK(fern_close(told[1]));
    finish(server);
}

static int handled;

static void *
count_it(int fd, void *unused)
{
    (void)fd;
    handled++;
    return unused;
}

TEST(a_connection_that_was_accepted_before_a_stop_is_not_served_after_it)
{
    fern_hub_options options = {.size = sizeof options, .budget_ops = 1};
    ASSERT_OK(fern_hub_set_options(&options)); /* each success lets others run */
    fern_server *server = started("unix:@fern-test-overtaken", count_it, NULL, NULL);
    int fd = dial(server); /* which lets the acceptor run, and that has let us run again */
    ASSERT_EQ(stats_of(server).accepted, 0);
    ASSERT_OK(fern_server_stop(server, FERN_FOREVER));
    for (int i = 0; i < 5; i++)
        ASSERT_OK(fern_yield());
    ASSERT_EQ(handled, 0);
    expect_closed(fd);
    fern_server_free(server);
    fern_yield();
}
