/* SPDX-License-Identifier: MIT */
/*
 * Stocks: bounded numbers of reusable things, such as connections.
 *
 * A stock makes things when they are asked for and none is idle, up to its limit; then who asks
 * waits, first come first served. What is given back is handed to the first who waits, or kept
 * for the next. A thing that is too old, was idle too long, or does not pass its check is
 * discarded, and so is one whose user failed or was cancelled while it used it: nobody knows in
 * which state it was left.
 *
 *     static int dial(void *arg, void **ret_thing, fern_time deadline);
 *     static void hang_up(void *thing, void *arg);
 *
 *     FERN_STOCK_OPTIONS(options);
 *     options.create = dial;
 *     options.destroy = hang_up;
 *     options.max = 10;
 *     fern_stock *stock = fern_stock_new(&options);
 *
 *     void *connection;
 *     int r = fern_stock_get(stock, &connection, fern_in(FERN_SECOND));
 *     if (r == 0) {
 *         r = query(connection);
 *         if (r < 0)
 *             fern_stock_discard(stock, connection);
 *         else
 *             fern_stock_put(stock, connection);
 *     }
 */
#ifndef FERN_STOCK_H
#define FERN_STOCK_H

#include <fern/base.h>
#include <fern/greenlet.h>
#include <fern/time.h>
#include <fern/wait.h>

FERN__BEGIN_DECLS

/** A bounded stock of reusable things. Opaque. */
typedef struct fern_stock fern_stock;

/** How a stock works. Zero is the default everywhere but for `create`. */
typedef struct fern_stock_options {
    size_t size; /**< sizeof(fern_stock_options), set by FERN_STOCK_OPTIONS */
    /** Make a thing; may wait. @return 0; a negative code, which the one who asked gets. */
    int (*create)(void *arg, void **ret_thing, fern_time deadline);
    /** End a thing; may not wait. NULL: there is nothing to do. */
    void (*destroy)(void *thing, void *arg);
    /** Whether an idle thing is still good; may wait. NULL: it is. @return 0 it is; negative: not */
    int (*check)(void *thing, void *arg, fern_time deadline);
    void *arg;           /**< passed to them */
    size_t min;          /**< how many fern_stock_fill() sees to, and idle ones stay for */
    size_t max;          /**< how many there may be at once; 0: 4 */
    size_t idle_max;     /**< how many may be idle; 0: all; FERN_STOCK_NO_IDLE: none */
    int64_t idle_ns_max; /**< how long one may be idle; 0: for ever */
    int64_t age_ns_max;  /**< how old one may be to be handed out; 0: any age */
    bool round_robin; /**< hand out the one that has been idle longest, not the last one */
} fern_stock_options;

/** No thing stays idle. */
#define FERN_STOCK_NO_IDLE SIZE_MAX

#ifdef __cplusplus
#define FERN_STOCK_OPTIONS(name)                                                           \
    fern_stock_options name = fern_stock_options();                                        \
    name.size = sizeof(fern_stock_options)
#else
/** Declare options with their size filled in; set what differs from the default after it. */
#define FERN_STOCK_OPTIONS(name)                                                           \
    fern_stock_options name = {.size = sizeof(fern_stock_options)}
#endif

/**
 * Make a stock. It is empty; fern_stock_fill() makes the first things ahead of their use.
 *
 * @param  options  copied; `create` must be set
 * @return the stock; NULL with errno EINVAL (no `create`, a size fern does not know, min over max,
 *         a negative time) or ENOMEM
 *
 * May switch: no.  Thread: any; it belongs to the hub of its first use.  Owner: the caller gives it back by fern_stock_free().
 */
FERN_API fern_stock *fern_stock_new(const fern_stock_options *options);

/**
 * Free a stock and destroy what is idle in it.
 *
 * @param  stock  the stock; NULL is allowed
 * @return 0; -EBUSY things are in use, or somebody waits; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: the stock is gone, unless it is refused.
 */
FERN_API int fern_stock_free(fern_stock *stock);

/**
 * Get a thing: an idle one that is still good, or a new one; wait if there may be no more.
 *
 * @param  stock      the stock
 * @param  ret_thing  receives it; untouched on error
 * @param  deadline   how long at most, also for `create` and `check`
 * @return 0; what `create` failed with: then others may try; -EAGAIN none is free and
 *         FERN_NOWAIT; -EPIPE it was closed; -ETIME; -ECANCELED; -EDEADLK; -EINVAL NULL; -EXDEV; -ENOMEM
 *
 * May switch: yes, unless FERN_NOWAIT and `create` and `check` do not.  Thread: its hub only.  Owner: the caller's, until fern_stock_put() or fern_stock_discard().
 */
FERN_API FERN_MUST_CHECK int fern_stock_get(
        fern_stock *stock, void **ret_thing, fern_time deadline);

