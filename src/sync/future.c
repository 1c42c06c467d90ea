/* SPDX-License-Identifier: MIT */
/*
 * Futures and tasks.
 *
 * A future is done once: it is resolved, and then whoever stands in its queue is served in order,
 * waiters woken, callbacks sent to the ready queue, watchers (gathers, shields, crowds) told. The
 * place of a callback in the ready queue is reserved when it is added, so that resolving cannot
 * fail. A task is no other thing than a future with a link at a greenlet.
 */
#include "sync/future.h"

#include "core/call.h"

#include <stdlib.h>
#include <string.h>

/* ---- waiting as a case ---- */

static int
future_attempt(struct fern__hub *hub, struct fern__choice *choice)
{
    fern_future *f = choice->object;
    int r = fern__sync_bind(&f->sync, hub);
    if (r < 0)
        return r;
    return f->state == FERN__FUTURE_PENDING ? -EAGAIN : 0;
}

static int
future_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    fern_future *f = choice->object;
    fern__sync_arm(choice, hub, &f->sync.waiters);
    return 0;
}

static void
future_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const fern_future *f = cell->object;
    if (f->kind->owners)
        f->kind->owners(f, owners);
    else if (f->greenlet)
        fern__owners_add(owners, f->greenlet->id);
}

const struct fern__waitable fern__waitable_future = {.name = "future",
        .owners = future_owners,
        .attempt = future_attempt,
        .ready = future_attempt,
        .arm = future_arm};

/* ---- being resolved ---- */

void
fern__future_resolve(fern_future *f, enum fern__future_state state, void *value, int code,
        const char *message)
{
    f->state = (uint8_t)state;
    f->value = state == FERN__FUTURE_VALUE ? value : NULL;
    f->code = code;
    f->message = message;
    for (struct fern__cell *cell; (cell = fern__wait_first(&f->sync.waiters));) {
        if (cell->greenlet) {
            fern__wake(cell, 0);
            continue;
        }
        fern__wait_remove(cell);
        fern__watcher_of(cell)->tell(fern__watcher_of(cell));
    }
}

void
fern__future_resolve_as(fern_future *f, const fern_outcome *outcome)
{
    enum fern__future_state state = outcome->cancelled ? FERN__FUTURE_CANCELLED
                                    : outcome->code    ? FERN__FUTURE_ERROR
                                                       : FERN__FUTURE_VALUE;
    fern__future_resolve(f, state, outcome->value, outcome->code, outcome->message);
}

fern_outcome
fern__future_take(fern_future *f)
{
    f->looked = true;
    return (fern_outcome){.code = f->code,
            .cancelled = f->state == FERN__FUTURE_CANCELLED,
            .value = f->value,
            .message = f->message};
}

/* ---- plain ones ---- */

static void
plain_cancel(fern_future *f, int code)
{
    fern__future_resolve(f, FERN__FUTURE_CANCELLED, NULL, code, NULL);
}

static const struct fern__future_kind plain = {.name = "future", .cancel = plain_cancel};

fern_future *
fern__future_make(size_t bytes, const struct fern__future_kind *kind, struct fern__hub *hub)
{
    fern_future *f = calloc(1, bytes);
    if (!f) {
        errno = ENOMEM;
        return NULL;
    }
    f->kind = kind;
    f->refs = 1;
    if (hub)
        fern__sync_bind(&f->sync, hub);
    return f;
}

fern_future *
fern_future_new(void)
{
    return fern__future_make(sizeof(fern_future), &plain, NULL);
}

static int
check_settable(fern_future *f)
{
    FERN_CHECK(f, -EINVAL);
    int r = fern__sync_check(&f->sync);
    if (r < 0)
        return r;
    FERN_CHECK(f->kind == &plain, -EPERM);
    FERN_CHECK(f->state == FERN__FUTURE_PENDING, -EALREADY);
    return 0;
}

int
fern_future_set(fern_future *f, void *value)
{
    int r = check_settable(f);
    if (r == 0)
        fern__future_resolve(f, FERN__FUTURE_VALUE, value, 0, NULL);
    return r;
}

int
fern_future_set_error(fern_future *f, int code, const char *message)
{
    FERN_CHECK(code != 0, -EINVAL);
    int r = check_settable(f);
    if (r < 0)
        return r;
    f->text = message ? strdup(message) : NULL;
    if (message && !f->text)
        return -ENOMEM;
    fern__future_resolve(f, FERN__FUTURE_ERROR, NULL, code, f->text);
    return 0;
}

/* ---- callbacks ---- */

struct callback {
    struct fern__watcher watcher; /* its node stands in `due` once it has been told */
    struct fern__call call;
    fern_future *future;
    fern_future_fn *fn;
    void *arg;
};

static void
callback_run(void *arg)
{
    struct callback *cb = arg;
    fern__list_remove(&cb->watcher.cell.node);
    cb->fn(cb->future, cb->arg);
    fern_future_unref(cb->future);
    free(cb);
}

