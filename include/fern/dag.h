/* SPDX-License-Identifier: MIT */
/*
 * Dags: values under keys, some of which are made of others.
 *
 * A key is given a value, or a function that makes it of the values of other keys; the order in
 * which they are given does not matter. A function runs, in a greenlet of its own, as soon as all
 * that it depends on is there, at the same time as others. If one fails, those that depend on it
 * are not run, and fail with its code and a message that names it. Keys that would wait for each
 * other in a circle fail, too, with -EDEADLK and the circle in words.
 *
 *     static void *compile(const char *key, void *const *values, void *arg);
 *     static void *link(const char *key, void *const *values, void *arg);
 *
 *     fern_dag *dag = fern_dag_new(NULL);
 *     fern_dag_spawn(dag, "program", FERN_KEYS("main.o", "list.o"), link, NULL);
 *     fern_dag_spawn(dag, "main.o", FERN_KEYS("main.c"), compile, NULL);
 *     fern_dag_spawn(dag, "list.o", FERN_KEYS("list.c"), compile, NULL);
 *     fern_dag_post(dag, "main.c", main_c);
 *     fern_dag_post(dag, "list.c", list_c);
 *
 *     fern_outcome o;
 *     int r = fern_dag_get(dag, "program", &o, FERN_FOREVER);
 *
 * Read: making, giving keys, waiting for them, stopping, looking.
 */
#ifndef FERN_DAG_H
#define FERN_DAG_H

#include <fern/base.h>
#include <fern/future.h>
#include <fern/greenlet.h>
#include <fern/iterator.h>
#include <fern/pool.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** Keys, their values, and the functions that make them. Opaque. */
typedef struct fern_dag fern_dag;

/**
 * Makes the value of a key; may wait.
 *
 * @param  key     its name
 * @param  values  those of the keys that it depends on, in the order in which they were listed
 * @param  arg     that of fern_dag_spawn()
 * @return the value; it fails by fern_fail()
 */
typedef void *fern_dag_fn(const char *key, void *const *values, void *arg);

#ifndef __cplusplus
/** A list of keys where one is asked for: an array that ends with NULL. Not for C++. */
#define FERN_KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})
#endif

/* ---- making ---- */

/**
 * Make a dag.
 *
 * @param  pool  where its functions run, which then also limits how many do at once; a key that
 *               waits for others takes no place in it; NULL: as many as like
 * @return the dag; NULL with errno EXDEV the pool is another hub's, ENOMEM, EMFILE
 *
 * May switch: no.  Thread: pool's hub only; it belongs to the calling thread's.  Owner: the caller gives it back by fern_dag_free(); keeps pool.
 */
FERN_API fern_dag *fern_dag_new(fern_pool *pool);

/**
 * Free a dag. Functions that still wait for their keys never run. A failure that nobody has asked
 * for, of the key itself or of one that depends on it, is reported.
 *
 * @param  dag  the dag; NULL is allowed
 * @return 0; -EBUSY a function runs, somebody waits, or there is a fern_dag_each; -EXDEV another
 *         hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: the dag is gone, unless it is refused; the values are the user's.
 */
FERN_API int fern_dag_free(fern_dag *dag);

/* ---- giving keys ---- */

/**
 * Give a key its value.
 *
 * @param  dag    the dag
 * @param  key    one that has neither a value nor a function, or that was killed
 * @param  value  kept as it is
 * @return 0; -EEXIST the key has been given; -EINVAL NULL; -EXDEV another hub's; -ENOMEM
 *
 * May switch: no.  Thread: its hub only.  Owner: copies key; value stays the caller's.
 */
FERN_API int fern_dag_post(fern_dag *dag, const char *key, void *value);

/**
 * Let a key fail.
 *
 * @param  dag      the dag
 * @param  key      as fern_dag_post()
 * @param  code     what went wrong; not 0
 * @param  message  in words, or NULL
 * @return as fern_dag_post(); -EINVAL code is 0, too
 *
 * May switch: no.  Thread: its hub only.  Owner: copies key and message.
 */
FERN_API int fern_dag_post_error(
        fern_dag *dag, const char *key, int code, const char *message);

/**
 * Give a key its value, also if it has one already or has failed. Who has been told of the old one
 * is not told again.
 *
 * @param  dag    the dag
 * @param  key    any
 * @param  value  kept as it is
 * @return 0; -EBUSY it has a function that has not ended; -EINVAL NULL; -EXDEV another hub's; -ENOMEM
 *
 * May switch: no.  Thread: its hub only.  Owner: copies key; value stays the caller's.
 */
FERN_API int fern_dag_replace(fern_dag *dag, const char *key, void *value);

