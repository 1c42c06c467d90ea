/* SPDX-License-Identifier: MIT */
/*
 * The hub from outside: callbacks, timers, and embedding in a foreign event loop.
 *
 * A hub is one OS thread's scheduler, timers and poller. It is made when first needed. Callbacks
 * and timer functions run on the hub's own greenlet, in the same queue as greenlets; they must
 * not wait: a blocking call inside one is answered -EDEADLK.
 *
 *     static fern_timer tick;
 *     fern_timer_start(&tick, fern_in(FERN_SECOND), FERN_SECOND, on_tick, NULL);
 */
#ifndef FERN_LOOP_H
#define FERN_LOOP_H

#include <fern/base.h>
#include <fern/greenlet.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** A function the hub calls. */
typedef void fern_callback_fn(void *arg);

/** A call that is to be made soon, in the user's memory. Fields are fern's; zero before first use. */
typedef struct fern_callback {
    fern_callback_fn *fern__fn;
    void *fern__arg;
    void *fern__hub;
    uint64_t fern__state;
    uint64_t fern__reserved[2];
} fern_callback;

#ifdef __cplusplus
#define FERN_CALLBACK_INIT (fern_callback())
#else
#define FERN_CALLBACK_INIT ((fern_callback){0})
#endif

/**
 * Have a function called by the hub, behind everything that is ready now.
 *
 * @param  callback  idle, zero before its first use
 * @param  fn        what to call; must not wait
 * @param  arg       passed to it
 * @return 0; -EALREADY it is pending; -EINVAL NULL; -ENOMEM; -EMFILE no poller could be opened
 *
 * May switch: no.  Thread: any; for its own hub.  Owner: keeps callback until the call begins or fern_callback_cancel().
 */
FERN_API int fern_call_soon(fern_callback *callback, fern_callback_fn *fn, void *arg);

/**
 * Take a pending call back. The order of the others does not change.
 *
 * @param  callback  pending or not
 * @return 1 it will not be made; 0 it was not pending; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: the hub of fern_call_soon() only.  Owner: gives callback back to the user.
 */
FERN_API int fern_callback_cancel(fern_callback *callback);

/**
 * Whether a call is still to be made. False inside the call itself.
 *
 * @param  callback  any; NULL is false
 * @return true while it is pending
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows callback.
 */
FERN_API bool fern_callback_pending(const fern_callback *callback);

/** A timer in the user's memory. Fields are fern's; zero before first use. */
typedef struct fern_timer {
    uint64_t fern__node[4];
    fern_callback fern__call;
    int64_t fern__repeat_ns;
    uint64_t fern__flags;
    uint64_t fern__reserved[2];
} fern_timer;

#ifdef __cplusplus
#define FERN_TIMER_INIT (fern_timer())
#else
#define FERN_TIMER_INIT ((fern_timer){0})
#endif

/**
 * Start a timer. Timers that are due together fire by (deadline, order of starting), never early.
 *
 * @param  timer      zero before its first use; a started one is started anew
 * @param  when       when it fires first
 * @param  repeat_ns  > 0: then again at when + k * repeat_ns, without drift; if the hub was late,
 *                    the missed ones are one call; 0: once
 * @param  fn         what to call, by the hub; must not wait
 * @param  arg        passed to it
 * @return 0; -EINVAL NULL, or repeat_ns < 0; -EXDEV it is started on another hub; -ENOMEM; -EMFILE no poller could be opened
 *
 * May switch: no.  Thread: any; for its own hub.  Owner: keeps timer until it has fired or fern_timer_stop().
 */
FERN_API int fern_timer_start(fern_timer *timer, fern_time when, int64_t repeat_ns,
        fern_callback_fn *fn, void *arg);

/**
 * Stop a timer.
 *
 * @param  timer  started or not
 * @return 1 it will not fire; 0 it was not started; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: gives timer back to the user.
 */
FERN_API int fern_timer_stop(fern_timer *timer);

/**
 * Make a timer a daemon, or no daemon: a daemon's timer does not keep main waiting.
 *
 * @param  timer   started or not
 * @param  daemon  true or false
 * @return 0; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows timer.
 */
FERN_API int fern_timer_set_daemon(fern_timer *timer, bool daemon);

/**
 * Whether a timer is to fire.
 *
 * @param  timer  any; NULL is false
 * @return true while it is started
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows timer.
 */
FERN_API bool fern_timer_active(const fern_timer *timer);

/**
 * Have a timer stop when a greenlet ends. That holds until it fires for the last time, is stopped
 * or is started anew.
 *
 * @param  timer  started
 * @param  owner  the greenlet; NULL: nobody, as after fern_timer_start()
 * @return 0; -EINVAL NULL or not started; -ESRCH owner has ended; -EXDEV another hub's; -ENOMEM
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows owner, which may be freed before.
 */
