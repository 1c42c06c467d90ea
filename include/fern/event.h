/* SPDX-License-Identifier: MIT */
/*
 * Events and results: one greenlet says, others hear.
 *
 * An event is a flag that can be waited for. A result is assigned once, a value or an error, and
 * keeps it for everybody who asks. Both live in the user's memory, are zero before their first
 * use, do not move afterwards, and belong to the hub of their first use; from another thread they
 * answer -EXDEV. Who waits is woken in order of arrival.
 *
 *     static fern_event ready;
 *     (void)fern_event_set(&ready);                     (one greenlet)
 *     int r = fern_event_wait(&ready, FERN_FOREVER);    (another)
 */
#ifndef FERN_EVENT_H
#define FERN_EVENT_H

#include <fern/base.h>
#include <fern/greenlet.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/* ---- event ---- */

/** An event. Fields are fern's; zero before first use. */
typedef struct fern_event {
    uint64_t fern__words[8];
} fern_event;

/** Flags of fern_event_init(). */
enum {
    FERN_EVENT_AUTO = 1, /**< a wait that succeeds clears it: each set lets one through */
};

#ifdef __cplusplus
#define FERN_EVENT_INIT  (fern_event())
#define FERN_RESULT_INIT (fern_result())
#else
#define FERN_EVENT_INIT  ((fern_event){0})
#define FERN_RESULT_INIT ((fern_result){0})
#endif

/**
 * Begin an event with flags; for a plain one FERN_EVENT_INIT will do.
 *
 * @param  event  memory that is not in use
 * @param  flags  0 or FERN_EVENT_AUTO
 * @return 0; -EINVAL NULL, or a flag that is not known
 *
 * May switch: no.  Thread: any.  Owner: event stays the caller's.
 */
FERN_API int fern_event_init(fern_event *event, int flags);

/**
 * End the use of an event; it is as new afterwards.
 *
 * @param  event  an event
 * @return 0; -EBUSY somebody waits for it, or was woken and has not run yet; -EINVAL NULL;
 *         -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: event stays the caller's.
 */
FERN_API int fern_event_fini(fern_event *event);

/**
 * Set an event. Everybody who waits now is woken, first come first, even if it is cleared before
 * they run; with FERN_EVENT_AUTO only the first of them, and the event stays clear. Setting a set
 * one changes nothing.
 *
 * @param  event  an event
 * @return 0; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows event.
 */
FERN_API int fern_event_set(fern_event *event);

/**
 * Clear an event: who comes from now on waits.
 *
 * @param  event  an event
 * @return 0; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows event.
 */
FERN_API int fern_event_clear(fern_event *event);

/**
 * Whether an event is set.
 *
 * @param  event  an event; NULL is false
 * @return true while it is
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows event.
 */
FERN_API bool fern_event_is_set(const fern_event *event);

/**
 * Wait until an event is set. It returns 0 if the event was set at any time meanwhile. Who comes
 * while others that were woken have not run yet takes its turn behind them.
 *
 * @param  event     an event
 * @param  deadline  how long at most; FERN_NOWAIT only looks
 * @return 0; -EAGAIN it is not set and FERN_NOWAIT; -ETIME; -ECANCELED; -EDEADLK; -EINVAL NULL;
 *         -EXDEV another hub's; -ENOMEM, -EMFILE no hub could be made
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: borrows event.
 */
FERN_API FERN_MUST_CHECK int fern_event_wait(fern_event *event, fern_time deadline);

/* ---- result ---- */

/** A result. Fields are fern's; zero before first use. */
typedef struct fern_result {
    uint64_t fern__words[10];
} fern_result;

/**
 * Assign a value, once. Who waits is woken, first come first.
 *
 * @param  result  a result
 * @param  value   kept as it is
 * @return 0; -EALREADY it has a value or an error; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: value stays the caller's.
 */
FERN_API int fern_result_set(fern_result *result, void *value);

/**
 * Assign an error, once. Who waits is woken, first come first.
 *
 * @param  result   a result
 * @param  code     what went wrong; not 0
 * @param  message  in words, or NULL; not copied
 * @return 0; -EALREADY it has a value or an error; -EINVAL NULL, or code is 0; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: message must live as long as the result.
 */
FERN_API int fern_result_set_error(fern_result *result, int code, const char *message);

/**
 * Take over how a greenlet ends: its value, or its code and message, once it has ended.
 *
 * @param  result    a result without a value
 * @param  greenlet  may have ended
 * @return 0; -EALREADY it has a value or an error; -EINVAL NULL; -EXDEV another hub's; -ENOMEM
 *
 * May switch: no.  Thread: its hub only.  Owner: keeps result until greenlet has ended.
 */
FERN_API int fern_result_link(fern_result *result, fern_greenlet *greenlet);

/**
 * Wait until a result has been assigned.
 *
 * @param  result    a result
 * @param  deadline  how long at most; FERN_NOWAIT only looks
 * @return 0 it has a value or an error; -EAGAIN it has none and FERN_NOWAIT; -ETIME; -ECANCELED;
 *         -EDEADLK; -EINVAL NULL; -EXDEV another hub's; -ENOMEM, -EMFILE no hub could be made
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: borrows result.
 */
FERN_API FERN_MUST_CHECK int fern_result_wait(fern_result *result, fern_time deadline);

/**
 * Wait until a result has been assigned, and look at it.
 *
 * @param  result       a result
 * @param  ret_outcome  its value, or its code and message
 * @param  deadline     how long at most; FERN_NOWAIT only looks
 * @return as fern_result_wait(); -EINVAL ret_outcome is NULL, too
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: ret_outcome->message is as
 *         long-lived as what was assigned.
 */
FERN_API FERN_MUST_CHECK int fern_result_get(
        fern_result *result, fern_outcome *ret_outcome, fern_time deadline);

/**
 * Whether a result has been assigned.
 *
 * @param  result  a result; NULL is false
 * @return true if it has a value or an error
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows result.
 */
FERN_API bool fern_result_ready(const fern_result *result);

/**
 * Forget what was assigned, for a next time. It belongs to no hub afterwards.
 *
 * @param  result  a result
 * @return 0; -EBUSY somebody waits for it, or was woken and has not run yet, or a greenlet is
 *         linked; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: result stays the caller's.
 */
FERN_API int fern_result_reset(fern_result *result);

FERN__END_DECLS

#endif
