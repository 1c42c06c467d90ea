/* SPDX-License-Identifier: MIT */
/*
 * Sets of values, each under a number.
 *
 * The entries stand in order of their numbers. A value that several sets have is counted, and
 * destroyed with its last entry.
 */
#include "core/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Over values that destroy functions set anew; POSIX allows as many. */
enum { ROUNDS_MAX = 4 };

/* The number of entries with smaller ids. */
static uint32_t
position(const struct fern__values *values, uint64_t id)
{
    uint32_t low = 0, high = values->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (values->entries[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct fern__entry *
fern__values_find(const struct fern__values *values, uint64_t id)
{
    if (!values)
        return NULL;
    uint32_t at = position(values, id);
    return at < values->count && values->entries[at].id == id ? &values->entries[at] : NULL;
}

static int
add(struct fern__values *values, struct fern__entry entry)
{
    if (values->count == values->room) {
        uint32_t room = values->room ? 2 * values->room : 4;
        struct fern__entry *entries = realloc(values->entries, room * sizeof *entries);
        if (!entries)
            return -ENOMEM;
        values->entries = entries;
        values->room = room;
    }
    uint32_t at = position(values, entry.id);
    struct fern__entry *place = &values->entries[at];
    memmove(place + 1, place, (values->count - at) * sizeof *place);
    *place = entry;
    values->count++;
    return 0;
}

/* Give up an entry's part in its value. */
static void
give_up(struct fern__entry entry)
{
    if (entry.shared && --*entry.shared)
        return;
    free(entry.shared);
    if (entry.destroy)
        entry.destroy(entry.value);
}

static void
remove_at(struct fern__values *values, uint32_t at)
{
    struct fern__entry entry = values->entries[at];
    struct fern__entry *place = &values->entries[at];
    memmove(place, place + 1, (--values->count - at) * sizeof *place);
    give_up(entry);
}

void
fern__values_remove(struct fern__values *values, struct fern__entry *entry)
{
    remove_at(values, (uint32_t)(entry - values->entries));
}

int
fern__values_put(struct fern__values *values, uint64_t id, void *value,
        fern_free_fn *destroy, bool passes)
{
    struct fern__entry entry = {.id = id, .value = value, .destroy = destroy};
    if (destroy && passes) {
        entry.shared = malloc(sizeof *entry.shared);
        if (!entry.shared)
            return -ENOMEM;
        *entry.shared = 1;
    }
    int r = add(values, entry);
    if (r < 0)
        free(entry.shared);
    return r;
}

int
fern__values_share(struct fern__values *values, const struct fern__entry *other)
{
    int r = add(values, *other);
    if (r == 0 && other->shared)
        ++*other->shared;
    return r;
}

int
fern__values_replace(struct fern__entry *entry, void *value)
{
    /* The new one takes the place before the old one is destroyed, which may look. */
    struct fern__entry old = *entry;
    if (old.shared && *old.shared > 1) {
        entry->shared = malloc(sizeof *entry->shared);
        if (!entry->shared) {
            entry->shared = old.shared;
            return -ENOMEM;
        }
        *entry->shared = 1;
        --*old.shared;
        entry->value = value;
        return 0;
    }
    entry->value = value;
    if (old.destroy)
        old.destroy(old.value);
    return 0;
}

void
fern__values_end(struct fern__values *values)
{
    for (int round = 0; round < ROUNDS_MAX && values->count; round++) {
        uint64_t below = UINT64_MAX;
        for (uint32_t at; (at = position(values, below)) > 0;) {
            below = values->entries[at - 1].id;
            remove_at(values, at - 1);
        }
    }
    free(values->entries);
    *values = (struct fern__values){0};
}

void
fern__values_drop(struct fern__values *values)
{
    for (uint32_t i = 0; i < values->count; i++) {
        size_t *shared = values->entries[i].shared;
        if (shared && --*shared == 0)
            free(shared);
    }
    free(values->entries);
}
