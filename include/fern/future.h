/* SPDX-License-Identifier: MIT */
/*
 * Futures and tasks: what will be known later, as a thing that can be passed around.
 *
 * A future is assigned once, a value or an error, or is cancelled; whoever asks waits for that, and
 * callbacks hear of it. It lives on the heap, is held by references and outlives every frame. A task
 * is a greenlet with a future: how the one ends is what the other is assigned. Futures can be
 * gathered, waited for in several ways, shielded and given a time limit; a task group holds tasks
 * that live and fail together.
 *
 *     fern_future *page = fern_task(fetch, "a");
 *     FERN_AUTO(fern_future_unref, page);
 *     fern_outcome o;
 *     if (fern_wait_for(page, &o, fern_in(2 * FERN_SECOND)) == 0 && o.code == 0)
 *         use(o.value);
 *
 * A future belongs to the hub of its first use; elsewhere it answers -EXDEV. An error that nobody
 * has asked for is reported when the future is freed.
 *
 * Read: futures, tasks, cancelling, callbacks, many, task groups.
 */
#ifndef FERN_FUTURE_H
#define FERN_FUTURE_H

#include <fern/base.h>
#include <fern/greenlet.h>
#include <fern/iterator.h>
#include <fern/time.h>
#include <fern/wait.h>

FERN__BEGIN_DECLS

/** What will be known later. Opaque; held by references. */
typedef struct fern_future fern_future;

/* ---- futures ---- */

/**
 * Make a future, which fern_future_set() or fern_future_set_error() will assign.
 *
 * @return the future with one reference; NULL with errno ENOMEM
 *
 * May switch: no.  Thread: any.  Owner: the caller gives the reference back by fern_future_unref().
 */
FERN_API fern_future *fern_future_new(void);

/**
 * Take one more reference.
 *
 * @param  future  a future; NULL is allowed
 * @return future
 *
 * May switch: no.  Thread: its hub only.  Owner: the caller gives it back by fern_future_unref().
 */
FERN_API fern_future *fern_future_ref(fern_future *future);

/**
 * Give a reference back. The last one frees the future, and reports an error that nobody has asked
 * for; a task goes on to run all the same.
 *
 * @param  future  a future; NULL is allowed
 *
 * May switch: no.  Thread: its hub only; elsewhere it is reported and the reference is lost.  Owner: the reference is fern's again.
 */
FERN_API void fern_future_unref(fern_future *future);

/**
 * Assign a value, once. Who waits is woken and callbacks are called, in the order in which they came.
 *
 * @param  future  a future of fern_future_new()
 * @param  value   kept as it is
 * @return 0; -EALREADY it is done; -EPERM it is assigned by a task, or by fern; -EINVAL NULL;
 *         -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: value stays the caller's.
 */
FERN_API int fern_future_set(fern_future *future, void *value);

/**
 * Assign an error, once.
 *
 * @param  future   a future of fern_future_new()
 * @param  code     what went wrong; not 0
 * @param  message  in words, or NULL
 * @return as fern_future_set(); -EINVAL code is 0, too; -ENOMEM nothing was assigned
 *
 * May switch: no.  Thread: its hub only.  Owner: copies message.
 */
FERN_API int fern_future_set_error(fern_future *future, int code, const char *message);

/**
 * Wait until a future is done.
 *
 * @param  future    a future
 * @param  deadline  how long at most; FERN_NOWAIT only looks
 * @return 0 it is done, on whichever way; -EAGAIN it is not and FERN_NOWAIT; -ETIME; -ECANCELED;
 *         -EDEADLK also if it is the caller's own task; -EINVAL NULL; -EXDEV another hub's; -ENOMEM,
 *         -EMFILE no hub could be made
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: borrows future.
 */
FERN_API FERN_MUST_CHECK int fern_future_wait(fern_future *future, fern_time deadline);

/**
 * Wait until a future is done, and look at it. A time-out changes nothing; fern_wait_for() is the
 * call that cancels.
 *
 * @param  future       a future
 * @param  ret_outcome  its value, or its code and message; `cancelled` if it was
 * @param  deadline     how long at most; FERN_NOWAIT only looks
 * @return as fern_future_wait(); -EINVAL ret_outcome is NULL, too
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: ret_outcome->message lives as
 *         long as future.
 */
