/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several things, of any kinds: for the first of them, or for many.
 *
 *     fern_case cases[] = {
 *             fern_case_event(&stop),
 *             fern_case_fd(fd, POLLIN),
 *             fern_case_timer(fern_in(FERN_SECOND)),
 *     };
 *     int which = fern_select(cases, 3, 0, FERN_FOREVER);
 *
 * One call of fern_select() has one winner; nothing is taken from, given to or lost by the others.
 * fern_wait() and fern_iwait_next() tell which are ready, in the order in which they became so, and
 * take nothing from any of them. fern_notice_new() has a function called instead.
 */
#ifndef FERN_WAIT_H
#define FERN_WAIT_H

#include <fern/base.h>
#include <fern/event.h>
#include <fern/greenlet.h>
#include <fern/lock.h>
#include <fern/loop.h>
#include <fern/queue.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** What a case waits for. */
typedef enum fern_case_kind {
    FERN_CASE_NEVER, /**< nothing: never ready */
    FERN_CASE_TIMER, /**< a moment */
    FERN_CASE_FD, /**< events of poll() at an fd; the result is the events that are there */
    FERN_CASE_END,       /**< the end of a greenlet */
    FERN_CASE_EVENT,     /**< an event to be set */
    FERN_CASE_RESULT,    /**< a result to be assigned */
    FERN_CASE_PUT,       /**< an item to be put into a queue or channel */
    FERN_CASE_GET,       /**< an item to be taken from one */
    FERN_CASE_FUTURE,    /**< a future to be done */
    FERN_CASE_SEMAPHORE, /**< a permit, which is taken */
    FERN_CASE_MUTEX,     /**< a mutex, which is taken */
    FERN_CASE_POOL_SLOT, /**< a free slot of a pool; the result is how many there are */
    FERN_CASE_POOL_IDLE, /**< a pool without members, nobody waiting for a slot */
    FERN_CASE_PILE,      /**< a result of a pile, which is taken */
    FERN_CASE_STOCK,     /**< a thing of a stock that could be had */
} fern_case_kind;

/** One of several things to wait for. Made by the functions below. */
typedef struct fern_case {
    fern_case_kind kind;
    int result;   /**< of the case that won: 0, or a code, or for an fd its events */
    void *object; /**< what is waited for; NULL: never ready */
    void *item;   /**< where an item goes to or comes from */
    fern_time when;
    int fd;
    short events;
    uint64_t fern__reserved[2];
} fern_case;

/** Flags of fern_select(). */
enum {
    FERN_SELECT_RANDOM =
            1, /**< if several are ready, any of them may win, not the first listed */
};

static inline fern_case
fern__case(fern_case_kind kind, void *object, void *item)
{
    fern_case c = {kind, 0, object, item, {0}, -1, 0, {0, 0}};
    return c;
}

static inline fern_case
fern_case_event(fern_event *event)
{
    return fern__case(FERN_CASE_EVENT, event, NULL);
}

static inline fern_case
fern_case_result(fern_result *result)
{
    return fern__case(FERN_CASE_RESULT, result, NULL);
}

/* Put an item: ready with 0 once it has been put, or taken from a channel; with -EPIPE if the
 * queue is closed, and what else fern_queue_put() says. */
static inline fern_case
fern_case_put(fern_queue *queue, const void *item)
{
    return fern__case(FERN_CASE_PUT, queue, (void *)(uintptr_t)item);
}

/* Take an item into ret_item: ready with 0, or with -EPIPE if the queue is closed and empty. */
static inline fern_case
fern_case_get(fern_queue *queue, void *ret_item)
{
    return fern__case(FERN_CASE_GET, queue, ret_item);
}

static inline fern_case
fern_case_semaphore(fern_semaphore *semaphore)
{
    return fern__case(FERN_CASE_SEMAPHORE, semaphore, NULL);
}

static inline fern_case
fern_case_mutex(fern_mutex *mutex)
{
    return fern__case(FERN_CASE_MUTEX, mutex, NULL);
}

static inline fern_case
fern_case_end(fern_greenlet *greenlet)
{
    return fern__case(FERN_CASE_END, greenlet, NULL);
}

static inline fern_case
fern_case_timer(fern_time when)
{
    fern_case c = fern__case(FERN_CASE_TIMER, NULL, NULL);
    c.when = when;
    return c;
}

static inline fern_case
fern_case_fd(int fd, short events)
{
    fern_case c = fern__case(FERN_CASE_FD, NULL, NULL);
    c.fd = fd;
    c.events = events;
    return c;
}

/**
 * Wait for the first of several cases, and carry it out. If some are ready at once, the first
 * listed wins, or with FERN_SELECT_RANDOM one that is drawn.
 *
 * @param  cases     the cases; the winner's `result` is set
 * @param  count     how many; the same object may stand in several
 * @param  flags     0 or FERN_SELECT_RANDOM
 * @param  deadline  how long at most; FERN_NOWAIT takes what is ready
 * @return the index of the winner; -EAGAIN none is ready and FERN_NOWAIT; -ETIME; -ECANCELED;
 *         -EDEADLK; -EINVAL no cases, an unknown kind or flag; -EXDEV an object of another hub;
 *         -EBADF, -ENOSPC an fd that cannot be waited for; -ENOMEM; -EMFILE
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: the objects' hub only.  Owner: borrows cases and objects.
 */
