/* SPDX-License-Identifier: MIT */
/*
 * Groups, pools, and functions mapped over many things.
 *
 * A pool keeps track of the greenlets that run in it, its members: it can be joined, killed and
 * looked at as one. It has a size, and a spawn into a full pool waits until a member has ended,
 * first come first served. A group is a pool without a limit. A member that has ended leaves the
 * pool after those that were ready before, and before anybody who waits for its end runs.
 *
 * A member that spawns into its own pool while that is full runs the function itself, there and
 * then, instead of waiting for a slot that it may hold: a pool never deadlocks on itself.
 *
 *     fern_pool *pool = fern_pool_new(100);
 *     for (size_t i = 0; i < n; i++)
 *         (void)fern_pool_go(pool, fetch, urls[i], FERN_FOREVER);
 *     int r = fern_pool_wait_all(pool, FERN_FOREVER);
 *     fern_pool_free(pool);
 *
 * A pile gives the results of what was spawned on it one by one, in order; fern_pool_imap()
 * makes one that fills itself from an input.
 *
 * Read: making, spawning, members, size, waiting, killing, applying and mapping, piles.
 */
#ifndef FERN_POOL_H
#define FERN_POOL_H

#include <fern/base.h>
#include <fern/greenlet.h>
#include <fern/iterator.h>
#include <fern/time.h>
#include <fern/wait.h>

FERN__BEGIN_DECLS

/** Greenlets that belong together, at most so many at once. Opaque. */
typedef struct fern_pool fern_pool;

/** A pool without a limit. */
typedef fern_pool fern_group;

/** The size of a pool without a limit. */
#define FERN_POOL_UNLIMITED SIZE_MAX

/* ---- making ---- */

/**
 * Make a pool.
 *
 * @param  size  how many members it may have at once; 0: none, until it is resized;
 *               FERN_POOL_UNLIMITED: as many as like
 * @return the pool; NULL with errno EINVAL (a negative number) or ENOMEM
 *
 * May switch: no.  Thread: any; it belongs to the hub of its first use.  Owner: the caller gives it back by fern_pool_free().
 */
FERN_API fern_pool *fern_pool_new(size_t size);

/**
 * Make a group: a pool without a limit, for all the functions below.
 *
 * @return the group; NULL with errno ENOMEM
 *
 * May switch: no.  Thread: any; it belongs to the hub of its first use.  Owner: the caller gives it back by fern_pool_free().
 */
FERN_API fern_group *fern_group_new(void);

/**
 * Free a pool. Its members run on, and belong to it no more.
 *
 * @param  pool  the pool; NULL is allowed
 * @return 0; -EBUSY somebody waits at it, or a pile or a map uses it; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: the pool is gone, unless it is refused.
 */
FERN_API int fern_pool_free(fern_pool *pool);

/* ---- spawning ---- */

/**
 * Spawn a greenlet in a pool; if it is full, wait for a free slot.
 *
 * If the caller is a member of the full pool, the function has run when this returns, on the
 * caller's stack and as the caller; the result is a greenlet that has ended so.
 *
 * @param  pool      the pool
 * @param  fn        what it runs
 * @param  arg       passed to fn; fern does not touch it
 * @param  deadline  how long to wait for a slot; FERN_NOWAIT gives EAGAIN if there is none
 * @return the greenlet with one reference; NULL with errno EAGAIN (full and FERN_NOWAIT), ETIME,
 *         ECANCELED, EDEADLK, EINVAL (pool or fn is NULL), EXDEV, ENOMEM or EMFILE
 *
 * May switch: only if the pool is full.  Thread: its hub only.  Owner: the caller gives the reference back by fern_greenlet_unref().
 */
FERN_API FERN_MUST_CHECK fern_greenlet *fern_pool_spawn(
        fern_pool *pool, fern_fn *fn, void *arg, fern_time deadline);

