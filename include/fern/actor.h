/* SPDX-License-Identifier: MIT */
/*
 * Actors: a greenlet with an inbox, which handles one message after the other.
 *
 *     static int receive(fern_actor *self, void *message, void *state)
 *     {
 *         struct account *account = state;
 *         account->balance += *(int *)message;
 *         fern_actor_reply(self, &account->balance);
 *         return 0;
 *     }
 *
 *     fern_actor *a = fern_actor_new(receive, &account, sizeof(int), NULL);
 *     r = fern_actor_send(a, &(int){5}, FERN_FOREVER);
 *     r = fern_actor_call(a, &(int){7}, &balance, FERN_FOREVER);
 *     r = fern_actor_stop(a, 0, FERN_FOREVER);
 *     fern_actor_free(a);
 *
 * Messages are copied into the inbox and handled in order of arrival. A handler may wait. If it
 * fails, the actor ends, or a supervised one begins anew with the next message.
 */
#ifndef FERN_ACTOR_H
#define FERN_ACTOR_H

#include <fern/base.h>
#include <fern/greenlet.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** An actor. Opaque; it belongs to the hub on which it was made. */
typedef struct fern_actor fern_actor;

/** Handles a message, which is the handler's until it returns. @return 0; what else is a failure */
typedef int fern_actor_fn(fern_actor *self, void *message, void *state);

/** Begins an actor, in its greenlet, at each start. @return 0; what else is a failure */
typedef int fern_actor_begin_fn(fern_actor *self, void *state);

/** Told that an actor has ended for good. Must not wait. */
typedef void fern_actor_ended_fn(fern_actor *actor, const fern_outcome *outcome, void *arg);

/** How an actor is made. Zero is the default everywhere. */
typedef struct fern_actor_options {
    size_t size;        /**< sizeof(fern_actor_options), set by FERN_ACTOR_OPTIONS */
    const char *name;   /**< of its greenlet; copied */
    size_t stack_bytes; /**< as in fern_spawn_options */
    size_t inbox_max;   /**< messages that wait at most; 0: any number */
    fern_actor_begin_fn *begin; /**< called before the first message; NULL for none */
    uint32_t restarts_max; /**< after a failure it begins anew at most so many times ... */
    int64_t restarts_within_ns; /**< ... in such a time; 0: in its whole life */
    bool quiet;                 /**< its failures are expected: do not report them */
} fern_actor_options;

#ifdef __cplusplus
#define FERN_ACTOR_OPTIONS(name)                                                           \
    fern_actor_options name = fern_actor_options();                                        \
    name.size = sizeof(fern_actor_options)
#else
/** Declare options with their size filled in; set what differs from the default after it. */
#define FERN_ACTOR_OPTIONS(name)                                                           \
    fern_actor_options name = {.size = sizeof(fern_actor_options)}
#endif

/** Flags of fern_actor_stop(). */
enum {
    FERN_ACTOR_NOW = 1, /**< drop the messages that wait, and kill the handler that runs */
};

/**
 * Make an actor and start it.
 *
 * @param  receive       its handler
 * @param  state         passed to the handler
 * @param  message_size  bytes of a message; 0: messages carry nothing
 * @param  options       copied; NULL for the defaults
 * @return the actor; NULL with errno EINVAL (receive is NULL, a size fern does not know), ENOMEM or EMFILE
 *
 * May switch: no.  Thread: any; it runs on the caller's.  Owner: the caller gives it back by fern_actor_free(); keeps state.
 */
FERN_API fern_actor *fern_actor_new(fern_actor_fn *receive, void *state,
        size_t message_size, const fern_actor_options *options);

/**
 * Give an actor back. If it runs it is stopped as with FERN_ACTOR_NOW, but nobody waits for that.
 *
 * @param  actor  an actor; NULL is allowed
 *
 * May switch: no.  Thread: its hub only; elsewhere it is reported and nothing is freed.  Owner: the actor is fern's again.
 */
FERN_API void fern_actor_free(fern_actor *actor);

