/* SPDX-License-Identifier: MIT */
/*
 * Piles: results in their order, read while more are being made.
 *
 * Each task is an entry of the pile from its spawn until its result is read: in order of the
 * spawns it stands in `results` from its spawn on, else from its end on. `outstanding` counts
 * the entries and the spawns under way. Readers wait only while the first entry is not done, and
 * never when nothing is outstanding and nothing more will come.
 *
 * A pile that fills itself has a producer, a greenlet that reads the input and spawns, and that
 * waits while `outstanding` is at its bound: so memory is bounded. If its maker is a member of
 * the pool, the producer runs in the maker's slot what finds no slot of its own.
 *
 * References: the user's, the producer's, and one for each task that has not ended.
 */
#include "sync/pool.h"

#include <stdlib.h>
#include <string.h>

struct fern_pile {
    struct fern__sync sync; /* readers; an item is where to put the outcome */
    struct fern__list results;
    struct fern__list room; /* the producer, until a result is read */
    fern_pool *pool;
    size_t refs;
    size_t outstanding;
    size_t spawning; /* users in fern_pile_spawn() */
    size_t bound;
    uint32_t kills;          /* of the pool, when the producer began: one more stops it */
    fern_greenlet *producer; /* borrowed; NULL: there is none, or no more */
    fern_greenlet *last;     /* whose message the reader may still look at */
    fern_fn *fn;
    enum fern__pool_self self; /* what the producer does when the pool is full */
    bool filled;               /* by a producer */
    bool unordered;
    bool own_pool;
    bool freed;
    size_t width; /* inputs side by side; 0: one, whose items go to fn as they are */
    fern_input inputs[];
};

struct entry {
    struct fern__member member;
    struct fern__list node;
    struct fern_pile *pile;
    fern_greenlet *greenlet; /* referenced for its message; or NULL */
    fern_outcome outcome;
    bool done;
    void *items[];
};

static void
unref(struct fern_pile *pile)
{
    if (--pile->refs)
        return;
    if (--pile->pool->users == 0 && pile->own_pool)
        (void)fern_pool_free(pile->pool);
    free(pile);
}

/* ---- results ---- */

static struct entry *
first_done(const struct fern_pile *pile)
{
    if (fern__list_empty(&pile->results))
        return NULL;
    struct entry *entry = fern__container_of(pile->results.next, struct entry, node);
    return entry->done ? entry : NULL;
}

static void
entry_free(struct entry *entry)
{
    fern_greenlet_unref(entry->greenlet);
    free(entry);
}

static bool
at_end(const struct fern_pile *pile)
{
    return pile->outstanding == 0 && !pile->producer;
}

/* Take the first result, which is done. */
static void
deliver(struct fern_pile *pile, struct entry *entry, fern_outcome *ret_outcome)
{
    *ret_outcome = entry->outcome;
    fern__list_remove(&entry->node);
    fern_greenlet_unref(pile->last);
    pile->last = entry->greenlet;
    free(entry);
    pile->outstanding--;
    if (pile->outstanding < pile->bound)
        fern__sync_grant_all(&pile->room, 0);
}

/* Something has changed: serve the readers. */
static void
settle(struct fern_pile *pile)
{
    struct entry *entry;
    struct fern__cell *reader;
    while ((entry = first_done(pile)) && (reader = fern__sync_claim(&pile->sync.waiters))) {
        deliver(pile, entry, fern__wait_item(reader));
        fern__sync_grant(reader, 1);
    }
    if (at_end(pile))
        fern__sync_grant_all(&pile->sync.waiters, 0);
}

/* The outcome of an entry is known. */
static void
complete(struct entry *entry, const fern_outcome *outcome, fern_greenlet *g)
{
    struct fern_pile *pile = entry->pile;
    if (pile->freed) {
        free(entry);
        return;
    }
    entry->outcome = *outcome;
    entry->greenlet = outcome->message ? fern_greenlet_ref(g) : NULL;
    entry->done = true;
    if (pile->unordered)
        fern__list_append(&pile->results, &entry->node);
    settle(pile);
}

