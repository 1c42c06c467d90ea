/* SPDX-License-Identifier: MIT */
/*
 * Streams: their life, and whose turn it is.
 *
 * Each direction is used by one greenlet at a time; others wait in order of arrival, so that a
 * line or a block is never mixed with another's. Whoever is inside a call counts as a user; a
 * stream that is closed meanwhile is freed by the last of them.
 */
#include "io/stream.h"

#include "core/registry.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct fern__waitable waitable_turn = {.name = "turn at a stream"};

/* ---- buffers ---- */

int
fern__buffer_reserve(struct fern__buffer *b, size_t bytes)
{
    if (b->room - b->to >= bytes)
        return 0;
    size_t count = fern__buffer_count(b);
    if (b->from && b->room - count >= bytes) {
        memmove(b->at, b->at + b->from, count);
    } else {
        size_t room = b->room ? b->room : FERN__STREAM_BUFFER;
        while (room - count < bytes) {
            if (room > SIZE_MAX / 2)
                return -ENOMEM;
            room *= 2;
        }
        char *at = malloc(room);
        if (!at)
            return -ENOMEM;
        if (count)
            memcpy(at, b->at + b->from, count);
        free(b->at);
        b->at = at;
        b->room = room;
    }
    b->from = 0;
    b->to = count;
    return 0;
}

/* ---- turns ---- */

static int
take_turn(struct fern__turns *turns, fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, deadline);
    if (r < 0)
        return r;
    if (!turns->taken) {
        turns->taken = true;
        return 0;
    }
    if (deadline.ns == 0)
        return -EAGAIN;
    fern__wait_begin(g, &waitable_turn, NULL);
    fern__wait_add(&turns->waiters, &g->cell);
    return fern__park(hub, g, deadline);
}

/* Hand the turn to the next, or nobody has it. */
static void
give_turn(struct fern__turns *turns)
{
    for (struct fern__cell *cell; (cell = fern__wait_first(&turns->waiters));) {
        if (fern__wake(cell, 0))
            return;
    }
    turns->taken = false;
}

static void
drop_user(fern_stream *s)
{
    if (--s->users || !s->closed || s->standard)
        return;
    free(s->in.at);
    free(s->out.at);
    free(s);
}

int
fern__stream_bind(fern_stream *s)
{
    struct fern__hub *hub = fern__hub_need();
    if (!hub)
        return fern__hub_error();
    uint64_t home = atomic_load_explicit(&s->home, memory_order_relaxed);
    if (fern__likely(home == hub->serial))
        return 0;
    /* One whose thread has ended is anybody's again. */
    bool free = !home || !fern__registry_has(home);
    return free && atomic_compare_exchange_strong(&s->home, &home, hub->serial) ? 0
                                                                                : -EXDEV;
}

int
fern__stream_enter(fern_stream *s, struct fern__turns *turns, fern_time deadline)
{
    int r = fern__stream_bind(s);
    if (r < 0)
        return r;
    FERN_CHECK(!s->closed, -EBADF);
    s->users++;
    r = take_turn(turns, deadline);
    if (r == 0 && s->closed) {
        give_turn(turns);
        r = -EBADF;
    }
    if (r < 0)
        drop_user(s);
    return r;
}

void
fern__stream_leave(fern_stream *s, struct fern__turns *turns)
{
    give_turn(turns);
    drop_user(s);
}

/* ---- life ---- */

fern_stream *
fern_stream_open(int fd)
{
    if (fd < 0) {
        errno = EBADF;
        return NULL;
    }
    fern_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->fd = fd;
    return s;
}

int
fern_stream_close(fern_stream *s, fern_time deadline)
{
    if (!s)
        return 0;
    int r = fern__stream_enter(s, &s->writing, deadline);
    bool entered = r == 0;
    if (entered)
        r = fern__stream_drain(s, deadline);
    else if (r == -EXDEV || s->closed)
        return r;
    else
        s->users++;
    int closed = 0;
    if (!s->standard && !s->closed) {
        /* What waits at the fd gets -EBADF there, what waits for its turn gets it here. */
        s->closed = true;
        closed = fern_close(s->fd);
    }
    if (entered)
        give_turn(&s->writing);
    drop_user(s);
    return r < 0 ? r : closed;
}

int
fern_stream_fd(const fern_stream *s)
{
    FERN_CHECK(s, -EINVAL);
    return s->fd;
}

/* ---- the three of the process ---- */

static fern_stream standard[3] = {
        {.fd = STDIN_FILENO, .standard = true},
        {.fd = STDOUT_FILENO, .standard = true},
        {.fd = STDERR_FILENO, .standard = true},
};

fern_stream *
fern_stdin(void)
{
    return &standard[0];
}

fern_stream *
fern_stdout(void)
{
    return &standard[1];
}

fern_stream *
fern_stderr(void)
{
    return &standard[2];
}
