/* SPDX-License-Identifier: MIT */
/*
 * Futures made of futures: gathers and shields.
 *
 * Each holds references to what it is made of and puts watchers there; they are taken back when it
 * is freed. A gather goes on to listen after its first error, so that the errors of the others count
 * as having been seen.
 */
#include "sync/future.h"

#include <stdlib.h>

/* ---- gather ---- */

struct gather;

struct part {
    struct fern__watcher watcher;
    struct gather *gather;
    fern_future *future;
};

struct gather {
    fern_future base;
    fern_outcome *outcomes; /* behind the parts, in the same piece of memory */
    size_t count;
    size_t left;
    bool errors_are_outcomes;
    bool cancelled; /* it was asked to be */
    struct part parts[];
};

static struct gather *
gather_of(fern_future *f)
{
    return fern__container_of(f, struct gather, base);
}

static void
gather_note(struct gather *gather, size_t index)
{
    fern_outcome outcome = fern__future_take(gather->parts[index].future);
    gather->outcomes[index] = outcome;
    gather->left--;
    if (gather->base.state != FERN__FUTURE_PENDING)
        return;
    if (outcome.code && !gather->errors_are_outcomes && !gather->cancelled)
        fern__future_resolve_as(&gather->base, &outcome);
    else if (gather->left == 0 && gather->cancelled)
        fern__future_resolve(
                &gather->base, FERN__FUTURE_CANCELLED, NULL, gather->base.code, NULL);
    else if (gather->left == 0)
        fern__future_resolve(&gather->base, FERN__FUTURE_VALUE, gather->outcomes, 0, NULL);
}

static void
part_told(struct fern__watcher *watcher)
{
    struct part *part = fern__container_of(watcher, struct part, watcher);
    gather_note(part->gather, (size_t)(part - part->gather->parts));
}

static void
gather_cancel(fern_future *f, int code)
{
    struct gather *gather = gather_of(f);
    if (!gather->cancelled)
        f->code = code;
    gather->cancelled = true;
    for (size_t i = 0; i < gather->count; i++)
        gather->parts[i].future->mark = NULL;
    for (size_t i = 0; i < gather->count; i++) {
        fern_future *one = gather->parts[i].future;
        if (one->mark != gather)
            (void)fern_future_cancel(one, code);
        one->mark = gather;
    }
}

static void
gather_free(fern_future *f)
{
    struct gather *gather = gather_of(f);
    for (size_t i = 0; i < gather->count; i++) {
        if (fern__list_linked(&gather->parts[i].watcher.cell.node))
            fern__wait_remove(&gather->parts[i].watcher.cell);
        fern_future_unref(gather->parts[i].future);
    }
}

/* Of the tasks in it; of what is in a gather of gathers nothing is told. */
static void
gather_owners(const fern_future *f, struct fern__owners *owners)
{
    const struct gather *gather = gather_of((fern_future *)(uintptr_t)f);
    for (size_t i = 0; i < gather->count; i++) {
        const fern_future *part = gather->parts[i].future;
        if (part->greenlet && part->state == FERN__FUTURE_PENDING)
            fern__owners_add(owners, part->greenlet->id);
    }
}

static const struct fern__future_kind gather_kind = {.name = "gather",
        .cancel = gather_cancel,
        .owners = gather_owners,
        .free = gather_free};

static struct gather *
gather_make(struct fern__hub *hub, fern_future *const *futures, size_t count, int flags)
{
    size_t parts_bytes = count * sizeof(struct part);
    fern_future *f = fern__future_make(
            sizeof(struct gather) + parts_bytes + count * sizeof(fern_outcome),
            &gather_kind, hub);
    if (!f)
        return NULL;
    struct gather *gather = gather_of(f);
    gather->outcomes = (fern_outcome *)(void *)((char *)gather->parts + parts_bytes);
    gather->count = gather->left = count;
    gather->errors_are_outcomes = flags & FERN_GATHER_ERRORS;
    for (size_t i = 0; i < count; i++)
        gather->parts[i] = (struct part){.watcher.tell = part_told,
                .gather = gather,
                .future = fern_future_ref(futures[i])};
    return gather;
}

fern_future *
fern_gather(fern_future *const *futures, size_t count, int flags)
{
    struct fern__hub *hub = NULL;
    int r = flags & ~FERN_GATHER_ERRORS || count > INT32_MAX ? -EINVAL : 0;
    if (r == 0 && !(hub = fern__hub_need()))
        r = fern__hub_error();
    if (r == 0)
        r = fern__futures_bind(hub, futures, count);
    if (r < 0) {
        errno = -r;
        return NULL;
    }
    struct gather *gather = gather_make(hub, futures, count, flags);
    if (!gather)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (fern_future_done(futures[i]))
            gather_note(gather, i);
        else
            fern__wait_add(&futures[i]->sync.waiters, &gather->parts[i].watcher.cell);
    }
    if (count == 0)
        fern__future_resolve(&gather->base, FERN__FUTURE_VALUE, gather->outcomes, 0, NULL);
    return &gather->base;
}

/* ---- shield ---- */

struct shield {
    fern_future base;
    struct fern__watcher watcher;
    fern_future *inner;
};

static void
shield_take_over(struct shield *shield)
{
    fern_outcome outcome = fern__future_take(shield->inner);
    fern__future_resolve_as(&shield->base, &outcome);
}

static void
shield_told(struct fern__watcher *watcher)
{
    shield_take_over(fern__container_of(watcher, struct shield, watcher));
}

static void
shield_cancel(fern_future *f, int code)
{
    struct shield *shield = fern__container_of(f, struct shield, base);
    fern__wait_remove(&shield->watcher.cell);
    fern__future_resolve(f, FERN__FUTURE_CANCELLED, NULL, code, NULL);
}

static void
shield_free(fern_future *f)
{
    struct shield *shield = fern__container_of(f, struct shield, base);
    if (fern__list_linked(&shield->watcher.cell.node))
        fern__wait_remove(&shield->watcher.cell);
    fern_future_unref(shield->inner);
}

static void
shield_owners(const fern_future *f, struct fern__owners *owners)
{
    const fern_future *inner = fern__container_of(f, const struct shield, base)->inner;
    if (inner->greenlet)
        fern__owners_add(owners, inner->greenlet->id);
}

static const struct fern__future_kind shield_kind = {.name = "shield",
        .cancel = shield_cancel,
        .owners = shield_owners,
        .free = shield_free};

fern_future *
fern_future_shield(fern_future *inner)
{
    struct fern__hub *hub = fern__hub_need();
    int r = hub ? fern__futures_bind(hub, &inner, 1) : fern__hub_error();
    if (r < 0) {
        errno = -r;
        return NULL;
    }
    fern_future *f = fern__future_make(sizeof(struct shield), &shield_kind, hub);
    if (!f)
        return NULL;
    struct shield *shield = fern__container_of(f, struct shield, base);
    shield->watcher.tell = shield_told;
    shield->inner = fern_future_ref(inner);
    if (fern_future_done(inner))
        shield_take_over(shield);
    else
        fern__wait_add(&inner->sync.waiters, &shield->watcher.cell);
    return f;
}
