/* SPDX-License-Identifier: MIT */
/*
 * Meeting points: a barrier for a fixed number, a wait group for any number, what runs once, and
 * what several ask for at once and one does.
 *
 * They live in the user's memory, do not move after their first use, and belong to the hub of
 * that; from another thread they answer -EXDEV.
 *
 *     static fern_barrier start = FERN_BARRIER_INIT(3);
 *     int index = fern_barrier_wait(&start, FERN_FOREVER);    (0, 1 and 2, when the third came)
 */
#ifndef FERN_BARRIER_H
#define FERN_BARRIER_H

#include <fern/base.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/* ---- barrier ---- */

/** A barrier. Fields are fern's; FERN_BARRIER_INIT or fern_barrier_init() before first use. */
typedef struct fern_barrier {
    uint64_t fern__words[14];
} fern_barrier;

/** What the last to arrive does before the others go on. @return 0; a negative code breaks it */
typedef int fern_action(void *arg);

#ifdef __cplusplus
#define FERN_BARRIER_INIT(parties) (fern_barrier{{(uint64_t)(parties)}})
#define FERN_WAITGROUP_INIT        (fern_waitgroup())
#define FERN_ONCE_INIT             (fern_once())
#define FERN_FLIGHT_INIT           (fern_flight())
#else
/** A barrier for so many parties, at least 1, without an action. */
#define FERN_BARRIER_INIT(parties) ((fern_barrier){{(uint64_t)(parties)}})
#define FERN_WAITGROUP_INIT        ((fern_waitgroup){{0}})
#define FERN_ONCE_INIT             ((fern_once){{0}})
#define FERN_FLIGHT_INIT           ((fern_flight){{0}})
#endif

/**
 * Begin a barrier.
 *
 * @param  barrier  memory that is not in use
 * @param  parties  how many meet, at least 1
 * @param  action   run by the last to arrive before any of them goes on, or NULL; it may wait; one
 *                  that calls fern_exit() has failed
 * @param  arg      handed to it
 * @return 0; -EINVAL NULL, no parties
 *
 * May switch: no.  Thread: any.  Owner: barrier stays the caller's; keeps arg.
 */
FERN_API int fern_barrier_init(
        fern_barrier *barrier, size_t parties, fern_action *action, void *arg);

/**
 * End the use of a barrier; it is as new afterwards, for as many parties.
 *
 * @param  barrier  a barrier
 * @return 0; -EBUSY somebody waits; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: barrier stays the caller's.
 */
FERN_API int fern_barrier_fini(fern_barrier *barrier);

/**
 * Wait until all parties have arrived. Then the barrier is ready for the next meeting at once;
 * while the action runs, who arrives waits for that meeting.
 *
 * One that times out breaks the barrier: everybody else gets -ESHUTDOWN until it is reset. One
 * that is killed only leaves, and its place is free again.
 *
 * @param  barrier   a barrier
 * @param  deadline  how long at most; FERN_NOWAIT succeeds only for the last
 * @return the order of arrival, from 0, of each another one; -ESHUTDOWN it is broken, or was reset
 *         meanwhile; what the action returned, of whom ran it, if negative; -ETIME; -ECANCELED;
 *         -EAGAIN others are missing and FERN_NOWAIT; -EDEADLK in the action, or nothing can ever
 *         wake main; -EINVAL NULL, or for no parties; -EXDEV another hub's; -ENOMEM, -EMFILE
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: borrows barrier.
 */
FERN_API FERN_MUST_CHECK int fern_barrier_wait(fern_barrier *barrier, fern_time deadline);

/**
 * Send everybody who waits away with -ESHUTDOWN, and begin anew; a broken one is whole again.
 * Those that have been let through and have not run yet are not touched.
 *
 * @param  barrier  a barrier
 * @return 0; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows barrier.
 */
FERN_API int fern_barrier_reset(fern_barrier *barrier);

/**
 * Break a barrier: who waits and who comes gets -ESHUTDOWN, until it is reset.
 *
 * @param  barrier  a barrier
 * @return 0; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows barrier.
 */
FERN_API int fern_barrier_abort(fern_barrier *barrier);

/**
 * Whether a barrier is broken.
 *
 * @param  barrier  a barrier; NULL is false
 * @return true until it is reset
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows barrier.
 */
FERN_API bool fern_barrier_broken(const fern_barrier *barrier);

/**
 * How many have arrived and wait for the others.
 *
 * @param  barrier  a barrier; NULL is 0
 * @return the number, counted anew by each call
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows barrier.
 */
FERN_API size_t fern_barrier_waiting(const fern_barrier *barrier);

/* ---- wait group ---- */

/** A count of things under way, and who waits for all of them. Zero before first use. */
typedef struct fern_waitgroup {
    uint64_t fern__words[8];
} fern_waitgroup;

/**
 * Count some more, or fewer, under way. When none is left everybody who waits is woken.
 *
 * @param  group  a wait group
 * @param  n      how many; negative: so many are done
 * @return 0; -EOVERFLOW the count would become negative, and nothing was changed; -EINVAL NULL;
 *         -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows group.
 */
FERN_API int fern_waitgroup_add(fern_waitgroup *group, int64_t n);

/**
 * One is done.
 *
 * @param  group  a wait group
 * @return as fern_waitgroup_add()
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows group.
 */
