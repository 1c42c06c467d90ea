/* SPDX-License-Identifier: MIT */
/*
 * Greenlets: spawn, wait for, stop, look at.
 *
 * A greenlet is a green thread with a stack of its own, scheduled cooperatively and pinned for
 * life to the hub (the OS thread) it was spawned on. Spawning never switches: new greenlets run
 * in the order of their spawns, when the caller next waits. Waiters are served in order of
 * arrival. A waiting call returns only the waiter's own outcome; what became of the greenlet
 * waited for is in its fern_outcome.
 *
 *     static void *fetch(void *url) { ... return page; }
 *
 *     fern_greenlet *g = fern_spawn(fetch, "a");
 *     FERN_AUTO(fern_greenlet_unref, g);
 *     fern_outcome o;
 *     if (fern_get(g, &o, fern_in(2 * FERN_SECOND)) == 0 && o.code == 0)
 *         use(o.value);
 *
 * Read: spawning, waiting, stopping, what became of it, itself, links, references, hooks,
 * raw coroutines.
 */
#ifndef FERN_GREENLET_H
#define FERN_GREENLET_H

#include <fern/base.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** A green thread. Opaque; held by references. */
typedef struct fern_greenlet fern_greenlet;

/** What a greenlet runs. Its result becomes the outcome's value. */
typedef void *fern_fn(void *arg);

/** Gives something back; called with the pointer it was registered with. */
typedef void fern_free_fn(void *what);

/** Where in the source a greenlet was spawned. One static record for each place. */
typedef struct fern_site {
    const char *file;
    const char *function;
    int line;
} fern_site;

/** What became of a greenlet. */
typedef struct fern_outcome {
    int code; /**< 0; -ECANCELED or the kill's code when killed; what fern_fail() set */
    bool cancelled;      /**< it ended because it was killed */
    void *value;         /**< what its function returned; NULL if it failed or never ran */
    const char *message; /**< the failure's text or NULL; lives as long as the greenlet */
} fern_outcome;

/** Where in its life a greenlet is. */
typedef enum fern_state {
    FERN_STATE_NEW,     /**< made, not started */
    FERN_STATE_READY,   /**< on the ready queue, or waiting for its delayed start */
    FERN_STATE_RUNNING, /**< the one that has the CPU */
    FERN_STATE_PARKED,  /**< waits for something */
    FERN_STATE_DONE,    /**< has ended, or was killed before it ran */
} fern_state;

/* ---- spawning ---- */

#ifdef __cplusplus
#define FERN_SITE                                                                          \
    ([](const char *fern__function) -> const fern_site * {                                 \
        static const fern_site fern__site_here = {__FILE__, fern__function, __LINE__};     \
        return &fern__site_here;                                                           \
    }(__func__))
#else
#define FERN_SITE                                                                          \
    (__extension__({                                                                       \
        static const fern_site fern__site_here = {__FILE__, __func__, __LINE__};           \
        &fern__site_here;                                                                  \
    }))
#endif

/** How to spawn. Zero is the default everywhere. */
typedef struct fern_spawn_options {
    size_t size;        /**< sizeof(fern_spawn_options), set by FERN_SPAWN_OPTIONS */
    const char *name;   /**< for reports; copied, at most 31 bytes kept; NULL for none */
    size_t stack_bytes; /**< stack it needs; 0 for the default; rounded up; at most 1 GiB */
    int64_t delay_ns;   /**< start that much later; <= 0 at once */
    /** Called with arg when it has ended, even if it never ran, on the stack of whoever ended
     * it; must not wait. */
    fern_free_fn *free_arg;
    void *user_data; /**< for fern_greenlet_data() */
    bool unstarted;  /**< wait for fern_start() */
    bool now;        /**< run it first: the caller goes to the tail of the ready queue */
    bool daemon;     /**< what it waits for does not keep the program waiting */
    bool detached; /**< no reference is handed out: the result is only a mark of success */
    bool with_parent; /**< if it has not started when its spawner ends, it never will */
    bool quiet;       /**< its failure is expected: do not report it */
    bool save_fpu;    /**< keep the floating-point control words across switches */
} fern_spawn_options;

#ifdef __cplusplus
#define FERN_SPAWN_OPTIONS(name)                                                           \
    fern_spawn_options name = fern_spawn_options();                                        \
    name.size = sizeof(fern_spawn_options)
