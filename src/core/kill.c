/* SPDX-License-Identifier: MIT */
/*
 * Killing: a flag and, if the greenlet waits, a wake-up. Nothing unwinds.
 */
#include "core/greenlet.h"
#include "core/hub.h"
#include "core/wait.h"

void
fern__greenlet_kill(fern_greenlet *g, int code)
{
    if (g->life == FERN__LIFE_DONE || g->flags & FERN__CALLER)
        return;
    g->dirty |= FERN__DIRTY_REST;
    if (!g->kills++) {
        fern__greenlet_mark(g, FERN__KILLED);
        g->kill_code = code ? code : -ECANCELED;
    }
    if (g->life != FERN__LIFE_LIVE) {
        fern__greenlet_finish_unrun(g);
        return;
    }
    fern__greenlet_set_interrupt(g);
    if (g->interrupt && fern__wait_claim(g))
        fern__wait_grant(g, g->interrupt);
}

static int
check(const fern_greenlet *g)
{
    FERN_CHECK(g && !(g->flags & FERN__CALLER), -EINVAL);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    return 0;
}

int
fern_kill(fern_greenlet *g, int code, fern_time deadline)
{
    int r = check(g);
    if (r < 0)
        return r;
    fern_greenlet *self = fern__greenlet_hub(g)->current;
    fern__greenlet_kill(g, code);
    if (g == self)
        return -ECANCELED;
    return fern_join(g, deadline);
}

int
fern_kill_all(fern_greenlet *const *gs, size_t n, int code, fern_time deadline)
{
    FERN_CHECK(gs || n == 0, -EINVAL);
    for (size_t i = 0; i < n; i++) {
        int r = check(gs[i]);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < n; i++) {
        if (gs[i]->life != FERN__LIFE_LIVE)
            fern__greenlet_kill(gs[i], code);
    }
    for (size_t i = 0; i < n; i++)
        fern__greenlet_kill(gs[i], code);
    return fern_join_all(gs, n, deadline);
}

int
fern_kill_id(uint64_t id, int code)
{
    struct fern__hub *hub = fern__self_hub();
    fern_greenlet *g = hub ? fern__greenlet_find(hub, id) : NULL;
    FERN_CHECK(g && g->life != FERN__LIFE_DONE && !(g->flags & FERN__CALLER), -ESRCH);
    fern__greenlet_kill(g, code);
    return 0;
}

int
fern_cancel_start(fern_greenlet *g)
{
    int r = check(g);
    if (r < 0)
        return r;
    if (g->life != FERN__LIFE_NEW && g->life != FERN__LIFE_SPAWNED)
        return 0;
    fern__greenlet_kill(g, 0);
    return 1;
}
