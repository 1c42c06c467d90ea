/* SPDX-License-Identifier: MIT */
/*
 * Who lives, by id. It is right as long as nobody runs. A signal handler takes one, too: so neither
 * malloc is called, nor qsort, which calls it.
 */
#include "debug/census.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

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

/* Let the one at `top` sink to its place in a heap whose largest is the first. */
static void
sink(struct fern__resident *heap, size_t n, size_t top)
{
    struct fern__resident sinking = heap[top];
    for (size_t child; (child = 2 * top + 1) < n; top = child) {
        if (child + 1 < n && by_id(&heap[child], &heap[child + 1]) < 0)
            child++;
        if (by_id(&heap[child], &sinking) <= 0)
            break;
        heap[top] = heap[child];
    }
    heap[top] = sinking;
}

/* Heapsort: Williams, Algorithm 232, CACM 7(6), 1964. */
static void
sort(struct fern__resident *all, size_t n)
{
    for (size_t top = n / 2; top-- > 0;)
        sink(all, n, top);
    while (n-- > 1) {
        struct fern__resident largest = all[0];
        all[0] = all[n];
        all[n] = largest;
        sink(all, n, 0);
    }
}

int
fern__census_take(struct fern__census *census, struct fern__hub *hub)
{
    size_t bytes = hub->blocks * sizeof *census->all;
    void *all =
            mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return -ENOMEM;
    *census = (struct fern__census){.all = all, .bytes = bytes};
    fern__greenlet_each(hub, note, census);
    sort(census->all, census->n);
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
    if (census->all)
        munmap(census->all, census->bytes);
    *census = (struct fern__census){0};
}