static void
callback_told(struct fern__watcher *watcher)
{
    struct callback *cb = fern__container_of(watcher, struct callback, watcher);
    fern_future *f = cb->future;
    f->refs++;
    fern__list_append(&f->due, &cb->watcher.cell.node);
    struct fern__hub *hub = fern__self_hub();
    cb->call = (struct fern__call){.fn = callback_run, .arg = cb, .hub = hub};
    fern__call_push(hub, &cb->call);
}

int
fern_future_add_callback(fern_future *f, fern_future_fn *fn, void *arg)
{
    FERN_CHECK(f && fn, -EINVAL);
    struct fern__hub *hub = fern__hub_need();
    int r = hub ? fern__sync_bind(&f->sync, hub) : fern__hub_error();
    if (r < 0)
        return r;
    struct callback *cb = calloc(1, sizeof *cb);
    r = cb ? fern__call_reserve(hub) : -ENOMEM;
    if (r < 0) {
        free(cb);
        return r;
    }
    cb->watcher.tell = callback_told;
    cb->future = f;
    cb->fn = fn;
    cb->arg = arg;
    if (f->state == FERN__FUTURE_PENDING)
        fern__wait_add(&f->sync.waiters, &cb->watcher.cell);
    else
        callback_told(&cb->watcher);
    return 0;
}

/* The callback that stands in a queue by this node; NULL: it is somebody else. */
static struct callback *
callback_of(struct fern__list *node)
{
    struct fern__cell *cell = fern__container_of(node, struct fern__cell, node);
    if (cell->greenlet || fern__watcher_of(cell)->tell != callback_told)
        return NULL;
    return fern__container_of(fern__watcher_of(cell), struct callback, watcher);
}

/* It has not been told: give back what was reserved for it. */
static void
callback_discard(struct callback *cb)
{
    fern__wait_remove(&cb->watcher.cell);
    if (fern__sync_is_home(&cb->future->sync))
        fern__self_hub()->calls--;
    free(cb);
}

/* It is on its way to being called. */
static void
callback_recall(struct callback *cb)
{
    fern__list_remove(&cb->watcher.cell.node);
    fern__call_remove(cb->call.hub, &cb->call);
    fern_future_unref(cb->future);
    free(cb);
}

int
fern_future_remove_callback(fern_future *f, fern_future_fn *fn, void *arg)
{
    FERN_CHECK(f && fn, -EINVAL);
    int r = fern__sync_check(&f->sync);
    if (r < 0)
        return r;
    int removed = 0;
    struct fern__list *queues[] = {&f->sync.waiters, &f->due};
    for (int i = 0; i < 2; i++) {
        FERN__LIST_FOREACH_SAFE (node, after, queues[i]) {
            struct callback *cb = callback_of(node);
            if (!cb || cb->fn != fn || cb->arg != arg)
                continue;
            (i == 0 ? callback_discard : callback_recall)(cb);
            removed++;
        }
    }
    return removed;
}

/* ---- references ---- */

fern_future *
fern_future_ref(fern_future *f)
{
    if (f)
        f->refs++;
    return f;
}

static void
report_unseen(fern_future *f)
{
    fern_outcome outcome = fern__future_take(f);
    char label[160] = "";
    struct fern__hub *hub = fern__sync_is_home(&f->sync) ? fern__self_hub() : NULL;
    if (f->greenlet && hub && hub->error_hook) {
        hub->error_hook(f->greenlet, &outcome, hub->error_arg);
        return;
    }
    if (f->greenlet)
        fern__greenlet_label(f->greenlet, label, sizeof label);
    fern__report("%s%s%s failed with code %d%s%s, and nobody has asked", f->kind->name,
            *label ? " " : "", label, outcome.code, outcome.message ? ": " : "",
            outcome.message ? outcome.message : "");
}

static void
future_free(fern_future *f)
{
    if (fern__future_failed(f) && !f->looked)
        report_unseen(f);
    FERN__LIST_FOREACH_SAFE (node, after, &f->sync.waiters) {
        struct callback *cb = callback_of(node);
        if (cb)
            callback_discard(cb);
    }
    if (f->kind->free)
        f->kind->free(f);
    fern_greenlet_unref(f->greenlet);
    free(f->text);
    free(f);
}

void
fern_future_unref(fern_future *f)
{
    if (!f)
        return;
    if (fern__sync_check(&f->sync) < 0) {
        fern__report("a future was given back on a thread that is not its own: the "
                     "reference is lost");
        return;
    }
    if (--f->refs == 0)
        future_free(f);
}

/* ---- asking ---- */