FERN_API FERN_MUST_CHECK int fern_future_get(
        fern_future *future, fern_outcome *ret_outcome, fern_time deadline);

/**
 * Let the hub run until a future is done: fern_future_get() that fern_loop_stop() can interrupt, as
 * fern_loop_run_until() is for a greenlet.
 *
 * @param  future       a future
 * @param  ret_outcome  as fern_future_get(); NULL is allowed; untouched on error
 * @param  deadline     how long at most
 * @return 0 it is done; -EINTR the loop was stopped before; -ETIME; -ECANCELED; -EAGAIN it is not done
 *         and FERN_NOWAIT; -EALREADY somebody runs the loop; -EDEADLK as fern_future_wait(), or
 *         called from a callback; -EINVAL NULL; -EXDEV another hub's; -ENOMEM, -EMFILE no hub could be
 *         made
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: as fern_future_get().
 */
FERN_API FERN_MUST_CHECK int fern_loop_run_until_done(
        fern_future *future, fern_outcome *ret_outcome, fern_time deadline);

/**
 * What a future was assigned, without waiting.
 *
 * @param  future       a future
 * @param  ret_outcome  as fern_future_get(); untouched on error
 * @return 0; -EINPROGRESS it is not done; -EINVAL NULL
 *
 * May switch: no.  Thread: its hub only.  Owner: ret_outcome->message lives as long as future.
 */
FERN_API int fern_future_outcome(fern_future *future, fern_outcome *ret_outcome);

/**
 * Whether a future is done: assigned or cancelled.
 *
 * @param  future  a future; NULL is false
 * @return true if it is
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows future.
 */
FERN_API bool fern_future_done(const fern_future *future);

/**
 * Whether a future is done because it was cancelled.
 *
 * @param  future  a future; NULL is false
 * @return true if it is
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows future.
 */
FERN_API bool fern_future_cancelled(const fern_future *future);

/** A future as a case of fern_select(), fern_wait() and fern_iwait_new(). */
static inline fern_case
fern_case_future(fern_future *future)
{
    return fern__case(FERN_CASE_FUTURE, future, NULL);
}

/* ---- tasks ---- */

/**
 * Spawn a greenlet and make the future of how it ends. It runs as one of fern_spawn() does; its
 * failure is not reported when it ends but if nobody has asked for it when the future is freed.
 *
 * @param  fn   what it runs
 * @param  arg  passed to fn
 * @return the task with one reference; NULL with errno as fern_spawn()
 *
 * May switch: no.  Thread: any; it runs on the caller's.  Owner: the caller gives the reference back by fern_future_unref().
 */
FERN_API fern_future *fern_task(fern_fn *fn, void *arg);

/**
 * The above with options and the place of the spawn; the macros pass it.
 *
 * @param  fn       what it runs
 * @param  arg      passed to fn
 * @param  options  copied; NULL for the defaults; `detached` is an error
 * @param  site     static record of the place; NULL for unknown
 * @return as fern_task(); errno EINVAL as fern_spawn_with()
 *
 * May switch: only with `now`.  Thread: any; it runs on the caller's.  Owner: as fern_task(); keeps site.
 */
FERN_API fern_future *fern_task_at(
        fern_fn *fn, void *arg, const fern_spawn_options *options, const fern_site *site);

#define fern_task(fn, arg)               fern_task_at((fn), (arg), NULL, FERN_SITE)
#define fern_task_with(fn, arg, options) fern_task_at((fn), (arg), (options), FERN_SITE)

/**
 * Make a future of how a greenlet ends that runs already, or has ended. Its failure is reported by
 * the greenlet, not by the future. Nobody who does not ask for one pays for it.
 *
 * @param  greenlet  a greenlet
 * @return a future with one reference; NULL with errno EINVAL (NULL), EXDEV another hub's, ENOMEM
 *
 * May switch: no.  Thread: greenlet's hub only.  Owner: keeps a reference to greenlet.
 */
FERN_API fern_future *fern_future_of(fern_greenlet *greenlet);

/**
 * The greenlet of a task.
 *
 * @param  future  a future
 * @return borrowed pointer, as long-lived as future; NULL if it is no task
 *
 * May switch: no.  Thread: its hub only.  Owner: borrowed.
 */
FERN_API fern_greenlet *fern_future_greenlet(const fern_future *future);

/* ---- cancelling ---- */

