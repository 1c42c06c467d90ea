/* SPDX-License-Identifier: MIT */
/*
 * A server that runs out of descriptors, or whose accept fails otherwise. Time is virtual; the
 * shortage is the kernel's own, by a limit as low as what is open.
 */
#include "harness.h"

#include "base/fault.h"

#include <errno.h>
#include <fern.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void *
greet(int fd, void *unused)
{
    if (fern_write_all(fd, "hi", 2, NULL, FERN_FOREVER) < 0)
        return NULL;
    return unused;
}

static fern_server *
started(void)
{
    fern_server *server = fern_server_new("127.0.0.1:0", greet, NULL, NULL);
    ASSERT_OK(fern_server_start(server));
    fern_yield(); /* the acceptor waits now, its descriptor is known to the poller */
    return server;
}

/* A connection that the kernel has made and nobody has accepted. */
static int
connect_plainly(const fern_server *server)
{
    fern_address to;
    ASSERT_OK(fern_server_get_address(server, &to));
    int fd = socket(to.as.any.sa_family, SOCK_STREAM, 0);
    ASSERT_OK(fd);
    ASSERT_OK(connect(fd, &to.as.any, to.size));
    return fd;
}

static void
limit_to(rlim_t descriptors)
{
    struct rlimit limit;
    ASSERT_OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = descriptors;
    ASSERT_OK(setrlimit(RLIMIT_NOFILE, &limit));
}

/* Take every free descriptor away. @return the limit before */
static rlim_t
begin_shortage(void)
{
    if (harness_runs_under("valgrind"))
        SKIP("valgrind keeps the limit itself, when the kernel has accepted already");
    struct rlimit limit;
    ASSERT_OK(getrlimit(RLIMIT_NOFILE, &limit));
    int lowest_free = dup(0);
    ASSERT_OK(lowest_free);
    close(lowest_free);
    limit_to((rlim_t)lowest_free);
    return limit.rlim_cur;
}

static fern_server_stats
stats_of(const fern_server *server)
{
    fern_server_stats stats;
    ASSERT_OK(fern_server_get_stats(server, &stats));
    return stats;
}

/* What a client hears within a moment: 'h' served, 0 closed, -EAGAIN nothing yet. */
static int
hear(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
    if (n < 0)
        return errno == ECONNRESET ? 0 : -errno;
    return n == 0 ? 0 : byte;
}

TEST(a_short_shortage_refuses_nobody)
{
    fern_server *server = started();
    int client = connect_plainly(server);
    rlim_t before = begin_shortage();
    fern_sleep(5 * FERN_MS);
    ASSERT_EQ(stats_of(server).shortages, 1);
    ASSERT_EQ(hear(client), -EAGAIN);
    limit_to(before);
    fern_sleep(6 * FERN_MS);
    ASSERT_EQ(hear(client), 'h');
    ASSERT_EQ(stats_of(server).accepted, 1);
    ASSERT_EQ(stats_of(server).refused, 0);
    close(client);
    fern_server_free(server);
    fern_yield();
}

TEST(a_longer_shortage_refuses_what_is_pending_and_goes_on)
{
    fern_server *server = started();
    int first = connect_plainly(server), second = connect_plainly(server);
    rlim_t before = begin_shortage();
    fern_sleep(15 * FERN_MS);
    ASSERT_EQ(stats_of(server).shortages, 2);
    ASSERT_EQ(stats_of(server).refused, 2);
    ASSERT_EQ(hear(first), 0);
    ASSERT_EQ(hear(second), 0);
    limit_to(before);
    int third = connect_plainly(server);
    fern_sleep(FERN_SECOND);
    ASSERT_EQ(hear(third), 'h');
    close(first);
    close(second);
    close(third);
    fern_server_free(server);
    fern_yield();
}

TEST(pauses_double_from_10_ms_to_1_s)
{
    static const int at_ms[] = {0, 10, 30, 70, 150, 310, 630, 1270, 2270, 3270};
    enum { TRIES = sizeof at_ms / sizeof *at_ms };
    fern_server *server = started();
    int client = connect_plainly(server);
    rlim_t before = begin_shortage();
    fern_time began = fern_now();
    for (int i = 0; i < TRIES; i++) {
        if (i > 0)
            fern_sleep_until(fern_time_add(began, at_ms[i] * FERN_MS - FERN_MS / 2));
        ASSERT_EQ(stats_of(server).shortages, i);
        fern_sleep_until(fern_time_add(began, at_ms[i] * FERN_MS + FERN_MS / 2));
        ASSERT_EQ(stats_of(server).shortages, i + 1);
        /* One who is refused is followed by another. */
        close(client);
        client = connect_plainly(server);
    }
    limit_to(before);
    close(client);
    fern_server_free(server);
    fern_yield();
}