#else
/** Declare options with their size filled in; set what differs from the default after it. */
#define FERN_SPAWN_OPTIONS(name)                                                           \
    fern_spawn_options name = {.size = sizeof(fern_spawn_options)}
#endif

/**
 * Spawn a greenlet: it goes to the tail of the ready queue, and the caller runs on.
 *
 * @param  fn   what it runs
 * @param  arg  passed to fn; fern does not touch it
 * @return the greenlet with one reference; NULL with errno EINVAL (fn is NULL), ENOMEM (no
 *         memory or address space) or EMFILE (the first one on this thread: no poller could be opened)
 *
 * May switch: no.  Thread: any; it runs on the caller's.  Owner: the caller gives the reference back by fern_greenlet_unref().
 */
FERN_API fern_greenlet *fern_spawn(fern_fn *fn, void *arg);

/**
 * Spawn a greenlet whose end nobody waits for.
 *
 * @param  fn   what it runs
 * @param  arg  passed to fn; fern does not touch it
 * @return 0; -EINVAL fn is NULL; -ENOMEM; -EMFILE no poller could be opened
 *
 * May switch: no.  Thread: any; it runs on the caller's.  Owner: fern's alone.
 */
FERN_API int fern_go(fern_fn *fn, void *arg);

/**
 * Spawn a greenlet with options.
 *
 * @param  fn       what it runs
 * @param  arg      passed to fn
 * @param  options  copied; NULL for the defaults
 * @return as fern_spawn(); EINVAL also for a size fern does not know, a stack of over 1 GiB, or `unstarted` with `now`, `detached` or a delay, or `now` with a delay
 *
 * May switch: only with `now`.  Thread: any; it runs on the caller's.  Owner: as fern_spawn(); with `detached` the pointer must not be used.
 */
FERN_API fern_greenlet *fern_spawn_with(
        fern_fn *fn, void *arg, const fern_spawn_options *options);

/**
 * The three above with the place of the spawn; the macros of the same names pass it.
 *
 * @param  fn       what it runs
 * @param  arg      passed to fn
 * @param  options  copied; NULL for the defaults
 * @param  site     static record of the place; NULL for unknown
 * @return as fern_spawn_with()
 *
 * May switch: only with `now`.  Thread: any; it runs on the caller's.  Owner: as fern_spawn_with(); keeps site.
 */
FERN_API fern_greenlet *fern_spawn_at(
        fern_fn *fn, void *arg, const fern_spawn_options *options, const fern_site *site);

/**
 * fern_go() with the place of the spawn.
 *
 * @param  fn    what it runs
 * @param  arg   passed to fn
 * @param  site  static record of the place; NULL for unknown
 * @return as fern_go()
 *
 * May switch: no.  Thread: any; it runs on the caller's.  Owner: keeps site.
 */
FERN_API int fern_go_at(fern_fn *fn, void *arg, const fern_site *site);

#define fern_spawn(fn, arg)               fern_spawn_at((fn), (arg), NULL, FERN_SITE)
#define fern_go(fn, arg)                  fern_go_at((fn), (arg), FERN_SITE)
#define fern_spawn_with(fn, arg, options) fern_spawn_at((fn), (arg), (options), FERN_SITE)

/**
 * Start a greenlet made with `unstarted`. Started, finished or killed ones are left alone.
 *
 * @param  g  the greenlet
 * @return 0; -EINVAL g is NULL or raw; -EXDEV another hub's
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API int fern_start(fern_greenlet *g);

/* ---- waiting ---- */

/**
 * Wait until a greenlet has ended. Joining one that has ended returns at once, without a switch.
 *
 * @param  g         the greenlet
 * @param  deadline  fern_now() scale; FERN_FOREVER; FERN_NOWAIT only asks
 * @return 0 ended; -EAGAIN not ended (FERN_NOWAIT); -ETIME deadline or scope passed; -ECANCELED
 *         the caller was killed; -EDEADLK g is the caller, or nothing can ever wake main, or
 *         called from a callback; -EINVAL g is NULL; -EXDEV another hub's
 *
 * May switch: only if g has not ended.  Thread: g's hub only.  Owner: borrows g; joining frees nothing.
 */
FERN_API FERN_MUST_CHECK int fern_join(fern_greenlet *g, fern_time deadline);