/**
 * Ask for a future's cancellation. One of fern_future_new() is done at once. A task's greenlet is
 * killed, and the future is done when it has ended; it may end with a value all the same. A gather
 * cancels what it gathers and is done when all of those are; a shield leaves what it shields alone.
 *
 * @param  future  a future
 * @param  code    becomes the outcome's code; 0 for -ECANCELED
 * @return 1 it was asked; 0 it was done already; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows future.
 */
FERN_API int fern_future_cancel(fern_future *future, int code);

/**
 * How many requests for cancellation have not been taken back.
 *
 * @param  future  a future
 * @return the number; -EINVAL NULL
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows future.
 */
FERN_API int fern_future_cancelling(const fern_future *future);

/**
 * Take back one request for cancellation of a task, as fern_uncancel() does inside of it. What it
 * has caused already stays.
 *
 * @param  future  a task that has not ended
 * @return how many remain; -EALREADY it is done; -EPERM it is no task; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows future.
 */
FERN_API int fern_future_uncancel(fern_future *future);

/**
 * Make a future that is done when another is, and whose cancellation leaves that one alone.
 *
 * @param  inner  a future
 * @return a future with one reference; NULL with errno EINVAL (NULL), EXDEV, ENOMEM or EMFILE
 *
 * May switch: no.  Thread: inner's hub only.  Owner: keeps a reference to inner.
 */
FERN_API fern_future *fern_future_shield(fern_future *inner);

/**
 * Wait until a future is done, and if that takes too long, cancel it, and wait until it has ended.
 * The same if the caller is killed meanwhile, or a scope around it passes: nothing goes on behind its
 * back. What ends with a value or an error although it was cancelled has that outcome.
 *
 * @param  future       a future
 * @param  ret_outcome  its value, or its code and message; untouched on error
 * @param  deadline     when it is cancelled; FERN_NOWAIT only looks, and cancels nothing
 * @return 0 it is done; -EAGAIN it is not and FERN_NOWAIT; -ETIME it was cancelled, too late;
 *         -ECANCELED the caller was killed, and it was cancelled; if the caller had been killed
 *         before the call, nothing was done; -EDEADLK; -EINVAL NULL; -EXDEV another hub's; -ENOMEM,
 *         -EMFILE no hub could be made
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: ret_outcome->message lives as
 *         long as future.
 */
FERN_API FERN_MUST_CHECK int fern_wait_for(
        fern_future *future, fern_outcome *ret_outcome, fern_time deadline);

/* ---- callbacks ---- */

/** Called when a future is done; must not wait. */
typedef void fern_future_fn(fern_future *future, void *arg);

/**
 * Have a function called when a future is done, by the hub. Callbacks and those that wait are
 * served in the order in which they came. If it is done, it is called too, later, never inside this
 * call.
 *
 * @param  future  a future
 * @param  fn      what to call
 * @param  arg     passed to it
 * @return 0; -EINVAL NULL; -EXDEV another hub's; -ENOMEM; -EMFILE no hub could be made
 *
 * May switch: no.  Thread: its hub only.  Owner: keeps arg until the call or fern_future_remove_callback().
 */
FERN_API int fern_future_add_callback(fern_future *future, fern_future_fn *fn, void *arg);

/**
 * Remove all callbacks with this function and argument that have not been called, those on their
 * way included.
 *
 * @param  future  a future
 * @param  fn      as in fern_future_add_callback()
 * @param  arg     as in fern_future_add_callback()
 * @return how many were removed; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: gives their args back.
 */
FERN_API int fern_future_remove_callback(
        fern_future *future, fern_future_fn *fn, void *arg);

/* ---- many ---- */

/** Flags of fern_gather(). */
enum {
    FERN_GATHER_ERRORS =
            1, /**< an error is one of the outcomes, and does not fail the gather */
};

/**
 * Make the future of several futures' outcomes. Its value is an array of fern_outcome, in the order
 * of the arguments, which lives as long as the gather. The first error fails the gather at once, with
 * its code and message, while the others go on. Cancelling the gather cancels all of them; it is
 * done when they are. A gather is a future, and can be gathered.
 *
 * @param  futures  the futures; the same may stand there several times
 * @param  count    how many; with 0 it is done at once
 * @param  flags    0 or FERN_GATHER_ERRORS
 * @return a future with one reference; NULL with errno EINVAL (NULL, unknown flags), EXDEV, ENOMEM or
 *         EMFILE
 *
 * May switch: no.  Thread: the futures' hub only.  Owner: keeps references to the futures, not the array.
 */