int
fern_future_wait(fern_future *f, fern_time deadline)
{
    FERN_CHECK(f, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&f->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    if (f->state != FERN__FUTURE_PENDING)
        return 0;
    if (deadline.ns == 0)
        return -EAGAIN;
    FERN_CHECK(f->greenlet != g, -EDEADLK);
    fern_future_ref(f);
    r = fern__sync_wait(hub, g, &f->sync, &fern__waitable_future, NULL, deadline);
    fern_future_unref(f);
    return r;
}

int
fern_future_get(fern_future *f, fern_outcome *ret_outcome, fern_time deadline)
{
    FERN_CHECK(f && ret_outcome, -EINVAL);
    fern_future_ref(f);
    int r = fern_future_wait(f, deadline);
    if (r == 0)
        *ret_outcome = fern__future_take(f);
    fern_future_unref(f);
    return r;
}

int
fern_future_outcome(fern_future *f, fern_outcome *ret_outcome)
{
    FERN_CHECK(f && ret_outcome, -EINVAL);
    FERN_CHECK(f->state != FERN__FUTURE_PENDING, -EINPROGRESS);
    *ret_outcome = fern__future_take(f);
    return 0;
}

bool
fern_future_done(const fern_future *f)
{
    return f && f->state != FERN__FUTURE_PENDING;
}

bool
fern_future_cancelled(const fern_future *f)
{
    return f && f->state == FERN__FUTURE_CANCELLED;
}

int
fern__futures_bind(struct fern__hub *hub, fern_future *const *futures, size_t count)
{
    FERN_CHECK(futures || count == 0, -EINVAL);
    for (size_t i = 0; i < count; i++) {
        FERN_CHECK(futures[i], -EINVAL);
        int r = fern__sync_bind(&futures[i]->sync, hub);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- cancelling ---- */

int
fern_future_cancel(fern_future *f, int code)
{
    FERN_CHECK(f, -EINVAL);
    int r = fern__sync_check(&f->sync);
    if (r < 0)
        return r;
    if (f->state != FERN__FUTURE_PENDING)
        return 0;
    fern_future_ref(f);
    f->cancels++;
    f->kind->cancel(f, code ? code : -ECANCELED);
    fern_future_unref(f);
    return 1;
}

int
fern_future_cancelling(const fern_future *f)
{
    FERN_CHECK(f, -EINVAL);
    return f->greenlet ? fern_cancelling(f->greenlet) : f->cancels;
}

int
fern_future_uncancel(fern_future *f)
{
    FERN_CHECK(f, -EINVAL);
    int r = fern__sync_check(&f->sync);
    if (r < 0)
        return r;
    FERN_CHECK(f->greenlet, -EPERM);
    FERN_CHECK(f->state == FERN__FUTURE_PENDING, -EALREADY);
    return fern__greenlet_uncancel(f->greenlet);
}

/* ---- tasks ---- */

static void
task_cancel(fern_future *f, int code)
{
    fern__greenlet_kill(f->greenlet, code);
}

static const struct fern__future_kind task = {.name = "task", .cancel = task_cancel};

static void
take_over(fern_future *f)
{
    fern_outcome outcome;
    (void)fern_greenlet_outcome(f->greenlet, &outcome);
    fern__future_resolve_as(f, &outcome);
}

static void
task_ended(struct fern__link *link, fern_greenlet *g)
{
    (void)g;
    fern_future *f = fern__container_of(link, fern_future, end);
    take_over(f);
    fern_future_unref(f);
}

/* Bind a task to its greenlet, whose reference it takes. */
static void
attach(fern_future *f, fern_greenlet *g)
{
    f->greenlet = g;
    if (g->life == FERN__LIFE_DONE) {
        take_over(f);
        return;
    }
    f->end.ended = task_ended;
    fern__link_add(g, &f->end);
    f->refs++;
}

fern_future *
fern_task_at(
        fern_fn *fn, void *arg, const fern_spawn_options *options, const fern_site *site)
{
    FERN_SPAWN_OPTIONS(o);
    if (options)
        o = *options;
    struct fern__hub *hub = o.detached ? NULL : fern__hub_need();
    if (!hub) {
        errno = o.detached ? EINVAL : -fern__hub_error();
        return NULL;
    }
    fern_future *f = fern__future_make(sizeof(fern_future), &task, hub);
    if (!f)
        return NULL;
    f->looked = o.quiet;
    o.quiet = true;
    fern_greenlet *g = fern_spawn_at(fn, arg, &o, site);
    if (g)
        attach(f, g);
    else
        free(f);
    return g ? f : NULL;
}

/* The function behind the macro: for languages without macros. */

fern_future *(fern_task)(fern_fn *fn, void *arg)
{
    return fern_task_at(fn, arg, NULL, NULL);
}

fern_future *
fern_future_of(fern_greenlet *g)
{
    bool good = g && !(g->flags & FERN__CALLER);
    if (!good || !fern__greenlet_here(g)) {
        errno = good ? EXDEV : EINVAL;
        return NULL;
    }
    fern_future *f = fern__future_make(sizeof(fern_future), &task, fern__greenlet_hub(g));
    if (!f)
        return NULL;
    f->looked = true;
    attach(f, fern_greenlet_ref(g));
    return f;
}

fern_greenlet *
fern_future_greenlet(const fern_future *f)
{
    return f ? f->greenlet : NULL;
}
