/* SPDX-License-Identifier: MIT */
/*
 * Pools, as maps and piles see them.
 *
 * Everybody who runs in a pool holds one slot of it, from fern__pool_take() on, and is entered
 * as a member by fern__pool_admit(); the end of a member gives its slot to the first who waits.
 * Who waits is a parked greenlet, or a member that has not been started (fern_pool_apply_async).
 */
#ifndef FERN_SYNC_POOL_H
#define FERN_SYNC_POOL_H

#include "core/call.h"
#include "core/link.h"
#include "sync/object.h"

#include <fern/pool.h>

struct fern_pool {
    struct fern__sync sync;    /* who waits for a slot */
    struct fern__list members; /* in the order in which they came */
    struct fern__list joiners; /* who waits until it is empty */
    struct fern__list idlers;  /* who waits until nobody waits for a slot either */
    struct fern__list lookers; /* who waits until a slot is free */
    size_t size;
    size_t taken;   /* slots: by members, and given to spawners that have not run yet */
    size_t leaving; /* of which by members that have ended, until `leave` comes up */
    struct fern__call leave; /* its place in the ready queue is kept once there is a hub */
    size_t queued;           /* who waits for a slot; > 0 only while taken >= size */
    size_t users;            /* maps and piles */
    uint32_t kills;          /* kills so far: who maps looks whether there were more */
    uint32_t killing;        /* kills that still wait for the pool to become empty */
    int kill_code;
    bool settling;         /* slots are being given out; what becomes free now is, too */
    fern_greenlet *failed; /* the first since it was asked for */
};

struct fern__member {
    struct fern__link link; /* at the greenlet's end */
    struct fern__list node; /* among the members; not linked while it waits for a slot */
    struct fern__cell cell; /* in the queue of those who wait for a slot */
    fern_pool *pool;
    fern_greenlet *greenlet; /* borrowed until its end */
    /* Called when it has ended and its slot has been passed on; owns this from then on. NULL: it
     * is freed. */
    void (*done)(struct fern__member *member, fern_greenlet *g);
};

/* Whether a greenlet is a member or waits to be one; or NULL. */
struct fern__member *fern__pool_member(const fern_pool *pool, const fern_greenlet *g);

/* Who, finding a pool full, runs what it wanted to spawn itself instead of waiting. */
enum fern__pool_self {
    FERN__POOL_NOBODY,
    FERN__POOL_MEMBER, /* a member */
    FERN__POOL_LENT,   /* who works for a member that waits for it */
};

/* Take a slot. @return 0; 1 there is none, and the caller is to run the function itself; a
 * negative code */
int fern__pool_take(fern_pool *pool, enum fern__pool_self self, fern_time deadline);

/* Give a slot back, to the first who waits. */
void fern__pool_give(fern_pool *pool);

/* Enter a greenlet that has not ended on a slot that was taken. It may be killed right here: the
 * member may be gone when this returns. */
void fern__pool_admit(fern_pool *pool, struct fern__member *member, fern_greenlet *g);

/* The same without a slot: it is started when its turn comes. */
void fern__pool_enqueue(fern_pool *pool, struct fern__member *member, fern_greenlet *g);

/* Bind to the calling thread's hub. @return 0; -EINVAL NULL; -EXDEV; -ENOMEM, -EMFILE */
int fern__pool_bind(fern_pool *pool);

/* Run a function on the caller's stack, as a greenlet that has ended when this returns would
 * have: its failure is its own. @return the greenlet, with one reference; NULL with errno */
fern_greenlet *fern__pool_run_here(
        fern_fn *fn, void *arg, const fern_spawn_options *options, const fern_site *site);

/* Spawn a task in a slot that was taken, or give the slot back. @return 0; a negative code */
int fern__pool_launch(fern_pool *pool, struct fern__member *member, fern_fn *fn, void *arg,
        const fern_site *site);

extern const struct fern__waitable fern__waitable_pool_slot;
extern const struct fern__waitable fern__waitable_pool_idle;
extern const struct fern__waitable fern__waitable_pile;
extern const struct fern__waitable fern__waitable_stock;

#endif
