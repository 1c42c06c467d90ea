/* SPDX-License-Identifier: MIT */
/*
 * The loop face: running a hub until somebody says stop.
 *
 * There is no second scheduler: who runs the loop is a greenlet that waits to be told, and while
 * it waits its hub runs, as always. At most one does.
 */
#include "core/loop.h"

#include "core/call.h"
#include "core/sched.h"

static const struct fern__waitable waitable_stop = {.name = "the loop to stop"};

int
fern__loop_begin(struct fern__hub **ret_hub, fern_greenlet **ret_g, fern_time deadline)
{
    int r = fern__wait_enter(ret_hub, ret_g, deadline);
    if (r < 0)
        return r;
    struct fern__hub *hub = *ret_hub;
    FERN_CHECK(hub->current->interrupt != -EDEADLK, -EDEADLK);
    FERN_CHECK(!hub->runner, -EALREADY);
    if (!hub->stop_wanted)
        return 0;
    hub->stop_wanted = false;
    hub->runner = *ret_g;
    r = fern_hub_step();
    hub->runner = NULL;
    return r < 0 ? r : 1;
}

int
fern_loop_run(fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__loop_begin(&hub, &g, deadline);
    if (r)
        return r < 0 ? r : 0;
    if (deadline.ns == 0)
        return -EAGAIN;
    hub->runner = g;
    fern__wait_begin(g, &waitable_stop, hub);
    r = fern__park(hub, g, deadline);
    hub->runner = NULL;
    return r == -EINTR ? 0 : r;
}

int
fern_loop_run_until(fern_greenlet *g, fern_outcome *ret_outcome, fern_time deadline)
{
    FERN_CHECK(g, -EINVAL);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    struct fern__hub *hub;
    fern_greenlet *self;
    int r = fern__loop_begin(&hub, &self, deadline);
    if (r < 0)
        return r;
    if (r && !fern_ready(g))
        return -EINTR;
    hub->runner = self;
    r = fern_join(g, deadline);
    hub->runner = NULL;
    return r == 0 && ret_outcome ? fern_greenlet_outcome(g, ret_outcome) : r;
}

int
fern_loop_stop(void)
{
    struct fern__hub *hub = fern__hub_need();
    if (!hub)
        return fern__hub_error();
    if (!hub->runner)
        hub->stop_wanted = true;
    else if (fern__wait_claim(hub->runner))
        fern__wait_grant(hub->runner, -EINTR);
    return 0;
}

bool
fern_loop_running(void)
{
    struct fern__hub *hub = fern__self_hub();
    return hub && hub->runner;
}

int
fern_loop_close(fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, deadline);
    if (r < 0)
        return r;
    FERN_CHECK(g->interrupt != -EDEADLK, -EDEADLK);
    FERN_CHECK(!hub->runner, -EBUSY);
    FERN_CHECK(g->flags & FERN__ROOT, -EPERM);
    hub->stop_wanted = false;
    return fern__hub_end_greenlets(hub, deadline);
}

/* ---- a whole program ---- */

/* End everybody; nothing cuts that short. */
static int
end_all(struct fern__hub *hub)
{
    fern_scope shield = FERN_SCOPE_INIT;
    (void)fern_shield_start(&shield);
    int r = fern__hub_end_greenlets(hub, FERN_FOREVER);
    (void)fern_shield_stop(&shield);
    hub->stop_wanted = false; /* what the next run is told must come later */
    return r;
}

int
fern_run_at(fern_fn *fn, void *arg, const fern_site *site, fern_outcome *ret_outcome,
        fern_time deadline)
{
    FERN_CHECK(fn, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *self;
    int r = fern__wait_enter(&hub, &self, deadline);
    if (r < 0)
        return r;
    FERN_CHECK(self->interrupt != -EDEADLK, -EDEADLK);
    FERN_CHECK(!hub->runner, -EBUSY);
    FERN_CHECK(self->flags & FERN__ROOT, -EPERM);
    FERN_CHECK(deadline.ns, -EAGAIN);
    fern_greenlet *g = fern_spawn_at(fn, arg, NULL, site);
    if (!g)
        return -errno;
    fern_outcome outcome;
    hub->stop_wanted = false; /* nobody has told this run to stop */
    r = fern_loop_run_until(g, &outcome, deadline);
    int ended = end_all(hub);
    if (r == 0 && ret_outcome) {
        *ret_outcome = outcome;
        ret_outcome->message = NULL; /* it is the greenlet's */
    }
    fern_greenlet_unref(g);
    return r < 0 ? r : ended;
}

/* The function behind the macro: for languages without macros. */

int(fern_run)(fern_fn *fn, void *arg, fern_outcome *ret_outcome, fern_time deadline)
{
    return fern_run_at(fn, arg, NULL, ret_outcome, deadline);
}

/* ---- calls at a moment ---- */

int
fern_call_at(fern_timer *timer, fern_time when, fern_callback_fn *fn, void *arg)
{
    return fern_timer_start(timer, when, 0, fn, arg);
}

int
fern_call_later(fern_timer *timer, int64_t delay_ns, fern_callback_fn *fn, void *arg)
{
    return fern_timer_start(timer, fern_in(delay_ns), 0, fn, arg);
}
