/* SPDX-License-Identifier: MIT */
/*
 * A crowd: several things, and in which order they become ready.
 *
 * While it is open a watcher stands at each of them, so that the order is kept and nothing is
 * missed while the one that asks does something else. Nothing is taken from any of them. Timers
 * and fds have no watchers: they are looked at when somebody waits.
 */
#ifndef FERN_SYNC_CROWD_H
#define FERN_SYNC_CROWD_H

#include "core/link.h"
#include "sync/object.h"

#include <fern/wait.h>

struct fern__crowd;

struct fern__member {
    struct fern__choice choice;
    struct fern__link end;        /* at a greenlet */
    struct fern__watcher watcher; /* at anything else */
    struct fern__crowd *crowd;
    bool ready;
};

struct fern__crowd {
    struct fern__hub *hub;
    fern_greenlet *waiter; /* parked for it, or NULL */
    fern_case *cases;
    struct fern__member *members;
    size_t *order; /* indices of those that are ready, as they became so */
    size_t count;
    size_t ready;
    size_t wanted; /* wake the waiter when so many are */
    bool outside;  /* one of them is an fd */
    bool looks;    /* one of them is an fd or a timer */
    bool stopped;
    /* Called for each that becomes ready; true: stop waiting. NULL: never. */
    bool (*stop)(const struct fern__crowd *crowd, size_t index);
};

/* Room for a crowd on the stack, beyond that from the heap. */
enum { FERN__CROWD_ON_STACK = 8 };

struct fern__crowd_room {
    struct fern__member members[FERN__CROWD_ON_STACK];
    size_t order[FERN__CROWD_ON_STACK];
};

/* Put the watchers. `hub`, `cases`, `count` and `stop` are set; room may be NULL. What is ready
 * comes first, as listed. @return 0; -EINVAL, -EXDEV a case; -ENOMEM; then it is not open */
int fern__crowd_open(struct fern__crowd *crowd, struct fern__crowd_room *room);

/* Wait until so many are ready, or `stop` says so. @return 0; -EAGAIN; -ETIME; -ECANCELED; -EDEADLK;
 * -ENOMEM, -EBADF and the like of an fd */
int fern__crowd_wait(struct fern__crowd *crowd, size_t wanted, fern_time deadline);

/* Take the watchers back. */
void fern__crowd_close(struct fern__crowd *crowd, struct fern__crowd_room *room);

#endif
