/* SPDX-License-Identifier: MIT */
/*
 * What reports say of who waits at a queue.
 *
 * Whose doing it waits for nobody can know: it may be anybody's. But who has put into a queue, or
 * got from it, the long way, which is the way of whoever was the first or has had to wait, is
 * known, and mostly does the same again.
 */
#include "sync/queue.h"

#include <stdio.h>

static void
describe(const struct fern__queue *q, const char *what, uint64_t id, char *text,
        size_t bytes)
{
    int n = snprintf(text, bytes, "%p, %zu there", (const void *)q, fern__queue_count(q));
    if (id && n > 0 && (size_t)n < bytes)
        snprintf(
                text + n, bytes - (size_t)n, ", %s by #%llu", what, (unsigned long long)id);
}

void
fern__queue_describe_putter(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct fern__queue *q = cell->object;
    describe(q, "got from before", q->getter_id, text, bytes);
}

void
fern__queue_describe_getter(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct fern__queue *q = cell->object;
    describe(q, "put into before", q->putter_id, text, bytes);
}

void
fern__queue_owners_putter(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct fern__queue *q = cell->object;
    fern__owners_presume(owners, q->getter_id);
}

void
fern__queue_owners_getter(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct fern__queue *q = cell->object;
    fern__owners_presume(owners, q->putter_id);
}
