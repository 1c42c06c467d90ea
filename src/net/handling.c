/* SPDX-License-Identifier: MIT */
/*
 * Handlers: one greenlet for each connection or datagram, how many there may be, and what an
 * acceptor does when the machine has no room for one more.
 *
 * A handling is given to its greenlet as its argument, and is given back by the greenlet's end
 * (free_arg), which comes however it ends: returned, fern_exit(), killed, killed before it ran.
 */
#include "core/fair.h"
#include "core/wait.h"
#include "net/server.h"
#include "poll/fdtab.h"

#include <fern/io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MIN_NS (10 * FERN_MS)
#define PAUSE_MAX_NS FERN_SECOND

static void
describe_full(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct fern_server *server = cell->object;
    snprintf(text, bytes, "server %s has its most, %zu", server->listener.text,
            server->options.connections_max);
}

static const struct fern__waitable waitable_full = {
        .name = "handlers", .describe = describe_full};

uint32_t
fern__server_generation(int fd)
{
    return fd < FERN__FDS_MAX ? fern__fd_word(fd) : 0;
}

/* A handler's greenlet has ended: give everything back. */
static void
end(void *arg)
{
    struct fern__handling *handling = arg;
    struct fern_server *server = handling->server;
    if (handling->fd >= 0 && handling->word == fern__server_generation(handling->fd))
        (void)fern_close(handling->fd);
    if (handling->greenlet->flags & FERN__FAILED)
        server->stats.failed++;
    fern__list_remove(&handling->node);
    if (--server->stats.active == 0)
        fern__server_close_answers(server);
    struct fern__cell *acceptor = fern__wait_first(&server->full);
    if (acceptor)
        fern__wake(acceptor, 0);
    fern__server_tell_stops(server);
    free(handling);
    fern__server_release(server);
}

int
fern__server_handle(
        struct fern_server *server, struct fern__handling *handling, fern_fn *fn)
{
    FERN_SPAWN_OPTIONS(options);
    options.name = server->name;
    options.stack_bytes = server->options.stack_bytes;
    options.free_arg = end;
    fern_greenlet *g = fern_spawn_with(fn, handling, &options);
    if (!g)
        return -errno;
    handling->server = server;
    handling->greenlet = g;
    fern__list_append(&server->handlings, &handling->node);
    server->refs++;
    server->stats.active++;
    server->stats.accepted++;
    server->pause_ns = 0;
    fern_greenlet_unref(g); /* its run keeps it until end() */
    return 0;
}

int
fern__server_wait_room(struct fern_server *server)
{
    int r = 0;
    if (server->stats.active >= server->options.connections_max)
        server->stats.full++;
    while (r == 0 && server->stats.active >= server->options.connections_max) {
        fern_greenlet *g = server->hub->current;
        if (g->interrupt)
            return g->interrupt;
        fern__wait_begin(g, &waitable_full, server);
        fern__wait_add(&server->full, &g->cell);
        r = fern__park(server->hub, g, FERN_FOREVER);
    }
    return r;
}

int
fern__server_wait_shortage(struct fern_server *server, int code)
{
    server->stats.shortages++;
    if (!server->pause_ns)
        fern__report("server %s cannot accept, and tries again: %s", server->listener.text,
                strerror(-code));
    int64_t pause = server->pause_ns ? 2 * server->pause_ns : PAUSE_MIN_NS;
    server->pause_ns = pause < PAUSE_MAX_NS ? pause : PAUSE_MAX_NS;
    return fern_sleep(server->pause_ns);
}

int
fern__server_count_row(struct fern_server *server, int *row, uint64_t *seen)
{
    *row = fern__fair_switches(server->hub) == *seen ? *row + 1 : 1;
    *seen = fern__fair_switches(server->hub);
    if (*row < server->options.accepts_max)
        return 0;
    *row = 0;
    return fern_yield();
}
