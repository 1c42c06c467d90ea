/* SPDX-License-Identifier: MIT */
/*
 * Timers: arming those of greenlets, firing all of them, and fern_timer.
 *
 * `wakers` of the hub counts the armed timers that are no daemon's: while there is one, something
 * can still wake main.
 */
#include "core/timer.h"

#include "base/clock.h"
#include "core/call.h"
#include "core/link.h"
#include "core/pause.h"
#include "core/scope.h"
#include "core/wait.h"

#include <stdlib.h>

static void
arm(fern_greenlet *g, int64_t at_ns, unsigned kind)
{
    if (fern__wheel_armed(&g->timer)) {
        if (g->timer.deadline == at_ns && fern__wheel_kind(&g->timer) == kind)
            return;
        fern__timer_disarm(g);
    }
    if (at_ns == INT64_MAX)
        return;
    fern__wheel_insert(&fern__greenlet_hub(g)->wheel, &g->timer, at_ns, kind);
    if (!(g->flags & FERN__DAEMON))
        fern__greenlet_hub(g)->wakers++;
}

void
fern__timer_disarm(fern_greenlet *g)
{
    fern__wheel_remove(&fern__greenlet_hub(g)->wheel, &g->timer);
    if (!(g->flags & FERN__DAEMON))
        fern__greenlet_hub(g)->wakers--;
}

void
fern__timer_arm_park(fern_greenlet *g, int64_t deadline_ns)
{
    unsigned kind =
            g->waiting == &fern__waitable_sleep ? FERN__TIMER_SLEEP : FERN__TIMER_TIMEOUT;
    int64_t scope_ns = fern__scope_nearest(g);
    if (scope_ns < deadline_ns)
        arm(g, scope_ns, FERN__TIMER_TIMEOUT);
    else
        arm(g, deadline_ns, kind);
}

void
fern__timer_arm_yield(fern_greenlet *g)
{
    arm(g, fern__scope_nearest(g), FERN__TIMER_TIMEOUT);
}

void
fern__timer_arm_start(fern_greenlet *g, int64_t at_ns)
{
    arm(g, at_ns, FERN__TIMER_START);
}

/* ---- fern_timer ---- */

/* What fern_timer is inside. */
struct user_timer {
    struct fern__wheel_node node;
    struct fern__call call;
    int64_t repeat_ns;
    uint8_t reserved_place; /* has a place in the ready queue */
    uint8_t daemon;
    uint8_t counted; /* among the hub's wakers */
    uint8_t unused[5];
    struct owner *owner; /* NULL: none */
    uint64_t reserved[1];
};

/* What stops a timer when its owner ends. */
struct owner {
    struct fern__link link;
    struct user_timer *timer;
};

_Static_assert(sizeof(struct user_timer) == sizeof(fern_timer), "one is the other");

static struct user_timer *
timer_of(const fern_timer *timer)
{
    return (struct user_timer *)(uintptr_t)timer;
}

static void
count(struct user_timer *t)
{
    bool counts = fern__wheel_armed(&t->node) && !t->daemon;
    if (counts && !t->counted)
        t->call.hub->wakers++;
    if (!counts && t->counted)
        t->call.hub->wakers--;
    t->counted = counts;
}

static void
disown(struct user_timer *t)
{
    if (!t->owner)
        return;
    fern__list_remove(&t->owner->link.cell.node);
    free(t->owner);
    t->owner = NULL;
}

static void
timer_halt(struct user_timer *t)
{
    struct fern__hub *hub = t->call.hub;
    disown(t);
    if (fern__wheel_armed(&t->node))
        fern__wheel_remove(&hub->wheel, &t->node);
    count(t);
    if (t->call.pending)
        fern__call_remove(hub, &t->call);
    else if (t->reserved_place)
        hub->calls--;
    t->reserved_place = false;
}

int
fern_timer_start(fern_timer *timer, fern_time when, int64_t repeat_ns, fern_callback_fn *fn,
        void *arg)
{
    FERN_CHECK(timer && fn && repeat_ns >= 0, -EINVAL);
    struct user_timer *t = timer_of(timer);
    struct fern__hub *hub = fern__hub_need();
    if (!hub)
        return fern__hub_error();
    if (fern_timer_active(timer)) {
        FERN_CHECK(t->call.hub == hub, -EXDEV);
        timer_halt(t);
    }
    int r = fern__call_reserve(hub);
    if (r < 0)
        return r;
    t->call = (struct fern__call){
            .fn = fn, .arg = arg, .hub = hub, .keeps_place = repeat_ns > 0};
    t->repeat_ns = repeat_ns;
    t->reserved_place = true;
    if (when.ns != INT64_MAX)
        fern__wheel_insert(
                &hub->wheel, &t->node, when.ns > 0 ? when.ns : 0, FERN__TIMER_USER);
    count(t);
    return 0;
}

/* Fired: call soon, and for a repeating one set the next time, skipping what was missed. */
static void
user_timer_fire(struct fern__hub *hub, struct user_timer *t, int64_t now)
{
    if (!t->call.pending)
        fern__call_push(hub, &t->call);
    if (t->repeat_ns) {
        int64_t missed = (now - t->node.deadline) / t->repeat_ns;
        int64_t step = fern__add_saturating(missed * t->repeat_ns, t->repeat_ns);
        fern__wheel_insert(&hub->wheel, &t->node,
                fern__add_saturating(t->node.deadline, step), FERN__TIMER_USER);
    } else {
        t->reserved_place = false; /* it is the call's now */
        disown(t);
    }
    count(t);
}