FERN_API fern_future *fern_gather(fern_future *const *futures, size_t count, int flags);

/** When fern_wait_futures() returns. */
typedef enum fern_when {
    FERN_WHEN_ALL,         /**< when all are done */
    FERN_WHEN_FIRST,       /**< when one is */
    FERN_WHEN_FIRST_ERROR, /**< when one has failed, or all are done; a cancelled one has not */
} fern_when;

/**
 * Wait until several futures are done. The deadline is no error and cancels nothing.
 *
 * @param  futures   the futures; the same may stand there several times
 * @param  count     how many, at least 1
 * @param  when      what to wait for
 * @param  ret_done  room for count: those that are done, in order of completion; those that were done
 *                   before come first, as listed; or NULL
 * @param  deadline  how long at most; FERN_NOWAIT only looks
 * @return how many are done; -ETIME a scope has passed; -ECANCELED; -EDEADLK; -EINVAL NULL, count is
 *         0 or `when` not known; -EXDEV another hub's; -ENOMEM; -EMFILE no hub could be made
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: the futures' hub only.  Owner: borrows futures; ret_done holds borrowed pointers.
 */
FERN_API FERN_MUST_CHECK int fern_wait_futures(fern_future *const *futures, size_t count,
        fern_when when, fern_future **ret_done, fern_time deadline);

/** Gives futures one after the other, as they are done. Opaque. */
typedef struct fern_completed fern_completed;

/**
 * Begin to go through several futures in order of completion; those that are done come first, as
 * listed, and one that is listed several times comes once.
 *
 * @param  futures  the futures
 * @param  count    how many
 * @return the iterator; NULL with errno EINVAL (NULL), EXDEV, ENOMEM or EMFILE
 *
 * May switch: no.  Thread: the futures' hub only.  Owner: keeps references to the futures, not the array.
 */
FERN_API fern_completed *fern_as_completed(fern_future *const *futures, size_t count);

/**
 * The next future that is done.
 *
 * @param  it          the iterator
 * @param  ret_future  receives it; untouched unless 1 is returned
 * @param  deadline    how long to wait at most; FERN_NOWAIT only looks
 * @return 1; 0 there are no more; -EAGAIN none is done and FERN_NOWAIT; -ETIME; -ECANCELED; -EDEADLK;
 *         -EBUSY another greenlet waits in it; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: ret_future is borrowed, as long-lived as it.
 */
FERN_API FERN_MUST_CHECK int fern_completed_next(
        fern_completed *it, fern_future **ret_future, fern_time deadline);

/**
 * The same as an iterator, for FERN_EACH; its items are fern_future pointers.
 *
 * @param  it  the iterator
 * @return an iterator; closing it changes nothing
 *
 * May switch: no.  Thread: any.  Owner: borrows it as long as the iterator is used.
 */
FERN_API fern_iterator fern_completed_iterator(fern_completed *it);

/**
 * End an iteration, at its end or before. The futures go on.
 *
 * @param  it  the iterator, nobody waits in it; NULL is allowed
 *
 * May switch: no.  Thread: its hub only.  Owner: frees it.
 */
FERN_API void fern_completed_free(fern_completed *it);

/* ---- task groups ---- */

/** Tasks that live and fail together. Opaque. */
typedef struct fern_task_group fern_task_group;

/**
 * Begin a task group around what the calling greenlet does next, its body. The first failure of a
 * task kills the others and cancels the body: its waiting calls fail with -ECANCELED until
 * fern_task_group_wait(). The body is a scope, and groups nest as scopes do.
 *
 * @return the group; NULL with errno ENOMEM or EMFILE; EDEADLK called from a callback
 *
 * May switch: no.  Thread: any; it belongs to the calling greenlet.  Owner: the caller frees it by fern_task_group_free().
 */
FERN_API fern_task_group *fern_task_group_new(void);

/**
 * Spawn a task in a group, and keep its future.
 *
 * @param  group  the group
 * @param  fn     what it runs
 * @param  arg    passed to fn
 * @return the task with one reference; NULL with errno EPIPE (one has failed, or the group is being
 *         waited for, or was cancelled), EINVAL (NULL), EXDEV another hub's, ENOMEM
 *
 * May switch: no.  Thread: its hub only; any greenlet.  Owner: the caller gives the reference back.
 */
