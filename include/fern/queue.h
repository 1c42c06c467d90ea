/* SPDX-License-Identifier: MIT */
/*
 * Queues and channels: items from greenlet to greenlet.
 *
 * A queue holds items of one fixed size, which are copied in and out. It gives them first in first
 * out, last in first out, or by priority; it is bounded or not; with a capacity of 0 it is a
 * channel, where a put waits for the get that takes its item. It lives in the user's memory, does
 * not move, belongs to the hub of its first use, and answers -EXDEV to other threads.
 *
 * Nobody is passed by: who waits is served in order of arrival, an item that is put while somebody
 * waits is that one's, and a place that becomes free is taken at once by the item of the first who
 * waits to put.
 *
 *     fern_queue tasks;
 *     fern_queue_init(&tasks, sizeof(int), 10);
 *     int r = fern_queue_put(&tasks, &(int){7}, FERN_FOREVER);      (one greenlet)
 *     int task, r = fern_queue_get(&tasks, &task, FERN_FOREVER);    (another)
 *     fern_queue_fini(&tasks);
 *
 * A queue, its gets and its puts can be cases of fern_select().
 */
#ifndef FERN_QUEUE_H
#define FERN_QUEUE_H

#include <fern/base.h>
#include <fern/greenlet.h>
#include <fern/iterator.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** A queue. Fields are fern's; zero, or fern_queue_init(), before first use. */
typedef struct fern_queue {
    uint64_t fern__words[28];
} fern_queue;

#ifdef __cplusplus
#define FERN_QUEUE_INIT (fern_queue())
#else
#define FERN_QUEUE_INIT ((fern_queue){0})
#endif

/** The capacity of a queue that has room for everything. */
#define FERN_QUEUE_UNBOUNDED SIZE_MAX

/** Which item a get takes. */
typedef enum fern_queue_kind {
    FERN_QUEUE_FIFO,     /**< the oldest */
    FERN_QUEUE_LIFO,     /**< the youngest */
    FERN_QUEUE_PRIORITY, /**< the least, and of equal ones the oldest */
    FERN_QUEUE_CUSTOM,   /**< what the user's own container says */
} fern_queue_kind;

/** What keeps the items of a FERN_QUEUE_CUSTOM. None of them may wait or use the queue. */
typedef struct fern_queue_container {
    /** Keep a copy of an item. @return 0; a negative code, which the put gives */
    int (*put)(void *container, const void *item);
    /** Give out an item and forget it; there is one. */
    void (*get)(void *container, void *ret_item);
    /** Give a copy of what `get` would give; there is one. */
    void (*peek)(void *container, void *ret_item);
} fern_queue_container;

/** Which of two items comes first: < 0, 0 or > 0, as for qsort(). */
typedef int fern_queue_compare_fn(const void *a, const void *b);

/** Called with the address of an item that nobody will get. */
typedef void fern_queue_drop_fn(void *item);

/** What fern_queue_init_with() can be told; zero is a plain queue. Made by FERN_QUEUE_OPTIONS. */
typedef struct fern_queue_options {
    size_t size;
    fern_queue_kind kind;
    int fern__unused;
    /** Of FERN_QUEUE_PRIORITY; NULL: items begin with their priority, an int64_t. */
    fern_queue_compare_fn *compare;
    /** What items hold is given back by this when the queue drops them; or NULL. */
    fern_queue_drop_fn *drop;
    const fern_queue_container *container; /**< of FERN_QUEUE_CUSTOM; kept, not copied */
    void *container_arg;                   /**< passed to its functions */
} fern_queue_options;

/** Declare options with everything as by default. */
#define FERN_QUEUE_OPTIONS(name)                                                           \
    fern_queue_options name = {                                                            \
            sizeof(fern_queue_options), FERN_QUEUE_FIFO, 0, NULL, NULL, NULL, NULL}

/**
 * Begin a queue, first in first out.
 *
 * @param  queue      memory that is not in use
 * @param  item_size  of each item, in bytes
 * @param  capacity   in items; 0 makes a channel; FERN_QUEUE_UNBOUNDED
 * @return 0; -EINVAL NULL, or item_size is 0 or above 2 GiB; -ENOMEM
 *
 * May switch: no.  Thread: any.  Owner: queue stays the caller's, which ends it by fern_queue_fini().
 */
FERN_API int fern_queue_init(fern_queue *queue, size_t item_size, size_t capacity);

/**
 * Begin a queue as options say.
 *
 * @param  queue      memory that is not in use
 * @param  item_size  of each item, in bytes
 * @param  capacity   in items; 0 makes a channel; FERN_QUEUE_UNBOUNDED
 * @param  options    FERN_QUEUE_OPTIONS; NULL for a plain queue
 * @return 0; -EINVAL NULL, a size of 0 or above 2 GiB, an unknown kind, a priority queue without
 *         compare of items below 8 bytes, a custom one without a container; -ENOMEM
 *
 * May switch: no.  Thread: any.  Owner: queue stays the caller's, which ends it by fern_queue_fini();
 *         keeps options->container; copies the rest.
 */
