/* SPDX-License-Identifier: MIT */
/*
 * Growing the ready queue's ring.
 */
#include "base/ring.h"

#include <errno.h>
#include <stdlib.h>

enum {
    FIRST_SLOTS = 64,
    SLOTS_PER_PAGE = 4096 / sizeof(void *),
};

/* Have the memory there now: neither a spawn nor a wake-up is to meet a page fault. */
static void
populate(void **slots, size_t count)
{
    for (size_t i = 0; i < count; i += SLOTS_PER_PAGE)
        *(void *volatile *)&slots[i] = NULL;
}

int
fern__ring_grow(struct fern__ring *ring, size_t needed)
{
    size_t slots = ring->slots ? fern__ring_room(ring) : FIRST_SLOTS;
    while (slots < needed)
        slots *= 2;
    if (slots > UINT32_MAX / 2)
        return -EOVERFLOW;
    if (ring->slots && slots == fern__ring_room(ring))
        return 0;
    void **bigger = calloc(slots, sizeof *bigger);
    if (!bigger)
        return -ENOMEM;
    populate(bigger, slots);
    for (uint32_t at = ring->head; at != ring->tail; at++)
        bigger[at & (slots - 1)] = ring->slots[at & ring->mask];
    free(ring->slots);
    ring->slots = bigger;
    ring->mask = (uint32_t)slots - 1;
    return 0;
}

void
fern__ring_fini(struct fern__ring *ring)
{
    free(ring->slots);
    *ring = (struct fern__ring){0};
}