/**
 * The same with options and the place of the spawn; the macro fern_pool_spawn passes the place.
 *
 * @param  pool      the pool
 * @param  fn        what it runs
 * @param  arg       passed to fn
 * @param  options   copied; NULL for the defaults; no `now`
 * @param  site      static record of the place; NULL for unknown
 * @param  deadline  as fern_pool_spawn()
 * @return as fern_pool_spawn(); EINVAL also for options that fern_spawn_with() refuses, or `now`
 *
 * May switch: only if the pool is full.  Thread: its hub only.  Owner: as fern_spawn_with(); keeps site.
 */
FERN_API FERN_MUST_CHECK fern_greenlet *fern_pool_spawn_at(fern_pool *pool, fern_fn *fn,
        void *arg, const fern_spawn_options *options, const fern_site *site,
        fern_time deadline);

/**
 * Spawn a greenlet in a pool whose end nobody waits for by itself.
 *
 * @param  pool      the pool
 * @param  fn        what it runs
 * @param  arg       passed to fn; fern does not touch it
 * @param  deadline  as fern_pool_spawn()
 * @return 0; -EAGAIN full and FERN_NOWAIT; -ETIME; -ECANCELED; -EDEADLK; -EINVAL; -EXDEV; -ENOMEM;
 *         -EMFILE
 *
 * May switch: only if the pool is full.  Thread: its hub only.  Owner: fern's alone.
 */
FERN_API FERN_MUST_CHECK int fern_pool_go(
        fern_pool *pool, fern_fn *fn, void *arg, fern_time deadline);

/**
 * The same with the place of the spawn; the macro fern_pool_go passes it.
 *
 * @param  pool      the pool
 * @param  fn        what it runs
 * @param  arg       passed to fn
 * @param  site      static record of the place; NULL for unknown
 * @param  deadline  as fern_pool_spawn()
 * @return as fern_pool_go()
 *
 * May switch: only if the pool is full.  Thread: its hub only.  Owner: keeps site.
 */
FERN_API FERN_MUST_CHECK int fern_pool_go_at(
        fern_pool *pool, fern_fn *fn, void *arg, const fern_site *site, fern_time deadline);

#define fern_pool_spawn(pool, fn, arg, deadline)                                           \
    fern_pool_spawn_at((pool), (fn), (arg), NULL, FERN_SITE, (deadline))
#define fern_pool_go(pool, fn, arg, deadline)                                              \
    fern_pool_go_at((pool), (fn), (arg), FERN_SITE, (deadline))

/* ---- members ---- */

/**
 * Make a greenlet a member, started or not; if the pool is full, wait for a free slot. One that
 * has ended is left alone.
 *
 * @param  pool      the pool
 * @param  g         the greenlet
 * @param  deadline  how long to wait for a slot
 * @return 0; -EALREADY it is one; -EAGAIN full and FERN_NOWAIT; -ETIME; -ECANCELED; -EDEADLK;
 *         -EINVAL NULL; -EXDEV; -ENOMEM
 *
 * May switch: only if the pool is full.  Thread: its hub only.  Owner: borrows g until it ends.
 */
FERN_API FERN_MUST_CHECK int fern_pool_add(
        fern_pool *pool, fern_greenlet *g, fern_time deadline);

/**
 * Make a greenlet a member and start it. Without a greenlet there is nothing to start.
 *
 * @param  pool      the pool
 * @param  g         the greenlet; NULL does nothing
 * @param  deadline  how long to wait for a slot
 * @return as fern_pool_add()
 *
 * May switch: only if the pool is full.  Thread: its hub only.  Owner: borrows g until it ends.
 */
FERN_API FERN_MUST_CHECK int fern_pool_start(
        fern_pool *pool, fern_greenlet *g, fern_time deadline);

/**
 * Take a member out; it runs on, and its slot is free.
 *
 * @param  pool  the pool
 * @param  g     the greenlet
 * @return 0; -ESRCH it is no member; -EBUSY it belongs to a map or a pile; -EINVAL NULL; -EXDEV
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows g.
 */
FERN_API int fern_pool_discard(fern_pool *pool, fern_greenlet *g);

/**
 * Whether a greenlet is a member.
 *
 * @param  pool  the pool; NULL is false
 * @param  g     the greenlet; NULL is false
 * @return true from its spawn or fern_pool_add() to its end
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows both.
 */