/**
 * Give a key the function that makes its value. It runs in a greenlet of its own, which is called
 * as the key, when all that it depends on has its value. Keys that nobody has given yet are waited
 * for. What fails before, fails this one, too.
 *
 * @param  dag      the dag
 * @param  key      as fern_dag_post()
 * @param  depends  the keys whose values it needs, up to a NULL; NULL for none
 * @param  fn       makes the value
 * @param  arg      passed to fn
 * @return 0; -EDEADLK it would need its own value: the key has failed with that code, and its
 *         message is that of fern_dag_circle(); -EEXIST the key has been given; -EINVAL NULL;
 *         -EXDEV another hub's; -ENOMEM
 *
 * May switch: no.  Thread: its hub only.  Owner: copies the keys; arg stays the caller's.
 */
FERN_API int fern_dag_spawn(fern_dag *dag, const char *key, const char *const *depends,
        fern_dag_fn *fn, void *arg);

/**
 * The same with options and the place of the spawn; the macros pass it.
 *
 * @param  dag      the dag
 * @param  key      as fern_dag_spawn()
 * @param  depends  as fern_dag_spawn()
 * @param  fn       as fern_dag_spawn()
 * @param  arg      as fern_dag_spawn()
 * @param  options  copied; NULL for the defaults; `free_arg` is called with arg when the function
 *                  has ended, or will never run; `now`, `detached`, `unstarted` and a delay are errors
 * @param  site     static record of the place; NULL for unknown
 * @return as fern_dag_spawn(); -EINVAL also for such options
 *
 * May switch: no.  Thread: its hub only.  Owner: as fern_dag_spawn(); keeps site.
 */
FERN_API int fern_dag_spawn_at(fern_dag *dag, const char *key, const char *const *depends,
        fern_dag_fn *fn, void *arg, const fern_spawn_options *options,
        const fern_site *site);

#define fern_dag_spawn(dag, key, depends, fn, arg)                                         \
    fern_dag_spawn_at((dag), (key), (depends), (fn), (arg), NULL, FERN_SITE)
#define fern_dag_spawn_with(dag, key, depends, fn, arg, options)                           \
    fern_dag_spawn_at((dag), (key), (depends), (fn), (arg), (options), FERN_SITE)

/* ---- waiting for them ---- */

/**
 * Wait until a key has its value or has failed. It need not have been given yet.
 *
 * A function of the dag may ask for keys, too, beyond those it depends on; its greenlet then keeps
 * its place in the pool.
 *
 * @param  dag          the dag
 * @param  key          any
 * @param  ret_outcome  its value, or its code and message; `cancelled` if it was killed; untouched
 *                      on error
 * @param  deadline     how long at most; FERN_NOWAIT only looks
 * @return 0; -EAGAIN it is not there and FERN_NOWAIT; -EDEADLK in a function whose own key it waits
 *         for, or nothing can wake the caller; -ETIME; -ECANCELED; -EINVAL NULL; -EXDEV another hub's;
 *         -ENOMEM
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: the message lives until the key is replaced or dag is freed.
 */
FERN_API FERN_MUST_CHECK int fern_dag_get(
        fern_dag *dag, const char *key, fern_outcome *ret_outcome, fern_time deadline);

/**
 * Wait until several keys have their values or have failed.
 *
 * @param  dag           the dag
 * @param  keys          the keys, up to a NULL; NULL for all that have a function, those that are
 *                       given one meanwhile included
 * @param  ret_outcomes  room for one of each of keys, as fern_dag_get(); or NULL
 * @param  deadline      how long at most; FERN_NOWAIT only looks
 * @return how many of them have failed or were killed, 0 if all have values; negative as
 *         fern_dag_get(); -EDEADLK also in a function of the dag if keys is NULL; -EINVAL also if
 *         keys is NULL and ret_outcomes is not
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: as fern_dag_get().
 */
FERN_API FERN_MUST_CHECK int fern_dag_wait(fern_dag *dag, const char *const *keys,
        fern_outcome *ret_outcomes, fern_time deadline);

/** Gives keys one after the other, as they get their values. Opaque. */
typedef struct fern_dag_each fern_dag_each;

/** What has become of a key. */
typedef struct fern_dag_result {
    const char *key;
    fern_outcome outcome; /**< as fern_dag_get() */
} fern_dag_result;

/**
 * Begin to go through several keys in the order in which they get their values or fail; those that
 * are done come first, as listed, and one that is listed several times comes once.
 *
 * @param  dag   the dag
 * @param  keys  the keys, up to a NULL; NULL for all that have been given so far
 * @return the iterator; NULL with errno EINVAL (NULL), EXDEV, ENOMEM or EMFILE
 *
 * May switch: no.  Thread: its hub only.  Owner: the caller frees it by fern_dag_each_free(); keeps dag.
 */
FERN_API fern_dag_each *fern_dag_each_new(fern_dag *dag, const char *const *keys);

/**
 * The next key that has its value or has failed.
 *
 * @param  it          the iterator
 * @param  ret_result  receives it; untouched unless 1 is returned
 * @param  deadline    how long to wait at most; FERN_NOWAIT only looks
 * @return 1; 0 there are no more; -EAGAIN none is done and FERN_NOWAIT; -EDEADLK in a function for
 *         whose key one of them waits, or nothing can wake the caller; -ETIME; -ECANCELED; -EBUSY
 *         another greenlet waits in it; -EINVAL NULL; -EXDEV another hub's; -ENOMEM
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: as fern_dag_get().
 */