int
fern_timer_stop(fern_timer *timer)
{
    FERN_CHECK(timer, -EINVAL);
    struct user_timer *t = timer_of(timer);
    if (!fern_timer_active(timer))
        return 0;
    FERN_CHECK(t->call.hub == fern__self_hub(), -EXDEV);
    timer_halt(t);
    return 1;
}

int
fern_timer_set_daemon(fern_timer *timer, bool daemon)
{
    FERN_CHECK(timer, -EINVAL);
    struct user_timer *t = timer_of(timer);
    bool active = fern_timer_active(timer);
    FERN_CHECK(!active || t->call.hub == fern__self_hub(), -EXDEV);
    t->daemon = daemon;
    if (active)
        count(t);
    return 0;
}

static void
owner_ended(struct fern__link *link, fern_greenlet *g)
{
    struct owner *owner = fern__container_of(link, struct owner, link);
    struct user_timer *t = owner->timer;
    (void)g;
    t->owner = NULL;
    free(owner);
    timer_halt(t);
}

int
fern_timer_set_owner(fern_timer *timer, fern_greenlet *owner)
{
    FERN_CHECK(timer && fern_timer_active(timer), -EINVAL);
    struct user_timer *t = timer_of(timer);
    FERN_CHECK(t->call.hub == fern__self_hub(), -EXDEV);
    FERN_CHECK(!owner || fern__greenlet_here(owner), -EXDEV);
    FERN_CHECK(!owner || owner->life != FERN__LIFE_DONE, -ESRCH);
    struct owner *o = owner ? malloc(sizeof *o) : NULL;
    FERN_CHECK(!owner || o, -ENOMEM);
    disown(t);
    if (o) {
        *o = (struct owner){.link.ended = owner_ended, .timer = t};
        fern__link_add(owner, &o->link);
        t->owner = o;
    }
    return 0;
}

fern_time
fern_timer_when(const fern_timer *timer)
{
    const struct user_timer *t = timer_of(timer);
    if (!t || !fern_timer_active(timer))
        return FERN_FOREVER;
    return FERN__TIME(
            fern__wheel_armed(&t->node) || t->call.pending ? t->node.deadline : INT64_MAX);
}

bool
fern_timer_active(const fern_timer *timer)
{
    const struct user_timer *t = timer_of(timer);
    return t && (fern__wheel_armed(&t->node) || t->call.pending || t->reserved_place);
}

/* ---- firing ---- */

static fern_greenlet *
greenlet_of(struct fern__wheel_node *node)
{
    return fern__container_of(node, fern_greenlet, timer);
}

static void
uncount(fern_greenlet *g)
{
    if (!(g->flags & FERN__DAEMON))
        fern__greenlet_hub(g)->wakers--;
}

static void
fire_sleep(fern_greenlet *g)
{
    uncount(g);
    if (fern__wait_claim(g))
        fern__wait_grant(g, 0);
}

static void
fire_start(struct fern__hub *hub, fern_greenlet *g)
{
    uncount(g);
    fern__ready_unrun(hub, g);
}

/* The greenlet's deadline or a scope's has passed. A greenlet that is not waiting any more only
 * has its scopes told: what completed has won. */
static void
fire_timeout(fern_greenlet *g, int64_t now)
{
    if (g->scopes)
        fern__scope_expire(g, now);
    if (fern__wait_claim(g))
        fern__wait_grant(g, -ETIME);
}

void
fern__timers_run(struct fern__hub *hub, int64_t now)
{
    struct fern__list late = {0};
    for (struct fern__wheel_node *node; (node = fern__wheel_pop(&hub->wheel, now));) {
        hub->stats.timers_fired++;
        switch (fern__wheel_kind(node)) {
        case FERN__TIMER_SLEEP:
            fire_sleep(greenlet_of(node));
            break;
        case FERN__TIMER_TIMEOUT:
            uncount(greenlet_of(node));
            fern__list_append(&late, &node->link);
            break;
        case FERN__TIMER_START:
            fire_start(hub, greenlet_of(node));
            break;
        case FERN__TIMER_USER:
            user_timer_fire(hub, fern__container_of(node, struct user_timer, node), now);
            break;
        default:
            fern__hub_trim(hub);
        }
    }
    for (struct fern__list *link; (link = fern__list_pop(&late));)
        fire_timeout(
                greenlet_of(fern__container_of(link, struct fern__wheel_node, link)), now);
}

void
fern__timers_drop(struct fern__hub *hub)
{
    for (struct fern__wheel_node *node; (node = fern__wheel_pop(&hub->wheel, INT64_MAX));) {
        if (fern__wheel_kind(node) != FERN__TIMER_USER)
            continue;
        struct user_timer *t = fern__container_of(node, struct user_timer, node);
        t->reserved_place = t->counted = false;
        t->call.pending = false;
        free(t->owner);
        t->owner = NULL;
    }
}