FERN_API int fern_queue_init_with(fern_queue *queue, size_t item_size, size_t capacity,
        const fern_queue_options *options);

/**
 * Begin a queue as a copy of another: of the same kind and capacity, with copies of its items, all of
 * them unfinished. It is open, and nobody waits for it.
 *
 * @param  queue  memory that is not in use
 * @param  from   a queue
 * @return 0; -EINVAL NULL, the same, from was not begun, is custom, or drops its items, which then
 *         have one owner; -EXDEV another hub's; -ENOMEM
 *
 * May switch: no.  Thread: from's hub only.  Owner: queue stays the caller's, which ends it by fern_queue_fini().
 */
FERN_API int fern_queue_copy(fern_queue *queue, const fern_queue *from);

/**
 * End the use of a queue. Its items are dropped.
 *
 * @param  queue  a queue
 * @return 0; -EBUSY somebody waits for it, or a greenlet is linked; -EINVAL NULL; -EXDEV another hub's that still lives
 *
 * May switch: no.  Thread: its hub only.  Owner: queue stays the caller's.
 */
FERN_API int fern_queue_fini(fern_queue *queue);

/**
 * Put an item. If somebody waits for one it is handed over; if the queue is full, the item is taken
 * when it is this caller's turn. Into a channel the put ends when the item has been taken, and
 * whoever took it runs first.
 *
 * @param  queue     a queue
 * @param  item      the item, of the queue's item size; untouched
 * @param  deadline  how long at most to wait for room
 * @return 0; -EAGAIN full and FERN_NOWAIT; -ETIME, -ECANCELED and the item was not put; -EPIPE the
 *         queue is closed; -EDEADLK; -EINVAL NULL, or a queue that was not begun; -EXDEV another
 *         hub's; -ENOMEM no memory for one more item, or for a hub; -EMFILE
 *
 * May switch: if full, and into a channel, unless FERN_NOWAIT.  Thread: its hub only.
 * Owner: copies item.
 */
FERN_API FERN_MUST_CHECK int fern_queue_put(
        fern_queue *queue, const void *item, fern_time deadline);

/**
 * Take an item, waiting until there is one.
 *
 * @param  queue     a queue
 * @param  ret_item  receives the item, of the queue's item size; untouched on failure
 * @param  deadline  how long at most to wait for one
 * @return 0; -EAGAIN empty and FERN_NOWAIT; -ETIME; -ECANCELED; -EPIPE closed and empty; -EDEADLK;
 *         -EINVAL NULL, or a queue that was not begun; -EXDEV another hub's; -ENOMEM, -EMFILE no
 *         hub could be made
 *
 * May switch: if empty, unless FERN_NOWAIT.  Thread: its hub only.  Owner: copies to ret_item.
 */
FERN_API FERN_MUST_CHECK int fern_queue_get(
        fern_queue *queue, void *ret_item, fern_time deadline);

/**
 * Look at the item that a get would take, waiting until there is one. Everybody who waits to look
 * sees the next item that comes; it may be gone when they run. In a channel it is the item of the
 * first who waits to put.
 *
 * @param  queue     a queue
 * @param  ret_item  receives a copy of the item; untouched on failure
 * @param  deadline  how long at most to wait for one
 * @return as fern_queue_get()
 *
 * May switch: if empty, unless FERN_NOWAIT.  Thread: its hub only.  Owner: copies to ret_item.
 */
FERN_API FERN_MUST_CHECK int fern_queue_peek(
        fern_queue *queue, void *ret_item, fern_time deadline);

/**
 * Put several items, one after another.
 *
 * @param  queue     a queue
 * @param  items     an array of items
 * @param  bytes     its size: sizeof items
 * @param  deadline  how long at most to wait for room for all of them
 * @return how many were put; fewer than all if something came between, which the next call tells;
 *         if none: -EMSGSIZE bytes is 0 or no multiple of the item size, or as fern_queue_put()
 *
 * May switch: if full, and into a channel, unless FERN_NOWAIT.  Thread: its hub only.
 * Owner: copies items.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_queue_put_many(
        fern_queue *queue, const void *items, size_t bytes, fern_time deadline);

/**
 * Take what there is, waiting until there is an item.
 *
 * @param  queue      a queue
 * @param  ret_items  receives the items
 * @param  bytes      its size: sizeof items; how many are taken at most
 * @param  deadline   how long at most to wait for the first
 * @return how many were taken; -EMSGSIZE bytes is 0 or no multiple of the item size; or as
 *         fern_queue_get()
 *
 * May switch: if empty, unless FERN_NOWAIT.  Thread: its hub only.  Owner: copies to ret_items.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_queue_get_many(
        fern_queue *queue, void *ret_items, size_t bytes, fern_time deadline);

/**
 * Take items for as long as there will be any: a loop, with a body that follows.
 *
 *     int r, task;
 *     FERN_QUEUE_FOREACH (r, &tasks, &task)
 *         work_on(task);
 *     (r is -EPIPE: the queue was closed, and is empty; or what else has ended the wait)
 */