FERN_API FERN_MUST_CHECK int fern_dag_each_next(
        fern_dag_each *it, fern_dag_result *ret_result, fern_time deadline);

/**
 * The same as an iterator, for FERN_EACH; its items are fern_dag_result.
 *
 * @param  it  the iterator
 * @return an iterator; closing it changes nothing
 *
 * May switch: no.  Thread: any.  Owner: borrows it as long as the iterator is used.
 */
FERN_API fern_iterator fern_dag_each_iterator(fern_dag_each *it);

/**
 * End an iteration, at its end or before.
 *
 * @param  it  the iterator, nobody waits in it; NULL is allowed
 *
 * May switch: no.  Thread: its hub only.  Owner: frees it.
 */
FERN_API void fern_dag_each_free(fern_dag_each *it);

/**
 * The future of a key, for fern_case_future(), callbacks, gathers and all else that takes one.
 * Cancelling it kills the key.
 *
 * @param  dag  the dag
 * @param  key  any
 * @return a future with one reference; NULL with errno EINVAL (NULL), EXDEV or ENOMEM
 *
 * May switch: no.  Thread: its hub only.  Owner: the caller gives the reference back by fern_future_unref().
 */
FERN_API fern_future *fern_dag_future(fern_dag *dag, const char *key);

/* ---- stopping ---- */

/**
 * Kill the function of a key and wait until it has ended: the key has failed as one that was
 * cancelled, and so have those that depend on it. It may be given anew then.
 *
 * @param  dag       the dag
 * @param  key       the key; NULL: all that have a function
 * @param  code      as fern_kill()
 * @param  deadline  how long to wait; FERN_NOWAIT does not wait
 * @return 0 it has ended; -ESRCH it has no function, or that has ended (not if key is NULL);
 *         -EAGAIN not yet (FERN_NOWAIT); -ETIME; -ECANCELED the caller was killed, or is that
 *         function; -EINVAL dag is NULL; -EXDEV another hub's
 *
 * May switch: only if it has to wait.  Thread: its hub only.  Owner: borrows dag.
 */
FERN_API int fern_dag_kill(fern_dag *dag, const char *key, int code, fern_time deadline);

/* ---- looking ---- */

/** What a key is up to. */
typedef enum fern_dag_state {
    FERN_DAG_MISSING, /**< it was not given, but others may depend on it */
    FERN_DAG_WAITING, /**< its function waits for others to get their values */
    FERN_DAG_RUNNING, /**< its function runs, or waits for its place in the pool */
    FERN_DAG_DONE,    /**< it has its value */
    FERN_DAG_FAILED,  /**< it has failed, or was killed */
} fern_dag_state;

/**
 * What a key is up to.
 *
 * @param  dag  the dag
 * @param  key  any
 * @return its state; FERN_DAG_MISSING also if dag or key is NULL
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows dag.
 */
FERN_API fern_dag_state fern_dag_state_of(const fern_dag *dag, const char *key);

/**
 * The keys in one state, in the order in which they were first mentioned.
 *
 * @param  dag       the dag
 * @param  state     which
 * @param  ret_keys  room for `room` borrowed names, good until dag is freed; NULL if room is 0
 * @param  room      how many to write at most
 * @return how many there are; 0 if dag is NULL
 *
 * May switch: no.  Thread: its hub only.  Owner: borrowed names.
 */
FERN_API size_t fern_dag_keys(
        const fern_dag *dag, fern_dag_state state, const char **ret_keys, size_t room);

/**
 * The keys that a key waits for: those of what it depends on that are not there, or that its
 * function asks for at this moment.
 *
 * @param  dag       the dag
 * @param  key       the key
 * @param  ret_keys  as fern_dag_keys()
 * @param  room      how many to write at most
 * @return how many there are; -ESRCH the key was not given; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrowed names.
 */
FERN_API ssize_t fern_dag_waiting_for(
        fern_dag *dag, const char *key, const char **ret_keys, size_t room);

/**
 * Where a failure comes from.
 *
 * @param  dag  the dag
 * @param  key  a key
 * @return the key that failed by itself, which may be this one; NULL it has not failed. Good until
 *         dag is freed
 *
 * May switch: no.  Thread: its hub only.  Owner: borrowed name.
 */
FERN_API const char *fern_dag_origin(const fern_dag *dag, const char *key);

/**
 * The circle that was found last, by fern_dag_spawn() or by a function that would have waited for
 * itself.
 *
 * @param  dag  the dag
 * @return in words, such as `"a" needs "b" needs "a"`, cut if it is long; NULL there was none. Good
 *         until the next is found, or dag is freed
 *
 * May switch: no.  Thread: its hub only.  Owner: borrowed text.
 */
FERN_API const char *fern_dag_circle(const fern_dag *dag);

FERN__END_DECLS

#endif
