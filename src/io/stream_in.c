/* SPDX-License-Identifier: MIT */
/*
 * Reading from a stream.
 *
 * Bytes leave the buffer only when a call succeeds: one that fails, by time or kill or because
 * the stream ended too early, leaves them for the next.
 */
#include "io/stream.h"

#include <string.h>

/* Read more into the buffer, at least one byte. @return 0; -ENODATA the end; as fern_read() */
static int
fill(fern_stream *s, size_t wanted, fern_time deadline)
{
    if (s->closed) /* while others ran: the number may be another file's */
        return -EBADF;
    if (s->ended)
        return -ENODATA;
    int r = fern__buffer_reserve(&s->in, wanted);
    if (r < 0)
        return r;
    struct fern__buffer *b = &s->in;
    ssize_t n = fern_read(s->fd, b->at + b->to, b->room - b->to, deadline);
    if (n < 0)
        return (int)n;
    b->to += (size_t)n;
    s->ended = n == 0;
    return n ? 0 : -ENODATA;
}

static size_t
move_out(fern_stream *s, void *ret_buf, size_t len)
{
    size_t count = fern__buffer_count(&s->in);
    size_t n = len < count ? len : count;
    if (n)
        memcpy(ret_buf, s->in.at + s->in.from, n);
    fern__buffer_take(&s->in, n);
    return n;
}

/* ---- some, exactly ---- */

static ssize_t
read_some(fern_stream *s, void *ret_buf, size_t len, fern_time deadline)
{
    if (len == 0 || fern__buffer_count(&s->in))
        return (ssize_t)move_out(s, ret_buf, len);
    if (s->ended)
        return 0;
    if (len >= FERN__STREAM_BUFFER) {
        ssize_t n = fern_read(s->fd, ret_buf, len, deadline);
        s->ended = n == 0;
        return n;
    }
    int r = fill(s, 1, deadline);
    if (r < 0)
        return r == -ENODATA ? 0 : r;
    return (ssize_t)move_out(s, ret_buf, len);
}

ssize_t
fern_stream_read(fern_stream *s, void *ret_buf, size_t len, fern_time deadline)
{
    FERN_CHECK(s && (ret_buf || len == 0), -EINVAL);
    int r = fern__stream_enter(s, &s->reading, deadline);
    if (r < 0)
        return r;
    ssize_t n = read_some(s, ret_buf, len, deadline);
    fern__stream_leave(s, &s->reading);
    return n;
}

int
fern_stream_read_exactly(fern_stream *s, void *ret_buf, size_t len, fern_time deadline)
{
    FERN_CHECK(s && (ret_buf || len == 0), -EINVAL);
    int r = fern__stream_enter(s, &s->reading, deadline);
    if (r < 0)
        return r;
    while (r == 0 && fern__buffer_count(&s->in) < len)
        r = fill(s, len - fern__buffer_count(&s->in), deadline);
    if (r == 0)
        move_out(s, ret_buf, len);
    fern__stream_leave(s, &s->reading);
    return r;
}

/* ---- up to a mark ---- */

/* Where the bytes up to and with the mark end, or 0; `seen` bytes hold no whole mark. */
static size_t
find(const struct fern__buffer *b, size_t seen, const void *mark, size_t mark_len)
{
    size_t from = seen >= mark_len ? seen - mark_len + 1 : 0;
    const char *begin = b->at + b->from;
    const char *at = memmem(begin + from, fern__buffer_count(b) - from, mark, mark_len);
    return at ? (size_t)(at - begin) + mark_len : 0;
}

/* Have a mark in the buffer within limit bytes. @return where it ends; -EMSGSIZE; -ENODATA */
static ssize_t
seek(fern_stream *s, const void *mark, size_t mark_len, size_t limit, fern_time deadline)
{
    size_t seen = 0;
    for (;;) { /* ends: each turn reads a byte or more, up to the limit */
        size_t count = fern__buffer_count(&s->in);
        size_t end = count ? find(&s->in, seen, mark, mark_len) : 0;
        if (end)
            return end <= limit ? (ssize_t)end : -EMSGSIZE;
        if (count >= limit)
            return -EMSGSIZE;
        seen = count;
        int r = fill(s, 1, deadline);
        if (r < 0)
            return r;
    }
}

ssize_t
fern_stream_read_until(
        fern_stream *s, const char *mark, void *ret_buf, size_t size, fern_time deadline)
{
    FERN_CHECK(s && mark && *mark && ret_buf && size, -EINVAL);
    int r = fern__stream_enter(s, &s->reading, deadline);
    if (r < 0)
        return r;
    ssize_t n = seek(s, mark, strlen(mark), size, deadline);
    if (n > 0)
        move_out(s, ret_buf, (size_t)n);
    fern__stream_leave(s, &s->reading);
    return n;
}

/* Move a line of n bytes out without its ending. */
static ssize_t
move_line(fern_stream *s, char *ret_line, size_t size, size_t n)
{
    const char *line = s->in.at + s->in.from;
    size_t len = n;
    if (len && line[len - 1] == '\n') {
        len--;
        if (len && line[len - 1] == '\r')
            len--;
    }
    if (len >= size)
        return -EMSGSIZE;
    memcpy(ret_line, line, len);
    ret_line[len] = 0;
    fern__buffer_take(&s->in, n);
    return (ssize_t)len;
}

ssize_t
fern_stream_read_line(fern_stream *s, char *ret_line, size_t size, fern_time deadline)
{
    FERN_CHECK(s && ret_line && size && size < SIZE_MAX - 2, -EINVAL);
    int r = fern__stream_enter(s, &s->reading, deadline);
    if (r < 0)
        return r;
    /* The ending, which is not handed out, may be two bytes; the 0 byte takes one. */
    ssize_t n = seek(s, "\n", 1, size + 1, deadline);
    if (n == -ENODATA && fern__buffer_count(&s->in))
        n = (ssize_t)fern__buffer_count(&s->in);
    if (n > 0)
        n = move_line(s, ret_line, size, (size_t)n);
    fern__stream_leave(s, &s->reading);
    return n;
}

/* ---- the state ---- */

size_t
fern_stream_buffered(const fern_stream *s)
{
    return s ? fern__buffer_count(&s->in) : 0;
}

bool
fern_stream_ended(const fern_stream *s)
{
    return s && s->ended && fern__buffer_count(&s->in) == 0;
}
