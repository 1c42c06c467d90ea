/* SPDX-License-Identifier: MIT */
/*
 * Pools and groups: members that are let in one by one, and functions mapped over many things.
 */
#include <errno.h>
#include <stdlib.h>

#include "things.h"

/* What a way waits for. */
enum { SLOT, FREE, EMPTY, ALL_GONE, NEXT };

struct pool {
    struct thing *thing;
    fern_pool *pool;
    size_t size;
    size_t most;     /* that may run; more than its size after that has shrunk */
    size_t inside;   /* members that run */
    uint64_t killed; /* when its members were killed */
    const fern_greenlet *spawner; /* a member that spawns */
};

/* An item that goes through an imap. */
struct mapped {
    struct pool *pool;
    int32_t number;
};

static struct pool *
pool_of(const struct thing *t)
{
    return t->own;
}

static void
pool_begin(struct thing *t)
{
    struct pool *p = t->own = calloc(1, sizeof *p);
    MUST(p, "no memory");
    p->thing = t;
    p->size = p->most = chance(20) ? FERN_POOL_UNLIMITED : draw(4);
    p->pool = p->size == FERN_POOL_UNLIMITED ? fern_group_new() : fern_pool_new(p->size);
    MUST(p->pool, "no pool");
}

/* ---- members ---- */

static void
come_inside(struct pool *p)
{
    p->inside++;
    MUST(p->inside <= p->most, "%zu run in pool %d of %zu", p->inside, p->thing->number,
            p->size);
}

static void
member_leaves(void *pool)
{
    ((struct pool *)pool)->inside--;
}

static void
member_rests(void)
{
    for (unsigned rests = draw(3); rests; rests--)
        if (fern_sleep((int64_t)draw(4) * 500 * FERN_US) < 0)
            return;
}

/* One that its own pool has no room for runs on its spawner's stack, in its spawner's slot. */
static void *
nested_main(void *pool)
{
    struct pool *p = pool;
    if (p->spawner == fern_self()) {
        p->spawner = NULL;
        member_rests();
        return NULL;
    }
    come_inside(p);
    member_rests();
    member_leaves(p);
    return NULL;
}

static void *
member_main(void *pool)
{
    struct pool *p = pool;
    come_inside(p);
    FERN_AUTO(member_leaves, p);
    member_rests();
    if (chance(15)) {
        p->spawner = fern_self();
        int r = fern_pool_go(p->pool, nested_main, p, FERN_FOREVER);
        MUST(r == 0 || r == -ECANCELED, "a member spawns in its pool: %d", r);
        p->spawner = NULL;
    }
    if (chance(20))
        fern_exit(NULL);
    return NULL;
}

/* ---- spawning ---- */

static void
pool_spawn(struct user *u, struct thing *t)
{
    struct pool *p = pool_of(t);
    fern_time deadline = pick_deadline();
    open_begin(u, t, &t->line[SLOT], deadline);
    u->way[0].what = SLOT;
    int r = fern_pool_go(p->pool, member_main, p, deadline);
    if (open_end(u, r))
        MUST(r == 0, "a spawn in pool %d gave %d", t->number, r);
}

/* Whoever has waited for a slot all the while was there when nobody should have been. */
static void
check_all_gone(const struct thing *t, uint64_t since)
{
    const struct line *line = &t->line[SLOT];
    for (int i = 0; i < line->count; i++) {
        const struct user *other = line->way[i]->user;
        bool waits = fern_greenlet_state(other->g) == FERN_STATE_PARKED && other->won < 0;
        MUST(!waits || line->way[i]->arrival > since, "user %d waits for a slot of pool %d",
                other->number, t->number);
    }
}

static void
pool_waits(struct user *u, struct thing *t)
{
    struct pool *p = pool_of(t);
    uint64_t since = model.clock;
    fern_time deadline = pick_deadline();
    int what = FREE + (int)draw(3);
    open_begin(u, t, NULL, deadline);
    u->way[0].what = what;
    int r = what == FREE    ? fern_pool_wait_available(p->pool, deadline)
            : what == EMPTY ? fern_pool_join(p->pool, deadline)
                            : fern_pool_wait_all(p->pool, deadline);
    if (!open_end(u, r))
        return;
    MUST(what == FREE ? r > 0 : r == 0, "waiting for pool %d gave %d", t->number, r);
    if (what == ALL_GONE)
        check_all_gone(t, since);
}

/* ---- mapping ---- */

static void *
map_main(void *mapped)
{
    struct mapped *m = mapped;
    struct pool *p = m->pool;
    come_inside(p);
    member_rests();
    member_leaves(p);
    return m->number % 5 ? mapped : fern_fail(m->number, "mapped");
}

/* The results come in the order of the items, each once, unless the pool was killed. */
static void
check_result(const struct mapped *m, const fern_outcome *o)
{
    if (o->cancelled || o->code == -ECANCELED)
        MUST(m->pool->killed, "item %d was killed, and nobody did", m->number);
    else if (o->code)
        MUST(o->code == m->number && m->number % 5 == 0, "item %d failed with %d",
                m->number, o->code);
    else
        MUST(o->value == m, "another result stands at the place of item %d", m->number);
}

/* @return the result of fern_pile_next() */
static int
read_one(struct user *u, struct thing *t, fern_pile *pile, fern_outcome *ret_outcome)
{
    fern_time deadline = chance(80) ? FERN_FOREVER : pick_deadline();
    open_begin(u, t, NULL, deadline);
    u->way[0].what = NEXT;
    int r;
    if (chance(70)) {
        r = fern_pile_next(pile, ret_outcome, deadline);
    } else {
        fern_case c = fern_case_pile(pile, ret_outcome);
        r = fern_select(&c, 1, 0, deadline);
        r = r == 0 ? c.result : r;
    }
    open_end(u, r);
    return r;
}

