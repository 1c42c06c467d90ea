/* SPDX-License-Identifier: MIT */
/*
 * Locks: mutex, recursive mutex, condition, several mutexes at once, lock for readers and writers.
 *
 * They belong to greenlets, not to threads: the owner of a mutex is the greenlet that took it.
 * They live in the user's memory, are zero before their first use, do not move afterwards, and
 * belong to the hub of their first use; from another thread they answer -EXDEV. Who waits is
 * served in order of arrival, by hand-off: a lock that is released belongs to the first waiter at
 * once, and nobody can pass it by. A waiter that is killed or times out gives up its place and
 * nothing else.
 *
 *     static fern_mutex mutex = FERN_MUTEX_INIT;
 *     int r;
 *     FERN_WITH_LOCK (r, &mutex, FERN_FOREVER) {
 *         change();                 (released on every way out of the block)
 *     }
 *     if (r < 0)                    (it was not taken, and the block was not run)
 *         return r;
 *
 * Semaphores are in semaphore.h; barriers, wait groups and what runs once are in barrier.h.
 */
#ifndef FERN_LOCK_H
#define FERN_LOCK_H

#include <fern/barrier.h>
#include <fern/base.h>
#include <fern/greenlet.h>
#include <fern/semaphore.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/* ---- mutex ---- */

/** A mutex. Fields are fern's; zero before first use. */
typedef struct fern_mutex {
    uint64_t fern__words[10];
} fern_mutex;

/** Flags of fern_mutex_init(). */
enum {
    FERN_MUTEX_RECURSIVE = 1, /**< its owner may take it again, and releases it as often */
};

#ifdef __cplusplus
#define FERN_MUTEX_INIT     (fern_mutex())
#define FERN_RLOCK_INIT     (fern_mutex{{0, 0, 0, 0, 0, 0, FERN_MUTEX_RECURSIVE}})
#define FERN_CONDITION_INIT (fern_condition())
#define FERN_RWLOCK_INIT    (fern_rwlock())
#else
#define FERN_MUTEX_INIT     ((fern_mutex){{0}})
/** A mutex with FERN_MUTEX_RECURSIVE. */
#define FERN_RLOCK_INIT     ((fern_mutex){{0, 0, 0, 0, 0, 0, FERN_MUTEX_RECURSIVE}})
#define FERN_CONDITION_INIT ((fern_condition){{0}})
#define FERN_RWLOCK_INIT    ((fern_rwlock){{0}})
#endif

/**
 * Begin a mutex with flags; FERN_MUTEX_INIT and FERN_RLOCK_INIT do the same.
 *
 * @param  mutex  memory that is not in use
 * @param  flags  0 or FERN_MUTEX_RECURSIVE
 * @return 0; -EINVAL NULL, or a flag that is not known
 *
 * May switch: no.  Thread: any.  Owner: mutex stays the caller's.
 */
FERN_API int fern_mutex_init(fern_mutex *mutex, int flags);

/**
 * End the use of a mutex; it is as new afterwards.
 *
 * @param  mutex  a mutex
 * @return 0; -EBUSY somebody waits for it, or holds it and has not ended; -EINVAL NULL; -EXDEV
 *         another hub's
 *
 * May switch: no.  Thread: its hub only, or any once that has ended.  Owner: mutex stays the caller's.
 */
FERN_API int fern_mutex_fini(fern_mutex *mutex);

/**
 * Take a mutex, waiting until it is the caller's.
 *
 * @param  mutex     a mutex
 * @param  deadline  how long at most; FERN_NOWAIT only tries
 * @return 0 the caller is its owner; -EAGAIN it is held and FERN_NOWAIT; -EDEADLK the caller holds
 *         it already and it is not recursive, or nothing can ever wake main, or the order check
 *         is on and has found this order violated; -ETIME; -ECANCELED; -EINVAL NULL; -EXDEV
 *         another hub's; -ENOMEM, -EMFILE no hub could be made
 *
 * May switch: yes, unless it is free or FERN_NOWAIT.  Thread: its hub only.  Owner: borrows mutex.
 */
FERN_API FERN_MUST_CHECK int fern_mutex_lock(fern_mutex *mutex, fern_time deadline);

/**
 * Release a mutex. If somebody waits for it, it is the first waiter's at once.
 *
 * @param  mutex  a mutex that the caller holds
 * @return 0; -EPERM it is free or another's; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows mutex.
 */
FERN_API int fern_mutex_unlock(fern_mutex *mutex);

/**
 * Whether somebody holds a mutex.
 *
 * @param  mutex  a mutex; NULL is false
 * @return true while it is held
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows mutex.
 */
FERN_API bool fern_mutex_locked(const fern_mutex *mutex);

/**
 * How often the caller has taken a mutex and not released it yet.
 *
 * @param  mutex  a mutex; NULL is 0
 * @return 0 the caller does not hold it; more than 1 only for a recursive one
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows mutex.
 */
