/* SPDX-License-Identifier: MIT */
/*
 * The loop face: running a hub until somebody says stop.
 *
 * There is no second scheduler: who runs the loop is a greenlet that waits to be told, and while
 * it waits its hub runs, as always. At most one does.
 */
#include "core/call.h"
#include "core/hub.h"
#include "core/sched.h"
#include "core/wait.h"

static const struct fern__waitable waitable_stop = {.name = "the loop to stop"};

/* Begin to run. @return 0; 1 it has been stopped before; a negative code */
static int
begin(struct fern__hub **ret_hub, fern_greenlet **ret_g, fern_time deadline)
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
    int r = begin(&hub, &g, deadline);
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
    int r = begin(&hub, &self, deadline);
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
