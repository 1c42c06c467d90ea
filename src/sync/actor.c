/* SPDX-License-Identifier: MIT */
/*
 * Actors.
 *
 *     RUNNING --stop--> RUNNING, inbox closed --last message handled--> ENDED
 *        |  ^                                                             ^
 *        |  +--begin anew--+                                              |
 *        +----failure------+----------- as often as it may ---------------+
 *
 * A life is one greenlet; when it ends, on whichever way, life_over() decides what comes next.
 * The inbox outlives lives. A call is an object of its own, for caller and handler may each go
 * first: its message in the inbox and its caller hold a reference each.
 */
#include "base/check.h"
#include "core/hub.h"

#include <errno.h>
#include <fern/actor.h>
#include <fern/event.h>
#include <fern/queue.h>
#include <stdlib.h>
#include <string.h>

struct call {
    fern_result result;
    unsigned refs;
};

/* What stands in the inbox. */
struct envelope {
    struct call *call; /* NULL: nobody waits for an answer */
    _Alignas(max_align_t) char message[];
};

struct link {
    struct link *next;
    fern_actor_ended_fn *fn;
    void *arg;
};

struct fern_actor {
    fern_queue inbox;
    fern_event ended;
    struct fern__hub *hub;
    fern_greenlet *greenlet; /* of this life, referenced; NULL once it has ended for good */
    fern_actor_fn *receive;
    void *state;
    size_t message_size;
    fern_actor_options options;
    struct envelope *current;  /* the message that is handled */
    struct envelope *outgoing; /* a message on its way into the inbox */
    bool stopping;
    bool handling;
    unsigned refs; /* the user's and the lives' */
    uint64_t restarts;
    int64_t *restarted_ns; /* when, of the last restarts_max */
    fern_outcome outcome;
    struct link *links;
};

static void
call_drop(struct call *call)
{
    if (call && --call->refs == 0)
        free(call);
}

/* Tell a caller, if there is one, that its message is done with. One that has been answered keeps
 * its answer. */
static void
settle(struct call *call, int code)
{
    if (call && code)
        (void)fern_result_set_error(&call->result, code, NULL);
    else if (call)
        (void)fern_result_set(&call->result, NULL);
    call_drop(call);
}

static void
settle_current(fern_actor *actor, int code)
{
    struct call *call = actor->current->call;
    actor->current->call = NULL;
    settle(call, code);
}

/* A message that will not be handled. In the queue it need not be aligned. */
static void
drop_message(void *item)
{
    struct call *call;
    memcpy(&call, (char *)item + offsetof(struct envelope, call), sizeof call);
    settle(call, -EPIPE);
}

/* ---- lives ---- */

/* A handler or a begin has failed, if it has not said so itself. */
static void *
fail(const fern_actor *actor, int code)
{
    fern_greenlet *g = actor->greenlet;
    return g->flags & FERN__FAILED ? NULL : fern_fail(code, NULL);
}

static void *
actor_main(void *arg)
{
    fern_actor *actor = arg;
    int code = actor->options.begin ? actor->options.begin(actor, actor->state) : 0;
    while (code == 0 && !(actor->greenlet->flags & FERN__FAILED)) {
        int r = fern_queue_get(&actor->inbox, actor->current, FERN_FOREVER);
        if (r < 0)
            return NULL; /* stopped, or killed */
        actor->handling = true;
        code = actor->receive(actor, actor->current->message, actor->state);
        actor->handling = false;
        settle_current(actor, code ? -EPIPE : 0);
    }
    return fail(actor, code);
}

static void life_over(void *arg);

static int
begin_life(fern_actor *actor)
{
    FERN_SPAWN_OPTIONS(options);
    options.name = actor->options.name;
    options.stack_bytes = actor->options.stack_bytes;
    options.quiet = actor->options.quiet;
    options.free_arg = life_over;
    fern_greenlet *g = fern_spawn_with(actor_main, actor, &options);
    if (!g)
        return -errno;
    actor->greenlet = g;
    return 0;
}

static void
actor_drop(fern_actor *actor)
{
    if (--actor->refs)
        return;
    (void)fern_queue_fini(&actor->inbox);
    for (struct link *link = actor->links, *next; link; link = next) {
        next = link->next;
        free(link);
    }
    free((char *)(uintptr_t)actor->outcome.message);
    free((char *)(uintptr_t)actor->options.name);
    free(actor->restarted_ns);
    free(actor->current);
    free(actor->outgoing);
    free(actor);
}