FERN_API bool fern_pool_contains(const fern_pool *pool, const fern_greenlet *g);

/**
 * Look at the members, in the order in which they came.
 *
 * @param  pool         the pool
 * @param  ret_members  room for `room` borrowed pointers, good until the caller next waits; NULL
 *                      if room is 0
 * @param  room         how many to write at most
 * @return how many members there are; 0 if pool is NULL
 *
 * May switch: no.  Thread: its hub only.  Owner: borrowed pointers.
 */
FERN_API size_t fern_pool_members(
        const fern_pool *pool, fern_greenlet **ret_members, size_t room);

/**
 * The first member that has failed since this was last asked.
 *
 * @param  pool  the pool
 * @return the greenlet with one reference, for fern_greenlet_outcome(); NULL if none has
 *
 * May switch: no.  Thread: its hub only.  Owner: the caller gives the reference back by fern_greenlet_unref().
 */
FERN_API fern_greenlet *fern_pool_failed(fern_pool *pool);

/* ---- size ---- */

/**
 * How many slots are taken: by members, and by spawners that have been given one and have not
 * run yet.
 *
 * @param  pool  the pool; NULL is 0
 * @return the number
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows pool.
 */
FERN_API size_t fern_pool_running(const fern_pool *pool);

/**
 * How many slots are free; less than 0 after the pool was made smaller than what runs in it.
 *
 * @param  pool  the pool; NULL is 0
 * @return the size without what runs; SSIZE_MAX without a limit
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows pool.
 */
FERN_API ssize_t fern_pool_available(const fern_pool *pool);

/**
 * Whether no slot is free.
 *
 * @param  pool  the pool; NULL is false
 * @return true if a spawn would wait
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows pool.
 */
FERN_API bool fern_pool_full(const fern_pool *pool);

/**
 * How many wait for a slot.
 *
 * @param  pool  the pool; NULL is 0
 * @return the length of the queue
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows pool.
 */
FERN_API size_t fern_pool_waiting(const fern_pool *pool);

/**
 * Change the size. As many of those who wait as slots were added get one; if it shrinks, nobody
 * is stopped, and nobody gets in until fewer run.
 *
 * @param  pool  the pool
 * @param  size  as fern_pool_new()
 * @return 0; -EINVAL NULL, or a negative number; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows pool.
 */
FERN_API int fern_pool_resize(fern_pool *pool, size_t size);

/**
 * Wait until a slot is free, and leave it to others.
 *
 * @param  pool      the pool
 * @param  deadline  how long at most; FERN_NOWAIT only looks
 * @return how many are free, at most INT_MAX; -EAGAIN none and FERN_NOWAIT; -ETIME; -ECANCELED;
 *         -EDEADLK; -EINVAL NULL; -EXDEV; -ENOMEM
 *
 * May switch: only if it is full.  Thread: its hub only.  Owner: borrows pool.
 */
FERN_API FERN_MUST_CHECK int fern_pool_wait_available(fern_pool *pool, fern_time deadline);

/* ---- waiting ---- */

/**
 * Wait until a pool has become empty, even if others come in before the caller runs.
 *
 * @param  pool      the pool
 * @param  deadline  how long at most; FERN_NOWAIT only asks
 * @return 0; -EAGAIN it has members and FERN_NOWAIT; -ETIME; -ECANCELED; -EDEADLK the caller is a
 *         member, or nothing can ever wake it; -EINVAL NULL; -EXDEV; -ENOMEM
 *
 * May switch: only if it has members.  Thread: its hub only.  Owner: borrows pool.
 */
FERN_API FERN_MUST_CHECK int fern_pool_join(fern_pool *pool, fern_time deadline);

/**
 * Wait until a pool has become empty and nobody waits for a slot.
 *
 * @param  pool      the pool
 * @param  deadline  how long at most; FERN_NOWAIT only asks
 * @return as fern_pool_join()
 *
 * May switch: only if there is somebody.  Thread: its hub only.  Owner: borrows pool.
 */