FERN_API int fern_timer_set_owner(fern_timer *timer, fern_greenlet *owner);

/**
 * When a timer fires next.
 *
 * @param  timer  any; NULL is a stopped one
 * @return the moment; FERN_FOREVER if it is not started
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows timer.
 */
FERN_API fern_time fern_timer_when(const fern_timer *timer);

/**
 * Have a function called at a moment, once: a timer without a repeat.
 *
 * @param  timer  as fern_timer_start(); fern_timer_stop() takes the call back
 * @param  when   the moment, as fern_now() counts
 * @param  fn     what to call, by the hub; must not wait
 * @param  arg    passed to it
 * @return as fern_timer_start()
 *
 * May switch: no.  Thread: any; for its own hub.  Owner: as fern_timer_start().
 */
FERN_API int fern_call_at(
        fern_timer *timer, fern_time when, fern_callback_fn *fn, void *arg);

/**
 * Have a function called after a while, once: a timer without a repeat.
 *
 * @param  timer     as fern_timer_start(); fern_timer_stop() takes the call back
 * @param  delay_ns  nanoseconds from now; <= 0: at the next look at the timers
 * @param  fn        what to call, by the hub; must not wait
 * @param  arg       passed to it
 * @return as fern_timer_start()
 *
 * May switch: no.  Thread: any; for its own hub.  Owner: as fern_timer_start().
 */
FERN_API int fern_call_later(
        fern_timer *timer, int64_t delay_ns, fern_callback_fn *fn, void *arg);

/* ---- running it as a loop ---- */

/**
 * Do nothing but let the hub run, until fern_loop_stop(). A stop that came before lets everything
 * that is ready run once. It may be run again afterwards.
 *
 * @param  deadline  how long at most
 * @return 0 it was stopped; -ETIME; -ECANCELED; -EAGAIN FERN_NOWAIT; -EALREADY somebody runs it;
 *         -EDEADLK nothing can ever happen any more, or called from a callback; -ENOMEM, -EMFILE no hub could be made
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: any; its own hub.  Owner: none.
 */
FERN_API FERN_MUST_CHECK int fern_loop_run(fern_time deadline);

/**
 * Let the hub run until a greenlet has ended: fern_get() that fern_loop_stop() can interrupt.
 *
 * @param  g            the greenlet
 * @param  ret_outcome  receives what became of it; NULL is allowed; untouched on error
 * @param  deadline     how long at most
 * @return 0 it has ended; -EINTR the loop was stopped before; -ETIME; -ECANCELED; -EAGAIN it has
 *         not ended and FERN_NOWAIT; -EALREADY somebody runs the loop; -EDEADLK as fern_join(); -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: only if it has to wait.  Thread: g's hub only.  Owner: borrows g; the message lives as long as g.
 */
FERN_API FERN_MUST_CHECK int fern_loop_run_until(
        fern_greenlet *g, fern_outcome *ret_outcome, fern_time deadline);

/**
 * Have whoever runs the loop return. What is ready now runs before; what becomes ready later stays
 * for the next time. If nobody runs it, the next run stops at once.
 *
 * @return 0; -ENOMEM, -EMFILE no hub could be made
 *
 * May switch: no.  Thread: any; its own hub, callbacks too.  Owner: none.
 */
FERN_API int fern_loop_stop(void);

/**
 * Whether somebody runs this thread's loop.
 *
 * @return true inside fern_loop_run(), fern_loop_run_until() and the like
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API bool fern_loop_running(void);

/**
 * Clear up: kill all greenlets of this thread in the order of their spawns, and wait until they
 * have ended and their links are called. Timers stay as they are. The hub is as good as new
 * afterwards; clearing up again does nothing.
 *
 * @param  deadline  how long to wait; FERN_NOWAIT only kills
 * @return 0; -EAGAIN some have not ended (FERN_NOWAIT); -ETIME; -ECANCELED; -EBUSY somebody runs
 *         the loop; -EPERM the caller is not main; -EDEADLK called from a callback; -ENOMEM, -EMFILE
 *
 * May switch: yes.  Thread: any; its own hub.  Owner: none.
 */
FERN_API FERN_MUST_CHECK int fern_loop_close(fern_time deadline);

