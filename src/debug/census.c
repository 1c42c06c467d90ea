/* SPDX-License-Identifier: MIT */
/*
 * Who lives, by id. It is right as long as nobody runs.
 */
#include "debug/census.h"

#include <errno.h>
#include <stdlib.h>

static bool
note(fern_greenlet *g, void *arg)
{
    struct fern__census *c = arg;
    if (g->life != FERN__LIFE_DONE)
        c->all[c->n++] = (struct fern__resident){g->id, g};
    return true;
}

static int
by_id(const void *a, const void *b)
{
    uint64_t x = ((const struct fern__resident *)a)->id;
    uint64_t y = ((const struct fern__resident *)b)->id;
    return x < y ? -1 : x > y;
}

int
fern__census_take(struct fern__census *census, struct fern__hub *hub)
{
    *census = (struct fern__census){.all = malloc(hub->blocks * sizeof *census->all)};
    if (!census->all)
        return -ENOMEM;
    fern__greenlet_each(hub, note, census);
    qsort(census->all, census->n, sizeof *census->all, by_id);
    return 0;
}

size_t
fern__census_find(const struct fern__census *census, uint64_t id)
{
    struct fern__resident wanted = {.id = id};
    const struct fern__resident *found =
            census->n ? bsearch(&wanted, census->all, census->n, sizeof wanted, by_id)
                      : NULL;
    return found ? (size_t)(found - census->all) : census->n;
}

void
fern__census_fini(struct fern__census *census)
{
    free(census->all);
    *census = (struct fern__census){0};
}
