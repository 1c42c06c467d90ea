/* SPDX-License-Identifier: MIT */
/*
 * Single flight: who asks for the same key at the same time shares what one of them makes.
 *
 * Each call has a record in its frame. That of a leader stands in a trie under its key's hash, two
 * bits a storey, and has the queue of those who follow it; so nothing is allocated. If the leader
 * fails for reasons of its own, the first follower's record takes the place of its own, and the
 * queue goes with it; that one is granted YOUR_TURN.
 */
#include "base/hash.h"
#include "sync/object.h"

#include <fern/barrier.h>
#include <stdio.h>
#include <string.h>

enum { YOUR_TURN = 1 };

struct caller;

struct flight {
    struct fern__sync sync; /* its queue is not used: each leader has one */
    struct caller *root;
    size_t leaders;
    uint64_t reserved[3];
};

_Static_assert(sizeof(struct flight) == sizeof(fern_flight), "one is the other");

struct caller {
    struct caller *children[4];
    struct flight *flight;
    const char *key;
    uint64_t hash;
    uint64_t leader_id; /* whose frame this is */
    struct fern__list followers;
    fern_flight_result *result;
    bool known; /* it stands in the trie */
    bool over;
};

static struct flight *
flight_of(fern_flight *flight)
{
    return (struct flight *)(void *)flight;
}

static void
flight_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct caller *leader = cell->object;
    fern__owners_add(owners, leader->leader_id);
}

static void
flight_describe(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct caller *leader = cell->object;
    snprintf(text, bytes, "\"%s\", #%llu is at it", leader->key,
            (unsigned long long)leader->leader_id);
}

static const struct fern__waitable waitable_flight = {
        .name = "single flight", .describe = flight_describe, .owners = flight_owners};

/* ---- the trie ---- */

/* Where the leader of a key stands, or would. */
static struct caller **
place_of(struct flight *f, const char *key, uint64_t hash)
{
    struct caller **place = &f->root;
    for (uint64_t h = hash; *place; h <<= 2) {
        if ((*place)->hash == hash && strcmp((*place)->key, key) == 0)
            break;
        place = &(*place)->children[h >> 62];
    }
    return place;
}

static void
enter_trie(struct caller *c)
{
    *place_of(c->flight, c->key, c->hash) = c;
    c->known = true;
}

static struct caller **
any_child(struct caller *c)
{
    for (int i = 0; i < 4; i++) {
        if (c->children[i])
            return &c->children[i];
    }
    return NULL;
}

/* Any leaf below may stand where it stood. */
static void
leave_trie(struct caller *c)
{
    if (!c->known)
        return;
    struct caller **place = place_of(c->flight, c->key, c->hash), **below = place, **next;
    while ((next = any_child(*below)))
        below = next;
    struct caller *leaf = *below;
    *below = NULL;
    if (leaf != c) {
        memcpy(leaf->children, c->children, sizeof leaf->children);
        *place = leaf;
    }
    c->known = false;
}

/* ---- leading ---- */

/* Let the first who follows lead, in the same place. */
static void
hand_over(void *arg)
{
    struct caller *c = arg;
    if (c->over)
        return;
    struct fern__cell *cell = fern__sync_claim(&c->followers);
    bool known = c->known;
    leave_trie(c);
    c->over = true;
    if (!cell) {
        c->flight->leaders--;
        return;
    }
    struct caller *next = fern__wait_item(cell);
    next->leader_id = cell->greenlet->id;
    for (struct fern__list *node; (node = fern__list_pop(&c->followers));) {
        fern__container_of(node, struct fern__cell, node)->object = next;
        fern__list_append(&next->followers, node);
    }
    if (known)
        enter_trie(next);
    fern__sync_grant(cell, YOUR_TURN);
}

static void
share(struct caller *c, int code, void *value)
{
    fern_flight_result result = {.code = code, .value = code ? NULL : value};
    size_t others = 0;
    leave_trie(c);
    c->flight->leaders--;
    c->over = true;
    for (struct fern__cell *cell; (cell = fern__sync_claim(&c->followers)); others++) {
        *((struct caller *)fern__wait_item(cell))->result = result;
        fern__sync_grant(cell, 0);
    }
    result.led = true;
    result.others = others;
    *c->result = result;
}

static int
lead(struct fern__hub *hub, struct caller *c, fern_flight_fn *fn, void *arg)
{
    void *value = NULL;
    FERN_AUTO(hand_over, c); /* for fern_exit() */
    int code = fn(arg, &value);
    int interrupt = code ? hub->current->interrupt : 0;
    if (interrupt == -ECANCELED || interrupt == -ETIME)
        return interrupt;
    share(c, code, value);
    return 0;
}

int
fern_flight_do(fern_flight *flight, const char *key, fern_flight_fn *fn, void *arg,
        fern_flight_result *ret_result, fern_time deadline)
{
    FERN_CHECK(flight && key && fn && ret_result, -EINVAL);
    struct flight *f = flight_of(flight);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&f->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    struct caller own = {.flight = f,
            .key = key,
            .hash = fern__hash_text(key),
            .leader_id = g->id,
            .result = ret_result};
    struct caller *leader = *place_of(f, key, own.hash);
    if (!leader) {
        f->leaders++;
        enter_trie(&own);
        return lead(hub, &own, fn, arg);
    }
    FERN_CHECK(leader->leader_id != g->id, -EDEADLK);
    if (deadline.ns == 0)
        return -EAGAIN;
    fern__wait_begin(g, &waitable_flight, leader);
    g->item = &own;
    fern__wait_add(&leader->followers, &g->cell);
    r = fern__park(hub, g, deadline);
    return r == YOUR_TURN ? lead(hub, &own, fn, arg) : r;
}

int
fern_flight_forget(fern_flight *flight, const char *key)
{
    FERN_CHECK(flight && key, -EINVAL);
    struct flight *f = flight_of(flight);
    int r = fern__sync_check(&f->sync);
    if (r < 0)
        return r;
    struct caller *leader = *place_of(f, key, fern__hash_text(key));
    if (!leader)
        return 0;
    leave_trie(leader);
    return 1;
}

int
fern_flight_fini(fern_flight *flight)
{
    FERN_CHECK(flight, -EINVAL);
    struct flight *f = flight_of(flight);
    int r = fern__sync_may_end(&f->sync);
    if (r < 0)
        return r;
    FERN_CHECK(!f->leaders, -EBUSY);
    *f = (struct flight){0};
    return 0;
}
