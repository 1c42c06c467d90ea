/* SPDX-License-Identifier: MIT */
/*
 * The shared library behind calls.c.
 */
#include "calls.h"

#include <string.h>

struct ring {
    size_t head, tail;
    uint64_t slots[128];
};

int
calls_first(void *object, int64_t deadline)
{
    return (int)deadline & !object;
}

int
calls_second(void *object)
{
    return !object;
}

int
calls_put(void *ring, const void *item, int64_t deadline)
{
    struct ring *r = ring;
    memcpy(&r->slots[r->tail++ % 128], item, sizeof(uint64_t));
    return (int)deadline;
}

int
calls_get(void *ring, void *ret_item, int64_t deadline)
{
    struct ring *r = ring;
    memcpy(ret_item, &r->slots[r->head++ % 128], sizeof(uint64_t));
    return (int)deadline;
}
