/* SPDX-License-Identifier: MIT */
/*
 * Graceful stops and their deadlines, and how many connections are accepted in a row. Time is
 * virtual: it passes only while everybody waits, so that no turn ends for its length.
 */
#include "harness.h"

#include <errno.h>
#include <fern.h>
#include <string.h>
#include <sys/socket.h>

/* What handlers of these tests do, and what became of them. */
struct work {
    int64_t lasts_ns;   /* how long one works */
    int64_t cleanup_ns; /* how long it cleans up when it is cut short */
    int done;
    int cut_short;
    int cleaned;
};

static void *
work(int fd, void *arg)
{
    struct work *w = arg;
    (void)fd;
    if (fern_sleep(w->lasts_ns) == 0) {
        w->done++;
        return NULL;
    }
    w->cut_short++;
    FERN_SHIELD (shield)
        fern_sleep(w->cleanup_ns);
    w->cleaned++;
    return NULL;
}

static fern_server *
started(struct work *w, int connections, int *fds, const fern_server_options *options)
{
    fern_server *server = fern_server_new("127.0.0.1:0", work, w, options);
    ASSERT_OK(fern_server_start(server));
    for (int i = 0; i < connections; i++) {
        fds[i] = fern_dial(fern_server_address(server), FERN_FOREVER);
        ASSERT_OK(fds[i]);
    }
    fern_server_stats stats = {0};
    while (stats.active < (uint64_t)connections) {
        fern_yield();
        ASSERT_OK(fern_server_get_stats(server, &stats));
    }
    return server;
}

static void
close_all(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        ASSERT_OK(fern_close(fds[i]));
}

static int64_t
since(fern_time t)
{
    return fern_time_diff(fern_now(), t);
}

TEST(a_stop_waits_for_handlers_that_end_in_time)
{
    int fds[3];
    struct work w = {.lasts_ns = 2 * FERN_SECOND};
    fern_server *server = started(&w, 3, fds, NULL);
    fern_time began = fern_now();
    ASSERT_EQ(fern_server_stop(server, fern_in(5 * FERN_SECOND)), 0);
    ASSERT_LE(since(began), 2 * FERN_SECOND);
    ASSERT_EQ(w.done, 3);
    ASSERT_EQ(w.cut_short, 0);
    close_all(fds, 3);
    fern_server_free(server);
}

TEST(a_stop_kills_what_is_left_when_its_deadline_passes)
{
    int fds[3];
    struct work w = {.lasts_ns = 60 * FERN_SECOND, .cleanup_ns = 100 * FERN_MS};
    fern_server *server = started(&w, 3, fds, NULL);
    fern_time began = fern_now();
    ASSERT_EQ(fern_server_stop(server, fern_in(5 * FERN_SECOND)), 3);
    ASSERT_EQ(since(began), 5 * FERN_SECOND + 100 * FERN_MS);
    ASSERT_EQ(w.done, 0);
    ASSERT_EQ(w.cleaned, 3);
    fern_server_stats stats;
    ASSERT_OK(fern_server_get_stats(server, &stats));
    ASSERT_EQ(stats.cancelled, 3);
    ASSERT_EQ(stats.active, 0);
    close_all(fds, 3);
    fern_server_free(server);
}

TEST(cleaning_up_after_a_kill_is_waited_for_one_second_at_most)
{
    int fd;
    struct work w = {.lasts_ns = 60 * FERN_SECOND, .cleanup_ns = 10 * FERN_SECOND};
    fern_server *server = started(&w, 1, &fd, NULL);
    fern_time began = fern_now();
    ASSERT_EQ(fern_server_stop(server, fern_in(FERN_SECOND)), 1);
    ASSERT_EQ(since(began), 2 * FERN_SECOND);
    ASSERT_EQ(w.cleaned, 0);
    fern_server_free(server);
    fern_sleep(10 * FERN_SECOND);
    ASSERT_EQ(w.cleaned, 1);
    close_all(&fd, 1);
}

TEST(how_long_cleaning_up_may_take_is_an_option)
{
    int fd;
    struct work w = {.lasts_ns = 60 * FERN_SECOND, .cleanup_ns = 10 * FERN_SECOND};
    FERN_SERVER_OPTIONS(options);
    options.cancel_ns = FERN_MINUTE;
    fern_server *server = started(&w, 1, &fd, &options);
    ASSERT_EQ(fern_server_stop(server, fern_in(FERN_SECOND)), 1);
    ASSERT_EQ(w.cleaned, 1);
    close_all(&fd, 1);
    fern_server_free(server);
}

TEST(a_stopping_server_accepts_nothing_more)
{
    int fd;
    struct work w = {.lasts_ns = FERN_SECOND};
    fern_server *server = started(&w, 1, &fd, NULL);
    fern_address address;
    ASSERT_OK(fern_server_get_address(server, &address));
    ASSERT_EQ(fern_server_stop(server, FERN_NOWAIT), 1);
    ASSERT_ERR(fern_dial_at(&address, FERN_FOREVER), -ECONNREFUSED);
    fern_sleep(FERN_MS);
    close_all(&fd, 1);
    fern_server_free(server);
}