static void
entry_ended(struct fern__member *member, fern_greenlet *g)
{
    struct entry *entry = fern__container_of(member, struct entry, member);
    struct fern_pile *pile = entry->pile;
    fern_outcome outcome;
    (void)fern_greenlet_outcome(g, &outcome);
    complete(entry, &outcome, g);
    unref(pile);
}

/* Whoever works for the pile, and its producer. */
static void
pile_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct fern_pile *pile = cell->object;
    if (pile->producer)
        fern__owners_add(owners, pile->producer->id);
    FERN__LIST_FOREACH (node, &pile->pool->members) {
        struct fern__member *m = fern__container_of(node, struct fern__member, node);
        if (m->done == entry_ended &&
                fern__container_of(m, struct entry, member)->pile == pile)
            fern__owners_add(owners, m->greenlet->id);
    }
}

static const struct fern__waitable waitable_room = {.name = "reader of a pile"};

static struct entry *
entry_new(struct fern_pile *pile, void *const *items)
{
    struct entry *entry = calloc(1, sizeof *entry + pile->width * sizeof(void *));
    if (!entry)
        return NULL;
    entry->pile = pile;
    entry->member.done = entry_ended;
    if (pile->width)
        memcpy(entry->items, items, pile->width * sizeof(void *));
    return entry;
}

/* Run one in the pool, or itself. The entry is not the pile's if it fails. */
static int
run(struct entry *entry, fern_fn *fn, void *arg, const fern_site *site, int taken)
{
    struct fern_pile *pile = entry->pile;
    if (taken == 1) {
        FERN_SPAWN_OPTIONS(options);
        options.quiet = true;
        fern_greenlet *g = fern__pool_run_here(fn, arg, &options, site);
        if (!g)
            return -errno;
        fern_outcome outcome;
        (void)fern_greenlet_outcome(g, &outcome);
        if (!pile->unordered && !pile->freed)
            fern__list_append(&pile->results, &entry->node);
        complete(entry, &outcome, g);
        fern_greenlet_unref(g);
        return 0;
    }
    if (!pile->unordered)
        fern__list_append(&pile->results, &entry->node);
    pile->refs++;
    int r = fern__pool_launch(pile->pool, &entry->member, fn, arg, site);
    if (r < 0) {
        pile->refs--;
        if (!pile->unordered)
            fern__list_remove(&entry->node);
    }
    return r;
}

static bool
is_stopped(const struct fern_pile *pile)
{
    return pile->filled && pile->kills != pile->pool->kills;
}

/* Spawn one; what is outstanding is as before if that fails. */
static int
push(struct fern_pile *pile, fern_fn *fn, void *const *items, const fern_site *site,
        enum fern__pool_self self, fern_time deadline)
{
    struct entry *entry = entry_new(pile, items);
    if (!entry)
        return -ENOMEM;
    pile->outstanding++;
    int r = is_stopped(pile) ? -ECANCELED : fern__pool_take(pile->pool, self, deadline);
    if (r == 0 && is_stopped(pile)) {
        fern__pool_give(pile->pool);
        r = -ECANCELED;
    }
    if (r >= 0)
        r = run(entry, fn, pile->width ? (void *)entry->items : items[0], site, r);
    if (r < 0) {
        free(entry);
        pile->outstanding--;
        if (!pile->freed)
            settle(pile);
    }
    return r;
}

/* ---- the producer ---- */

/* The next item of each input. @return 1; 0 the shortest is at its end; a code it has failed */
static int
read_inputs(struct fern_pile *pile, void **items)
{
    size_t n = pile->width ? pile->width : 1;
    for (size_t i = 0; i < n; i++) {
        fern_input *input = &pile->inputs[i];
        if (input->next) {
            int r = input->next(input->state, &items[i]);
            if (r <= 0)
                return r;
        } else {
            if (!input->count)
                return 0;
            input->count--;
            items[i] = *input->items++;
        }
    }
    return 1;
}

static int
wait_for_room(struct fern_pile *pile)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, FERN_FOREVER);
    if (r < 0 || pile->outstanding < pile->bound)
        return r;
    fern__wait_begin(g, &waitable_room, pile);
    fern__wait_add(&pile->room, &g->cell);
    r = fern__park(hub, g, FERN_FOREVER);
    /* Freed after room was given: the input is the user's again. */
    return r == 0 && pile->freed ? -ECANCELED : r;
}