/**
 * Wait until a greenlet has ended and read what became of it.
 *
 * @param  g            the greenlet
 * @param  ret_outcome  receives the outcome; untouched on error
 * @param  deadline     as fern_join()
 * @return as fern_join(); -EINVAL also if ret_outcome is NULL
 *
 * May switch: only if g has not ended.  Thread: g's hub only.  Owner: borrows g; the message lives as long as g.
 */
FERN_API FERN_MUST_CHECK int fern_get(
        fern_greenlet *g, fern_outcome *ret_outcome, fern_time deadline);

/** What to wait for in fern_join_all_with(). Zero is the default everywhere. */
typedef struct fern_join_options {
    size_t size;          /**< sizeof(fern_join_options), set by FERN_JOIN_OPTIONS */
    size_t count;         /**< return when so many have ended; 0 for all */
    bool stop_at_failure; /**< return at the first that failed; the others run on */
    fern_greenlet *
            *ret_done; /**< room for n: those that ended, in order of ending; or NULL */
    size_t *ret_done_count; /**< how many have ended, also on error; or NULL */
    fern_greenlet *
            *ret_failed; /**< the one that stop_at_failure stopped at, else NULL; or NULL */
} fern_join_options;

#ifdef __cplusplus
#define FERN_JOIN_OPTIONS(name)                                                            \
    fern_join_options name = fern_join_options();                                          \
    name.size = sizeof(fern_join_options)
#else
/** Declare options with their size filled in; set what differs from the default after it. */
#define FERN_JOIN_OPTIONS(name) fern_join_options name = {.size = sizeof(fern_join_options)}
#endif

/**
 * Wait until all of several greenlets have ended.
 *
 * @param  gs        the greenlets; duplicates are allowed
 * @param  n         how many; 0 returns at once
 * @param  deadline  as fern_join(), for all of them together
 * @return as fern_join(), -ENOMEM also
 *
 * May switch: only if one has not ended.  Thread: their hub only.  Owner: borrows gs.
 */
FERN_API FERN_MUST_CHECK int fern_join_all(
        fern_greenlet *const *gs, size_t n, fern_time deadline);

/**
 * Wait until some of several greenlets have ended.
 *
 * @param  gs        the greenlets; duplicates are allowed and end together
 * @param  n         how many
 * @param  options   what to wait for; NULL as fern_join_all()
 * @param  deadline  as fern_join(), for all of them together
 * @return as fern_join(); -EINVAL also if count is over n; -ENOMEM
 *
 * May switch: only if it has to wait.  Thread: their hub only.  Owner: borrows gs; ret_done holds borrowed pointers.
 */
FERN_API FERN_MUST_CHECK int fern_join_all_with(fern_greenlet *const *gs, size_t n,
        const fern_join_options *options, fern_time deadline);

/**
 * Let the others run: go to the tail of the ready queue.
 *
 * @return 0; -ECANCELED killed; -ETIME a scope around the caller has expired; -EDEADLK called
 *         from a callback
 *
 * May switch: yes.  Thread: any; without a hub there are no others.  Owner: none.
 */
FERN_API int fern_yield(void);

/**
 * Sleep.
 *
 * @param  duration_ns  nanoseconds; <= 0 is fern_yield(); never cut short but by the codes below
 * @return 0; -ETIME a scope passed first; -ECANCELED killed; -EDEADLK called from a callback; -ENOMEM no hub could be made
 *
 * May switch: yes.  Thread: any.  Owner: none.
 */
FERN_API int fern_sleep(int64_t duration_ns);

/**
 * Sleep until a moment.
 *
 * @param  when  the moment; FERN_FOREVER sleeps until killed
 * @return as fern_sleep()
 *
 * May switch: yes.  Thread: any.  Owner: none.
 */
FERN_API int fern_sleep_until(fern_time when);

/**
 * Wait until nothing else is ready to run and the poller has nothing to report.
 *
 * @param  deadline  as fern_join()
 * @return 0; -EAGAIN others are ready (FERN_NOWAIT); -ETIME; -ECANCELED; -EDEADLK called from a
 *         callback; -ENOMEM
 *
 * May switch: yes.  Thread: any.  Owner: none.
 */
FERN_API FERN_MUST_CHECK int fern_idle(fern_time deadline);