struct stopping {
    fern_server *server;
    int result;
};

static void *
stop_it(void *arg)
{
    struct stopping *stopping = arg;
    stopping->result = fern_server_stop(stopping->server, FERN_FOREVER);
    return NULL;
}

TEST(a_stop_that_is_killed_kills_the_handlers_with_it)
{
    int fds[2];
    struct work w = {.lasts_ns = FERN_HOUR};
    struct stopping stopping = {.server = started(&w, 2, fds, NULL)};
    fern_greenlet *g = fern_spawn(stop_it, &stopping);
    fern_sleep(FERN_SECOND);
    ASSERT_EQ(w.cut_short, 0);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_ERR(stopping.result, -ECANCELED);
    ASSERT_EQ(w.cleaned, 2);
    fern_greenlet_unref(g);
    close_all(fds, 2);
    fern_server_free(stopping.server);
}

TEST(a_kill_between_the_ends_of_two_handlers_reaches_a_stop)
{
    int fds[2];
    struct work w = {.lasts_ns = FERN_SECOND};
    struct stopping stopping = {.server = started(&w, 1, &fds[0], NULL)};
    fern_yield(); /* its handler begins to work */
    fern_time end_of_first = fern_in(FERN_SECOND);
    w.lasts_ns = FERN_HOUR;
    fds[1] = fern_dial(fern_server_address(stopping.server), FERN_FOREVER);
    ASSERT_OK(fds[1]);
    fern_sleep(FERN_MS);
    fern_greenlet *g = fern_spawn(stop_it, &stopping);
    fern_yield();
    fern_sleep_until(end_of_first);
    ASSERT_EQ(w.done, 1); /* the stop is ready, and has not run */
    ASSERT_ERR(fern_kill(g, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_join(g, fern_in(FERN_MINUTE)));
    ASSERT_ERR(stopping.result, -ECANCELED);
    ASSERT_EQ(w.cleaned, 1);
    fern_greenlet_unref(g);
    close_all(fds, 2);
    fern_server_free(stopping.server);
}

TEST(a_scope_around_a_stop_is_a_deadline_too)
{
    int fd, r = 0;
    struct work w = {.lasts_ns = FERN_HOUR};
    fern_server *server = started(&w, 1, &fd, NULL);
    fern_time began = fern_now();
    FERN_SCOPE (patience, fern_in(3 * FERN_SECOND))
        r = fern_server_stop(server, FERN_FOREVER);
    ASSERT_EQ(r, 1);
    ASSERT_EQ(since(began), 3 * FERN_SECOND);
    ASSERT_EQ(w.cleaned, 1);
    close_all(&fd, 1);
    fern_server_free(server);
}

TEST(two_stops_wait_together)
{
    int fd;
    struct work w = {.lasts_ns = 2 * FERN_SECOND};
    struct stopping stopping = {.server = started(&w, 1, &fd, NULL), .result = -1};
    fern_greenlet *g = fern_spawn(stop_it, &stopping);
    ASSERT_EQ(fern_server_stop(stopping.server, FERN_FOREVER), 0);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_EQ(stopping.result, 0);
    ASSERT_EQ(w.done, 1);
    fern_greenlet_unref(g);
    close_all(&fd, 1);
    fern_server_free(stopping.server);
}

/* ---- how many in a row ---- */

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

static uint64_t
accepted(const fern_server *server)
{
    fern_server_stats stats;
    ASSERT_OK(fern_server_get_stats(server, &stats));
    return stats.accepted;
}

TEST(a_hundred_are_accepted_before_the_others_have_their_turn)
{
    int fds[250];
    struct work w = {.lasts_ns = FERN_SECOND};
    fern_server *server = started(&w, 0, NULL, NULL);
    connect_plainly(server, fds, 250);
    fern_yield();
    ASSERT_EQ(accepted(server), 100);
    while (accepted(server) < 250) {
        uint64_t before = accepted(server);
        fern_yield();
        ASSERT_LE(accepted(server), before + 100);
    }
    ASSERT_EQ(fern_server_stop(server, FERN_FOREVER), 0);
    ASSERT_EQ(w.done, 250);
    close_all(fds, 250);
    fern_server_free(server);
}

TEST(how_many_are_accepted_in_a_row_is_an_option)
{
    int fds[5];
    struct work w = {.lasts_ns = FERN_SECOND};
    FERN_SERVER_OPTIONS(options);
    options.accepts_max = 1;
    fern_server *server = started(&w, 0, NULL, &options);
    connect_plainly(server, fds, 5);
    for (uint64_t i = 1; i <= 5; i++) {
        fern_yield();
        ASSERT_EQ(accepted(server), i);
    }
    ASSERT_EQ(fern_server_stop(server, FERN_FOREVER), 0);
    close_all(fds, 5);
    fern_server_free(server);
}