/* @return 0 the input is at its end; a code it ended early */
static int
produce(struct fern_pile *pile, void **items)
{
    for (;;) { /* until the input ends, the pool is killed or the pile is freed */
        int r = wait_for_room(pile);
        if (r == 0)
            r = read_inputs(pile, items);
        if (r <= 0)
            return r;
        r = push(pile, pile->fn, items, NULL, pile->self, FERN_FOREVER);
        if (r < 0)
            return r;
    }
}

/* The input has ended early: say why, as the last result. */
static void
add_failure(struct fern_pile *pile, int code)
{
    struct entry *entry = calloc(1, sizeof *entry);
    fern_outcome outcome = {.code = code, .cancelled = code == -ECANCELED};
    if (!entry)
        return;
    entry->pile = pile;
    pile->outstanding++;
    if (!pile->unordered)
        fern__list_append(&pile->results, &entry->node);
    complete(entry, &outcome, NULL);
}

static void *
run_producer(void *arg)
{
    struct fern_pile *pile = arg;
    void *one;
    void **items = pile->width ? calloc(pile->width, sizeof *items) : &one;
    int r = items ? produce(pile, items) : -ENOMEM;
    if (items != &one)
        free(items);
    if (r < 0 && !pile->freed)
        add_failure(pile, r);
    return NULL;
}

static void
producer_ended(void *arg)
{
    struct fern_pile *pile = arg;
    pile->producer = NULL;
    if (!pile->freed)
        settle(pile);
    unref(pile);
}

static void *
identity(void *item)
{
    return item;
}

static struct fern_pile *
pile_new(fern_pool *pool, size_t inputs)
{
    if (inputs > (SIZE_MAX - sizeof(struct fern_pile)) / sizeof(fern_input)) {
        errno = ENOMEM;
        return NULL;
    }
    struct fern_pile *pile = calloc(1, sizeof *pile + inputs * sizeof(fern_input));
    if (!pile)
        return NULL;
    pile->refs = 1;
    pile->pool = pool;
    pool->users++;
    return pile;
}

static int
start_producer(struct fern_pile *pile)
{
    FERN_SPAWN_OPTIONS(options);
    options.detached = true;
    options.free_arg = producer_ended;
    pile->refs++;
    pile->producer = fern_spawn_with(run_producer, pile, &options);
    if (pile->producer)
        return 0;
    int code = errno;
    pile->refs--;
    return -code;
}

static fern_pile *
fill(fern_pool *pool, fern_fn *fn, const fern_input *inputs, size_t width, int flags,
        size_t look_ahead)
{
    bool valid = inputs && !(flags & ~FERN_PILE_UNORDERED);
    size_t count = width ? width : 1;
    int r = valid ? fern__pool_bind(pool) : -EINVAL;
    struct fern_pile *pile = r == 0 ? pile_new(pool, count) : NULL;
    if (!pile) {
        errno = r < 0 ? -r : ENOMEM;
        return NULL;
    }
    bool inside = fern__pool_member(pool, fern__self_hub()->current);
    pile->fn = fn;
    pile->filled = true;
    pile->kills = pool->kills;
    pile->unordered = flags & FERN_PILE_UNORDERED;
    pile->self = inside ? FERN__POOL_LENT : FERN__POOL_NOBODY;
    pile->bound = look_ahead ? look_ahead : pool->size ? pool->size : 1;
    pile->width = width;
    memcpy(pile->inputs, inputs, count * sizeof *inputs);
    r = start_producer(pile);
    if (r < 0) {
        unref(pile);
        errno = -r;
        return NULL;
    }
    return pile;
}

fern_pile *
fern_pool_imap(
        fern_pool *pool, fern_fn *fn, const fern_input *input, int flags, size_t look_ahead)
{
    return fill(pool, fn ? fn : identity, input, 0, flags, look_ahead);
}

fern_pile *
fern_pool_starmap(fern_pool *pool, fern_fn *fn, const fern_input *inputs, size_t width,
        int flags, size_t look_ahead)
{
    if (!fn || !width) {
        errno = EINVAL;
        return NULL;
    }
    return fill(pool, fn, inputs, width, flags, look_ahead);
}

