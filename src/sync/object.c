/* SPDX-License-Identifier: MIT */
/*
 * Waiters of an object: claiming, granting, being one of several.
 */
#include "sync/object.h"

#include "core/registry.h"

void
fern__sync_tell(struct fern__list *waiters)
{
    FERN__LIST_FOREACH_SAFE (node, after, waiters) {
        struct fern__cell *cell = fern__container_of(node, struct fern__cell, node);
        if (cell->greenlet)
            continue;
        fern__wait_remove(cell);
        fern__watcher_of(cell)->tell(fern__watcher_of(cell));
    }
}

struct fern__cell *
fern__sync_claim_slow(struct fern__list *waiters)
{
    FERN__LIST_FOREACH_SAFE (node, after, waiters) {
        struct fern__cell *cell = fern__container_of(node, struct fern__cell, node);
        if (fern__unlikely(!cell->greenlet))
            continue;
        fern__wait_remove(cell);
        if (fern__wait_claim(cell->greenlet))
            return cell;
    }
    return NULL;
}

size_t
fern__sync_count(const struct fern__list *waiters)
{
    size_t n = 0;
    FERN__LIST_FOREACH (node, waiters) {
        const fern_greenlet *g =
                fern__container_of(node, struct fern__cell, node)->greenlet;
        n += g && fern__wait_is_open(g);
    }
    return n;
}

size_t
fern__sync_grant_all(struct fern__list *waiters, int result)
{
    size_t n = 0;
    for (struct fern__cell *cell; (cell = fern__sync_claim(waiters)); n++)
        fern__sync_grant(cell, result);
    return n;
}

int
fern__sync_may_end(const struct fern__sync *sync)
{
    int r = fern__sync_check(sync);
    if (r < 0 && fern__registry_has(fern__sync_home(sync)))
        return r;
    return fern__sync_awaited(sync) ? -EBUSY : 0;
}

bool
fern__sync_lives(uint64_t id)
{
    struct fern__hub *hub = fern__self_hub();
    const fern_greenlet *g = id && hub ? fern__greenlet_find(hub, id) : NULL;
    return g && g->life != FERN__LIFE_DONE;
}

void
fern__sync_arm(
        struct fern__choice *choice, struct fern__hub *hub, struct fern__list *waiters)
{
    choice->watch.cell.greenlet = hub->current;
    choice->watch.cell.object = choice->object;
    fern__wait_add(waiters, &choice->watch.cell);
}
