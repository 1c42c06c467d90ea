/* SPDX-License-Identifier: MIT */
/*
 * What can be waited for, as far as core knows it: a const table that each waitable noun supplies
 * in its own room. The dump asks it what a cell waits for.
 */
#ifndef FERN_CORE_WAITABLE_H
#define FERN_CORE_WAITABLE_H

#include <fern/greenlet.h>
#include <stdbool.h>
#include <stddef.h>

struct fern__cell;
struct fern__choice;
struct fern__hub;
struct fern__list;

/* Who hears of owners: greenlets are named by id, since they may be gone. */
struct fern__owners {
    void (*add)(struct fern__owners *owners, uint64_t id, bool presumed);
};

/* One whose doing it is; id 0 is nobody. */
static inline void
fern__owners_add(struct fern__owners *owners, uint64_t id)
{
    if (id)
        owners->add(owners, id, false);
}

/* One who did it before, so that it may be the one to do it again. */
static inline void
fern__owners_presume(struct fern__owners *owners, uint64_t id)
{
    if (id)
        owners->add(owners, id, true);
}

struct fern__waitable {
    const char *name; /* "sleep", "join", "fd", ... */
    bool outside;     /* what wakes it may come from outside the program */

    /* Write what the cell waits for, e.g. "fd 7 (in)", as snprintf. May be called from a signal
     * handler: no lock, no allocation. NULL: the name says it all. */
    void (*describe)(const struct fern__cell *cell, char *text, size_t bytes);

    /* Name those whose doing the cell waits for, as far as that is known: some may have ended, or
     * never be found. Reports go by it. May be called from a signal handler. NULL: it is never
     * known. */
    void (*owners)(const struct fern__cell *cell, struct fern__owners *owners);

    /* Of what may be one of several that a greenlet waits for at once; else NULL. None of them
     * switches. */

    /* Have it now. @return the case's result; -EAGAIN it is not ready */
    int (*attempt)(struct fern__hub *hub, struct fern__choice *choice);

    /* Whether it could be had now; nothing is taken. @return as attempt. NULL: it cannot be asked
     * without taking */
    int (*ready)(struct fern__hub *hub, struct fern__choice *choice);

    /* The queue of those that only ask, if arm does more than link to it. */
    struct fern__list *(*watched)(struct fern__choice *choice);

    /* Link the choice's cell, which is not ready. @return 0; a negative code */
    int (*arm)(struct fern__hub *hub, struct fern__choice *choice);
};

#endif
