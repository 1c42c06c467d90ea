/* SPDX-License-Identifier: MIT */
/*
 * What core has to tell people.
 */
#include "core/report.h"

static bool
tell(fern_greenlet *g, void *arg)
{
    (void)arg;
    char label[160], what[80] = "";
    if (g->life == FERN__LIFE_DONE)
        return true;
    fern__greenlet_label(g, label, sizeof label);
    if (fern__wait_is_open(g) && g->waiting->describe)
        g->waiting->describe(&g->cell, what, sizeof what);
    fern__report(
            "  %s: %s %s", label, fern__wait_is_open(g) ? g->waiting->name : "runs", what);
    return true;
}

void
fern__report_attach(struct fern__hub *hub)
{
    (void)hub;
}

void
fern__report_wanted(struct fern__hub *hub)
{
    (void)hub;
}

void
fern__report_deadlock(struct fern__hub *hub)
{
    fern__report("nothing can ever wake main; everybody waits:");
    fern__greenlet_each(hub, tell, NULL);
}

void
fern__report_left(struct fern__hub *hub)
{
    fern__report("a thread has ended, and these of its greenlets would not:");
    fern__greenlet_each(hub, tell, NULL);
}
