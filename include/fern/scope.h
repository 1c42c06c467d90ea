/* SPDX-License-Identifier: MIT */
/*
 * Scopes: timeouts and cancellation for a stretch of code.
 *
 * A scope is a stretch of one greenlet's run with a deadline and a cancel flag of its own.
 * Scopes nest, and the nearest deadline counts. Cancellation is level-triggered: once a scope has
 * expired, every call inside it that takes a deadline fails with -ETIME until the scope is left;
 * once the greenlet is killed, such calls fail with -ECANCELED until it ends, calls
 * fern_uncancel(), or is inside a shield. Calls with FERN_NOWAIT and calls without a deadline
 * (close, unref, set) never fail for this, so cleaning up works as in any C program.
 *
 *     FERN_SCOPE(s, fern_in(2 * FERN_SECOND)) {
 *         r = talk(fd);
 *         if (r < 0 && fern_scope_fired(&s))
 *             r = give_up();
 *     }
 *
 * A scope expires when its hub runs the timer: what completed before that has won. FERN_NOWAIT
 * as a scope's deadline is a moment that has passed: calls that need not wait still succeed.
 */
#ifndef FERN_SCOPE_H
#define FERN_SCOPE_H

#include <fern/greenlet.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** A scope, in the caller's frame. Its fields are fern's; FERN_SCOPE_INIT before the first use. */
typedef struct fern_scope {
    struct fern_scope *fern__outer;
    fern_greenlet *fern__greenlet;
    int64_t fern__deadline_ns;
    int32_t fern__code;
    uint8_t fern__state;
    uint8_t fern__kind;
    uint8_t fern__fired;
    uint8_t fern__cancelled;
    uint64_t fern__reserved[3];
} fern_scope;

#ifdef __cplusplus
#define FERN_SCOPE_INIT (fern_scope())
#else
#define FERN_SCOPE_INIT ((fern_scope){0})
#endif

/**
 * Open a scope around what the current greenlet does next.
 *
 * @param  scope     an idle scope in the caller's frame; it must outlive the stretch
 * @param  deadline  when it expires; FERN_FOREVER for a scope that only fern_scope_cancel() ends
 * @return 0; -EALREADY the scope is open; -EINVAL scope is NULL; -ENOMEM no hub could be made
 *
 * May switch: no.  Thread: any; the scope belongs to the calling greenlet.  Owner: keeps scope until fern_scope_stop().
 */
FERN_API int fern_scope_start(fern_scope *scope, fern_time deadline);

/**
 * Leave a scope. Scopes opened inside it and not yet left are left too.
 *
 * @param  scope  a scope of the calling greenlet
 * @return 0; -EINVAL scope is NULL or not open; -EPERM it belongs to another greenlet
 *
 * May switch: no.  Thread: the scope's greenlet only.  Owner: gives scope back to the caller.
 */
FERN_API int fern_scope_stop(fern_scope *scope);

/**
 * Whether this scope, and not one around it, is why calls fail or failed.
 *
 * @param  scope  a scope, open or left
 * @return true once its own deadline has passed or it was cancelled while it was open
 *
 * May switch: no.  Thread: the scope's hub only.  Owner: borrows scope.
 */
FERN_API bool fern_scope_fired(const fern_scope *scope);

/**
 * Move the deadline of an open scope that has not fired.
 *
 * @param  scope     an open scope of the calling greenlet
 * @param  deadline  the new deadline; FERN_FOREVER disarms it
 * @return 0; -EALREADY it has fired; -EINVAL NULL or not open; -EPERM another greenlet's
 *
 * May switch: no.  Thread: the scope's greenlet only.  Owner: borrows scope.
 */
FERN_API int fern_scope_reschedule(fern_scope *scope, fern_time deadline);

/**
 * Cancel a scope: calls inside it fail with -ECANCELED until it is left.
 *
 * @param  scope  an open scope of any greenlet of this hub
 * @param  code   a number of the user's, kept for fern_scope_code(); 0 keeps -ECANCELED
 * @return 0; -EALREADY it has fired; -EINVAL NULL or not open; -EXDEV it lives on another hub
 *
 * May switch: no.  Thread: the scope's hub only.  Owner: borrows scope.
 */