FERN_API FERN_MUST_CHECK int fern_pool_wait_all(fern_pool *pool, fern_time deadline);

/* A free slot of a pool, as a case of fern_select(), fern_wait() and fern_iwait_new(). Its result is
 * how many are free, as that of fern_pool_wait_available(): none is taken. */
static inline fern_case
fern_case_pool_slot(fern_pool *pool)
{
    return fern__case(FERN_CASE_POOL_SLOT, pool, NULL);
}

/* A pool that is empty, and nobody waits for a slot, as fern_pool_wait_all() waits for. Its result is
 * 0, or for one of its members -EDEADLK. */
static inline fern_case
fern_case_pool_idle(fern_pool *pool)
{
    return fern__case(FERN_CASE_POOL_IDLE, pool, NULL);
}

/* ---- killing ---- */

/**
 * Kill all members and wait until the pool is empty. Whoever comes in meanwhile is killed too,
 * and what is being mapped over the pool stops.
 *
 * @param  pool      the pool
 * @param  code      as fern_kill()
 * @param  deadline  how long to wait; FERN_NOWAIT does not wait
 * @return 0 it is empty; -EAGAIN not yet (FERN_NOWAIT); -ETIME; -ECANCELED the caller was killed,
 *         or is a member; -EINVAL NULL; -EXDEV; -ENOMEM
 *
 * May switch: only if it has to wait.  Thread: its hub only.  Owner: borrows pool.
 */
FERN_API int fern_pool_kill(fern_pool *pool, int code, fern_time deadline);

/**
 * Kill one member and wait until it has ended.
 *
 * @param  pool      the pool
 * @param  g         the member
 * @param  code      as fern_kill()
 * @param  deadline  how long to wait
 * @return as fern_kill(); -ESRCH it is no member
 *
 * May switch: only if it has to wait.  Thread: its hub only.  Owner: borrows g.
 */
FERN_API int fern_pool_kill_one(
        fern_pool *pool, fern_greenlet *g, int code, fern_time deadline);

/* ---- applying and mapping ---- */

/**
 * Run a function in a pool and wait for its outcome.
 *
 * @param  pool         the pool; a member of it that finds it full runs the function itself
 * @param  fn           the function
 * @param  arg          passed to it
 * @param  ret_outcome  receives what became of it, but for the message; untouched on error
 * @param  deadline     for the slot and the outcome together; afterwards fn runs on
 * @return 0; as fern_pool_go(); -EINVAL ret_outcome is NULL, too
 *
 * May switch: yes.  Thread: its hub only.  Owner: borrows pool.
 */
FERN_API FERN_MUST_CHECK int fern_pool_apply(fern_pool *pool, fern_fn *fn, void *arg,
        fern_outcome *ret_outcome, fern_time deadline);

/**
 * Have a function run in a pool, now or, if it is full, when its turn comes.
 *
 * @param  pool      the pool
 * @param  fn        the function
 * @param  arg       passed to it
 * @param  done      called as by fern_link() when it has ended successfully; NULL for none
 * @param  done_arg  passed to done
 * @return the greenlet with one reference; NULL with errno EINVAL, EXDEV, ENOMEM or EMFILE
 *
 * May switch: no.  Thread: its hub only.  Owner: the caller gives the reference back by fern_greenlet_unref(); keeps done_arg.
 */
FERN_API fern_greenlet *fern_pool_apply_async(
        fern_pool *pool, fern_fn *fn, void *arg, fern_link_fn *done, void *done_arg);

/**
 * Run a function for each of several things, each in a greenlet of the pool, and wait for all.
 *
 * Failures are not reported: they are in the results. If the pool is killed, what has not been
 * spawned has the outcome -ECANCELED.
 *
 * @param  pool         the pool
 * @param  fn           the function
 * @param  args         what it is called with, one after the other
 * @param  n            how many
 * @param  ret_results  room for n outcomes, in the order of args, without messages; or NULL. On
 *                      error those that have not ended have the code -EINPROGRESS
 * @param  deadline     for all of them together; afterwards no more are spawned, those that
 *                      were run on, and ret_results is not touched any more
 * @return 0 all have ended; -EAGAIN not all (FERN_NOWAIT); -ETIME; -ECANCELED; -EDEADLK; -EINVAL;
 *         -EXDEV; -ENOMEM; -EMFILE
 *
 * May switch: yes.  Thread: its hub only.  Owner: borrows args.
 */