/* That a thing could be had, as a case of fern_select(), fern_wait() and fern_iwait_new(): one is idle,
 * or may be made. Its result is how many could be had, or -EPIPE if the stock is closed. None is
 * taken, since making and checking may wait: who gets one then may find that others were faster. */
static inline fern_case
fern_case_stock(fern_stock *stock)
{
    return fern__case(FERN_CASE_STOCK, stock, NULL);
}

/**
 * Give a thing back that is as good as before: the first who waits gets it. It is discarded all
 * the same if the caller has been killed or one of its scopes has expired, since a call on the
 * thing may have been cut short, or if it is too old, or too many are idle.
 *
 * @param  stock  the stock
 * @param  thing  one that was got from it
 * @return 0; -EINVAL NULL; -EOVERFLOW it is not in use; -EXDEV
 *
 * May switch: no.  Thread: its hub only.  Owner: the stock's again.
 */
FERN_API int fern_stock_put(fern_stock *stock, void *thing);

/**
 * Give a thing back that must not be used again: it is destroyed, and another may be made.
 *
 * @param  stock  the stock
 * @param  thing  one that was got from it
 * @return 0; -EINVAL NULL; -EOVERFLOW it is not in use; -EXDEV
 *
 * May switch: no.  Thread: its hub only.  Owner: the thing is gone.
 */
FERN_API int fern_stock_discard(fern_stock *stock, void *thing);

/**
 * Make things until there are at least `min`.
 *
 * @param  stock     the stock
 * @param  deadline  how long at most
 * @return 0; as fern_stock_get()
 *
 * May switch: as `create` does.  Thread: its hub only.  Owner: borrows stock.
 */
FERN_API FERN_MUST_CHECK int fern_stock_fill(fern_stock *stock, fern_time deadline);

/**
 * Destroy idle things that are too old or were idle too long; the latter down to `min`. Getting
 * and putting do it, too: this is for a timer of the user's.
 *
 * @param  stock  the stock
 * @return how many were destroyed; -EINVAL NULL; -EXDEV
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows stock.
 */
FERN_API ssize_t fern_stock_trim(fern_stock *stock);

/**
 * Destroy all idle things, and those in use when they come back.
 *
 * @param  stock  the stock
 * @return 0; -EINVAL NULL; -EXDEV
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows stock.
 */
FERN_API int fern_stock_clear(fern_stock *stock);

/**
 * Close a stock: who waits and who comes gets -EPIPE, idle things are destroyed, and those in use
 * when they come back.
 *
 * @param  stock  the stock
 * @return 0; -EINVAL NULL; -EXDEV
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows stock.
 */
FERN_API int fern_stock_close(fern_stock *stock);

/**
 * Change how many there may be at once. As many who wait may go on as were added; if it shrinks,
 * idle things are destroyed, and those in use when they come back.
 *
 * @param  stock  the stock
 * @param  max    at least 1 and at least `min`
 * @return 0; -EINVAL; -EXDEV
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows stock.
 */
FERN_API int fern_stock_resize(fern_stock *stock, size_t max);

/** How a stock is doing. */
typedef struct fern_stock_counts {
    size_t idle;    /**< things that wait for a user */
    size_t used;    /**< things in use, and those being made or checked */
    size_t waiting; /**< who wait for a thing */
    ssize_t free; /**< how many could be had at once; negative after it was made smaller */
} fern_stock_counts;

/**
 * Look at a stock.
 *
 * @param  stock       the stock
 * @param  ret_counts  receives the numbers
 * @return 0; -EINVAL NULL; -EXDEV
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows stock.
 */
FERN_API int fern_stock_get_counts(fern_stock *stock, fern_stock_counts *ret_counts);

/** What is lent out for a block:
 *
 *     fern_loan loan = {stock, fern_in(FERN_SECOND), NULL};
 *     FERN_WITH (r, fern_loan_begin, fern_loan_end, &loan)
 *         r = query(loan.thing);
 */
typedef struct fern_loan {
    fern_stock *stock;
    fern_time deadline; /**< for fern_stock_get() */
    void *thing;        /**< in the block: what was got */
} fern_loan;

/**
 * Get a thing for a block: a fern_enter_fn.
 *
 * @param  loan  a fern_loan with its stock and deadline
 * @return as fern_stock_get()
 *
 * May switch: as fern_stock_get().  Thread: its hub only.  Owner: borrows loan.
 */
FERN_API int fern_loan_begin(void *loan);

/**
 * Give it back: a fern_exit_fn. It is discarded if the block ended with a negative code, or the
 * caller has been killed meanwhile.
 *
 * @param  loan  that of fern_loan_begin()
 * @param  code  how the block ended
 * @return code
 *
 * May switch: no.  Thread: its hub only.  Owner: the thing is the stock's again.
 */
FERN_API int fern_loan_end(void *loan, int code);

FERN__END_DECLS

#endif