/**
 * Wait until nothing is left to wait for: no greenlet is ready, and no timer, fd or anything else
 * from outside is waited for by any but daemons. Greenlets that wait for each other only, or for
 * what never comes, are left as they are. Others that wait here do not count.
 *
 * @param  deadline  as fern_join()
 * @return 0; -EAGAIN something is left (FERN_NOWAIT); -ETIME; -ECANCELED; -EDEADLK called from a
 *         callback; -ENOMEM
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: any.  Owner: none.
 */
FERN_API FERN_MUST_CHECK int fern_drain(fern_time deadline);

/**
 * Park until fern_unpark(). An unpark that comes first is remembered, once.
 *
 * @param  deadline  as fern_join()
 * @return 0; -EAGAIN no unpark was remembered (FERN_NOWAIT); -ETIME; -ECANCELED; -EDEADLK nothing
 *         can ever wake main, or called from a callback; -ENOMEM
 *
 * May switch: unless an unpark was remembered.  Thread: any.  Owner: none.
 */
FERN_API FERN_MUST_CHECK int fern_park(fern_time deadline);

/**
 * Wake a greenlet from fern_park(), or let its next fern_park() return at once.
 *
 * @param  g  the greenlet
 * @return 0; -EINVAL g is NULL; -ESRCH it has ended; -EXDEV another hub's
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API int fern_unpark(fern_greenlet *g);

/* ---- stopping ---- */

/**
 * Kill a greenlet and wait until it has ended. From its next call on, its waiting calls fail
 * with -ECANCELED until it ends, takes the kill back or is inside a shield; one that waits now
 * fails now. One that has not run never will.
 *
 * @param  g         the greenlet
 * @param  code      becomes the outcome's code; 0 for -ECANCELED; of several kills the first counts
 * @param  deadline  how long to wait for its end; FERN_NOWAIT does not wait
 * @return 0 it has ended; -EAGAIN not yet (FERN_NOWAIT); -ETIME not in time; -ECANCELED the
 *         caller was killed, or killed itself; -EINVAL g is NULL; -EXDEV another hub's
 *
 * May switch: only if it has to wait.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API int fern_kill(fern_greenlet *g, int code, fern_time deadline);

/**
 * Kill several greenlets, in order, and wait until all have ended. Those that have not run are
 * stopped first.
 *
 * @param  gs        the greenlets; duplicates are allowed
 * @param  n         how many
 * @param  code      as fern_kill()
 * @param  deadline  how long to wait for all of them together
 * @return as fern_kill(); nothing is killed on -EINVAL and -EXDEV
 *
 * May switch: only if it has to wait.  Thread: their hub only.  Owner: borrows gs.
 */
FERN_API int fern_kill_all(
        fern_greenlet *const *gs, size_t n, int code, fern_time deadline);

/**
 * Kill by id, without waiting; ids are never reused, so a stale one does no harm.
 *
 * @param  id    fern_id() of a greenlet of this hub
 * @param  code  as fern_kill()
 * @return 0; -ESRCH there is none, or it has ended
 *
 * May switch: no.  Thread: its hub only.  Owner: none.
 */
FERN_API int fern_kill_id(uint64_t id, int code);

/**
 * Prevent a greenlet from starting.
 *
 * @param  g  the greenlet
 * @return 1 it will never run; 0 it has run, or has ended; -EINVAL g is NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API int fern_cancel_start(fern_greenlet *g);

/* ---- what became of it ---- */

/**
 * What became of a greenlet, without waiting.
 *
 * @param  g            the greenlet
 * @param  ret_outcome  receives the outcome; untouched on error
 * @return 0; -EINPROGRESS it has not ended; -EINVAL an argument is NULL
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g; the message lives as long as g.
 */
FERN_API int fern_greenlet_outcome(const fern_greenlet *g, fern_outcome *ret_outcome);

/**
 * Where in its life a greenlet is.
 *
 * @param  g  the greenlet, not NULL
 * @return the state
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API fern_state fern_greenlet_state(const fern_greenlet *g);

/**
 * Whether it has been started and has not ended.
 *
 * @param  g  the greenlet; NULL is false
 * @return true from its spawn or fern_start() to its end
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API bool fern_started(const fern_greenlet *g);

/**
 * Whether it has ended, or was killed before it ran. The current greenlet never has.
 *
 * @param  g  the greenlet; NULL is false
 * @return true once it has an outcome
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API bool fern_ready(const fern_greenlet *g);

/**
 * Whether it has ended without a failure. A kill without a code of the user's is no failure;
 * fern_outcome.cancelled tells it apart.
 *
 * @param  g  the greenlet; NULL is false
 * @return true if it has ended well
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API bool fern_successful(const fern_greenlet *g);

/* ---- itself ---- */