FERN_API FERN_MUST_CHECK int fern_select(
        fern_case *cases, size_t count, int flags, fern_time deadline);

/* ---- many ---- */

/**
 * Wait until some of several cases are ready, and tell in which order they became so. Nothing is
 * taken from any: an event that resets itself stays set, an item stays in its queue. What is ready
 * at once comes first, as listed; fds and timers are looked at when this begins and whenever it
 * wakes.
 *
 * @param  cases      the cases; those that are ready have their `result` set
 * @param  count      how many; the same object may stand in several
 * @param  wanted     return when so many are ready; 0 for all
 * @param  ret_order  room for count: their indices, first ready first; or NULL
 * @param  deadline   how long at most; FERN_NOWAIT only looks
 * @return how many are ready, at most `wanted`; fewer if the deadline has passed; -ETIME a scope has
 *         passed; -ECANCELED; -EDEADLK; -EINVAL `wanted` is over count, or a kind is not known or
 *         cannot be asked; -EXDEV an object of another hub; -ENOMEM; -EMFILE, -ENOSPC the kernel
 *         watches no more fds
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: the objects' hub only.  Owner: borrows cases and objects.
 */
FERN_API FERN_MUST_CHECK int fern_wait(fern_case *cases, size_t count, size_t wanted,
        size_t *ret_order, fern_time deadline);

/** Tells of cases one after the other, as they become ready. Opaque. */
typedef struct fern_iwait fern_iwait;

/**
 * Begin to watch several cases. What becomes ready while nobody waits in fern_iwait_next() is not
 * missed, and keeps its place in the order; fds and timers are looked at only there.
 *
 * @param  cases  the cases; each that is told of has its `result` set
 * @param  count  how many; the same object may stand in several
 * @return the iterator; NULL with errno EINVAL, EXDEV, ENOMEM or EMFILE as fern_wait()
 *
 * May switch: no.  Thread: the objects' hub only.  Owner: keeps cases and objects until fern_iwait_free().
 */
FERN_API fern_iwait *fern_iwait_new(fern_case *cases, size_t count);

/**
 * Wait for the next case to become ready. Each is told of once, and nothing is taken from it.
 *
 * @param  it         the iterator
 * @param  ret_index  receives the case's index; untouched unless 1 is returned
 * @param  deadline   how long at most; FERN_NOWAIT only looks
 * @return 1; 0 all have been told of; -EAGAIN none is ready and FERN_NOWAIT; -ETIME; -ECANCELED;
 *         -EDEADLK; -EBUSY another greenlet waits in it; -EINVAL NULL; -EXDEV another hub's; -ENOMEM;
 *         -EMFILE, -ENOSPC the kernel watches no more fds
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: borrows it.
 */
FERN_API FERN_MUST_CHECK int fern_iwait_next(
        fern_iwait *it, size_t *ret_index, fern_time deadline);

/**
 * Stop watching. Those that have not been told of are left as they are.
 *
 * @param  it  the iterator, nobody waits in it; NULL is allowed
 *
 * May switch: no.  Thread: its hub only.  Owner: frees it; gives cases and objects back.
 */
FERN_API void fern_iwait_free(fern_iwait *it);

/* ---- being told ---- */

/** Calls a function when a case is ready. Opaque. */
typedef struct fern_notice fern_notice;

/**
 * Have a function called, once, when a case is ready: a permit of a semaphore that nobody waits
 * for, a mutex that is free, an item, an event, an end. Nothing is taken, and by the time of the call
 * it may be gone again: who wants it tries with FERN_NOWAIT, and asks anew by fern_notice_renew()
 * if need be. What is ready already is told of as well, never before this returns.
 *
 * @param  c    the case, copied; a timer or an fd is none for this
 * @param  fn   called as by fern_call_soon(): must not wait; may renew or free the notice
 * @param  arg  handed to it
 * @return the notice; NULL with errno EINVAL (NULL, a kind that it cannot be, or that is not known),
 *         EXDEV an object of another hub, ENOMEM, EMFILE
 *
 * May switch: no.  Thread: the object's hub only.  Owner: keeps the object until the call or fern_notice_free(), which the caller owes it.
 */
FERN_API fern_notice *fern_notice_new(const fern_case *c, fern_callback_fn *fn, void *arg);

/**
 * Ask anew, once the function has been called.
 *
 * @param  notice  the notice
 * @return 0; -EBUSY it has not been called yet; -EINVAL NULL; -EXDEV another hub's; -ENOMEM
 *
 * May switch: no.  Thread: its hub only.  Owner: keeps the object again.
 */
FERN_API int fern_notice_renew(fern_notice *notice);

/**
 * End a notice. What it had not been called for it is not called for any more.
 *
 * @param  notice  the notice; NULL is allowed
 * @return 0; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: frees it; gives the object back.
 */
FERN_API int fern_notice_free(fern_notice *notice);

FERN__END_DECLS

#endif