FERN_API size_t fern_mutex_depth(const fern_mutex *mutex);

/* ---- several ---- */

/**
 * Take several mutexes, always in order of address, so that two that want the same ones in
 * different orders cannot wait for each other. All are taken, or none.
 *
 * Who holds mutexes by this call already may add only such as come after all of them in order of
 * address; otherwise the call is refused, and both places are named on stderr.
 *
 * @param  mutexes   n different mutexes, in any order
 * @param  n         how many; 0 returns at once
 * @param  deadline  for all of them together; FERN_NOWAIT only tries
 * @return 0; -EDEADLK the order is violated, or the caller holds one of them; -EAGAIN one is held
 *         and FERN_NOWAIT; -EINVAL NULL, or one stands there twice; -ENOMEM; else as
 *         fern_mutex_lock()
 *
 * May switch: yes, unless all are free or FERN_NOWAIT.  Thread: their hub only.  Owner: borrows mutexes.
 */
FERN_API FERN_MUST_CHECK int fern_lock_all(
        fern_mutex *const *mutexes, size_t n, fern_time deadline);

/**
 * Release several mutexes, the last in order of address first. They may have been taken in any
 * way.
 *
 * @param  mutexes  n mutexes that the caller holds, in any order
 * @param  n        how many
 * @return 0; -EPERM the caller does not hold all of them, and none was released; -EINVAL NULL;
 *         -EXDEV another hub's
 *
 * May switch: no.  Thread: their hub only.  Owner: borrows mutexes.
 */
FERN_API int fern_unlock_all(fern_mutex *const *mutexes, size_t n);

/**
 * Switch the check of lock order on or off for the process; FERN_LOCK_ORDER=1 in the environment
 * switches it on from the start. It is meant for tests: locks become several times slower.
 *
 * While it is on, fern remembers which mutex was taken while which other was held, and where.
 * Who is about to take two in an order that contradicts what was seen before, directly or by way
 * of others, gets -EDEADLK instead and both places are named on stderr, even if this time nobody
 * would have waited. Attempts with FERN_NOWAIT and cases of fern_select() are not refused.
 *
 * @param  on  whether to check from now on
 * @return whether it was on
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API bool fern_lock_order_check(bool on);

/* ---- condition ---- */

/** A condition. Fields are fern's; zero before first use. */
typedef struct fern_condition {
    uint64_t fern__words[8];
} fern_condition;

/** What fern_condition_wait_for() waits for; called with the mutex held. */
typedef bool fern_predicate(void *arg);

/**
 * End the use of a condition; it is as new afterwards.
 *
 * @param  condition  a condition
 * @return 0; -EBUSY somebody waits; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: condition stays the caller's.
 */
FERN_API int fern_condition_fini(fern_condition *condition);

/**
 * Release a mutex, wait to be notified, and take the mutex again. It is held again whatever the
 * call returns, also when the caller was killed or timed out; a recursive one is released
 * altogether and taken as often again. There are no spurious wake-ups, but what was true when the
 * notification came need not be true any more when the mutex is held.
 *
 * Who is killed or times out before it is notified leaves the notification to the next.
 *
 * @param  condition  a condition; it keeps the mutex of its first wait until fern_condition_fini()
 * @param  mutex      a mutex that the caller holds; the same in all waits
 * @param  deadline   how long to wait for the notification at most
 * @return 0 notified; -ETIME; -ECANCELED; -EAGAIN FERN_NOWAIT; -EPERM the caller does not hold the
 *         mutex; -EINVAL NULL, or it has another mutex; -EXDEV another hub's; -EDEADLK nothing can
 *         ever wake main: then, and if then somebody else holds the mutex, the caller does not
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: borrows both.
 */
FERN_API FERN_MUST_CHECK int fern_condition_wait(
        fern_condition *condition, fern_mutex *mutex, fern_time deadline);

/**
 * Wait until a predicate is true, which is looked at before and after each notification.
 *
 * @param  condition  a condition
 * @param  mutex      a mutex that the caller holds, and holds again afterwards
 * @param  predicate  called with the mutex held; must not wait
 * @param  arg        handed to it
 * @param  deadline   for all waits together; FERN_NOWAIT only looks
 * @return 0 it is true; -ETIME it was not, even at last; else as fern_condition_wait(); -EINVAL
 *         predicate is NULL, too
 *
 * May switch: yes, unless it is true or FERN_NOWAIT.  Thread: its hub only.  Owner: borrows all.
 */
FERN_API FERN_MUST_CHECK int fern_condition_wait_for(fern_condition *condition,
        fern_mutex *mutex, fern_predicate *predicate, void *arg, fern_time deadline);

/**
 * Wake those that have waited longest. When nobody waits the notification is lost.
 *
 * @param  condition  a condition
 * @param  n          how many at most
 * @return how many were woken; -EPERM the caller does not hold the mutex (which is known since the
 *         first wait); -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows condition.
 */