/**
 * Put a message into an actor's inbox.
 *
 * @param  actor     an actor
 * @param  message   message_size bytes; NULL if that is 0
 * @param  deadline  how long at most to wait for room
 * @return 0; -EAGAIN no room and FERN_NOWAIT; -ETIME; -ECANCELED; -EPIPE it was stopped or has ended;
 *         -EDEADLK; -EINVAL NULL; -EXDEV another hub's; -ENOMEM
 *
 * May switch: only if the inbox is full.  Thread: its hub only.  Owner: copies message.
 */
FERN_API FERN_MUST_CHECK int fern_actor_send(
        fern_actor *actor, const void *message, fern_time deadline);

/**
 * Send a message and wait for the reply. If the wait fails the message is handled all the same,
 * unless it had not been sent yet, and its reply is dropped.
 *
 * @param  actor      an actor
 * @param  message    as fern_actor_send()
 * @param  ret_reply  receives what the handler gave to fern_actor_reply(), NULL if it gave
 *                    nothing; untouched on error; NULL is allowed
 * @param  deadline   how long at most, for both; FERN_NOWAIT sends nothing
 * @return as fern_actor_send(); -EAGAIN FERN_NOWAIT; -EPIPE also if the handler failed, or the message was dropped;
 *         -EDEADLK also if the caller is the actor itself
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: copies message; the reply is the users'.
 */
FERN_API FERN_MUST_CHECK int fern_actor_call(
        fern_actor *actor, const void *message, void **ret_reply, fern_time deadline);

/**
 * Answer the message that is being handled, before the handler has returned.
 *
 * @param  self   the actor, in its handler
 * @param  value  what the caller receives
 * @return 0; -EALREADY it has been answered; -ESRCH nobody waits for an answer: it was sent; -EPERM
 *         the caller is not the actor's handler; -EINVAL NULL
 *
 * May switch: no.  Thread: the actor's greenlet only.  Owner: value is the users'.
 */
FERN_API int fern_actor_reply(fern_actor *self, void *value);

/**
 * Stop an actor: it takes no more messages, handles those that it has, ends; and wait for that. Its
 * own handler may do so with FERN_NOWAIT.
 *
 * @param  actor     an actor
 * @param  flags     0 or FERN_ACTOR_NOW
 * @param  deadline  how long to wait for its end; FERN_NOWAIT does not wait
 * @return 0 it has ended; -EAGAIN not yet (FERN_NOWAIT); -ETIME; -ECANCELED; -EDEADLK it is the
 *         actor itself that would wait; -EINVAL NULL or an unknown flag; -EXDEV another hub's
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: borrows actor.
 */
FERN_API FERN_MUST_CHECK int fern_actor_stop(
        fern_actor *actor, int flags, fern_time deadline);

/**
 * Wait until an actor has ended for good.
 *
 * @param  actor        an actor
 * @param  ret_outcome  receives code 0 if it was stopped, else its last failure; the message lives
 *                      as long as the actor; NULL is allowed; untouched on error
 * @param  deadline     how long at most; FERN_NOWAIT only looks
 * @return 0; -EAGAIN it has not ended and FERN_NOWAIT; -ETIME; -ECANCELED; -EDEADLK; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: yes, unless FERN_NOWAIT.  Thread: its hub only.  Owner: borrows actor.
 */
FERN_API FERN_MUST_CHECK int fern_actor_join(
        fern_actor *actor, fern_outcome *ret_outcome, fern_time deadline);

/**
 * Have a function called when an actor has ended for good; restarts do not count. Several are
 * called in the order in which they came.
 *
 * @param  actor  an actor
 * @param  fn     called on the stack of whoever ended it; must not wait
 * @param  arg    passed to it
 * @return 0; -EINVAL NULL; -ESRCH it has ended; -EXDEV another hub's; -ENOMEM
 *
 * May switch: no.  Thread: its hub only.  Owner: keeps arg until the call.
 */
FERN_API int fern_actor_link(fern_actor *actor, fern_actor_ended_fn *fn, void *arg);

/**
 * Whether an actor has not ended.
 *
 * @param  actor  an actor; NULL is false
 * @return true until it has ended for good
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows actor.
 */
FERN_API bool fern_actor_running(const fern_actor *actor);

/**
 * How often an actor has begun anew.
 *
 * @param  actor  an actor; NULL is 0
 * @return the number of restarts
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows actor.
 */
FERN_API uint64_t fern_actor_restarts(const fern_actor *actor);

FERN__END_DECLS

#endif
