/* SPDX-License-Identifier: MIT */
/*
 * Datagram servers, over UDP and Unix sockets.
 */
#include "harness.h"

#include <errno.h>
#include <fern.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *
send_back(fern_datagram *datagram, void *unused)
{
    ssize_t n = fern_sendto(datagram->fd, datagram->data, datagram->bytes, 0,
            &datagram->from, FERN_FOREVER);
    return n < 0 ? fern_fail((int)n, "answer") : unused;
}

static fern_server *
started(const char *address, fern_serve_datagram_fn *handle, void *arg,
        const fern_server_options *options)
{
    fern_server *server = fern_server_new_datagram(address, handle, arg, options);
    ASSERT_NOT_NULL(server);
    ASSERT_OK(fern_server_start(server));
    return server;
}

static int
client_of(const fern_server *server)
{
    fern_address to;
    ASSERT_OK(fern_server_get_address(server, &to));
    int fd = fern_socket(to.as.any.sa_family, SOCK_DGRAM, 0);
    ASSERT_OK(fd);
    ASSERT_OK(fern_connect(fd, &to, FERN_FOREVER));
    return fd;
}

static void
say(int fd, const char *text)
{
    ASSERT_EQ(fern_send(fd, text, strlen(text), 0, FERN_FOREVER), strlen(text));
}

static void
expect(int fd, const char *text)
{
    char got[64] = "";
    ASSERT_EQ(fern_recv(fd, got, sizeof got - 1, 0, FERN_FOREVER), strlen(text));
    ASSERT_STR_EQ(got, text);
}

static fern_server_stats
stats_of(const fern_server *server)
{
    fern_server_stats stats;
    ASSERT_OK(fern_server_get_stats(server, &stats));
    return stats;
}

static void
finish(fern_server *server)
{
    ASSERT_OK(fern_server_stop(server, FERN_FOREVER));
    fern_server_free(server);
    fern_yield();
}

TEST(each_datagram_is_answered_to_its_sender)
{
    fern_server *server = started("127.0.0.1:0", send_back, NULL, NULL);
    int a = client_of(server), b = client_of(server);
    say(a, "one");
    say(b, "two");
    say(a, "three");
    expect(b, "two");
    expect(a, "one");
    expect(a, "three");
    ASSERT_EQ(stats_of(server).accepted, 3);
    fern_close(a);
    fern_close(b);
    finish(server);
}

TEST(an_empty_datagram_is_one_too)
{
    fern_server *server = started("127.0.0.1:0", send_back, NULL, NULL);
    int fd = client_of(server);
    say(fd, "");
    expect(fd, "");
    fern_close(fd);
    finish(server);
}

static void *
note(fern_datagram *datagram, void *ret_datagram)
{
    *(fern_datagram *)ret_datagram = *datagram;
    return send_back(datagram, NULL);
}

TEST(a_datagram_that_is_too_long_is_cut_and_says_so)
{
    fern_datagram noted = {0};
    FERN_SERVER_OPTIONS(options);
    options.datagram_bytes_max = 4;
    fern_server *server = started("127.0.0.1:0", note, &noted, &options);
    int fd = client_of(server);
    say(fd, "1234");
    expect(fd, "1234");
    ASSERT_FALSE(noted.cut);
    say(fd, "12345");
    expect(fd, "1234");
    ASSERT_TRUE(noted.cut);
    ASSERT_EQ(noted.bytes, 4);
    fern_close(fd);
    finish(server);
}

static void *
count_and_wait(fern_datagram *datagram, void *arg)
{
    int *running = arg;
    ++*running;
    int r = fern_sleep(FERN_SECOND);
    --*running;
    return r == 0 ? send_back(datagram, NULL) : NULL;
}

TEST(no_more_handlers_run_than_are_allowed)
{
    int running = 0;
    FERN_SERVER_OPTIONS(options);
    options.connections_max = 2;
    fern_server *server = started("127.0.0.1:0", count_and_wait, &running, &options);
    int fd = client_of(server);
    for (int i = 0; i < 4; i++)
        say(fd, "work");
    fern_sleep(500 * FERN_MS);
    ASSERT_EQ(running, 2);
    for (int i = 0; i < 4; i++)
        expect(fd, "work");
    ASSERT_EQ(stats_of(server).accepted, 4);
    fern_close(fd);
    finish(server);
}

static void *
fail_on_x(fern_datagram *datagram, void *unused)
{
    if (datagram->data[0] == 'x')
        return fern_fail(1, "got an x");
    return send_back(datagram, unused);
}

static void
hush(fern_greenlet *g, const fern_outcome *outcome, void *unused)
{
    (void)g;
    (void)outcome;
    (void)unused;
}

TEST(a_handler_that_fails_leaves_the_server_running)
{
    ASSERT_OK(fern_set_error_hook(hush, NULL));
    fern_server *server = started("127.0.0.1:0", fail_on_x, NULL, NULL);
    int fd = client_of(server);
    say(fd, "x");
    say(fd, "y");
    expect(fd, "y");
    ASSERT_EQ(stats_of(server).failed, 1);
    fern_close(fd);
    finish(server);
}

TEST(an_answer_that_nobody_takes_does_not_end_the_server)
{
    fern_server *server = started("127.0.0.1:0", send_back, NULL, NULL);
    int gone = client_of(server), fd = client_of(server);
    say(gone, "to nobody");
    fern_close(gone);
    fern_sleep(FERN_MS);
    say(fd, "to me");
    expect(fd, "to me");
    fern_close(fd);
    finish(server);
}

TEST(a_unix_datagram_server_answers_a_named_client)
{
    char text[64];
    snprintf(text, sizeof text, "unix:@fern-datagram-%d", (int)getpid());
    fern_server *server = started(text, send_back, NULL, NULL);
    ASSERT_STR_EQ(fern_server_address(server), text);
    fern_address own;
    snprintf(text, sizeof text, "unix:@fern-datagram-client-%d", (int)getpid());
    ASSERT_OK(fern_address_parse(text, &own));
    fern_address to;
    ASSERT_OK(fern_server_get_address(server, &to));
    int fd = fern_socket(AF_UNIX, SOCK_DGRAM, 0);
    ASSERT_OK(fern_bind(fd, &own));
    ASSERT_OK(fern_connect(fd, &to, FERN_FOREVER));
    say(fd, "local");
    expect(fd, "local");
    fern_close(fd);
    finish(server);
}

TEST(a_stop_waits_for_the_handlers_of_datagrams_and_lets_them_answer)
{
    int running = 0;
    fern_server *server = started("127.0.0.1:0", count_and_wait, &running, NULL);
    int fd = client_of(server);
    say(fd, "a");
    say(fd, "b");
    fern_sleep(FERN_MS);
    ASSERT_EQ(running, 2);
    ASSERT_EQ(fern_server_stop(server, fern_in(FERN_MINUTE)), 0);
    ASSERT_EQ(running, 0);
    expect(fd, "a");
    expect(fd, "b");
    fern_close(fd);
    fern_server_free(server);
}

TEST(a_stop_kills_the_handlers_of_datagrams)
{
    int running = 0;
    fern_server *server = started("127.0.0.1:0", count_and_wait, &running, NULL);
    int fd = client_of(server);
    say(fd, "a");
    fern_sleep(FERN_MS);
    ASSERT_EQ(fern_server_stop(server, fern_in(10 * FERN_MS)), 1);
    ASSERT_EQ(running, 0);
    fern_close(fd);
    fern_server_free(server);
}
