/* SPDX-License-Identifier: MIT */
/*
 * Growing the ready queue's ring.
 */
#include "base/ring.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

int
fern__ring_grow(struct fern__ring *ring)
{
    size_t slots = ring->slots ? 2 * ((size_t)ring->mask + 1) : FIRST_SLOTS;
    if (slots > UINT32_MAX / 2)
        return -EOVERFLOW;
    void **bigger = malloc(slots * sizeof *bigger);
    if (!bigger)
        return -ENOMEM;
    for (uint32_t at = ring->head; at != ring->tail; at++)
        bigger[at & (slots - 1)] = ring->slots[at & ring->mask];
    free(ring->slots);
    ring->slots = bigger;
    ring->mask = (uint32_t)slots - 1;
    ring->reserved++;
    return 0;
}

void
fern__ring_fini(struct fern__ring *ring)
{
    free(ring->slots);
    *ring = (struct fern__ring){0};
}
