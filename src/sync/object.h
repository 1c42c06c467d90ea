/* SPDX-License-Identifier: MIT */
/*
 * What every object of this room begins with: the hub it is bound to and who waits for it.
 *
 * An object lives in the user's memory and is zero before its first use. It binds to a hub at its
 * first use that involves one and stays bound until it is finished; use from elsewhere is answered
 * -EXDEV. So everything below is one thread's, and needs no lock. Once somebody has waited, the
 * list's head points to itself: an object does not move.
 *
 * A call that waits:
 *
 *     r = fern__sync_enter(&object->sync, &hub, &g, deadline);
 *     if (r < 0) return r;
 *     if (it can be had now) { take it; return 0; }
 *     if (deadline.ns == 0) return -EAGAIN;
 *     return fern__sync_wait(hub, g, &object->sync, &kind, item, deadline);
 *
 * A hub is known by its serial, since a later one may have the address of one that has ended.
 *
 * Whoever has something to hand over asks fern__sync_claim() for the first waiter, gives it to
 * that one, and says so with fern__sync_grant(): between the two the waiter can neither time out
 * nor be killed. What is granted is taken: a kill or time-out that comes later counts from the
 * next call on.
 *
 * Among the waiters may stand watchers, cells without a greenlet: they take nothing, and are told
 * once when there is something that no waiter takes.
 */
#ifndef FERN_SYNC_OBJECT_H
#define FERN_SYNC_OBJECT_H

#include "core/sched.h"
#include "core/wait.h"

struct fern__sync {
    struct fern__list waiters; /* cells, first come first */
    _Atomic uint64_t home;     /* the serial of the hub it is bound to; 0: none yet */
};

/* One that wants to know. */
struct fern__watcher {
    struct fern__cell cell; /* its greenlet is NULL */
    /* It has been unlinked. It must not switch, nor run the user's code. */
    void (*tell)(struct fern__watcher *watcher);
};

static inline struct fern__watcher *
fern__watcher_of(struct fern__cell *cell)
{
    return fern__container_of(cell, struct fern__watcher, cell);
}

static inline uint64_t
fern__sync_home(const struct fern__sync *sync)
{
    return atomic_load_explicit(&sync->home, memory_order_relaxed);
}

/* Whether an object is bound to the calling thread's hub. */
static inline bool
fern__sync_is_home(const struct fern__sync *sync)
{
    const struct fern__hub *hub = fern__self_hub();
    return hub && fern__sync_home(sync) == hub->serial;
}

/* Bind to a hub, or find that it is bound to it. @return 0; -EXDEV */
static inline int
fern__sync_bind(struct fern__sync *sync, struct fern__hub *hub)
{
    uint64_t home = fern__sync_home(sync);
    if (fern__likely(home == hub->serial))
        return 0;
    if (!home && atomic_compare_exchange_strong(&sync->home, &home, hub->serial))
        return 0;
    return -EXDEV;
}

/* Whether a thread may use an object in a call that needs no hub; its own may be NULL. @return 0;
 * -EXDEV */
static inline int
fern__sync_check_by(const struct fern__sync *sync, const struct fern__hub *own)
{
    uint64_t home = fern__sync_home(sync);
    return fern__likely(!home || (own && home == own->serial)) ? 0 : -EXDEV;
}

/* The same of the calling thread. */
static inline int
fern__sync_check(const struct fern__sync *sync)
{
    return fern__sync_check_by(sync, fern__self_hub());
}

/* Begin a call that may wait. @return 0; -EXDEV; as fern__wait_enter() */
static inline int
fern__sync_enter(struct fern__sync *sync, struct fern__hub **ret_hub, fern_greenlet **ret_g,
        fern_time deadline)
{
    int r = fern__wait_enter(ret_hub, ret_g, deadline);
    return fern__unlikely(r < 0) ? r : fern__sync_bind(sync, *ret_hub);
}

/* Wait at the end of the queue. @return what fern__sync_grant() was given; -ETIME; -ECANCELED */
static inline int
fern__sync_wait(struct fern__hub *hub, fern_greenlet *g, struct fern__sync *sync,
        const struct fern__waitable *kind, void *item, fern_time deadline)
{
    fern__wait_begin(g, kind, sync);
    g->item = item;
    fern__wait_add(&sync->waiters, &g->cell);
    return fern__park(hub, g, deadline);
}

static inline bool
fern__sync_awaited(const struct fern__sync *sync)
{
    return !fern__list_empty(&sync->waiters);
}

/* As fern__sync_claim_waiter(), whoever stands first. */
struct fern__cell *fern__sync_claim_slow(struct fern__list *waiters);

/* Tell the watchers of a queue. */
void fern__sync_tell(struct fern__list *waiters);

/* Take the first waiter that has not been woken otherwise off a queue, and win its wait; or NULL.
 * Its item is fern__wait_item(). */
static inline struct fern__cell *
fern__sync_claim_waiter(struct fern__list *waiters)
{
    struct fern__cell *cell = fern__wait_first(waiters);
    if (!cell)
        return NULL;
    if (fern__unlikely(!cell->greenlet || !fern__wait_claim(cell->greenlet)))
        return fern__sync_claim_slow(waiters);
    fern__wait_remove(cell);
    return cell;
}

/* The same; if there is none, tell the watchers. */
static inline struct fern__cell *
fern__sync_claim(struct fern__list *waiters)
{
    struct fern__cell *cell = fern__sync_claim_waiter(waiters);
    if (!cell && fern__unlikely(!fern__list_empty(waiters)))
        fern__sync_tell(waiters);
    return cell;
}

/* Make a claimed waiter ready. */
static inline void
fern__sync_grant(struct fern__cell *cell, int result)
{
    fern_greenlet *g = cell->greenlet;
    if (fern__unlikely(cell != &g->cell)) {
        fern__wait_grant_cell(cell, result);
        return;
    }
    g->result = result;
    fern__ready(fern__greenlet_hub(g), g);
}

/* How many greenlets wait: those that were woken otherwise and are still linked do not count. */
size_t fern__sync_count(const struct fern__list *waiters);

/* Wake all who wait now, first come first. @return how many */
size_t fern__sync_grant_all(struct fern__list *waiters, int result);

/* Whether a greenlet of the calling thread's hub has this id and has not ended. */
bool fern__sync_lives(uint64_t id);

/* Whether an object's use may end: that of a hub that has ended is anybody's to end. What it is
 * busy with beside waiters may be looked at after that; then all of it is set to zero.
 * @return 0; -EBUSY somebody waits for it; -EXDEV */
int fern__sync_may_end(const struct fern__sync *sync);

/* Link a choice's cell to a queue. */
void fern__sync_arm(
        struct fern__choice *choice, struct fern__hub *hub, struct fern__list *waiters);

#endif
