/* SPDX-License-Identifier: MIT */
/*
 * A server's life: made, started, run, stopped, freed. What it does while it serves is in
 * accept.c (connections), receive.c (datagrams) and handling.c (the handlers).
 *
 *     idle ---- fern_server_start ----> serving
 *     serving - fern__server_close ---> idle        (a stop, or an error that ended it)
 *
 * It serves exactly while `listener.fd` is open. The acceptor is killed by a close, and touches
 * nothing of the server once a call of it has failed with -ECANCELED: by then another acceptor
 * may be at work. Handlers of an earlier start may still run in a later one.
 */
#include "net/server.h"

#include "base/sys.h"
#include "core/wait.h"

#include <arpa/inet.h>
#include <fern/io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BACKLOG = 1024, ACCEPTS_MAX = 100, DATAGRAM_BYTES_MAX = 65536 };

static void
describe(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct fern_server *server = cell->object;
    snprintf(text, bytes, "server %s, %llu handlers", server->listener.text,
            (unsigned long long)server->stats.active);
}

static const struct fern__waitable waitable_run = {.name = "server", .describe = describe};
static const struct fern__waitable waitable_stop = {
        .name = "handlers", .describe = describe};

/* ---- making ---- */

static bool
options_fit(const fern_server_options *options)
{
    return options->size == sizeof *options && options->backlog >= 0 &&
           options->accepts_max >= 0 && options->cancel_ns >= 0;
}

static void
fill_in(fern_server_options *options)
{
    if (!options->backlog)
        options->backlog = BACKLOG;
    if (!options->accepts_max)
        options->accepts_max = ACCEPTS_MAX;
    if (!options->cancel_ns)
        options->cancel_ns = FERN_SECOND;
    if (!options->connections_max)
        options->connections_max = SIZE_MAX;
    if (!options->datagram_bytes_max)
        options->datagram_bytes_max = DATAGRAM_BYTES_MAX;
}

/* As much of a name as a greenlet's has room for. */
static void
take_name(struct fern_server *server, const char *name)
{
    snprintf(server->name, sizeof server->name, "%.*s", (int)sizeof server->name - 1, name);
}

static int
make(const char *address, int type, const fern_server_options *options,
        struct fern_server **ret_server)
{
    FERN_CHECK(!options || options_fit(options), -EINVAL);
    FERN_CHECK(address || (options && options->adopt), -EINVAL);
    struct fern__hub *hub = fern__hub_need();
    if (!hub)
        return fern__hub_error();
    struct fern_server *server = calloc(1, sizeof *server);
    if (!server)
        return -ENOMEM;
    server->options.size = sizeof server->options;
    if (options)
        server->options = *options;
    fill_in(&server->options);
    int r = fern__listener_init(&server->listener, address, type, &server->options);
    if (r < 0) {
        free(server);
        return r;
    }
    if (server->options.name)
        take_name(server, server->options.name);
    server->options.name = NULL;
    server->hub = hub;
    server->answers = -1;
    server->reserve = -1;
    server->refs = 1;
    server->magic = FERN__SERVER_MAGIC;
    *ret_server = server;
    return 0;
}

/* A pointer and errno, as constructors speak. */
static fern_server *
made(struct fern_server *server, int r)
{
    if (r < 0)
        errno = -r;
    return r < 0 ? NULL : server;
}

fern_server *
fern_server_new(const char *address, fern_serve_fn *handle, void *arg,
        const fern_server_options *options)
{
    struct fern_server *server = NULL;
    int r = handle ? make(address, SOCK_STREAM, options, &server) : -EINVAL;
    if (r == 0) {
        server->loop = fern__server_accept_loop;
        server->handle = handle;
        server->arg = arg;
    }
    return made(server, r);
}

fern_server *
fern_server_new_datagram(const char *address, fern_serve_datagram_fn *handle, void *arg,
        const fern_server_options *options)
{
    struct fern_server *server = NULL;
    int r = handle ? make(address, SOCK_DGRAM, options, &server) : -EINVAL;
    if (r == 0) {
        server->loop = fern__server_receive_loop;
        server->handle_datagram = handle;
        server->arg = arg;
    }
    return made(server, r);
}

void
fern__server_release(struct fern_server *server)
{
    if (--server->refs)
        return;
    server->magic = 0;
    free(server);
}

/* ---- running ---- */

static int
check(const struct fern_server *server)
{
    FERN_CHECK(server && server->magic == FERN__SERVER_MAGIC, -EINVAL);
    FERN_CHECK(server->hub == fern__self_hub(), -EXDEV);
    return 0;
}

static bool
serves(const struct fern_server *server)
{
    return server->listener.fd >= 0;
}

static void
release_acceptor(void *arg)
{
    fern__server_release(arg);
}

static int
spawn_acceptor(struct fern_server *server)
{
    char name[sizeof server->name];
    snprintf(name, sizeof name, "accept %.*s", (int)sizeof name - 8, server->listener.text);
    FERN_SPAWN_OPTIONS(options);
    options.name = name;
    options.free_arg = release_acceptor;
    fern_greenlet *g = fern_spawn_with(server->loop, server, &options);
    if (!g)
        return -errno;
    server->refs++;
    server->acceptor = g;
    fern_greenlet_unref(g); /* its run keeps it */
    return 0;
}

int
fern_server_start(fern_server *server)
{
    int r = check(server);
    if (r < 0 || serves(server))
        return r;
    fern__server_close_answers(server);
    r = fern__listener_open(&server->listener, &server->options);
    if (r < 0)
        return r;
    if (!server->name[0])
        take_name(server, server->listener.text);
    r = server->reserve = fern__server_open_reserve();
    if (r >= 0)
        r = spawn_acceptor(server);
    if (r < 0)
        fern__server_close(server, r);
    return r;
}

