/* SPDX-License-Identifier: MIT */
/*
 * Who holds what several may hold.
 */
#include "sync/holders.h"

/* ---- undoing what fern__holders_add() does ---- */

static uint64_t
id_of(uint64_t x)
{
    return (x ^ x >> 32) * UINT64_C(0xf1de83e19937733d);
}

uint64_t
fern__holders_only(fern__holders holders, const struct fern__hub *hub)
{
    uint64_t id = id_of(holders);
    return id > hub->id_first && id <= hub->id_last ? id : 0;
}

/* Whether all who wait hold one each, and nobody else does. */
static bool
are_waiters(fern__holders holders, const struct fern__list *waiters)
{
    FERN__LIST_FOREACH (node, waiters)
        fern__holders_add(
                &holders, fern__container_of(node, struct fern__cell, node)->greenlet, -1);
    return holders == 0 && !fern__list_empty(waiters);
}

void
fern__holders_tell(fern__holders holders, const struct fern__cell *cell,
        const struct fern__list *waiters, struct fern__owners *owners)
{
    const fern_greenlet *g = cell->greenlet;
    const struct fern__hub *hub = fern__greenlet_hub(g);
    uint64_t id = fern__holders_only(holders, hub);
    if (!id) {
        fern__holders others = holders;
        fern__holders_add(&others, g, -1);
        id = fern__holders_only(others, hub);
    }
    if (id) {
        fern__owners_add(owners, id);
    } else if (are_waiters(holders, waiters)) {
        FERN__LIST_FOREACH (node, waiters) {
            cell = fern__container_of(node, struct fern__cell, node);
            if (cell->greenlet != g)
                fern__owners_add(owners, cell->greenlet->id);
        }
    }
}
