/* SPDX-License-Identifier: MIT */
/*
 * Generators: functions that give values one by one, when they are asked for.
 *
 * A generator's function runs as a greenlet of its own, but only while somebody waits for its
 * next item. It may wait for whatever it likes meanwhile. Any function it calls may give items.
 *
 *     static void *count_to(void *n)
 *     {
 *         for (int i = 1; i <= *(int *)n; i++)
 *             if (fern_generator_yield(&i, NULL) < 0)
 *                 break;
 *         return NULL;
 *     }
 *
 *     fern_generator *numbers = fern_generator_new(count_to, &n, sizeof(int));
 *     FERN_AUTO(fern_generator_free, numbers);
 *     while (fern_generator_next(numbers, &i, FERN_FOREVER) > 0)
 *         printf("%d\n", i);
 *
 * Read: making, asking, giving, ending, as an iterator.
 */
#ifndef FERN_GENERATOR_H
#define FERN_GENERATOR_H

#include <fern/base.h>
#include <fern/greenlet.h>
#include <fern/iterator.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** A generator. Opaque; it belongs to the hub on which it was first asked for an item. */
typedef struct fern_generator fern_generator;

/* ---- making ---- */

/**
 * Make a generator. Its function does not run before the first item is asked for.
 *
 * @param  fn         gives items by fern_generator_yield(); what it returns is the outcome's value
 * @param  arg        passed to fn
 * @param  item_size  bytes of an item; 0: its steps carry nothing
 * @return the generator; NULL with errno EINVAL (fn is NULL) or ENOMEM
 *
 * May switch: no.  Thread: any.  Owner: the caller gives it back by fern_generator_free().
 */
FERN_API fern_generator *fern_generator_new(fern_fn *fn, void *arg, size_t item_size);

/**
 * Give a generator back. If its function has not ended it is closed as by fern_generator_close(),
 * but nobody waits for that.
 *
 * @param  generator  a generator; NULL is allowed
 *
 * May switch: no.  Thread: its hub only; elsewhere it is reported and nothing is freed.  Owner: the generator is fern's again.
 */
FERN_API void fern_generator_free(fern_generator *generator);

/* ---- asking ---- */

/**
 * Wait for the next item: the generator's function runs until it gives one or ends. Nobody else
 * runs meanwhile unless it waits. If the caller's wait fails, the function runs on until it has
 * the item that was asked for, which the next call gets.
 *
 * @param  generator  a generator
 * @param  ret_item   receives the item; untouched if there is none; NULL drops the item
 * @param  deadline   how long at most; FERN_NOWAIT takes an item that was asked for before
 * @return 1 an item; 0 it has ended; -EAGAIN none is there and FERN_NOWAIT; -ETIME; -ECANCELED;
 *         -EDEADLK; -EBUSY somebody waits for its next item, or it is its own function that asks;
 *         -ESRCH its greenlet was killed; the code, made negative, with which its function
 *         failed: fern_generator_outcome() tells that from the caller's own. After a failure it
 *         has ended. -EINVAL NULL; -EXDEV another hub's; -ENOMEM, -EMFILE it could not be started
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: borrows generator, copies the item.
 */
FERN_API FERN_MUST_CHECK int fern_generator_next(
        fern_generator *generator, void *ret_item, fern_time deadline);

/**
 * The same with an answer to the item before: the fern_generator_yield() that gave it receives it.
 *
 * @param  generator  a generator
 * @param  value      what it is sent; not NULL only if it has given an item
 * @param  ret_item   as fern_generator_next()
 * @param  deadline   how long at most; FERN_NOWAIT sends nothing
 * @return as fern_generator_next(); -EINVAL also if there is a value and nothing has been given;
 *         -EBUSY also if an item that was asked for before has not been fetched
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: value is the users'.
 */
FERN_API FERN_MUST_CHECK int fern_generator_send(
        fern_generator *generator, void *value, void *ret_item, fern_time deadline);

/**
 * The same with a failure: the fern_generator_yield() that gave the item before returns the code.
 * One that has not begun ends with it.
 *
 * @param  generator  a generator
 * @param  code       negative
 * @param  ret_item   as fern_generator_next()
 * @param  deadline   how long at most; FERN_NOWAIT throws nothing
 * @return as fern_generator_send(); the code itself if it had not begun; -EINVAL also if code is not negative
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: borrows generator.
 */
FERN_API FERN_MUST_CHECK int fern_generator_throw(
        fern_generator *generator, int code, void *ret_item, fern_time deadline);

/* ---- giving ---- */

/**
 * Give an item to whoever waits for it, and wait until the next one is asked for. For the
 * function of a generator and what it calls.
 *
 * @param  item      item_size bytes; not used if that is 0
 * @param  ret_sent  receives what fern_generator_send() passed, else NULL; NULL is allowed
 * @return 0; the code that fern_generator_throw() passed; -ECANCELED no more items are wanted, or
 *         the greenlet was killed: clean up and return; -ETIME a scope has passed; -EPERM the
 *         caller is no generator's greenlet; -EINVAL item is NULL
 *
 * May switch: yes.  Thread: the generator's greenlet only.  Owner: item is copied when it is fetched, before the call returns.
 */
FERN_API FERN_MUST_CHECK int fern_generator_yield(const void *item, void **ret_sent);

/**
 * Give all items of another iterator, as if they were one's own. What is sent or thrown goes on
 * to it if it is a generator; a close closes it first.
 *
 * @param  inner  an iterator with items of the same size
 * @return 0 it has come to its end; its code if it failed; else as fern_generator_yield(); -EINVAL
 *         also if the sizes differ; -ENOMEM
 *
 * May switch: yes.  Thread: the generator's greenlet only.  Owner: borrows inner.
 */
FERN_API FERN_MUST_CHECK int fern_generator_delegate(fern_iterator *inner);

/* ---- ending ---- */

/**
 * Want no more items, and wait until the generator's function has ended. Its
 * fern_generator_yield() answers -ECANCELED from now on; other calls work, so it can clean up. If
 * it waits for something else, because who asked for an item has gone, its greenlet is killed.
 * Afterwards the generator has ended.
 *
 * @param  generator  a generator
 * @param  deadline   how long to wait; FERN_NOWAIT does not wait
 * @return 0 it has ended; -EAGAIN not yet (FERN_NOWAIT); -ETIME; -ECANCELED; -EDEADLK; -EBUSY
 *         somebody waits for its next item, or it is its own function that asks; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: only if it has to wait.  Thread: its hub only.  Owner: borrows generator.
 */
FERN_API FERN_MUST_CHECK int fern_generator_close(
        fern_generator *generator, fern_time deadline);

/**
 * How a generator's function has ended.
 *
 * @param  generator    a generator
 * @param  ret_outcome  receives the outcome; its message lives as long as the generator
 * @return 0; -EINPROGRESS it has not ended; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows generator.
 */
FERN_API int fern_generator_outcome(
        const fern_generator *generator, fern_outcome *ret_outcome);

/* ---- as an iterator ---- */

/**
 * A generator as an iterator, for FERN_EACH and whatever takes iterators.
 *
 * @param  generator  a generator, not NULL
 * @return the iterator
 *
 * May switch: no.  Thread: any.  Owner: borrows generator as long as the iterator is used.
 */
FERN_API fern_iterator fern_generator_iterator(fern_generator *generator);

FERN__END_DECLS

#endif
