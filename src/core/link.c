/* SPDX-License-Identifier: MIT */
/*
 * Links: functions called when a greenlet has ended.
 *
 * They outlive the frames that made them, so they are heap nodes; they run as callbacks, or as
 * greenlets of their own. Place and greenlet are reserved when the link is made: the end of a
 * greenlet cannot fail.
 */
#include "core/link.h"

#include "core/call.h"
#include "core/spawn.h"
#include "core/wait.h"

#include <stdlib.h>

struct user_link {
    struct fern__link link;
    struct fern__call call;
    fern_link_fn *fn;
    void *arg;
    int flags;
    fern_greenlet *source; /* referenced once it has ended */
    fern_greenlet *runner; /* of FERN_LINK_SPAWN */
};

void
fern__link_add(fern_greenlet *g, struct fern__link *link)
{
    link->cell.greenlet = NULL;
    fern__link_mark(g);
    fern__wait_add(&g->ended, &link->cell);
}

void
fern__link_serve(fern_greenlet *g)
{
    for (struct fern__cell *cell; (cell = fern__wait_first(&g->ended));) {
        if (cell->greenlet) {
            fern__wake(cell, 0);
            continue;
        }
        fern__wait_remove(cell);
        struct fern__link *link = fern__container_of(cell, struct fern__link, cell);
        link->ended(link, g);
    }
}

/* ---- as a choice ---- */

static int
end_attempt(struct fern__hub *hub, struct fern__choice *choice)
{
    const fern_greenlet *g = choice->object;
    if (fern__greenlet_hub(g) != hub)
        return -EXDEV;
    return g->life == FERN__LIFE_DONE ? 0 : -EAGAIN;
}

static int
end_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    fern_greenlet *g = choice->object;
    if (g == hub->current)
        return 0; /* it does not end while it waits */
    choice->watch.cell.greenlet = hub->current;
    choice->watch.cell.object = g;
    fern__link_mark(g);
    fern__wait_add(&g->ended, &choice->watch.cell);
    return 0;
}

void
fern__end_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const fern_greenlet *g = cell->object;
    fern__owners_add(owners, g->id);
}

const struct fern__waitable fern__waitable_end = {.name = "end",
        .owners = fern__end_owners,
        .attempt = end_attempt,
        .ready = end_attempt,
        .arm = end_arm};

/* ---- links of the user's ---- */

static bool
wants(const struct user_link *link, const fern_greenlet *g)
{
    int outcomes = link->flags & (FERN_LINK_SUCCESS | FERN_LINK_FAILURE);
    int outcome = fern_successful(g) ? FERN_LINK_SUCCESS : FERN_LINK_FAILURE;
    return !outcomes || outcomes & outcome;
}

static void
run(void *arg)
{
    struct user_link *link = arg;
    link->fn(link->source, link->arg);
    fern_greenlet_unref(link->source);
    free(link);
}

static void *
run_greenlet(void *arg)
{
    struct user_link *link = arg;
    link->fn(link->source, link->arg);
    return NULL;
}

/* The runner has ended, on whichever way, or never ran. */
static void
runner_done(void *arg)
{
    struct user_link *link = arg;
    fern_greenlet_unref(link->source);
    free(link);
}

/* Give back what was reserved for a link that is not going to be served. */
static void
discard(struct fern__hub *hub, struct user_link *link)
{
    if (link->runner)
        fern__greenlet_release(link->runner);
    else
        hub->calls--;
    free(link);
}

static void
user_link_ended(struct fern__link *base, fern_greenlet *g)
{
    struct user_link *link = fern__container_of(base, struct user_link, link);
    bool stopped = link->runner && link->runner->life == FERN__LIFE_DONE;
    if (stopped || !wants(link, g)) {
        discard(fern__greenlet_hub(g), link);
        return;
    }
    link->source = fern_greenlet_ref(g);
    if (!link->runner) {
        link->call =
                (struct fern__call){.fn = run, .arg = link, .hub = fern__greenlet_hub(g)};
        fern__call_push(fern__greenlet_hub(g), &link->call);
        return;
    }
    fern_greenlet *runner = link->runner;
    link->runner = NULL;
    runner->extra->free_arg = runner_done;
    runner->extra->free_what = link;
    fern_start(runner);
    fern_greenlet_unref(runner);
}

static int
reserve(struct fern__hub *hub, struct user_link *link)
{
    if (!(link->flags & FERN_LINK_SPAWN))
        return fern__call_reserve(hub);
    fern_greenlet *runner = fern__spawn_make(hub, run_greenlet, link);
    if (!runner)
        return -ENOMEM;
    runner->site = NULL;
    if (!fern__greenlet_extra(runner)) {
        fern__greenlet_release(runner);
        return -ENOMEM;
    }
    link->runner = runner;
    return 0;
}

int
fern_link(fern_greenlet *g, fern_link_fn *fn, void *arg, int flags)
{
    int known = FERN_LINK_SUCCESS | FERN_LINK_FAILURE | FERN_LINK_SPAWN;
    FERN_CHECK(g && fn && !(flags & ~known), -EINVAL);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    struct user_link *link = calloc(1, sizeof *link);
    if (!link)
        return -ENOMEM;
    link->link.ended = user_link_ended;
    link->fn = fn;
    link->arg = arg;
    link->flags = flags;
    int r = reserve(fern__greenlet_hub(g), link);
    if (r < 0) {
        free(link);
        return r;
    }
    if (g->life == FERN__LIFE_DONE)
        user_link_ended(&link->link, g);
    else
        fern__link_add(g, &link->link);
    return 0;
}

static struct user_link *
user_link_of(struct fern__list *node)
{
    struct fern__cell *cell = fern__container_of(node, struct fern__cell, node);
    if (cell->greenlet)
        return NULL;
    struct fern__link *link = fern__container_of(cell, struct fern__link, cell);
    if (link->ended != user_link_ended)
        return NULL;
    return fern__container_of(link, struct user_link, link);
}

int
fern_unlink(fern_greenlet *g, fern_link_fn *fn, void *arg)
{
    FERN_CHECK(g, -EINVAL);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    if (!(g->flags & FERN__LINKED))
        return -ESRCH;
    FERN__LIST_FOREACH (node, &g->ended) {
        struct user_link *link = user_link_of(node);
        if (link && link->fn == fn && link->arg == arg) {
            fern__list_remove(node);
            discard(fern__greenlet_hub(g), link);
            return 0;
        }
    }
    return -ESRCH;
}

int
fern_unlink_all(fern_greenlet *g)
{
    FERN_CHECK(g, -EINVAL);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    if (!(g->flags & FERN__LINKED))
        return 0;
    int removed = 0;
    FERN__LIST_FOREACH_SAFE (node, after, &g->ended) {
        struct user_link *link = user_link_of(node);
        if (!link)
            continue;
        fern__list_remove(node);
        discard(fern__greenlet_hub(g), link);
        removed++;
    }
    return removed;
}
