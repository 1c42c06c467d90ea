/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the first of several things, of any kinds.
 *
 *     fern_case cases[] = {
 *             fern_case_event(&stop),
 *             fern_case_fd(fd, POLLIN),
 *             fern_case_timer(fern_in(FERN_SECOND)),
 *     };
 *     int which = fern_select(cases, 3, 0, FERN_FOREVER);
 *
 * One call has one winner; nothing is taken from, given to or lost by the others.
 */
#ifndef FERN_WAIT_H
#define FERN_WAIT_H

#include <fern/base.h>
#include <fern/event.h>
#include <fern/greenlet.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** What a case waits for. */
typedef enum fern_case_kind {
    FERN_CASE_NEVER, /**< nothing: never ready */
    FERN_CASE_TIMER, /**< a moment */
    FERN_CASE_FD, /**< events of poll() at an fd; the result is the events that are there */
    FERN_CASE_END,    /**< the end of a greenlet */
    FERN_CASE_EVENT,  /**< an event to be set */
    FERN_CASE_RESULT, /**< a result to be assigned */
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

FERN__END_DECLS

#endif
