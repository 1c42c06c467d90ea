/* SPDX-License-Identifier: MIT */
/*
 * What a stream is inside, and what its two halves share.
 */
#ifndef FERN_IO_STREAM_H
#define FERN_IO_STREAM_H

#include "core/wait.h"

#include <fern/io.h>
#include <fern/stream.h>

enum {
    FERN__STREAM_BUFFER = 4096,      /* first size of a buffer */
    FERN__STREAM_CORKED_MAX = 65536, /* bytes held back before they are written anyway */
};

/* Bytes in the order of the stream: at[from] to at[to - 1]. */
struct fern__buffer {
    char *at;
    size_t room;
    size_t from;
    size_t to;
};

/* One direction: who uses it now, and who comes next. */
struct fern__turns {
    bool taken;
    struct fern__list waiters;
};

/* Belongs to the hub of its first use. Freed when it is closed and nobody is inside a call. */
struct fern_stream {
    int fd;
    bool standard; /* one of the three of the process: its fd is not closed, it is not freed */
    bool closed;
    bool ended; /* reading has met the end */
    bool corked;
    _Atomic uint64_t home; /* the serial of its hub; 0: none yet */
    unsigned users;        /* calls under way */
    struct fern__turns reading;
    struct fern__turns writing;
    struct fern__buffer in;
    struct fern__buffer out;
};

/* See to it that the stream belongs to this thread. @return 0; -EXDEV; -ENOMEM, -EMFILE no hub */
int fern__stream_bind(fern_stream *s);

/* Begin a call: bind the stream, count the user, and take the direction's turn. @return 0, then
 * fern__stream_leave() must follow; -EINVAL; -EXDEV; -EBADF closed; -ETIME; -ECANCELED; -EAGAIN */
int fern__stream_enter(fern_stream *s, struct fern__turns *turns, fern_time deadline);

/* End a call: the turn goes to the next. May free the stream. */
void fern__stream_leave(fern_stream *s, struct fern__turns *turns);

static inline size_t
fern__buffer_count(const struct fern__buffer *b)
{
    return b->to - b->from;
}

/* Make room for so many bytes behind those that are there. @return 0; -ENOMEM */
int fern__buffer_reserve(struct fern__buffer *b, size_t bytes);

static inline void
fern__buffer_take(struct fern__buffer *b, size_t bytes)
{
    b->from += bytes;
    if (b->from == b->to)
        b->from = b->to = 0;
}

/* Write out what is held back. The caller has the turn. @return 0; as fern_write() */
int fern__stream_drain(fern_stream *s, fern_time deadline);

#endif