/**
 * Run a whole program of greenlets: spawn one, let the hub run until it has ended, then kill all
 * others in the order of their spawns and wait until they have ended, too. Nothing is left behind
 * but timers. It can be done again.
 *
 * @param  fn           the program
 * @param  arg          passed to fn
 * @param  ret_outcome  what became of it, but for the message; NULL is allowed; untouched on error
 * @param  deadline     how long fn may run; the others are waited for as long as it takes
 * @return 0 it has ended; -EINTR the loop was stopped before; -ETIME; -ECANCELED the caller was
 *         killed; -EAGAIN FERN_NOWAIT, and nothing was done; -EBUSY somebody runs the loop; -EPERM the
 *         caller is not main; -EDEADLK nothing can ever happen any more, some cannot end, or called
 *         from a callback; -EINVAL fn is NULL; -ENOMEM; -EMFILE no poller could be opened
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: any; its own hub.  Owner: arg stays the caller's.
 */
FERN_API FERN_MUST_CHECK int fern_run(
        fern_fn *fn, void *arg, fern_outcome *ret_outcome, fern_time deadline);

/**
 * The same with the place of the spawn; the macro fern_run passes it.
 *
 * @param  fn           as fern_run()
 * @param  arg          as fern_run()
 * @param  site         static record of the place; NULL for unknown
 * @param  ret_outcome  as fern_run()
 * @param  deadline     as fern_run()
 * @return as fern_run()
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: any; its own hub.  Owner: as fern_run(); keeps site.
 */
FERN_API FERN_MUST_CHECK int fern_run_at(fern_fn *fn, void *arg, const fern_site *site,
        fern_outcome *ret_outcome, fern_time deadline);

#define fern_run(fn, arg, ret_outcome, deadline)                                           \
    fern_run_at((fn), (arg), FERN_SITE, (ret_outcome), (deadline))

/* ---- the hub ---- */

/** What a hub may be told. Zero leaves a value as it is. */
typedef struct fern_hub_options {
    size_t size;           /**< sizeof(fern_hub_options) */
    uint32_t switches_max; /**< switches between two looks at the poller; default 128 */
    int64_t slice_ns;      /**< time between two looks at the poller; default 1 ms */
    uint32_t
            budget_ops; /**< operations that succeed at once before a greenlet yields; default 128 */
    int64_t spin_ns; /**< longest polling before sleeping; default 50 us; < 0 for none,
                          which is the default with one CPU and in virtual time */
    size_t stacks_idle_max; /**< stacks kept warm when idle; default 1024 */
} fern_hub_options;

/**
 * Change this thread's hub options.
 *
 * @param  options  copied
 * @return 0; -EINVAL NULL or a size fern does not know; -ENOMEM; -EMFILE no poller could be opened
 *
 * May switch: no.  Thread: any; makes the thread's hub if it has none.  Owner: copies options.
 */
FERN_API int fern_hub_set_options(const fern_hub_options *options);

/**
 * The name of this thread's poller: FERN_POLLER chooses it before the hub is made.
 *
 * @return "epoll", "poll", "select" or "sim"; NULL with errno if no hub could be made
 *
 * May switch: no.  Thread: any; makes the thread's hub if it has none.  Owner: static.
 */
FERN_API const char *fern_hub_poller(void);

/**
 * A descriptor that becomes readable when the hub has something to do, for a foreign loop.
 *
 * @return the descriptor; -ENOSYS this poller has none (only epoll has); -ENOMEM; -EMFILE
 *
 * May switch: no.  Thread: any; makes the thread's hub if it has none.  Owner: fern's; do not close it.
 */
FERN_API int fern_hub_fd(void);

/**
 * How long a foreign loop may wait before fern_hub_step() is due.
 *
 * @return nanoseconds; 0 something is ready now; -1 no limit
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API int64_t fern_hub_timeout(void);

/**
 * Do what is due without waiting: poll once, fire timers, run what is ready once.
 *
 * @return how many switches were made; -EDEADLK called from a callback; -ENOMEM; -EMFILE
 *
 * May switch: yes, and comes back when everything that was ready has had its turn.  Thread: any.  Owner: none.
 */
FERN_API int fern_hub_step(void);

/** Counts of a hub since it was made. */
typedef struct fern_hub_stats {
    uint64_t switches;       /**< from greenlet to greenlet */
    uint64_t spawned;        /**< greenlets */
    uint64_t polls;          /**< looks at the poller */
    uint64_t polls_blocking; /**< of which might sleep */
    uint64_t timers_fired;
    uint64_t callbacks;
    uint64_t greenlets;   /**< alive now, main included */
    uint64_t stacks;      /**< in use now */
    uint64_t stacks_idle; /**< kept for reuse now */
    uint64_t timers;      /**< armed now */
    uint64_t fds;         /**< registered now */
} fern_hub_stats;

/**
 * Read this thread's counts.
 *
 * @param  ret_stats  receives them; all zero on a thread without a hub
 * @return 0; -EINVAL NULL
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API int fern_hub_get_stats(fern_hub_stats *ret_stats);

FERN__END_DECLS

#endif