#define FERN_QUEUE_FOREACH(ret_code, queue, ret_item)                                      \
    while (((ret_code) = fern_queue_get((queue), (ret_item), FERN_FOREVER)) == 0)

/**
 * A queue as an iterator, for FERN_EACH and whatever takes iterators: it gives items until the queue
 * is closed and empty.
 *
 * @param  queue  a queue that was begun, not NULL
 * @return the iterator
 *
 * May switch: no.  Thread: any.  Owner: borrows queue as long as the iterator is used.
 */
FERN_API fern_iterator fern_queue_iterator(fern_queue *queue);

/* ---- closing ---- */

/** Flags of fern_queue_close(). */
enum {
    FERN_QUEUE_DROP = 1, /**< drop the items that are in it; each counts as done */
};

/**
 * Close a queue: nothing can be put any more. What is in it can still be taken, unless it is
 * dropped; then gets fail with -EPIPE. Who waits for an item is woken, then who waits to look, then
 * who waits to put, all with -EPIPE; an item that waited for room was not put.
 *
 * @param  queue  a queue
 * @param  flags  0 or FERN_QUEUE_DROP
 * @return 0; -EALREADY it is closed, unless this call dropped something; -EINVAL NULL, an unknown
 *         flag, or a queue that was not begun; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API int fern_queue_close(fern_queue *queue, int flags);

/**
 * Whether a queue has been closed.
 *
 * @param  queue  a queue; NULL is false
 * @return true once it has
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API bool fern_queue_closed(const fern_queue *queue);

/* ---- work that is done ---- */

/**
 * Say that the work on an item that was taken is done.
 *
 * @param  queue  a queue
 * @return 0; -EOVERFLOW more often than items were put; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API int fern_queue_task_done(fern_queue *queue);

/**
 * Wait until as many items are done as were put. An item that waits for room has not been put.
 *
 * @param  queue     a queue
 * @param  deadline  how long at most
 * @return 0; -EAGAIN some are not done and FERN_NOWAIT; -ETIME; -ECANCELED; -EDEADLK; -EINVAL NULL;
 *         -EXDEV another hub's; -ENOMEM, -EMFILE no hub could be made
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API FERN_MUST_CHECK int fern_queue_join(fern_queue *queue, fern_time deadline);

/**
 * How many items that were put are not done.
 *
 * @param  queue  a queue; NULL counts 0
 * @return items put, but those that fern_queue_task_done() was called for
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API size_t fern_queue_unfinished(const fern_queue *queue);

/* ---- state ---- */

/**
 * How many items are in a queue.
 *
 * @param  queue  a queue; NULL counts 0
 * @return items; always 0 for a channel
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API size_t fern_queue_len(const fern_queue *queue);

/**
 * Whether a queue has no item. A channel never has one.
 *
 * @param  queue  a queue; NULL is true
 * @return true if it is empty
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API bool fern_queue_empty(const fern_queue *queue);

/**
 * Whether a queue has no room for one more item. A channel never has.
 *
 * @param  queue  a queue; NULL is true
 * @return true if it is full
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API bool fern_queue_full(const fern_queue *queue);

/**
 * How many items a queue may hold.
 *
 * @param  queue  a queue; NULL holds 0
 * @return its capacity in items; 0 for a channel; FERN_QUEUE_UNBOUNDED
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API size_t fern_queue_capacity(const fern_queue *queue);

/**
 * How many wait to get an item.
 *
 * @param  queue  a queue; NULL counts 0
 * @return greenlets; one that waits by several cases of fern_select() counts for each
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API size_t fern_queue_getting(const fern_queue *queue);

/**
 * How many wait to put an item.
 *
 * @param  queue  a queue; NULL counts 0
 * @return greenlets; one that waits by several cases of fern_select() counts for each
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API size_t fern_queue_putting(const fern_queue *queue);

/**
 * Change how many items a queue may hold. Who waits to put is let in as far as there is room now;
 * a smaller capacity drops nothing, but lets nothing in before so many items have been taken.
 *
 * @param  queue     a queue
 * @param  capacity  in items; 0 makes a channel; FERN_QUEUE_UNBOUNDED
 * @return 0; -EINVAL NULL, or a queue that was not begun; -ENOMEM, and nothing has changed; -EXDEV
 *         another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows queue.
 */
FERN_API int fern_queue_resize(fern_queue *queue, size_t capacity);

/* ---- links ---- */

/**
 * Have a greenlet put into a queue when it has ended, or soon if it has. The item is a
 * `fern_greenlet *` with a reference, which whoever gets it gives back. It never waits for room: it
 * comes above the capacity. If the queue is closed by then, nothing is put.
 *
 * @param  queue     a queue of items of sizeof(fern_greenlet *)
 * @param  greenlet  may have ended
 * @return 0; -EMSGSIZE items have another size; -EPIPE the queue is closed; -EINVAL NULL, or a
 *         custom queue; -EXDEV another hub's; -ENOMEM
 *
 * May switch: no.  Thread: its hub only.  Owner: keeps queue until greenlet has ended.
 */
FERN_API int fern_queue_link(fern_queue *queue, fern_greenlet *greenlet);

FERN__END_DECLS

#endif
