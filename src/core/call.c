/* SPDX-License-Identifier: MIT */
/*
 * Callbacks, and the greenlet that runs them.
 *
 * A call stands in the ready queue as its address with the lowest bit set. When it comes up the
 * scheduler switches to the hub's caller, which runs it and leaves; several in a row need one
 * switch. The caller's interrupt is -EDEADLK for good: so every call that may wait is refused
 * there, whether it would have had to or not.
 *
 * A call that is taken back leaves an empty place behind (a tag without an address), which is
 * skipped when it comes up.
 */
#include "core/call.h"

#include "core/block.h"

#include <errno.h>

static void *
caller_main(void *arg)
{
    struct fern__hub *hub = arg;
    for (;;) { /* ends with its hub, which never switches here again */
        struct fern__call *call = hub->call;
        call->pending = false;
        hub->stats.callbacks++;
        if (!call->keeps_place)
            hub->calls--;
        call->fn(call->arg);
        fern__sched_leave(hub, hub->caller);
    }
    return NULL;
}

static int
caller_make(struct fern__hub *hub)
{
    fern_greenlet *g = fern__greenlet_alloc(hub);
    if (!g)
        return -ENOMEM;
    g->fn = caller_main;
    g->site = NULL;
    g->parent_id = 0;
    g->refs = 1;
    fern__greenlet_mark(g, FERN__CALLER | FERN__DAEMON);
    g->interrupt = -EDEADLK;
    g->life = FERN__LIFE_SPAWNED;
    g->arg = hub;
    hub->caller = g;
    return 0;
}

int
fern__call_reserve(struct fern__hub *hub)
{
    if (fern__unlikely(!hub->caller)) {
        int r = caller_make(hub);
        if (r < 0)
            return r;
    }
    return fern__hub_make_call_room(hub);
}

uintptr_t
fern__call_item(struct fern__hub *hub, uintptr_t item)
{
    hub->call = (struct fern__call *)(item & ~(uintptr_t)FERN__ITEM_TAGS);
    bool unrun = hub->caller->life == FERN__LIFE_SPAWNED;
    return unrun ? fern__unrun(hub->caller) : (uintptr_t)hub->caller;
}

void
fern__call_push(struct fern__hub *hub, struct fern__call *call)
{
    call->pending = true;
    call->place = hub->ready.tail;
    fern__ring_push(&hub->ready, (void *)((uintptr_t)call | FERN__ITEM_CALL));
}

void
fern__call_remove(struct fern__hub *hub, struct fern__call *call)
{
    call->pending = false;
    fern__ring_replace(&hub->ready, call->place, (void *)FERN__ITEM_CALL);
}

int
fern_call_soon(fern_callback *callback, fern_callback_fn *fn, void *arg)
{
    FERN_CHECK(callback && fn, -EINVAL);
    struct fern__call *call = (struct fern__call *)callback;
    FERN_CHECK(!call->pending, -EALREADY);
    struct fern__hub *hub = fern__hub_need();
    if (!hub)
        return fern__hub_error();
    int r = fern__call_reserve(hub);
    if (r < 0)
        return r;
    *call = (struct fern__call){.fn = fn, .arg = arg, .hub = hub};
    fern__call_push(hub, call);
    return 0;
}

int
fern_callback_cancel(fern_callback *callback)
{
    FERN_CHECK(callback, -EINVAL);
    struct fern__call *call = (struct fern__call *)callback;
    if (!call->pending)
        return 0;
    FERN_CHECK(call->hub == fern__self_hub(), -EXDEV);
    fern__call_remove(call->hub, call);
    return 1;
}

bool
fern_callback_pending(const fern_callback *callback)
{
    return callback && ((const struct fern__call *)callback)->pending;
}
