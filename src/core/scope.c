/* SPDX-License-Identifier: MIT */
/*
 * Scopes: deadlines and cancel flags that nest.
 *
 * A greenlet's open scopes are a chain, innermost first; a shield is a link of the same chain
 * that hides what lies outside of it. What follows from the chain and the kills is one number,
 * the greenlet's `interrupt`, worked out anew whenever one of them changes, so that calls test
 * one word. Deadlines become flags only when the hub runs the timer.
 */
#include "core/scope.h"

#include "base/clock.h"
#include "core/timer.h"
#include "core/wait.h"

enum {
    IDLE,
    OPEN,
    LEFT,
};

enum {
    TIMEOUT,
    SHIELD,
};

void
fern__greenlet_set_interrupt(fern_greenlet *g)
{
    int code = 0;
    const fern_scope *s = g->scopes;
    for (; s && s->fern__kind != SHIELD && code != -ECANCELED; s = s->fern__outer) {
        if (s->fern__cancelled)
            code = -ECANCELED;
        else if (s->fern__fired)
            code = -ETIME;
    }
    bool shielded = s && s->fern__kind == SHIELD;
    if (g->kills && !shielded)
        code = -ECANCELED;
    bool refuses = g->flags & (FERN__CALLER | FERN__REFUSES) || g->life == FERN__LIFE_DONE;
    g->interrupt = refuses ? -EDEADLK : code;
}

int64_t
fern__scope_nearest(const fern_greenlet *g)
{
    int64_t nearest = INT64_MAX;
    for (const fern_scope *s = g->scopes; s && s->fern__kind != SHIELD;
            s = s->fern__outer) {
        if (!s->fern__fired && s->fern__deadline_ns < nearest)
            nearest = s->fern__deadline_ns;
    }
    return nearest;
}

/* Whether a scope around this one, this side of a shield, ends no later than it. */
static bool
outlived(const fern_scope *scope)
{
    const fern_scope *s = scope->fern__outer;
    for (; s && s->fern__kind != SHIELD; s = s->fern__outer) {
        if (s->fern__deadline_ns <= scope->fern__deadline_ns)
            return true;
    }
    return false;
}

void
fern__scope_expire(fern_greenlet *g, int64_t now)
{
    for (fern_scope *s = g->scopes; s && s->fern__kind != SHIELD; s = s->fern__outer) {
        if (!s->fern__fired && s->fern__deadline_ns <= now && !outlived(s)) {
            s->fern__fired = true;
            s->fern__code = -ETIME;
        }
    }
    fern__greenlet_set_interrupt(g);
}

void
fern__scope_abandon(fern_greenlet *g)
{
    for (fern_scope *s = g->scopes; s; s = s->fern__outer)
        s->fern__state = LEFT;
    g->scopes = NULL;
    if (fern__wheel_armed(&g->timer))
        fern__timer_disarm(g);
}

/* The chain has changed: what the timer stands at may be wrong. */
static void
changed(fern_greenlet *g)
{
    if (fern__wheel_armed(&g->timer))
        fern__timer_disarm(g);
    fern__greenlet_set_interrupt(g);
}

static inline __attribute__((always_inline)) int
open_scope(fern_scope *scope, int64_t deadline_ns, int kind)
{
    FERN_CHECK(scope, -EINVAL);
    FERN_CHECK(scope->fern__state != OPEN, -EALREADY);
    struct fern__hub *hub = fern__hub_need();
    if (!hub)
        return fern__hub_error();
    fern_greenlet *g = hub->current;
    scope->fern__outer = g->scopes;
    scope->fern__greenlet = g;
    scope->fern__deadline_ns = deadline_ns;
    scope->fern__code = 0;
    scope->fern__state = OPEN;
    scope->fern__kind = (uint8_t)kind;
    scope->fern__fired = false;
    scope->fern__cancelled = false;
    g->scopes = scope;
    g->dirty |= FERN__DIRTY_REST;
    return 0;
}

int
fern_scope_start(fern_scope *scope, fern_time deadline)
{
    /* A new innermost deadline cannot be wrong for an armed timer: leaving the CPU arms anew. */
    return open_scope(scope, deadline.ns, TIMEOUT);
}

int
fern_shield_start(fern_scope *shield)
{
    int r = open_scope(shield, INT64_MAX, SHIELD);
    if (r == 0)
        changed(shield->fern__greenlet);
    return r;
}

static int
check_own(const fern_scope *scope, int kind)
{
    FERN_CHECK(scope && scope->fern__state == OPEN && scope->fern__kind == kind, -EINVAL);
    struct fern__hub *hub = fern__self_hub();
    FERN_CHECK(hub && hub->current == scope->fern__greenlet, -EPERM);
    return 0;
}

