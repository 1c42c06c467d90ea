/* SPDX-License-Identifier: MIT */
/*
 * The inside of a future, for those that make futures of futures.
 */
#ifndef FERN_SYNC_FUTURE_H
#define FERN_SYNC_FUTURE_H

#include "core/link.h"
#include "sync/object.h"

#include <fern/future.h>

enum fern__future_state {
    FERN__FUTURE_PENDING,
    FERN__FUTURE_VALUE,
    FERN__FUTURE_ERROR,
    FERN__FUTURE_CANCELLED,
};

/* Who assigns a future, and what cancelling it means. */
struct fern__future_kind {
    const char *name;
    /* Asked for; the future is pending and referenced. */
    void (*cancel)(fern_future *future, int code);
    /* As of a waitable. NULL: the owner is the task's greenlet, if it is one. */
    void (*owners)(const fern_future *future, struct fern__owners *owners);
    /* Free what is beyond the future itself; NULL: nothing. */
    void (*free)(fern_future *future);
};

/* While it is pending, waiters, callbacks and watchers stand in sync.waiters, first come first.
 * Callbacks on their way to being called are in `due`; each of them holds a reference. */
struct fern_future {
    struct fern__sync sync;
    struct fern__list due;
    const struct fern__future_kind *kind;
    void *value;
    const char *message;
    char *text;              /* the message, if it is the future's own */
    fern_greenlet *greenlet; /* of a task; referenced */
    struct fern__link end; /* at it, until it has ended; holds a reference to the future */
    const void *mark;      /* of one that walks over an array, to find duplicates */
    uint32_t refs;
    int32_t code;
    int32_t cancels;
    uint8_t state;
    bool looked; /* somebody has seen how it ended, or need not */
};

/* A future of `bytes` bytes with one reference; NULL with errno. */
fern_future *fern__future_make(
        size_t bytes, const struct fern__future_kind *kind, struct fern__hub *hub);

/* Assign, and serve everybody. It is pending; message lives as long as the future. */
void fern__future_resolve(fern_future *future, enum fern__future_state state, void *value,
        int code, const char *message);

/* The same, as an outcome says. */
void fern__future_resolve_as(fern_future *future, const fern_outcome *outcome);

/* How it ended: it is done. Counts as having been looked at. */
fern_outcome fern__future_take(fern_future *future);

/* Whether it ended with an error; a cancelled one did not. */
static inline bool
fern__future_failed(const fern_future *future)
{
    return future->state == FERN__FUTURE_ERROR;
}

/* Whether the futures can be used here together; they are bound to the hub. @return 0; -EINVAL one
 * is NULL; -EXDEV */
int fern__futures_bind(struct fern__hub *hub, fern_future *const *futures, size_t count);

extern const struct fern__waitable fern__waitable_future;

#endif
