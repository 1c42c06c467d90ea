/* SPDX-License-Identifier: MIT */
/*
 * Writing to a stream.
 *
 * A corked stream holds bytes back, so that many small writes become few system calls; else a
 * write goes out at once, behind what is still held back. Bytes that were taken stay in order,
 * whatever fails.
 */
#include "io/stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRINT_BYTES = 512 };

int
fern__stream_drain(fern_stream *s, fern_time deadline)
{
    struct fern__buffer *b = &s->out;
    size_t count = fern__buffer_count(b), done = 0;
    if (s->closed) /* while others ran: the number may be another file's */
        return -EBADF;
    if (count == 0)
        return 0;
    int r = fern_write_all(s->fd, b->at + b->from, count, &done, deadline);
    fern__buffer_take(b, done);
    return r;
}

/* Take bytes to hold back, writing out when there are too many. */
static int
hold_back(fern_stream *s, const char *buf, size_t len, size_t *ret_done, fern_time deadline)
{
    while (*ret_done < len) {
        size_t held = fern__buffer_count(&s->out);
        size_t n = len - *ret_done, most = FERN__STREAM_CORKED_MAX - held;
        n = n < most ? n : most;
        int r = n ? fern__buffer_reserve(&s->out, n) : fern__stream_drain(s, deadline);
        if (r < 0)
            return r;
        if (n == 0)
            continue;
        memcpy(s->out.at + s->out.to, buf + *ret_done, n);
        s->out.to += n;
        *ret_done += n;
    }
    return 0;
}

/* As fern_stream_write(), in this greenlet's turn. */
static int
put(fern_stream *s, const void *buf, size_t len, size_t *ret_done, fern_time deadline)
{
    *ret_done = 0;
    int r = s->corked ? hold_back(s, buf, len, ret_done, deadline)
                      : fern__stream_drain(s, deadline);
    if (r == 0 && s->closed)
        r = -EBADF;
    return r < 0 || s->corked ? r : fern_write_all(s->fd, buf, len, ret_done, deadline);
}

int
fern_stream_write(
        fern_stream *s, const void *buf, size_t len, size_t *ret_done, fern_time deadline)
{
    FERN_CHECK(s && (buf || len == 0), -EINVAL);
    size_t done = 0;
    int r = fern__stream_enter(s, &s->writing, deadline);
    if (r == 0) {
        r = put(s, buf, len, &done, deadline);
        fern__stream_leave(s, &s->writing);
    }
    if (ret_done)
        *ret_done = done;
    return r;
}

int
fern_stream_printf(fern_stream *s, fern_time deadline, const char *format, ...)
{
    FERN_CHECK(s && format, -EINVAL);
    char few[PRINT_BYTES], *text = few;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(few, sizeof few, format, args);
    va_end(args);
    if (len < 0)
        return -EINVAL;
    if ((size_t)len >= sizeof few) {
        text = malloc((size_t)len + 1);
        if (!text)
            return -ENOMEM;
        va_start(args, format);
        vsnprintf(text, (size_t)len + 1, format, args);
        va_end(args);
    }
    int r = fern_stream_write(s, text, (size_t)len, NULL, deadline);
    if (text != few)
        free(text);
    return r;
}

int
fern_stream_flush(fern_stream *s, fern_time deadline)
{
    FERN_CHECK(s, -EINVAL);
    int r = fern__stream_enter(s, &s->writing, deadline);
    if (r < 0)
        return r;
    r = fern__stream_drain(s, deadline);
    fern__stream_leave(s, &s->writing);
    return r;
}

int
fern_stream_cork(fern_stream *s)
{
    FERN_CHECK(s, -EINVAL);
    int r = fern__stream_bind(s);
    if (r < 0)
        return r;
    FERN_CHECK(!s->closed, -EBADF);
    FERN_CHECK(!s->corked, -EALREADY);
    s->corked = true;
    return 0;
}

int
fern_stream_uncork(fern_stream *s, fern_time deadline)
{
    FERN_CHECK(s, -EINVAL);
    int r = fern__stream_bind(s);
    if (r < 0)
        return r;
    s->corked = false;
    return fern_stream_flush(s, deadline);
}

size_t
fern_stream_held(const fern_stream *s)
{
    return s ? fern__buffer_count(&s->out) : 0;
}