FERN_API int fern_condition_notify(fern_condition *condition, size_t n);

/**
 * Wake all who wait.
 *
 * @param  condition  a condition
 * @return as fern_condition_notify()
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows condition.
 */
FERN_API int fern_condition_notify_all(fern_condition *condition);

/* ---- readers and writers ---- */

/** A lock that readers share and a writer has alone. Fields are fern's; zero before first use. */
typedef struct fern_rwlock {
    uint64_t fern__words[8];
} fern_rwlock;

/**
 * End the use of a lock for readers and writers; it is as new afterwards.
 *
 * @param  lock  a lock
 * @return 0; -EBUSY somebody waits for it, reads, or writes and has not ended; -EINVAL NULL; -EXDEV
 *         another hub's
 *
 * May switch: no.  Thread: its hub only, or any once that has ended.  Owner: lock stays the caller's.
 */
FERN_API int fern_rwlock_fini(fern_rwlock *lock);

/**
 * Take a lock for reading, with others that read. The policy is first come, first served: who
 * comes to read while somebody waits to write waits behind it, so that neither readers nor writers
 * starve; readers that stand one behind the other are let in together. Hence a reader must not
 * take the same lock once more.
 *
 * @param  lock      a lock
 * @param  deadline  how long at most; FERN_NOWAIT only tries
 * @return 0; -EAGAIN it would have to wait and FERN_NOWAIT; -EDEADLK the caller writes, or nothing
 *         can ever wake main; -ETIME; -ECANCELED; -EINVAL NULL; -EXDEV another hub's; -ENOMEM,
 *         -EMFILE no hub could be made
 *
 * May switch: yes, unless it can be had or FERN_NOWAIT.  Thread: its hub only.  Owner: borrows lock.
 */
FERN_API FERN_MUST_CHECK int fern_rwlock_read(fern_rwlock *lock, fern_time deadline);

/**
 * Take a lock for writing, alone.
 *
 * @param  lock      a lock
 * @param  deadline  how long at most; FERN_NOWAIT only tries
 * @return as fern_rwlock_read()
 *
 * May switch: yes, unless it can be had or FERN_NOWAIT.  Thread: its hub only.  Owner: borrows lock.
 */
FERN_API FERN_MUST_CHECK int fern_rwlock_write(fern_rwlock *lock, fern_time deadline);

/**
 * Release a lock that was taken for reading or for writing.
 *
 * @param  lock  a lock that the caller holds
 * @return 0; -EPERM nobody holds it, or somebody else writes; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows lock.
 */
FERN_API int fern_rwlock_unlock(fern_rwlock *lock);

/* ---- blocks ---- */

/* What a block holds; NULL once it was released. */
struct fern__locks {
    fern_mutex *const *mutexes;
    size_t n;
};

static inline struct fern__locks
fern__locks_enter(fern_mutex *const *mutexes, size_t n, fern_time deadline, int *ret_code)
{
    struct fern__locks none = {NULL, 0}, held = {mutexes, n};
    *ret_code = fern_lock_all(mutexes, n, deadline);
    return *ret_code < 0 ? none : held;
}

static inline void
fern__locks_leave(struct fern__locks *held)
{
    if (held->mutexes)
        (void)fern_unlock_all(held->mutexes, held->n);
    held->mutexes = NULL;
}

static inline fern_mutex *
fern__lock_enter(fern_mutex *mutex, fern_time deadline, int *ret_code)
{
    *ret_code = fern_mutex_lock(mutex, deadline);
    return *ret_code < 0 ? NULL : mutex;
}

static inline void
fern__lock_leave(fern_mutex **held)
{
    if (*held)
        (void)fern_mutex_unlock(*held);
    *held = NULL;
}

/**
 * A block that holds a mutex, and releases it on every way out (its end, break, return, goto).
 * `r`, an int of the caller's, receives what fern_mutex_lock() returns; when that is an error the
 * block is not run.
 */
#define FERN_WITH_LOCK(r, mutex, deadline)                                                 \
    for (fern_mutex * FERN__UNIQUE(fern__held)                                             \
                              __attribute__((cleanup(fern__lock_leave))) =                 \
                    fern__lock_enter((mutex), (deadline), &(r));                           \
            FERN__UNIQUE(fern__held); fern__lock_leave(&FERN__UNIQUE(fern__held)))

/** The same for n mutexes at once, by fern_lock_all(). */
#define FERN_WITH_LOCKS(r, all, n, deadline)                                               \
    for (struct fern__locks FERN__UNIQUE(fern__held)                                       \
                    __attribute__((cleanup(fern__locks_leave))) =                          \
                            fern__locks_enter((all), (n), (deadline), &(r));               \
            FERN__UNIQUE(fern__held).mutexes;                                              \
            fern__locks_leave(&FERN__UNIQUE(fern__held)))

FERN__END_DECLS

#endif