TEST(a_shortage_that_is_over_is_forgotten)
{
    fern_server *server = started();
    for (int i = 0; i < 2; i++) {
        int client = connect_plainly(server);
        rlim_t before = begin_shortage();
        fern_sleep(5 * FERN_MS);
        ASSERT_EQ(stats_of(server).shortages, i + 1);
        limit_to(before);
        fern_sleep(6 * FERN_MS);
        ASSERT_EQ(hear(client), 'h');
        close(client);
        fern_sleep(FERN_SECOND);
    }
    ASSERT_EQ(stats_of(server).refused, 0);
    fern_server_free(server);
    fern_yield();
}

TEST(a_stop_ends_a_shortage_too)
{
    fern_server *server = started();
    int client = connect_plainly(server);
    rlim_t before = begin_shortage();
    fern_sleep(5 * FERN_MS);
    ASSERT_EQ(fern_server_stop(server, FERN_FOREVER), 0);
    limit_to(before);
    fern_server_free(server);
    fern_yield();
    ASSERT_EQ(hear(client), 0);
    close(client);
}

/* ---- errors of accept, planned ---- */

static void
served_in_spite_of(int error)
{
    fern_server *server = started();
    ASSERT_OK(fern__fault_plan("accept4", 1, error));
    int client = connect_plainly(server);
    fern_sleep(FERN_MS);
    ASSERT_EQ(hear(client), 'h');
    ASSERT_EQ(stats_of(server).shortages, 0);
    fern__fault_clear();
    close(client);
    fern_server_free(server);
    fern_yield();
}

TEST(an_aborted_connection_is_ignored)
{
    served_in_spite_of(ECONNABORTED);
}

TEST(a_connection_that_the_network_has_lost_is_ignored)
{
    served_in_spite_of(EPROTO);
    served_in_spite_of(ENETDOWN);
    served_in_spite_of(EHOSTUNREACH);
}

TEST(the_reserve_serves_to_refuse_and_is_kept_again)
{
    fern_server *server = started();
    for (int i = 1; i <= 2; i++) {
        ASSERT_OK(fern__fault_plan("accept4", 1, EMFILE));
        ASSERT_OK(fern__fault_plan("accept4", 2, EMFILE));
        int client = connect_plainly(server);
        fern_sleep(15 * FERN_MS);
        ASSERT_EQ(stats_of(server).refused, i);
        ASSERT_EQ(hear(client), 0);
        close(client);
        client = connect_plainly(server);
        fern_sleep(FERN_SECOND);
        ASSERT_EQ(hear(client), 'h');
        close(client);
        fern__fault_clear();
    }
    fern_server_free(server);
    fern_yield();
}

TEST(an_unknown_error_is_waited_out)
{
    fern_server *server = started();
    ASSERT_OK(fern__fault_plan("accept4", 1, EIO));
    int client = connect_plainly(server);
    fern_sleep(5 * FERN_MS);
    ASSERT_EQ(stats_of(server).shortages, 1);
    ASSERT_EQ(hear(client), -EAGAIN);
    fern_sleep(6 * FERN_MS);
    ASSERT_EQ(hear(client), 'h');
    fern__fault_clear();
    close(client);
    fern_server_free(server);
    fern_yield();
}

TEST(an_error_of_the_listener_ends_the_server)
{
    fern_server *server = started();
    ASSERT_OK(fern__fault_plan("accept4", 1, EINVAL));
    int client = connect_plainly(server);
    ASSERT_ERR(fern_server_run(server, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_server_fd(server), -ENOTCONN);
    fern__fault_clear();
    close(client);
    fern_server_free(server);
    fern_yield();
}

/* ---- a fault at every step ---- */

/* Start, serve one, stop; any code will do, but nothing may be left or crash. */
static int
whole_life(void)
{
    fern_server *server = fern_server_new("127.0.0.1:0", greet, NULL, NULL);
    if (!server)
        return -errno;
    int r = fern_server_start(server);
    if (r == 0) {
        int fd = fern_dial(fern_server_address(server), fern_in(FERN_SECOND));
        char byte;
        r = fd < 0 ? fd : (int)fern_recv(fd, &byte, 1, 0, fern_in(3 * FERN_SECOND));
        if (fd >= 0)
            (void)fern_close(fd);
    }
    (void)fern_server_stop(server, fern_in(FERN_SECOND));
    fern_server_free(server);
    fern_sleep(5 * FERN_SECOND);
    return r;
}

static int
lowest_free(void)
{
    int fd = dup(0);
    ASSERT_OK(fd);
    close(fd);
    return fd;
}

TEST(a_fault_at_any_system_call_leaves_nothing_behind, .seconds = 60)
{
    static const int errors[] = {ENOMEM, EMFILE, EBADF, ECONNRESET};
    ASSERT_EQ(whole_life(), 1);
    int free_before = lowest_free();
    fern__fault_clear();
    ASSERT_EQ(whole_life(), 1);
    uint64_t calls = 200;
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++) {
        for (uint64_t n = 1; n <= calls; n++) {
            fern__fault_clear();
            ASSERT_OK(fern__fault_plan(NULL, n, errors[e]));
            (void)whole_life();
            fern__fault_clear();
            ASSERT_EQ(lowest_free(), free_before);
        }
    }
    ASSERT_EQ(whole_life(), 1);
}