FERN_API fern_future *fern_task_group_spawn(fern_task_group *group, fern_fn *fn, void *arg);

/**
 * Spawn a task in a group whose result nobody asks for.
 *
 * @param  group  the group
 * @param  fn     what it runs
 * @param  arg    passed to fn
 * @return 0; -EPIPE, -EINVAL, -EXDEV, -ENOMEM as fern_task_group_spawn()
 *
 * May switch: no.  Thread: its hub only; any greenlet.  Owner: fern's alone.
 */
FERN_API int fern_task_group_go(fern_task_group *group, fern_fn *fn, void *arg);

/**
 * The two above with the place of the spawn; the macros of the same names pass it.
 *
 * @param  group  the group
 * @param  fn     what it runs
 * @param  arg    passed to fn
 * @param  site   static record of the place; NULL for unknown
 * @return as fern_task_group_spawn()
 *
 * May switch: no.  Thread: its hub only; any greenlet.  Owner: the caller gives the reference back; keeps site.
 */
FERN_API fern_future *fern_task_group_spawn_at(
        fern_task_group *group, fern_fn *fn, void *arg, const fern_site *site);

/**
 * fern_task_group_go() with the place of the spawn.
 *
 * @param  group  the group
 * @param  fn     what it runs
 * @param  arg    passed to fn
 * @param  site   static record of the place; NULL for unknown
 * @return as fern_task_group_go()
 *
 * May switch: no.  Thread: its hub only; any greenlet.  Owner: fern's alone; keeps site.
 */
FERN_API int fern_task_group_go_at(
        fern_task_group *group, fern_fn *fn, void *arg, const fern_site *site);

#define fern_task_group_spawn(group, fn, arg)                                              \
    fern_task_group_spawn_at((group), (fn), (arg), FERN_SITE)
#define fern_task_group_go(group, fn, arg)                                                 \
    fern_task_group_go_at((group), (fn), (arg), FERN_SITE)

/**
 * Cancel a group: its tasks are killed, its body's waiting calls fail, and nothing can be spawned in
 * it any more. That is no failure.
 *
 * @param  group  the group
 * @param  code   as fern_kill()
 * @return 0; -EALREADY it has failed, was cancelled or is over; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only; any greenlet.  Owner: borrows group.
 */
FERN_API int fern_task_group_cancel(fern_task_group *group, int code);

/**
 * End a group's body, and wait until all its tasks have ended: always, whatever it returns. If the
 * caller is killed, or a scope around it or the deadline passes, the tasks are killed first. Tasks
 * that run may spawn others in it until then.
 *
 * @param  group     the group
 * @param  deadline  how long the tasks may take; FERN_NOWAIT only looks, and ends nothing
 * @return how many have failed, 0 if all is well; a task that was killed has not failed. If none has:
 *         -ETIME the deadline or a scope has passed; -ECANCELED the caller was killed; -EAGAIN some
 *         run and FERN_NOWAIT; -EDEADLK nothing can wake them; -EPERM the caller did not make the group;
 *         -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: if some have not ended, unless FERN_NOWAIT.  Thread: its hub only; the group's greenlet.  Owner: borrows group.
 */
FERN_API FERN_MUST_CHECK int fern_task_group_wait(
        fern_task_group *group, fern_time deadline);

/**
 * One of a group's failures, in the order in which they came; the first is why the others were killed.
 *
 * @param  group        the group
 * @param  index        0 for the first
 * @param  ret_outcome  receives its code and message
 * @return 0; -ESRCH there are not so many; -EINVAL NULL
 *
 * May switch: no.  Thread: its hub only.  Owner: the message lives as long as group.
 */
FERN_API int fern_task_group_error(
        const fern_task_group *group, size_t index, fern_outcome *ret_outcome);

/**
 * Free a group. If it has not been waited for, its tasks are killed and waited for.
 *
 * @param  group  a group of the calling greenlet; NULL is allowed
 *
 * May switch: if tasks have not ended.  Thread: its hub only; the group's greenlet.  Owner: frees group.
 */
FERN_API void fern_task_group_free(fern_task_group *group);

FERN__END_DECLS

#endif