FERN_API FERN_MUST_CHECK int fern_pool_map(fern_pool *pool, fern_fn *fn, void *const *args,
        size_t n, fern_outcome *ret_results, fern_time deadline);

/**
 * The same in a greenlet of its own, which is no member.
 *
 * @param  pool         the pool
 * @param  fn           the function
 * @param  args         must live until the greenlet has ended
 * @param  n            how many
 * @param  ret_results  as fern_pool_map(); must live until the greenlet has ended
 * @param  done         called as by fern_link() when all have ended; NULL for none
 * @param  done_arg     passed to done
 * @return the greenlet with one reference, whose value is ret_results; NULL with errno EINVAL,
 *         EXDEV, ENOMEM or EMFILE
 *
 * May switch: no.  Thread: its hub only.  Owner: the caller gives the reference back; keeps args, ret_results and done_arg.
 */
FERN_API fern_greenlet *fern_pool_map_async(fern_pool *pool, fern_fn *fn, void *const *args,
        size_t n, fern_outcome *ret_results, fern_link_fn *done, void *done_arg);

/** Gives the next item of an input. @return 1 it did; 0 there are no more; < 0 it has failed. */
typedef int fern_input_fn(void *state, void **ret_item);

/** Where items come from. */
typedef struct fern_input {
    fern_input_fn
            *next; /**< gives them one by one, and may wait; NULL: they are in `items` */
    void *state;   /**< passed to next */
    void *const *items;
    size_t count;
} fern_input;

/** The input that an array is. */
static inline fern_input
fern_input_items(void *const *items, size_t count)
{
    fern_input input = {NULL, NULL, items, count};
    return input;
}

/** The input that a function gives. */
static inline fern_input
fern_input_from(fern_input_fn *next, void *state)
{
    fern_input input = {next, state, NULL, 0};
    return input;
}

/** Results of things that run in a pool, to be read one by one. Opaque. */
typedef struct fern_pile fern_pile;

/** Flags of fern_pool_imap() and fern_pool_starmap(). */
enum {
    FERN_PILE_UNORDERED = 1, /**< results come as they end, not in the order of the input */
};

/**
 * Run a function for each item of an input, and read the results while it goes on.
 *
 * A greenlet of its own reads the input and spawns in the pool, ahead of the reader by a bounded
 * number of results: memory does not grow with the input. A failure is a result at its place,
 * and is not reported; if the input fails, its code is the last result.
 *
 * @param  pool        the pool
 * @param  fn          the function; NULL gives each item back
 * @param  input       copied; what it points to must live until the pile is at its end or freed
 * @param  flags       0 or FERN_PILE_UNORDERED
 * @param  look_ahead  how many may be running or unread at once; 0: the size of the pool, and
 *                     for a group no limit
 * @return the pile, for fern_pile_next(); NULL with errno EINVAL, EXDEV, ENOMEM or EMFILE
 *
 * May switch: no.  Thread: its hub only.  Owner: the caller gives it back by fern_pile_free(); keeps pool and the input.
 */
FERN_API fern_pile *fern_pool_imap(fern_pool *pool, fern_fn *fn, const fern_input *input,
        int flags, size_t look_ahead);

/**
 * Run a function for the items of several inputs side by side, until the shortest ends.
 *
 * @param  pool        the pool
 * @param  fn          called with a `void **`: one item of each input, good while it runs
 * @param  inputs      copied; as fern_pool_imap()
 * @param  width       how many, at least 1
 * @param  flags       0 or FERN_PILE_UNORDERED
 * @param  look_ahead  as fern_pool_imap()
 * @return as fern_pool_imap()
 *
 * May switch: no.  Thread: its hub only.  Owner: as fern_pool_imap().
 */
