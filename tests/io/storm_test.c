/* SPDX-License-Identifier: MIT */
/*
 * Random traffic: writers and readers with all kinds of deadlines, waits without a transfer,
 * kills. Whatever a call said it moved is what was moved: at the end every byte that a write
 * reported is there, in order, exactly once.
 */
#include "io/ends.h"

#include <stdio.h>

enum { CHANNELS = 6, PIECE_MAX = 6000, PIECES = 40 };

struct channel {
    int in;
    int out;
    uint64_t written;
    uint64_t taken;
    fern_greenlet *writer;
    fern_greenlet *reader;
    fern_greenlet *watcher;
};

static unsigned char
byte_at(uint64_t place)
{
    return (unsigned char)(place * 2654435761u >> 11);
}

/* For ever, not at all, passed, or soon. */
static fern_time
some_deadline(void)
{
    switch (harness_draw(4)) {
    case 0:
        return FERN_NOWAIT;
    case 1:
        return fern_in(-1);
    case 2:
        return fern_in(harness_draw(200) * FERN_US);
    default:
        return FERN_FOREVER;
    }
}

/* What a call that waits may say in a storm, other than how much it moved. */
static void
check_code(ssize_t r)
{
    if (r != -ETIME && r != -EAGAIN && r != -ECANCELED)
        FAIL("a call gave %zd", r);
}

static void *
write_pieces(void *arg)
{
    struct channel *c = arg;
    static unsigned char piece[PIECE_MAX];
    for (int i = 0; i < PIECES; i++) {
        size_t len = 1 + harness_draw(PIECE_MAX), done = 0;
        for (size_t k = 0; k < len; k++)
            piece[k] = byte_at(c->written + k);
        /* The piece is everybody's: no switch between filling it and the call's own copy, so
         * only calls that cannot wait may use it again later. */
        ssize_t r = fern_write(c->out, piece, len, FERN_NOWAIT);
        if (r == -EAGAIN) {
            unsigned char own[512];
            len = len < sizeof own ? len : sizeof own;
            memcpy(own, piece, len);
            int all = fern_write_all(c->out, own, len, &done, some_deadline());
            r = (ssize_t)done;
            if (all < 0)
                check_code(all);
            if (all == -ECANCELED) {
                c->written += done;
                break;
            }
        }
        ASSERT_OK(r);
        c->written += (uint64_t)r;
        if (harness_draw(4) == 0 && fern_yield() < 0)
            break;
    }
    ASSERT_OK(fern_close(c->out));
    return NULL;
}

static void
take(struct channel *c, const unsigned char *bytes, ssize_t n)
{
    for (ssize_t i = 0; i < n; i++, c->taken++)
        ASSERT_EQ(bytes[i], byte_at(c->taken));
}

static void *
read_pieces(void *arg)
{
    struct channel *c = arg;
    unsigned char buf[PIECE_MAX];
    ssize_t n;
    do {
        if (harness_draw(3) == 0) {
            int r = fern_wait_fd(c->in, POLLIN, some_deadline());
            if (r < 0)
                check_code(r);
        }
        n = fern_read(c->in, buf, 1 + harness_draw(PIECE_MAX), some_deadline());
        if (n > 0)
            take(c, buf, n);
        else if (n < 0)
            check_code(n);
    } while (n > 0 || n == -ETIME || n == -EAGAIN);
    return NULL;
}

/* Looks only, until the end: whoever reads must not be disturbed. */
static void *
watch(void *arg)
{
    struct channel *c = arg;
    int r;
    do {
        r = fern_wait_fd(c->in, POLLIN, fern_in(100 * FERN_US));
        if (r < 0)
            check_code(r);
    } while ((r > 0 || r == -ETIME) && fern_sleep(10 * FERN_US) == 0);
    return NULL;
}

static void
open_channel(struct channel *c)
{
    int ends[2];
    *c = (struct channel){0};
    switch (harness_draw(4)) {
    case 0:
        tcp_pair(ends);
        break;
    case 1:
        unix_pair(ends);
        break;
    case 2:
        ASSERT_OK(fern_pipe(ends, 0));
        break;
    default:
        ASSERT_OK(pipe(ends));
        break;
    }
    c->in = ends[0];
    c->out = ends[1];
    c->writer = fern_spawn(write_pieces, c);
    c->reader = fern_spawn(read_pieces, c);
    c->watcher = fern_spawn(watch, c);
}

static void
finish_channel(struct channel *c)
{
    unsigned char buf[PIECE_MAX];
    ssize_t n;
    ASSERT_OK(fern_join(c->writer, FERN_FOREVER));
    ASSERT_OK(fern_join(c->reader, FERN_FOREVER));
    while ((n = fern_read(c->in, buf, sizeof buf, FERN_FOREVER)) > 0)
        take(c, buf, n);
    ASSERT_OK(n);
    ASSERT_EQ(c->taken, c->written);
    ASSERT_OK(fern_kill(c->watcher, 0, FERN_FOREVER));
    ASSERT_OK(fern_close(c->in));
    fern_greenlet_unref(c->writer);
    fern_greenlet_unref(c->reader);
    fern_greenlet_unref(c->watcher);
}

static void
storm(void)
{
    struct channel channels[CHANNELS];
    for (int i = 0; i < CHANNELS; i++)
        open_channel(&channels[i]);
    for (uint32_t kills = harness_draw(4); kills; kills--) {
        struct channel *c = &channels[harness_draw(CHANNELS)];
        ASSERT_OK(fern_sleep(harness_draw(300) * FERN_US));
        ASSERT_OK(fern_kill(harness_draw(2) ? c->writer : c->reader, 0, FERN_FOREVER));
        /* Nobody reads any more what is still being written: the writer must not wait for it. */
        ASSERT_OK(fern_kill(c->writer, 0, FERN_FOREVER));
    }
    for (int i = 0; i < CHANNELS; i++)
        finish_channel(&channels[i]);
}

TEST(in_a_storm_every_byte_that_was_written_arrives_once, .seconds = 60)
{
    harness_each_seed(harness_is_slow() ? 10 : 100, storm);
}
