/* SPDX-License-Identifier: MIT */
/*
 * Raw coroutines: greenlets that are switched to by name.
 *
 * One that waits in fern_raw_switch() is parked like any other, on a frame that takes the value
 * or the code; so kills and scopes reach it. One that waits for anything else becomes ready when
 * that comes, as any greenlet does. What a switch hands over goes past the ready queue.
 */
#include "core/raw.h"

#include "core/sched.h"
#include "core/scope.h"
#include "core/spawn.h"
#include "core/timer.h"
#include "core/wait.h"

static const struct fern__waitable waitable_raw = {.name = "raw switch"};

/* Where a switch delivers. */
struct frame {
    void *value;
};

static bool
waits_for_switch(const fern_greenlet *g)
{
    return g->life == FERN__LIFE_LIVE && fern__wait_is_open(g) &&
           g->waiting == &waitable_raw;
}

/* Give a greenlet that can be switched to a value or a code. @return its item: it must run next */
static uintptr_t
deliver(fern_greenlet *to, void *value, int code)
{
    if (to->life == FERN__LIFE_NEW) {
        to->arg = value;
        to->life = FERN__LIFE_SPAWNED;
        to->refs++;
        return fern__unrun(to);
    }
    struct frame *frame = to->cell.object;
    frame->value = value;
    to->result = code;
    (void)fern__wait_claim(to);
    return (uintptr_t)to;
}

static void
set_parent(fern_greenlet *g, fern_greenlet *parent)
{
    fern_greenlet *was = g->extra->raw_parent;
    g->extra->raw_parent = fern_greenlet_ref(parent);
    fern_greenlet_unref(was);
}

fern_greenlet *
fern_raw_new(fern_fn *fn, fern_greenlet *parent)
{
    struct fern__hub *hub = fn ? fern__hub_need() : NULL;
    if (!hub) {
        errno = fn ? errno : EINVAL;
        return NULL;
    }
    if (!parent)
        parent = hub->current;
    if (fern__greenlet_hub(parent) != hub || parent->life == FERN__LIFE_DONE) {
        errno = fern__greenlet_hub(parent) != hub ? EXDEV : EINVAL;
        return NULL;
    }
    fern_greenlet *g = fern__spawn_make(hub, fn, NULL);
    if (!g)
        return NULL;
    g->site = NULL;
    if (!fern__greenlet_extra(g)) {
        fern__greenlet_release(g);
        errno = ENOMEM;
        return NULL;
    }
    fern__greenlet_mark(g, FERN__RAW);
    set_parent(g, parent);
    return g;
}

/* End one that has not run as failed with this code. */
static void
end_unrun(fern_greenlet *g, int code)
{
    fern__greenlet_mark(g, FERN__FAILED | FERN__QUIET);
    g->fail_code = code;
    g->dirty |= FERN__DIRTY_REST;
    fern__greenlet_finish_unrun(g);
}

/* The nearest ancestor that has not ended, if it can be switched to; or NULL. A code does not
 * start one that has not run, but ends it and goes on to the next. */
static fern_greenlet *
heir(const fern_greenlet *g, int code)
{
    fern_greenlet *p = g->extra->raw_parent;
    for (; p; p = fern_raw_parent(p)) {
        bool unrun = p->life == FERN__LIFE_NEW && p->flags & FERN__RAW;
        if (unrun && code == 0)
            return p;
        if (unrun)
            end_unrun(p, code);
        else if (p->life != FERN__LIFE_DONE)
            return waits_for_switch(p) ? p : NULL;
    }
    return NULL;
}

void
fern__raw_finish(fern_greenlet *g, void *value)
{
    /* A failure goes on to the parent as its code; a kill ends here. */
    bool failed = g->flags & FERN__FAILED && !(g->flags & FERN__KILLED);
    int code = !failed ? 0 : g->fail_code < 0 ? g->fail_code : -g->fail_code;
    fern_greenlet *to = heir(g, code);
    if (to)
        fern__ready_first(fern__greenlet_hub(to), deliver(to, value, code));
}

static int
check(fern_greenlet *to)
{
    FERN_CHECK(to, -EINVAL);
    FERN_CHECK(fern__greenlet_here(to), -EXDEV);
    fern_greenlet *self = fern__greenlet_hub(to)->current;
    FERN_CHECK(to != self, -EINVAL);
    if (self->interrupt)
        return self->interrupt;
    FERN_CHECK(to->life != FERN__LIFE_DONE, -ESRCH);
    bool startable = to->life == FERN__LIFE_NEW && to->flags & FERN__RAW;
    FERN_CHECK(startable || waits_for_switch(to), -EBUSY);
    return 0;
}

/* Park the current greenlet until it is switched back to, and run `to` now. */
static int
hand_over(struct fern__hub *hub, uintptr_t to, void **ret_value)
{
    fern_greenlet *self = hub->current;
    struct frame frame = {0};
    fern__wait_begin(self, &waitable_raw, &frame);
    if (self->scopes)
        fern__timer_arm_park(self, INT64_MAX);
    fern__sched_next(hub, to);
    fern__sched_leave(hub, self);
    if (fern__wheel_armed(&self->timer) && !self->scopes)
        fern__timer_disarm(self);
    if (ret_value && self->result >= 0)
        *ret_value = frame.value;
    return self->result;
}

int
fern_raw_switch(fern_greenlet *to, void *value, void **ret_value)
{
    int r = check(to);
    if (r < 0)
        return r;
    return hand_over(fern__greenlet_hub(to), deliver(to, value, 0), ret_value);
}

int
fern_raw_throw(fern_greenlet *to, int code, void **ret_value)
{
    FERN_CHECK(code < 0, -EINVAL);
    int r = check(to);
    if (r < 0)
        return r;
    struct fern__hub *hub = fern__greenlet_hub(to);
    if (to->life == FERN__LIFE_LIVE)
        return hand_over(hub, deliver(to, NULL, code), ret_value);
    /* It ends without having run, and the code goes to its parent: to the caller itself, or to
     * somebody who runs on now. */
    fern_greenlet *parent = heir(to, code);
    end_unrun(to, code);
    if (!parent)
        return code;
    return hand_over(hub, deliver(parent, NULL, code), ret_value);
}

fern_greenlet *
fern_raw_parent(const fern_greenlet *g)
{
    return g && g->flags & FERN__RAW && g->extra ? g->extra->raw_parent : NULL;
}

int
fern_raw_set_parent(fern_greenlet *g, fern_greenlet *parent)
{
    FERN_CHECK(g && parent && g->flags & FERN__RAW, -EINVAL);
    FERN_CHECK(fern__greenlet_here(g) && fern__greenlet_here(parent), -EXDEV);
    FERN_CHECK(g->life != FERN__LIFE_DONE && parent->life != FERN__LIFE_DONE, -ESRCH);
    for (const fern_greenlet *p = parent; p; p = fern_raw_parent(p))
        FERN_CHECK(p != g, -EINVAL);
    set_parent(g, parent);
    return 0;
}