FERN_API fern_pile *fern_pool_starmap(fern_pool *pool, fern_fn *fn,
        const fern_input *inputs, size_t width, int flags, size_t look_ahead);

/* ---- piles ---- */

/**
 * Make a pile.
 *
 * @param  pool  where to spawn, for several piles if need be; NULL: a pool of its own
 * @param  size  of its own pool, as fern_pool_new()
 * @return the pile; NULL with errno EINVAL, EXDEV or ENOMEM
 *
 * May switch: no.  Thread: its hub only.  Owner: the caller gives it back by fern_pile_free(); keeps pool.
 */
FERN_API fern_pile *fern_pile_new(fern_pool *pool, size_t size);

/**
 * Free a pile. What runs runs on, and its results are lost; no more is spawned.
 *
 * @param  pile  the pile; NULL is allowed
 * @return 0; -EBUSY somebody waits for a result or spawns; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: the pile is gone, unless it is refused.
 */
FERN_API int fern_pile_free(fern_pile *pile);

/**
 * Spawn a greenlet whose outcome fern_pile_next() gives in its turn. Its failure is not reported.
 *
 * @param  pile      a pile of fern_pile_new()
 * @param  fn        what it runs
 * @param  arg       passed to fn
 * @param  deadline  how long to wait for a slot
 * @return as fern_pool_go(); on error nothing was spawned, and the pile is as before
 *
 * May switch: only if the pool is full.  Thread: its hub only.  Owner: fern's alone.
 */
FERN_API FERN_MUST_CHECK int fern_pile_spawn(
        fern_pile *pile, fern_fn *fn, void *arg, fern_time deadline);

/**
 * The same with the place of the spawn; the macro fern_pile_spawn passes it.
 *
 * @param  pile      a pile of fern_pile_new()
 * @param  fn        what it runs
 * @param  arg       passed to fn
 * @param  site      static record of the place; NULL for unknown
 * @param  deadline  how long to wait for a slot
 * @return as fern_pile_spawn()
 *
 * May switch: only if the pool is full.  Thread: its hub only.  Owner: keeps site.
 */
FERN_API FERN_MUST_CHECK int fern_pile_spawn_at(
        fern_pile *pile, fern_fn *fn, void *arg, const fern_site *site, fern_time deadline);

#define fern_pile_spawn(pile, fn, arg, deadline)                                           \
    fern_pile_spawn_at((pile), (fn), (arg), FERN_SITE, (deadline))

/**
 * The next result, in the order of the spawns (or of the ends, with FERN_PILE_UNORDERED).
 *
 * @param  pile         the pile
 * @param  ret_outcome  receives it; its message is good until the next call, or fern_pile_free()
 * @param  deadline     how long to wait for it
 * @return 1 it is there; 0 nothing is outstanding, and ret_outcome untouched; -EAGAIN not yet and
 *         FERN_NOWAIT; -ETIME; -ECANCELED; -EDEADLK; -EINVAL NULL; -EXDEV; -ENOMEM
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: the value is the user's.
 */
FERN_API FERN_MUST_CHECK int fern_pile_next(
        fern_pile *pile, fern_outcome *ret_outcome, fern_time deadline);

/**
 * A pile as an iterator, for FERN_EACH and whatever takes iterators: it gives each result, a
 * fern_outcome, as fern_pile_next() does.
 *
 * @param  pile  the pile
 * @return an iterator; closing it frees the pile
 *
 * May switch: no.  Thread: any.  Owner: borrows pile as long as the iterator is used.
 */
FERN_API fern_iterator fern_pile_iterator(fern_pile *pile);

/* The next result of a pile as a case of fern_select(): taken into ret_outcome, as fern_pile_next()
 * would; its result is 1, or 0 if nothing is outstanding. */
static inline fern_case
fern_case_pile(fern_pile *pile, fern_outcome *ret_outcome)
{
    return fern__case(FERN_CASE_PILE, pile, ret_outcome);
}

FERN__END_DECLS

#endif
