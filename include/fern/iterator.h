/* SPDX-License-Identifier: MIT */
/*
 * Iterators: whatever gives its items one by one, where asking for the next may wait.
 *
 *     int item, r;
 *     FERN_EACH (r, item, &iterator)
 *         use(item);
 *     if (r == 0)
 *         all_seen();
 *
 * After the loop r is 0 if it came to the end, negative if it failed, and 1 if it was left by
 * break.
 */
#ifndef FERN_ITERATOR_H
#define FERN_ITERATOR_H

#include <fern/base.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** What an iterator can do: a table for each kind of thing that gives items. */
typedef struct fern_iterator_ops {
    /** As fern_next(). */
    int (*next)(void *self, void *ret_item, fern_time deadline);
    /** As fern_iterator_close(); NULL: there is nothing to close. */
    int (*close)(void *self, fern_time deadline);
} fern_iterator_ops;

/** An iterator: a table and what it works on. Users may make their own. */
typedef struct fern_iterator {
    const fern_iterator_ops *ops;
    void *self;
    size_t item_size; /**< bytes of an item */
} fern_iterator;

/**
 * Wait for the next item.
 *
 * @param  iterator  an iterator
 * @param  ret_item  receives item_size bytes; untouched if there is none; NULL drops the item
 * @param  deadline  how long at most; FERN_NOWAIT takes what is there
 * @return 1 an item; 0 there are no more; -EAGAIN none is there and FERN_NOWAIT; -ETIME;
 *         -ECANCELED; -EDEADLK; -EINVAL NULL; -EXDEV another hub's; any code of the thing that gives them
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: as the thing that gives the items.  Owner: borrows iterator, copies the item.
 */
FERN_API FERN_MUST_CHECK int fern_next(
        fern_iterator *iterator, void *ret_item, fern_time deadline);

/**
 * Want no more items: what gives them cleans up.
 *
 * @param  iterator  an iterator
 * @param  deadline  how long to wait for that
 * @return 0; -ETIME; -ECANCELED; -EDEADLK; -EAGAIN it is not over and FERN_NOWAIT; -EBUSY somebody waits for the next item; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: as the thing that gives the items.  Owner: borrows iterator.
 */
FERN_API FERN_MUST_CHECK int fern_iterator_close(
        fern_iterator *iterator, fern_time deadline);

/** For each item in turn; r and item are variables of the caller's. */
#define FERN_EACH(r, item, iterator)                                                       \
    while (((r) = fern_next((iterator), &(item), FERN_FOREVER)) > 0)

FERN__END_DECLS

#endif