/* Ended for good. */
static void
end(fern_actor *actor)
{
    actor->greenlet = NULL;
    (void)fern_queue_close(&actor->inbox, FERN_QUEUE_DROP);
    (void)fern_event_set(&actor->ended);
    for (struct link *link; (link = actor->links);) {
        actor->links = link->next;
        link->fn(actor, &actor->outcome, link->arg);
        free(link);
    }
    actor_drop(actor);
}

/* Whether one more restart keeps to the limit. If so it is counted. */
static bool
may_restart(fern_actor *actor)
{
    uint32_t max = actor->options.restarts_max;
    if (!max)
        return false;
    int64_t now = fern_now().ns, within = actor->options.restarts_within_ns;
    int64_t *oldest = &actor->restarted_ns[actor->restarts % max];
    if (actor->restarts >= max && (!within || now - *oldest < within))
        return false;
    *oldest = now;
    actor->restarts++;
    return true;
}

/* A life's greenlet has ended; nothing here may wait. */
static void
life_over(void *arg)
{
    fern_actor *actor = arg;
    fern_greenlet *g = actor->greenlet;
    fern_outcome outcome;
    (void)fern_greenlet_outcome(g, &outcome);
    settle_current(actor, -EPIPE);
    actor->handling = false;
    bool failed = outcome.code && !outcome.cancelled && !actor->stopping;
    int r = failed && may_restart(actor) ? begin_life(actor) : 1;
    if (r != 0) {
        if (!actor->stopping || !outcome.cancelled)
            actor->outcome = (fern_outcome){.code = outcome.code,
                    .cancelled = outcome.cancelled,
                    .message = outcome.message ? strdup(outcome.message) : NULL};
        end(actor);
    }
    fern_greenlet_unref(g);
}

/* ---- making ---- */

static int
equip(fern_actor *actor)
{
    size_t item_size = offsetof(struct envelope, message) + actor->message_size;
    size_t max = actor->options.inbox_max;
    FERN_QUEUE_OPTIONS(options);
    options.drop = drop_message;
    actor->current = calloc(1, item_size);
    actor->outgoing = calloc(1, item_size);
    actor->restarted_ns =
            calloc(actor->options.restarts_max + 1, sizeof *actor->restarted_ns);
    if (!actor->current || !actor->outgoing || !actor->restarted_ns)
        return -ENOMEM;
    return fern_queue_init_with(
            &actor->inbox, item_size, max ? max : FERN_QUEUE_UNBOUNDED, &options);
}

fern_actor *
fern_actor_new(fern_actor_fn *receive, void *state, size_t message_size,
        const fern_actor_options *options)
{
    if (!receive || (options && options->size != sizeof *options)) {
        errno = EINVAL;
        return NULL;
    }
    fern_actor *actor = calloc(1, sizeof *actor);
    if (!actor)
        return NULL;
    actor->receive = receive;
    actor->state = state;
    actor->message_size = message_size;
    if (options)
        actor->options = *options;
    actor->options.name = options && options->name ? strdup(options->name) : NULL;
    actor->refs = 1;
    int r = equip(actor);
    if (r == 0)
        r = begin_life(actor);
    if (r < 0) {
        actor_drop(actor);
        errno = -r;
        return NULL;
    }
    actor->refs++;
    actor->hub = fern__self_hub();
    return actor;
}

static int
check(const fern_actor *actor)
{
    FERN_CHECK(actor, -EINVAL);
    return actor->hub == fern__self_hub() ? 0 : -EXDEV;
}

/* ---- messages ---- */

static int
post(fern_actor *actor, const void *message, struct call *call, fern_time deadline)
{
    /* The queue copies at once or, when full, from here while this caller waits; then another may
     * want the buffer, which is why a full inbox has one made. */
    struct envelope *envelope = actor->outgoing;
    if (envelope)
        actor->outgoing = NULL;
    else
        envelope = malloc(offsetof(struct envelope, message) + actor->message_size);
    FERN_CHECK(envelope, -ENOMEM);
    envelope->call = call;
    if (actor->message_size)
        memcpy(envelope->message, message, actor->message_size);
    actor->refs++;
    int r = fern_queue_put(&actor->inbox, envelope, deadline);
    if (actor->outgoing)
        free(envelope);
    else
        actor->outgoing = envelope;
    actor_drop(actor);
    return r;
}