/* Open a wait of the caller on one of the server's queues and park. */
static int
wait_on(struct fern_server *server, struct fern__list *queue,
        const struct fern__waitable *kind, fern_time deadline)
{
    fern_greenlet *g = server->hub->current;
    if (deadline.ns == 0)
        return -EAGAIN;
    if (g->interrupt) /* it came between two waits of one call */
        return g->interrupt;
    fern__wait_begin(g, kind, server);
    fern__wait_add(queue, &g->cell);
    return fern__park(server->hub, g, deadline);
}

static void
wake_all(struct fern__list *queue, int code)
{
    for (struct fern__cell *cell; (cell = fern__wait_first(queue));)
        fern__wake(cell, code);
}

int
fern_server_run(fern_server *server, fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, deadline);
    if (r == 0)
        r = fern_server_start(server);
    if (r < 0)
        return r;
    return wait_on(server, &server->runs, &waitable_run, deadline);
}

/* ---- stopping ---- */

void
fern__server_close(struct fern_server *server, int code)
{
    fern_greenlet *acceptor = server->acceptor;
    server->acceptor = NULL;
    /* Before its descriptor goes: it must see the kill. */
    if (acceptor && acceptor != server->hub->current)
        fern__greenlet_kill(acceptor, 0);
    if (server->handle_datagram && server->stats.active)
        server->answers = fern__listener_leave(&server->listener);
    else
        fern__listener_close(&server->listener);
    if (server->reserve >= 0)
        (void)fern__sys_close(server->reserve);
    server->reserve = -1;
    server->pause_ns = 0;
    wake_all(&server->runs, code);
}

void
fern__server_close_answers(struct fern_server *server)
{
    if (server->answers >= 0)
        (void)fern_close(server->answers);
    server->answers = -1;
}

void
fern__server_tell_stops(struct fern_server *server)
{
    wake_all(&server->stops, 0);
}

/* The handling that the caller is itself, or NULL. */
static struct fern__handling *
own_handling(struct fern_server *server)
{
    FERN__LIST_FOREACH (node, &server->handlings) {
        struct fern__handling *h = fern__container_of(node, struct fern__handling, node);
        if (h->greenlet == server->hub->current)
            return h;
    }
    return NULL;
}

/* Kill all handlers but the caller. @return how many */
static int
kill_handlers(struct fern_server *server)
{
    int killed = 0;
    FERN__LIST_FOREACH_SAFE (node, after, &server->handlings) {
        struct fern__handling *h = fern__container_of(node, struct fern__handling, node);
        if (h->greenlet == server->hub->current)
            continue;
        killed++;
        fern__greenlet_kill(h->greenlet, 0);
    }
    server->stats.cancelled += (uint64_t)killed;
    return killed;
}

static int
wait_handlers(struct fern_server *server, bool from_handler, fern_time deadline)
{
    int r = 0;
    while (r == 0 && server->stats.active > (from_handler ? server->inside : 0))
        r = wait_on(server, &server->stops, &waitable_stop, deadline);
    return r;
}

/* Kill what is left and let it clean up. @return how many were killed */
static int
stop_hard(struct fern_server *server, bool from_handler, bool may_wait)
{
    int killed = kill_handlers(server);
    if (may_wait) {
        FERN_SHIELD (shield)
            (void)wait_handlers(server, from_handler, fern_in(server->options.cancel_ns));
    }
    return killed;
}

int
fern_server_stop(fern_server *server, fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = check(server);
    if (r == 0)
        r = fern__wait_enter(&hub, &g, deadline);
    if (r < 0)
        return r;
    if (serves(server))
        fern__server_close(server, 0);
    bool from_handler = own_handling(server);
    if (from_handler) {
        server->inside++;
        fern__server_tell_stops(server);
    }
    r = wait_handlers(server, from_handler, deadline);
    if (r == -ETIME || r == -EAGAIN || r == -ECANCELED) {
        int killed = stop_hard(server, from_handler, r != -EAGAIN);
        r = r == -ECANCELED ? r : killed;
    }
    server->inside -= from_handler;
    return r;
}

void
fern_server_free(fern_server *server)
{
    if (!server)
        return;
    if (check(server) < 0) {
        fern__report(
                "a server was to be freed on a thread that is not its own; it is kept");
        return;
    }
    (void)fern_server_stop(server, FERN_NOWAIT);
    fern__server_release(server);
}

/* ---- looking at it ---- */

int
fern_server_get_address(const fern_server *server, fern_address *ret_address)
{
    FERN_CHECK(server && ret_address, -EINVAL);
    FERN_CHECK(serves(server), -ENOTCONN);
    *ret_address = server->listener.address;
    return 0;
}

const char *
fern_server_address(const fern_server *server)
{
    return server && serves(server) ? server->listener.text : "";
}

int
fern_server_port(const fern_server *server)
{
    FERN_CHECK(server, -EINVAL);
    if (!serves(server))
        return 0;
    const fern_address *at = &server->listener.address;
    switch (at->as.any.sa_family) {
    case AF_INET:
        return ntohs(at->as.in.sin_port);
    case AF_INET6:
        return ntohs(at->as.in6.sin6_port);
    default:
        return 0;
    }
}

int
fern_server_fd(const fern_server *server)
{
    FERN_CHECK(server, -EINVAL);
    FERN_CHECK(serves(server), -ENOTCONN);
    return server->listener.fd;
}

int
fern_server_get_stats(const fern_server *server, fern_server_stats *ret_stats)
{
    FERN_CHECK(server && ret_stats, -EINVAL);
    *ret_stats = server->stats;
    return 0;
}
