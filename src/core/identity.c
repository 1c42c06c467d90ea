/* SPDX-License-Identifier: MIT */
/*
 * Who a greenlet is: handles, ids, names, states; the hooks that are set on it.
 */
#include "core/block.h"
#include "core/hub.h"

#include <errno.h>
#include <string.h>

fern_greenlet *
fern_self(void)
{
    struct fern__hub *hub = fern__hub_need();
    return hub ? hub->current : NULL;
}

/* The greenlet itself, or for NULL the current one; NULL only if no hub could be made. */
static fern_greenlet *
resolve(const fern_greenlet *g)
{
    return g ? (fern_greenlet *)(uintptr_t)g : fern_self();
}

fern_greenlet *
fern_greenlet_ref(fern_greenlet *g)
{
    if (g)
        g->refs++;
    return g;
}

static __attribute__((noinline, cold)) void
unref_elsewhere(const fern_greenlet *g)
{
    fern__report("fern_greenlet_unref() of greenlet #%llu on a thread that is not its own: "
                 "its reference is lost",
            (unsigned long long)g->id);
}

/* It was not started. With its last reference nobody can start it any more: whoever waits for
 * its end must hear of it. */
static __attribute__((noinline, cold)) void
unref_new(fern_greenlet *g)
{
    if (g->refs == 1)
        fern__greenlet_kill(g, 0);
    fern__greenlet_release(g);
}

void
fern_greenlet_unref(fern_greenlet *g)
{
    if (!g)
        return;
    if (fern__unlikely(!fern__greenlet_here(g)))
        unref_elsewhere(g);
    else if (fern__unlikely(g->life == FERN__LIFE_NEW))
        unref_new(g);
    else
        fern__greenlet_drop(fern__self_hub(), g);
}

uint64_t
fern_id(const fern_greenlet *g)
{
    g = resolve(g);
    return g ? g->id : 0;
}

uint64_t
fern_parent_id(const fern_greenlet *g)
{
    g = resolve(g);
    return g ? g->parent_id : 0;
}

const char *
fern_name(const fern_greenlet *g)
{
    g = resolve(g);
    return g && g->extra ? g->extra->name : "";
}

int
fern_set_name(fern_greenlet *g, const char *name)
{
    g = resolve(g);
    struct fern__extra *extra = g ? fern__greenlet_extra(g) : NULL;
    FERN_CHECK(extra, -ENOMEM);
    memset(extra->name, 0, sizeof extra->name);
    if (name)
        strncpy(extra->name, name, sizeof extra->name - 1);
    return 0;
}

const fern_site *
fern_greenlet_site(const fern_greenlet *g)
{
    g = resolve(g);
    return g ? g->site : NULL;
}

void *
fern_greenlet_data(const fern_greenlet *g)
{
    g = resolve(g);
    return g && g->extra ? g->extra->user_data : NULL;
}

int
fern_set_daemon(fern_greenlet *g, bool daemon)
{
    g = resolve(g);
    FERN_CHECK(g, -ENOMEM);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    if (daemon == !!(g->flags & FERN__DAEMON))
        return 0;
    /* What it waits for now starts or stops to count. */
    size_t wakers = fern__wheel_armed(&g->timer) + (g->waiting && g->waiting->outside);
    fern__greenlet_hub(g)->wakers += daemon ? -wakers : wakers;
    g->flags ^= FERN__DAEMON;
    return 0;
}

fern_state
fern_greenlet_state(const fern_greenlet *g)
{
    switch (g->life) {
    case FERN__LIFE_NEW:
        return FERN_STATE_NEW;
    case FERN__LIFE_SPAWNED:
        return FERN_STATE_READY;
    case FERN__LIFE_LIVE:
        if (fern__greenlet_hub(g)->current == g)
            return FERN_STATE_RUNNING;
        return fern__wait_is_open(g) ? FERN_STATE_PARKED : FERN_STATE_READY;
    default:
        return FERN_STATE_DONE;
    }
}

bool
fern_started(const fern_greenlet *g)
{
    return g && (g->life == FERN__LIFE_SPAWNED || g->life == FERN__LIFE_LIVE);
}

bool
fern_ready(const fern_greenlet *g)
{
    return g && g->life == FERN__LIFE_DONE;
}

bool
fern_successful(const fern_greenlet *g)
{
    fern_outcome outcome;
    if (!fern_ready(g) || fern_greenlet_outcome(g, &outcome) < 0)
        return false;
    return outcome.code == 0 || (outcome.cancelled && outcome.code == -ECANCELED);
}

int
fern_set_switch_hooks(fern_greenlet *g, void (*out)(void *), void (*in)(void *), void *arg)
{
    g = resolve(g);
    FERN_CHECK(g, -ENOMEM);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    struct fern__extra *extra = fern__greenlet_extra(g);
    FERN_CHECK(extra, -ENOMEM);
    extra->hook_out = out;
    extra->hook_in = in;
    extra->hook_arg = arg;
    bool hooked = (out || in) && g->life != FERN__LIFE_DONE;
    if (hooked && !(g->flags & FERN__HOOKED))
        fern__greenlet_hub(g)->hook_users++;
    if (!hooked && g->flags & FERN__HOOKED)
        fern__greenlet_hub(g)->hook_users--;
    g->flags = (uint16_t)(hooked ? g->flags | FERN__HOOKED : g->flags & ~FERN__HOOKED);
    fern__hub_observe(fern__greenlet_hub(g));
    return 0;
}

int
fern_set_hooks(const fern_hooks *hooks)
{
    FERN_CHECK(!hooks || hooks->size == sizeof *hooks, -EINVAL);
    struct fern__hub *hub = fern__hub_need();
    if (!hub)
        return fern__hub_error();
    hub->hooks = hooks ? *hooks : (struct fern_hooks){0};
    fern__hub_observe(hub);
    return 0;
}

int
fern_set_error_hook(fern_error_fn *fn, void *arg)
{
    struct fern__hub *hub = fern__hub_need();
    if (!hub)
        return fern__hub_error();
    hub->error_hook = fn;
    hub->error_arg = arg;
    return 0;
}