/**
 * The current greenlet.
 *
 * @return borrowed pointer; in a callback the hub's own greenlet; NULL with errno if no hub could be made
 *
 * May switch: no.  Thread: any; makes the thread's hub if it has none.  Owner: borrowed; fern_greenlet_ref() keeps it.
 */
FERN_API fern_greenlet *fern_self(void);

/**
 * A greenlet's id: 64 bits, never used again.
 *
 * @param  g  the greenlet; NULL is the current one
 * @return the id; 1 is main
 *
 * May switch: no.  Thread: any.  Owner: borrows g.
 */
FERN_API uint64_t fern_id(const fern_greenlet *g);

/**
 * The id of the greenlet that spawned this one.
 *
 * @param  g  the greenlet; NULL is the current one
 * @return its spawner's id; 0 for main and for a thread's first
 *
 * May switch: no.  Thread: any.  Owner: borrows g.
 */
FERN_API uint64_t fern_parent_id(const fern_greenlet *g);

/**
 * A greenlet's name.
 *
 * @param  g  the greenlet; NULL is the current one
 * @return the name, "" if it has none; valid until it is renamed or freed
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrowed.
 */
FERN_API const char *fern_name(const fern_greenlet *g);

/**
 * Name a greenlet, for dumps and reports.
 *
 * @param  g     the greenlet; NULL is the current one
 * @param  name  copied, at most 31 bytes kept; NULL or "" removes the name
 * @return 0; -ENOMEM
 *
 * May switch: no.  Thread: g's hub only.  Owner: copies name.
 */
FERN_API int fern_set_name(fern_greenlet *g, const char *name);

/**
 * Where it was spawned.
 *
 * @param  g  the greenlet; NULL is the current one
 * @return static record; NULL for main and where it is not known
 *
 * May switch: no.  Thread: any.  Owner: static.
 */
FERN_API const fern_site *fern_greenlet_site(const fern_greenlet *g);

/**
 * The user's pointer that was given in the options.
 *
 * @param  g  the greenlet; NULL is the current one
 * @return the pointer, NULL if none was given
 *
 * May switch: no.  Thread: g's hub only.  Owner: the user's.
 */
FERN_API void *fern_greenlet_data(const fern_greenlet *g);

/**
 * Make a greenlet a daemon, or no daemon: what daemons wait for does not keep main waiting.
 *
 * @param  g       the greenlet; NULL is the current one
 * @param  daemon  true or false
 * @return 0; -EXDEV another hub's
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API int fern_set_daemon(fern_greenlet *g, bool daemon);

/**
 * Record that the current greenlet has failed. It goes on to run; `return fern_fail(...)` ends it.
 * The failure becomes its outcome, and is reported once when it ends.
 *
 * @param  code    what went wrong: a negative errno or a number of the user's, not 0
 * @param  format  text for people, as printf; NULL for none; what does not fit 4 KiB is cut
 * @return NULL
 *
 * May switch: no.  Thread: any; in main it only reports.  Owner: copies the text.
 */
FERN_API void *fern_fail(int code, const char *format, ...) FERN_PRINTF(2, 3);

/**
 * End the current greenlet here. What FERN_AUTO registered runs, newest first; C++ destructors
 * of the frames left behind do not. In main it ends the process with
 * code 0 as exit() does, on another thread's own stack the thread as pthread_exit() does.
 *
 * @param  value  becomes the outcome's value
 *
 * May switch: yes, it does not return.  Thread: any.  Owner: the value is the user's.
 */
FERN_API void fern_exit(void *value) __attribute__((noreturn));

/** A registration of FERN_AUTO, in the caller's frame. Its fields are fern's. */
typedef struct fern_auto {
    struct fern_auto *fern__next;
    void (*fern__fn)(void *);
    void *fern__arg;
    fern_greenlet *fern__greenlet;
} fern_auto;