/* Leave a scope and those inside it. */
static void
leave(fern_scope *scope)
{
    fern_greenlet *g = scope->fern__greenlet;
    bool quiet = g->scopes == scope && !scope->fern__fired && scope->fern__kind == TIMEOUT;
    for (fern_scope *s = g->scopes; s != scope; s = s->fern__outer)
        s->fern__state = LEFT;
    scope->fern__state = LEFT;
    g->scopes = scope->fern__outer;
    if (fern__wheel_armed(&g->timer))
        fern__timer_disarm(g);
    if (!quiet)
        fern__greenlet_set_interrupt(g);
}

int
fern_scope_stop(fern_scope *scope)
{
    /* Mostly it is the innermost one and has not fired: then nothing but the chain changes. */
    struct fern__hub *hub = fern__self_hub();
    fern_greenlet *g = hub ? hub->current : NULL;
    if (fern__likely(g && scope && g->scopes == scope && scope->fern__kind == TIMEOUT &&
                     !scope->fern__fired && !fern__wheel_armed(&g->timer))) {
        g->scopes = scope->fern__outer;
        scope->fern__state = LEFT;
        return 0;
    }
    int r = check_own(scope, TIMEOUT);
    if (r == 0)
        leave(scope);
    return r;
}

int
fern_shield_stop(fern_scope *shield)
{
    int r = check_own(shield, SHIELD);
    if (r < 0)
        return r;
    fern_greenlet *g = shield->fern__greenlet;
    leave(shield);
    /* What has passed meanwhile was kept back from the hub's timers. */
    int64_t now = fern__greenlet_hub(g)->now;
    if (fern__scope_nearest(g) <= now)
        fern__scope_expire(g, now);
    return 0;
}

bool
fern_scope_fired(const fern_scope *scope)
{
    return scope && scope->fern__fired;
}

int
fern_scope_code(const fern_scope *scope)
{
    return scope ? scope->fern__code : 0;
}

int
fern_scope_reschedule(fern_scope *scope, fern_time deadline)
{
    int r = check_own(scope, TIMEOUT);
    if (r < 0)
        return r;
    FERN_CHECK(!scope->fern__fired, -EALREADY);
    scope->fern__deadline_ns = deadline.ns;
    changed(scope->fern__greenlet);
    return 0;
}

int
fern_scope_cancel(fern_scope *scope, int code)
{
    FERN_CHECK(
            scope && scope->fern__state == OPEN && scope->fern__kind == TIMEOUT, -EINVAL);
    fern_greenlet *g = scope->fern__greenlet;
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    FERN_CHECK(!scope->fern__fired, -EALREADY);
    scope->fern__fired = true;
    scope->fern__cancelled = true;
    scope->fern__code = code ? code : -ECANCELED;
    fern__greenlet_set_interrupt(g);
    if (g->interrupt && fern__wait_claim(g))
        fern__wait_grant(g, g->interrupt);
    return 0;
}

int
fern_with_timeout(fern_fn *fn, void *arg, void **ret_value, fern_time deadline)
{
    FERN_CHECK(fn, -EINVAL);
    fern_scope scope = FERN_SCOPE_INIT;
    int r = fern_scope_start(&scope, deadline);
    if (r < 0)
        return r;
    void *value = fn(arg);
    (void)fern_scope_stop(&scope);
    if (scope.fern__fired)
        return -ETIME;
    if (ret_value)
        *ret_value = value;
    return 0;
}

int
fern__greenlet_uncancel(fern_greenlet *g)
{
    if (!g->kills || g->life == FERN__LIFE_DONE)
        return g->kills;
    if (--g->kills == 0)
        g->flags &= (uint16_t)~FERN__KILLED;
    fern__greenlet_set_interrupt(g);
    return g->kills;
}

int
fern_uncancel(void)
{
    struct fern__hub *hub = fern__self_hub();
    return hub ? fern__greenlet_uncancel(hub->current) : 0;
}

int
fern_cancelling(const fern_greenlet *g)
{
    if (!g) {
        struct fern__hub *hub = fern__self_hub();
        return hub ? hub->current->kills : 0;
    }
    return g->kills;
}

int
fern_checkpoint(void)
{
    struct fern__hub *hub = fern__self_hub();
    if (!hub)
        return 0;
    fern_greenlet *g = hub->current;
    if (!g->interrupt && g->scopes) {
        int64_t nearest = fern__scope_nearest(g);
        int64_t now = nearest == INT64_MAX ? 0 : fern__clock_now();
        if (now >= nearest)
            fern__scope_expire(g, now);
    }
    return g->interrupt;
}