FERN_API int fern_waitgroup_done(fern_waitgroup *group);

/**
 * Wait until none is under way.
 *
 * @param  group     a wait group
 * @param  deadline  how long at most; FERN_NOWAIT only looks
 * @return 0; -EAGAIN some are and FERN_NOWAIT; -ETIME; -ECANCELED; -EDEADLK; -EINVAL NULL; -EXDEV
 *         another hub's; -ENOMEM, -EMFILE no hub could be made
 *
 * May switch: yes, unless none is or FERN_NOWAIT.  Thread: its hub only.  Owner: borrows group.
 */
FERN_API FERN_MUST_CHECK int fern_waitgroup_wait(fern_waitgroup *group, fern_time deadline);

/**
 * End the use of a wait group; it is as new afterwards.
 *
 * @param  group  a wait group
 * @return 0; -EBUSY somebody waits; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: group stays the caller's.
 */
FERN_API int fern_waitgroup_fini(fern_waitgroup *group);

/* ---- once ---- */

/** What is done once. Fields are fern's; zero before first use. */
typedef struct fern_once {
    uint64_t fern__words[8];
} fern_once;

/**
 * See to it that something has been done, once: the first caller does it, the others wait until
 * it has. If it fails, its caller gets the error, and the next one, which may be waiting already,
 * tries again.
 *
 * @param  once      an object for it
 * @param  action    does it; may wait; one that calls fern_exit() has failed
 * @param  arg       handed to it
 * @param  deadline  how long to wait for another at most; the action has no deadline by this
 * @return 0 it has been done; what the action returned, of whom ran it, if negative; -EAGAIN
 *         another is at it and FERN_NOWAIT; -EDEADLK called in the action, or nothing can ever wake
 *         main; -ETIME; -ECANCELED; -EINVAL NULL; -EXDEV another hub's; -ENOMEM, -EMFILE
 *
 * May switch: yes, while another is at it, and as the action does.  Thread: its hub only.  Owner: borrows once.
 */
FERN_API FERN_MUST_CHECK int fern_once_do(
        fern_once *once, fern_action *action, void *arg, fern_time deadline);

/**
 * Whether it has been done.
 *
 * @param  once  an object for it; NULL is false
 * @return true once an action has succeeded
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows once.
 */
FERN_API bool fern_once_ready(const fern_once *once);

/* ---- single flight ---- */

/** What several may ask for at once, under keys. Fields are fern's; zero before first use. */
typedef struct fern_flight {
    uint64_t fern__words[8];
} fern_flight;

/** Makes the value of a key; may wait. @return 0; anything else is a failure, which is shared, too */
typedef int fern_flight_fn(void *arg, void **ret_value);

/** What has come of a call of fern_flight_do(). */
typedef struct fern_flight_result {
    int code;    /**< what the function returned */
    void *value; /**< what it made; NULL if it failed */
    bool led;    /**< the caller's own function was it */
    size_t others; /**< if it was: how many have been given the same result, and have not run yet */
} fern_flight_result;

/**
 * Ask for something that is under a key, together with all who ask for it at the same time: the
 * first one, the leader, makes it by its function; the others wait and share the result. It is not
 * kept: who comes afterwards makes it anew.
 *
 * The function runs in the leader's own greenlet, and so within its scopes. If the leader is killed,
 * one of its scopes expires, or it ends by fern_exit(), and its function fails, that concerns the
 * leader alone: the first of those who wait becomes the leader, with its own function and argument.
 * A kill or time-out of one who waits concerns nobody else.
 *
 * If the result has to be counted, the leader does so for the others as soon as this returns: they
 * run later.
 *
 * @param  flight      an object for it
 * @param  key         what it is about; must stay as it is until this returns
 * @param  fn          makes it; may wait, but not ask for the same key
 * @param  arg         handed to it
 * @param  ret_result  receives the result; untouched on error
 * @param  deadline    how long to wait for another at most; the function has no deadline by this
 * @return 0, whether it was made or has failed; -EAGAIN another is at it and FERN_NOWAIT; -EDEADLK the
 *         caller is at it, or nothing can ever wake it; -ETIME; -ECANCELED, of the leader only if its
 *         function has failed; -EINVAL NULL; -EXDEV another hub's; -ENOMEM, -EMFILE
 *
 * May switch: yes, while another is at it, and as the function does.  Thread: its hub only.  Owner: borrows key; the value is the users'.
 */
FERN_API FERN_MUST_CHECK int fern_flight_do(fern_flight *flight, const char *key,
        fern_flight_fn *fn, void *arg, fern_flight_result *ret_result, fern_time deadline);

/**
 * Let those who come from now on make a key anew, though somebody is at it: what it was made of has
 * changed. Those who wait already get the old result.
 *
 * @param  flight  an object for it
 * @param  key     the key
 * @return 1 somebody is at it; 0 nobody is; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows key.
 */
FERN_API int fern_flight_forget(fern_flight *flight, const char *key);

/**
 * End the use of an object; it is as new afterwards.
 *
 * @param  flight  an object for it
 * @return 0; -EBUSY somebody is at a key; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: flight stays the caller's.
 */
FERN_API int fern_flight_fini(fern_flight *flight);

FERN__END_DECLS

#endif