/**
 * Register a cleanup; FERN_AUTO calls it.
 *
 * @param  a    the registration
 * @param  fn   what to call
 * @param  arg  passed to it
 *
 * May switch: no.  Thread: any.  Owner: keeps a until fern_auto_run().
 */
FERN_API void fern_auto_add(fern_auto *a, void (*fn)(void *), void *arg);

/**
 * Run and forget a cleanup; FERN_AUTO calls it when its block is left.
 *
 * @param  a  the registration
 *
 * May switch: as the cleanup does.  Thread: that of fern_auto_add().  Owner: gives a back.
 */
FERN_API void fern_auto_run(fern_auto *a);

/** When the block that holds this is left, on whichever way, and on fern_exit(): call fn(arg). */
#define FERN_AUTO(fn, arg)                                                                 \
    fern_auto FERN__UNIQUE(fern__auto) __attribute__((cleanup(fern_auto_run)));            \
    fern_auto_add(&FERN__UNIQUE(fern__auto), (void (*)(void *))(void (*)(void))(fn), (arg))

/* ---- links ---- */

/** Called when a greenlet has ended. */
typedef void fern_link_fn(fern_greenlet *g, void *arg);

/** When a link is called, and where. */
enum {
    FERN_LINK_ANY = 0,     /**< on every end, in a callback: it must not wait */
    FERN_LINK_SUCCESS = 1, /**< only if it was successful */
    FERN_LINK_FAILURE = 2, /**< only if it was not */
    FERN_LINK_SPAWN = 4,   /**< in a greenlet of its own, which may wait */
};

/**
 * Have a function called when a greenlet ends. Links and joiners are served in the order in which
 * they came. A link to one that has ended is called too, later, never inside this call.
 *
 * @param  g      the greenlet
 * @param  fn     what to call
 * @param  arg    passed to it
 * @param  flags  FERN_LINK_*
 * @return 0; -EINVAL g or fn is NULL or flags are unknown; -ENOMEM; -EXDEV another hub's
 *
 * May switch: no.  Thread: g's hub only.  Owner: keeps arg until the call or fern_unlink().
 */
FERN_API int fern_link(fern_greenlet *g, fern_link_fn *fn, void *arg, int flags);

/**
 * Remove the oldest link with this function and argument that has not been called.
 *
 * @param  g    the greenlet
 * @param  fn   as in fern_link()
 * @param  arg  as in fern_link()
 * @return 0; -ESRCH there is none; -EINVAL g is NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: g's hub only.  Owner: gives arg back.
 */
FERN_API int fern_unlink(fern_greenlet *g, fern_link_fn *fn, void *arg);

/**
 * Remove all links that have not been called.
 *
 * @param  g  the greenlet
 * @return how many were removed; -EINVAL g is NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: g's hub only.  Owner: gives their args back.
 */
FERN_API int fern_unlink_all(fern_greenlet *g);

/* ---- references ---- */

/**
 * Take one more reference.
 *
 * @param  g  the greenlet; NULL is allowed
 * @return g
 *
 * May switch: no.  Thread: g's hub only.  Owner: the caller gives it back by fern_greenlet_unref().
 */
FERN_API fern_greenlet *fern_greenlet_ref(fern_greenlet *g);

/**
 * Give a reference back. A greenlet without references still runs to its end.
 *
 * @param  g  the greenlet; NULL is allowed
 *
 * May switch: no.  Thread: g's hub only; elsewhere it is reported and the reference is lost.  Owner: the reference is fern's again.
 */
FERN_API void fern_greenlet_unref(fern_greenlet *g);

/* ---- hooks of the hub ---- */

/** What a tool may want to see. Every pointer may be NULL; none may wait. */
typedef struct fern_hooks {
    size_t size; /**< sizeof(fern_hooks) */
    void (*spawned)(fern_greenlet *g, void *arg);
    void (*started)(fern_greenlet *g, void *arg);
    void (*ended)(fern_greenlet *g, void *arg);
    void (*switched)(fern_greenlet *from, fern_greenlet *to, void *arg);
    void *arg;
} fern_hooks;

/**
 * Set this thread's hooks. Without hooks they cost nothing.
 *
 * @param  hooks  copied; NULL removes them
 * @return 0; -EINVAL a size fern does not know; -ENOMEM no hub could be made
 *
 * May switch: no.  Thread: any; for its own hub.  Owner: copies hooks, keeps arg.
 */
