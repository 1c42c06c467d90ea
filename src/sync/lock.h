/* SPDX-License-Identifier: MIT */
/*
 * Mutexes as conditions, the order check and select know them; and semaphores as select does.
 */
#ifndef FERN_SYNC_LOCK_H
#define FERN_SYNC_LOCK_H

#include "sync/object.h"

#include <fern/lock.h>

/* Why releasing a mutex takes more than clearing its owner. */
enum fern__mutex_heavy {
    FERN__MUTEX_NESTED = 1,  /* depth > 0 */
    FERN__MUTEX_TRACKED = 2, /* it is on its owner's list of held ones */
};

/* Free if owner_id is 0; then nobody waits for it, since a release hands it over. An owner that has
 * ended holds it for good: ids are never used again. */
struct fern__mutex {
    struct fern__sync sync;
    uint64_t owner_id;
    struct fern__mutex *held_next; /* while tracked: taken before it by the same greenlet */
    uint32_t depth; /* how often its owner has taken it beyond the first time */
    uint32_t heavy;
    uint32_t flags;
    uint32_t serial;   /* its number in the order check; 0: none yet */
    const void *place; /* while tracked: where it was taken */
    uint64_t reserved[2];
};

_Static_assert(sizeof(struct fern__mutex) == sizeof(fern_mutex), "one is the other");
_Static_assert(offsetof(struct fern__mutex, flags) == 48, "FERN_RLOCK_INIT knows where");

extern const struct fern__waitable fern__waitable_mutex;
extern const struct fern__waitable fern__waitable_semaphore;

static inline struct fern__mutex *
fern__mutex_of(const fern_mutex *mutex)
{
    return (struct fern__mutex *)(uintptr_t)mutex;
}

/* Whether the current greenlet of this thread holds it. */
static inline bool
fern__mutex_mine(const struct fern__mutex *m)
{
    struct fern__hub *hub = fern__self_hub();
    return hub && m->owner_id == hub->current->id;
}

/* Take it, at a place in the user's code. @return as fern_mutex_lock() */
int fern__mutex_lock(struct fern__mutex *m, fern_time deadline, const void *place);

/* Release altogether one that the caller holds. @return how often it was taken beyond once */
uint32_t fern__mutex_release(struct fern__mutex *m);

/* Take again what fern__mutex_release() gave away, come kill or time-out. @return 0; -EDEADLK
 * nothing can ever wake main */
int fern__mutex_retake(struct fern__mutex *m, uint32_t depth, const void *place);

/* ---- the order check: order.c ---- */

/* Whether it is on; right once the first mutex has been bound. */
extern atomic_bool fern__order_on;

static inline bool
fern__order_checked(void)
{
    return atomic_load_explicit(&fern__order_on, memory_order_relaxed);
}

/* Look once whether the environment asks for it. */
void fern__order_learn(void);

/* Whether the current greenlet may take it now. @return 0; -EDEADLK, and both places are told */
int fern__order_may(struct fern__mutex *m, const void *place);

/* The caller has taken it: put it on its list. Without memory it is not tracked. */
void fern__order_track(struct fern__mutex *m, const void *place);

/* The caller, who owns it, releases it. */
void fern__order_untrack(struct fern__mutex *m);

/* It is finished: forget what was seen of it. */
void fern__order_forget(struct fern__mutex *m);

#endif