/* What runs looks at its item even when the pile has been given up. */
static struct mapped *
new_mapped(struct pool *p)
{
    static struct mapped mapped[4096];
    int32_t number = ++model.last_item;
    struct mapped *m = &mapped[number % 4096];
    *m = (struct mapped){p, number};
    return m;
}

static void
pool_imap(struct user *u, struct thing *t)
{
    enum { ITEMS = 6 };
    struct pool *p = pool_of(t);
    void *items[ITEMS];
    size_t n = draw(ITEMS + 1), at = 0;
    for (size_t i = 0; i < n; i++)
        items[i] = new_mapped(p);
    fern_input input = fern_input_items(items, n);
    uint64_t since = ++model.clock;
    fern_pile *pile = fern_pool_imap(p->pool, map_main, &input, 0, draw(3));
    MUST(pile, "no imap");
    for (int r = 1; r == 1 || (r == -EAGAIN && fern_yield() == 0);) {
        fern_outcome o;
        r = read_one(u, t, pile, &o);
        bool whole = at == n || p->killed > since;
        MUST(r != 0 || whole, "%zu of %zu results of pool %d", at, n, t->number);
        MUST(r != 1 || at < n || p->killed > since, "too many results of pool %d",
                t->number);
        if (r == 1 && at < n)
            check_result(items[at++], &o);
    }
    MUST(fern_pile_free(pile) == 0, "a pile is in use");
}

static void
pool_act(struct user *u, struct thing *t)
{
    unsigned what = draw(10);
    if (what < 6)
        pool_spawn(u, t);
    else if (what < 8)
        pool_waits(u, t);
    else
        pool_imap(u, t);
}

/* ---- deeds ---- */

static void
pool_resize(struct pool *p)
{
    size_t runs = fern_pool_running(p->pool);
    p->size = chance(20) ? FERN_POOL_UNLIMITED : draw(5);
    if (p->most < p->size)
        p->most = p->size;
    int r = fern_pool_resize(p->pool, p->size);
    MUST(r == 0, "a resize gave %d", r);
    MUST(fern_pool_running(p->pool) >= runs, "a resize has stopped somebody");
}

static void
pool_poke(struct thing *t)
{
    struct pool *p = pool_of(t);
    unsigned what = draw(100);
    if (what < 25) {
        pool_resize(p);
    } else if (what < 35) {
        p->killed = ++model.clock;
        int r = fern_pool_kill(p->pool, 0, FERN_NOWAIT);
        MUST(r == 0 || r == -EAGAIN || r == -ECANCELED, "a kill of a pool gave %d", r);
    } else {
        bool full = fern_pool_running(p->pool) >= p->size;
        int r = fern_pool_go(p->pool, member_main, p, FERN_NOWAIT);
        MUST(r == (full ? -EAGAIN : 0), "a spawn that must not wait gave %d", r);
    }
}

static bool
pool_ready(const struct way *w)
{
    const struct pool *p = pool_of(w->thing);
    size_t runs = fern_pool_running(p->pool);
    switch (w->what) {
    case SLOT:
    case FREE:
        return runs < p->size;
    case EMPTY:
        return runs == 0;
    default:
        return runs == 0 && fern_pool_waiting(p->pool) == 0;
    }
}

static void
pool_take(struct way *w)
{
    (void)w;
}

static fern_case
pool_watch(struct user *u, struct way *w)
{
    (void)u;
    fern_pool *pool = pool_of(w->thing)->pool;
    w->what = chance(50) ? FREE : ALL_GONE;
    return w->what == FREE ? fern_case_pool_slot(pool) : fern_case_pool_idle(pool);
}

static void
pool_check(struct thing *t)
{
    struct pool *p = pool_of(t);
    size_t runs = fern_pool_running(p->pool);
    MUST(runs == p->inside, "pool %d has given %zu slots, and %zu run", t->number, runs,
            p->inside);
    MUST(fern_pool_members(p->pool, NULL, 0) == runs, "pool %d has other members",
            t->number);
    MUST(fern_pool_full(p->pool) == (runs >= p->size), "pool %d is full or not", t->number);
    MUST(fern_pool_waiting(p->pool) >= line_count(&t->line[SLOT]), "waiting for pool %d",
            t->number);
    p->most = runs > p->size ? runs : p->size;
}

static void
pool_end(struct thing *t)
{
    struct pool *p = pool_of(t);
    p->killed = ++model.clock;
    int r = fern_pool_kill(p->pool, 0, FERN_FOREVER);
    MUST(r == 0, "killing pool %d gave %d", t->number, r);
    MUST(fern_idle(FERN_FOREVER) == 0, "main is idle");
    MUST(p->inside == 0, "%zu of pool %d run on", p->inside, t->number);
    fern_greenlet_unref(fern_pool_failed(p->pool));
    MUST(fern_pool_free(p->pool) == 0, "pool %d is in use", t->number);
    free(p);
}

const struct kind kind_pool = {.name = "pool",
        .begin = pool_begin,
        .act = pool_act,
        .poke = pool_poke,
        .ready = pool_ready,
        .take = pool_take,
        .watch = pool_watch,
        .check = pool_check,
        .end = pool_end,
        .stays = true};