FERN_API int fern_set_hooks(const fern_hooks *hooks);

/**
 * Have functions called whenever a greenlet is switched out and in.
 *
 * @param  g    the greenlet; NULL is the current one
 * @param  out  called on the greenlet's own stack before it leaves; NULL for none; must not wait
 * @param  in   called when it is back; NULL for none; must not wait
 * @param  arg  passed to both
 * @return 0; -ENOMEM; -EXDEV another hub's
 *
 * May switch: no.  Thread: g's hub only.  Owner: keeps arg.
 */
FERN_API int fern_set_switch_hooks(
        fern_greenlet *g, void (*out)(void *arg), void (*in)(void *arg), void *arg);

/** Told of a greenlet's failure, once. */
typedef void fern_error_fn(fern_greenlet *g, const fern_outcome *outcome, void *arg);

/**
 * Take over the report of failures on this thread, which otherwise goes to stderr.
 *
 * @param  fn   called on the failing greenlet's stack, must not wait; NULL for the default
 * @param  arg  passed to it
 * @return 0; -ENOMEM no hub could be made
 *
 * May switch: no.  Thread: any; for its own hub.  Owner: keeps arg.
 */
FERN_API int fern_set_error_hook(fern_error_fn *fn, void *arg);

/* ---- raw coroutines ---- */

/**
 * Make a raw coroutine: a greenlet that runs only when switched to. Its function's argument is
 * the first value switched in; its result goes to its parent.
 *
 * @param  fn      what it runs
 * @param  parent  who runs on when it ends; NULL is the current greenlet
 * @return the coroutine with one reference; NULL with errno EINVAL (fn is NULL, or parent has
 *         ended), EXDEV (parent is another hub's) or ENOMEM
 *
 * May switch: no.  Thread: any.  Owner: the caller gives the reference back; keeps a reference to parent.
 */
FERN_API fern_greenlet *fern_raw_new(fern_fn *fn, fern_greenlet *parent);

/**
 * Switch to a greenlet directly and wait to be switched back to.
 *
 * @param  to         a raw coroutine, or a greenlet that itself waits in fern_raw_switch()
 * @param  value      what its own fern_raw_switch(), or its function, receives
 * @param  ret_value  receives what the one that switches back passes; NULL is allowed
 * @return 0; what fern_raw_throw() passed; -ESRCH `to` has ended; -EBUSY `to` waits for something
 *         else, or is on the ready queue; -EXDEV another hub's; -EINVAL NULL or itself;
 *         -ECANCELED the caller was killed; -ETIME a scope of the caller passed; -EDEADLK from a callback; -ENOMEM no stack
 *
 * May switch: yes.  Thread: to's hub only.  Owner: borrows to; values are the users'.
 */
FERN_API FERN_MUST_CHECK int fern_raw_switch(
        fern_greenlet *to, void *value, void **ret_value);

/**
 * Switch to a greenlet so that its fern_raw_switch() returns a code. A coroutine that has not
 * run ends at once, and its parent's fern_raw_switch() returns the code.
 *
 * @param  to         as fern_raw_switch()
 * @param  code       < 0
 * @param  ret_value  as fern_raw_switch()
 * @return as fern_raw_switch(); -EINVAL also if code >= 0
 *
 * May switch: yes.  Thread: to's hub only.  Owner: borrows to.
 */
FERN_API FERN_MUST_CHECK int fern_raw_throw(fern_greenlet *to, int code, void **ret_value);

/**
 * The coroutine's parent.
 *
 * @param  g  a raw coroutine
 * @return borrowed pointer; NULL if g is not raw
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrowed.
 */
FERN_API fern_greenlet *fern_raw_parent(const fern_greenlet *g);

/**
 * Give a coroutine another parent.
 *
 * @param  g       a raw coroutine that has not ended
 * @param  parent  a greenlet of this hub that has not ended
 * @return 0; -EINVAL NULL, not raw, or it would close a circle; -ESRCH one has ended; -EXDEV another hub's
 *
 * May switch: no.  Thread: g's hub only.  Owner: keeps a reference to parent.
 */
FERN_API int fern_raw_set_parent(fern_greenlet *g, fern_greenlet *parent);

FERN__END_DECLS

#endif