int
fern_actor_send(fern_actor *actor, const void *message, fern_time deadline)
{
    int r = check(actor);
    if (r < 0)
        return r;
    FERN_CHECK(message || !actor->message_size, -EINVAL);
    return post(actor, message, NULL, deadline);
}

int
fern_actor_call(
        fern_actor *actor, const void *message, void **ret_reply, fern_time deadline)
{
    int r = check(actor);
    if (r < 0)
        return r;
    FERN_CHECK(message || !actor->message_size, -EINVAL);
    FERN_CHECK(actor->greenlet != fern_self(), -EDEADLK);
    FERN_CHECK(deadline.ns, -EAGAIN);
    struct call *call = calloc(1, sizeof *call);
    FERN_CHECK(call, -ENOMEM);
    call->refs = 2;
    r = post(actor, message, call, deadline);
    if (r < 0) {
        free(call);
        return r;
    }
    fern_outcome outcome;
    r = fern_result_get(&call->result, &outcome, deadline);
    if (r == 0)
        r = outcome.code;
    if (r == 0 && ret_reply)
        *ret_reply = outcome.value;
    call_drop(call);
    return r;
}

int
fern_actor_reply(fern_actor *self, void *value)
{
    FERN_CHECK(self, -EINVAL);
    struct fern__hub *hub = fern__self_hub();
    bool own = hub && hub == self->hub && hub->current == self->greenlet;
    FERN_CHECK(own && self->handling, -EPERM);
    struct call *call = self->current->call;
    FERN_CHECK(call, -ESRCH);
    return fern_result_set(&call->result, value);
}

/* ---- ending ---- */

/* Have it take no more messages. */
static void
begin_stop(fern_actor *actor, int flags)
{
    bool now = flags & FERN_ACTOR_NOW;
    if (!actor->greenlet)
        return;
    actor->stopping = true;
    (void)fern_queue_close(&actor->inbox, now ? FERN_QUEUE_DROP : 0);
    if (now && actor->greenlet != actor->hub->current)
        (void)fern_kill(actor->greenlet, 0, FERN_NOWAIT);
}

int
fern_actor_stop(fern_actor *actor, int flags, fern_time deadline)
{
    int r = check(actor);
    if (r < 0)
        return r;
    FERN_CHECK(!(flags & ~FERN_ACTOR_NOW), -EINVAL);
    bool own = actor->greenlet && actor->greenlet == actor->hub->current;
    FERN_CHECK(!own || deadline.ns == 0, -EDEADLK);
    if (deadline.ns && actor->hub->current->interrupt)
        return actor->hub->current->interrupt;
    begin_stop(actor, flags);
    return fern_event_wait(&actor->ended, deadline);
}

int
fern_actor_join(fern_actor *actor, fern_outcome *ret_outcome, fern_time deadline)
{
    int r = check(actor);
    if (r < 0)
        return r;
    FERN_CHECK(!actor->greenlet || actor->greenlet != actor->hub->current, -EDEADLK);
    r = fern_event_wait(&actor->ended, deadline);
    if (r == 0 && ret_outcome)
        *ret_outcome = actor->outcome;
    return r;
}

void
fern_actor_free(fern_actor *actor)
{
    if (!actor)
        return;
    if (check(actor) < 0) {
        fern__report(
                "fern_actor_free() on a thread that is not the actor's own: it is lost");
        return;
    }
    begin_stop(actor, FERN_ACTOR_NOW);
    actor_drop(actor);
}

int
fern_actor_link(fern_actor *actor, fern_actor_ended_fn *fn, void *arg)
{
    FERN_CHECK(fn, -EINVAL);
    int r = check(actor);
    if (r < 0)
        return r;
    FERN_CHECK(actor->greenlet, -ESRCH);
    struct link *link = malloc(sizeof *link);
    FERN_CHECK(link, -ENOMEM);
    *link = (struct link){.fn = fn, .arg = arg};
    struct link **at = &actor->links;
    while (*at)
        at = &(*at)->next;
    *at = link;
    return 0;
}

bool
fern_actor_running(const fern_actor *actor)
{
    return actor && actor->greenlet;
}

uint64_t
fern_actor_restarts(const fern_actor *actor)
{
    return actor ? actor->restarts : 0;
}