/* ---- piles ---- */

fern_pile *
fern_pile_new(fern_pool *pool, size_t size)
{
    fern_pool *own = pool ? NULL : fern_pool_new(size);
    int r = !pool && !own ? -errno : fern__pool_bind(pool ? pool : own);
    struct fern_pile *pile = r == 0 ? pile_new(pool ? pool : own, 0) : NULL;
    if (!pile) {
        (void)fern_pool_free(own);
        errno = r < 0 ? -r : ENOMEM;
        return NULL;
    }
    pile->own_pool = own != NULL;
    return pile;
}

int
fern_pile_free(fern_pile *pile)
{
    if (!pile)
        return 0;
    int r = fern__sync_check(&pile->pool->sync);
    if (r < 0)
        return r;
    FERN_CHECK(!fern__sync_awaited(&pile->sync) && !pile->spawning, -EBUSY);
    pile->freed = true;
    FERN__LIST_FOREACH_SAFE (node, after, &pile->results) {
        struct entry *entry = fern__container_of(node, struct entry, node);
        fern__list_remove(node);
        if (entry->done)
            entry_free(entry);
    }
    fern_greenlet_unref(pile->last);
    if (pile->producer)
        fern__greenlet_kill(pile->producer, 0);
    unref(pile);
    return 0;
}

int
fern_pile_spawn_at(
        fern_pile *pile, fern_fn *fn, void *arg, const fern_site *site, fern_time deadline)
{
    FERN_CHECK(pile && fn && !pile->filled, -EINVAL);
    void *items[] = {arg};
    pile->spawning++;
    int r = push(pile, fn, items, site, FERN__POOL_MEMBER, deadline);
    pile->spawning--;
    return r;
}

int(fern_pile_spawn)(fern_pile *pile, fern_fn *fn, void *arg, fern_time deadline)
{
    return fern_pile_spawn_at(pile, fn, arg, NULL, deadline);
}

int
fern_pile_next(fern_pile *pile, fern_outcome *ret_outcome, fern_time deadline)
{
    FERN_CHECK(pile && ret_outcome, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&pile->pool->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    struct entry *entry = first_done(pile);
    if (entry) {
        deliver(pile, entry, ret_outcome);
        return 1;
    }
    if (at_end(pile))
        return 0;
    if (deadline.ns == 0)
        return -EAGAIN;
    return fern__sync_wait(
            hub, g, &pile->sync, &fern__waitable_pile, ret_outcome, deadline);
}

/* ---- as an iterator and as a case ---- */

static int
pile_iterator_next(void *self, void *ret_item, fern_time deadline)
{
    fern_outcome dropped;
    return fern_pile_next(self, ret_item ? ret_item : &dropped, deadline);
}

static int
pile_iterator_close(void *self, fern_time deadline)
{
    (void)deadline;
    return fern_pile_free(self);
}

fern_iterator
fern_pile_iterator(fern_pile *pile)
{
    static const fern_iterator_ops ops = {
            .next = pile_iterator_next, .close = pile_iterator_close};
    return (fern_iterator){.ops = &ops, .self = pile, .item_size = sizeof(fern_outcome)};
}

/* Whether there is a result, or will be none. */
static int
pile_ready(struct fern__hub *hub, struct fern__choice *choice)
{
    struct fern_pile *pile = choice->object;
    int r = fern__sync_bind(&pile->pool->sync, hub);
    if (r < 0)
        return r;
    return first_done(pile) ? 1 : at_end(pile) ? 0 : -EAGAIN;
}

static int
pile_attempt(struct fern__hub *hub, struct fern__choice *choice)
{
    FERN_CHECK(choice->item, -EINVAL);
    int r = pile_ready(hub, choice);
    if (r == 1)
        deliver(choice->object, first_done(choice->object), choice->item);
    return r;
}

static int
pile_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    struct fern_pile *pile = choice->object;
    fern__sync_arm(choice, hub, &pile->sync.waiters);
    return 0;
}

const struct fern__waitable fern__waitable_pile = {.name = "result of a pile",
        .owners = pile_owners,
        .attempt = pile_attempt,
        .ready = pile_ready,
        .arm = pile_arm};