FERN_API int fern_scope_cancel(fern_scope *scope, int code);

/**
 * The code with which a scope fired.
 *
 * @param  scope  a scope, open or left
 * @return 0 not fired; -ETIME its deadline passed; else the code given to fern_scope_cancel()
 *
 * May switch: no.  Thread: the scope's hub only.  Owner: borrows scope.
 */
FERN_API int fern_scope_code(const fern_scope *scope);

/**
 * Run a function inside a scope of its own.
 *
 * @param  fn         the function; it must pass on the failures of the calls it makes
 * @param  arg        passed to it
 * @param  ret_value  receives what it returned; NULL is allowed; untouched on -ETIME
 * @param  deadline   when the scope expires
 * @return 0 the function returned in time; -ETIME this scope fired; -EINVAL fn is NULL; -ENOMEM no hub could be made
 *
 * May switch: as fn does.  Thread: any.  Owner: borrows arg.
 */
FERN_API FERN_MUST_CHECK int fern_with_timeout(
        fern_fn *fn, void *arg, void **ret_value, fern_time deadline);

/**
 * Begin a shielded stretch: kills and enclosing scopes are kept back until it ends. Scopes opened
 * inside the shield count as usual, so cleaning up may have a deadline of its own.
 *
 * @param  shield  an idle scope in the caller's frame
 * @return 0; -EALREADY it is open; -EINVAL shield is NULL; -ENOMEM no hub could be made
 *
 * May switch: no.  Thread: any; it belongs to the calling greenlet.  Owner: keeps shield until fern_shield_stop().
 */
FERN_API int fern_shield_start(fern_scope *shield);

/**
 * End a shielded stretch. What was kept back counts from the next call on.
 *
 * @param  shield  an open shield of the calling greenlet
 * @return 0; -EINVAL NULL or not open; -EPERM another greenlet's
 *
 * May switch: no.  Thread: the shield's greenlet only.  Owner: gives shield back to the caller.
 */
FERN_API int fern_shield_stop(fern_scope *shield);

/**
 * Take back one kill of the current greenlet: a swallowed kill stays visible until then.
 *
 * @return the number of kills that remain, 0 when calls succeed again
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API int fern_uncancel(void);

/**
 * How many kills of a greenlet have not been taken back.
 *
 * @param  g  a greenlet; NULL is the current one
 * @return the number, 0 when it is not being killed
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API int fern_cancelling(const fern_greenlet *g);

/**
 * Ask, in a loop that computes, whether this greenlet is still wanted. A greenlet is never
 * interrupted between calls; due timers are looked at here.
 *
 * @return 0; -ECANCELED killed; -ETIME a scope around the caller has expired; -EDEADLK in a
 *         callback, which may not wait anyhow
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API FERN_MUST_CHECK int fern_checkpoint(void);

static inline fern_scope
fern__scope_begin(void)
{
    return FERN_SCOPE_INIT;
}

static inline void
fern__scope_end(fern_scope *scope)
{
    if (scope->fern__state)
        (void)(scope->fern__kind ? fern_shield_stop(scope) : fern_scope_stop(scope));
}

/* A block inside a scope; every way out of the block (its end, break, return, goto) leaves the
 * scope. When no hub can be made the block runs without one, as every call in it will say. */
#define FERN__SCOPE_BLOCK(name, start)                                                     \
    for (fern_scope name __attribute__((cleanup(fern__scope_end))) = fern__scope_begin(),  \
                         *FERN__UNIQUE(fern__once) = ((void)(start), &name);               \
            FERN__UNIQUE(fern__once); FERN__UNIQUE(fern__once) = NULL)

#define FERN_SCOPE(name, deadline)                                                         \
    FERN__SCOPE_BLOCK(name, fern_scope_start(&name, (deadline)))
#define FERN_SHIELD(name) FERN__SCOPE_BLOCK(name, fern_shield_start(&name))

FERN__END_DECLS

#endif
