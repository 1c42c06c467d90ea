/* SPDX-License-Identifier: MIT */
/*
 * Queues of all kinds and capacities, and channels.
 */
#include <errno.h>
#include <string.h>

#include "things.h"

enum { GET, PUT, PEEK, JOIN };

static const struct item untouched = {-1, -1};

/* ---- items ---- */

static bool
same(const struct thing *t, const struct item *a, const struct item *b)
{
    return a->key == b->key && (!t->store.wide || a->id == b->id);
}

static struct item
new_item(const struct thing *t)
{
    int32_t id = ++model.last_item;
    return (struct item){t->store.order == FERN_QUEUE_PRIORITY ? (int64_t)draw(3) : id, id};
}

/* Where the item stands that a get takes. */
static int
next(const struct store *s)
{
    int at = s->order == FERN_QUEUE_LIFO ? s->count - 1 : 0;
    for (int i = 1; s->order == FERN_QUEUE_PRIORITY && i < s->count; i++)
        if (s->item[i].key < s->item[at].key)
            at = i;
    return at;
}

static struct item
pop(struct store *s)
{
    int at = next(s);
    struct item item = s->item[at];
    memmove(&s->item[at], &s->item[at + 1], (size_t)(--s->count - at) * sizeof item);
    return item;
}

/* ---- handing over ---- */

static void
show(struct thing *t, struct item item)
{
    for (struct way *w; (w = line_claim(&t->line[PEEK]));) {
        w->item = item;
        serve(w, 0);
    }
}

/* An item comes in: to the first who waits for one, or into the store. */
static void
come_in(struct thing *t, struct item item)
{
    struct way *getter = line_claim(&t->line[GET]);
    t->store.unfinished++;
    if (!getter)
        t->store.item[t->store.count++] = item;
    show(t, item);
    if (getter) {
        getter->item = item;
        serve(getter, 0);
    }
}

static void
refill(struct thing *t)
{
    struct way *putter;
    while ((size_t)t->store.count < t->store.limit &&
            (putter = line_claim(&t->line[PUT]))) {
        come_in(t, putter->item);
        serve(putter, 0);
    }
}

static void
take_get(struct way *w)
{
    struct thing *t = w->thing;
    struct way *putter;
    if (t->store.count) {
        w->item = pop(&t->store);
        refill(t);
    } else if ((putter = line_claim(&t->line[PUT]))) {
        w->item = putter->item;
        t->store.unfinished++;
        serve(putter, 0);
    } else {
        w->result = -EPIPE;
    }
}

static void
take_put(struct way *w)
{
    struct thing *t = w->thing;
    if (t->store.closed) {
        w->result = -EPIPE;
        return;
    }
    bool handed = line_first(&t->line[GET]);
    come_in(t, w->item);
    if (handed && !t->store.limit && w->user->deadline.ns && !w->user->selects) {
        w->user->at_once = false; /* who has got it runs first */
        serve(w, 0);
    }
}

static void
take_peek(struct way *w)
{
    struct thing *t = w->thing;
    struct way *putter;
    if (t->store.count)
        w->item = t->store.item[next(&t->store)];
    else if ((putter = line_first(&t->line[PUT])))
        w->item = putter->item;
    else
        w->result = -EPIPE;
}

static void
queue_take(struct way *w)
{
    if (w->what == GET)
        take_get(w);
    else if (w->what == PUT)
        take_put(w);
    else if (w->what == PEEK)
        take_peek(w);
}

/* Nobody meets himself, who waits by several ways. */
static bool
queue_ready(const struct way *w)
{
    struct thing *t = w->thing;
    const struct store *s = &t->store;
    switch (w->what) {
    case PUT:
        return s->closed || (size_t)s->count < s->limit ||
               line_others(&t->line[GET], w->user);
    case JOIN:
        return s->unfinished == 0;
    default:
        return s->closed || s->count || line_others(&t->line[PUT], w->user);
    }
}

/* Whoever waits to look is shown what somebody else waits to put. */
static void
queue_wait(struct way *w)
{
    if (w->what == PUT)
        show(w->thing, w->item);
}

/* ---- calls ---- */

static struct way *
queue_way(struct user *u, struct thing *t, int what)
{
    struct way *w = only_way(u, t, &t->line[what]);
    w->what = what;
    if (what == PUT)
        w->item = new_item(t);
    u->item[0] = what == PUT ? w->item : untouched;
    return w;
}

static int
call(struct user *u, struct thing *t, int what, fern_time deadline)
{
    switch (what) {
    case GET:
        return fern_queue_get(&t->queue, &u->item[0], deadline);
    case PUT:
        return fern_queue_put(&t->queue, &u->item[0], deadline);
    case PEEK:
        return fern_queue_peek(&t->queue, &u->item[0], deadline);
    default:
        return fern_queue_join(&t->queue, deadline);
    }
}

static bool
has_no_room(const struct thing *t)
{
    return t->store.count + USERS_MAX >= ITEMS_MAX;
}

static void
do_call(struct user *u, struct thing *t, int what, fern_time deadline)
{
    if (what == PUT && has_no_room(t))
        return;
    struct way *w = queue_way(u, t, what);
    wait_begin(u, deadline);
    int r = call(u, t, what, deadline);
    bool got = wait_end(u, r) && r == 0;
    const struct item *wanted = got || what == PUT ? &w->item : &untouched;
    MUST(what == JOIN || same(t, &u->item[0], wanted),
            "queue %d gave %lld.%lld, not %lld.%lld", t->number, (long long)u->item[0].key,
            (long long)u->item[0].id, (long long)wanted->key, (long long)wanted->id);
}

static void
queue_act(struct user *u, struct thing *t)
{
    static const int whats[] = {GET, GET, GET, PUT, PUT, PUT, PUT, PEEK, JOIN};
    do_call(u, t, whats[draw(sizeof whats / sizeof whats[0])], pick_deadline());
}

static void
queue_close(struct thing *t)
{
    struct store *s = &t->store;
    bool drops = chance(40);
    int dropped = drops ? s->count : 0;
    int wanted = s->closed && !dropped ? -EALREADY : 0;
    s->closed = true;
    serve_line(&t->line[GET], -EPIPE);
    serve_line(&t->line[PEEK], -EPIPE);
    serve_line(&t->line[PUT], -EPIPE);
    s->count -= dropped;
    s->unfinished -= (size_t)dropped;
    if (dropped && !s->unfinished)
        serve_line(&t->line[JOIN], 0);
    int r = fern_queue_close(&t->queue, drops ? FERN_QUEUE_DROP : 0);
    MUST(r == wanted, "closing queue %d gave %d", t->number, r);
}

static void
queue_done(struct thing *t)
{
    int wanted = t->store.unfinished ? 0 : -EOVERFLOW;
    t->store.unfinished -= wanted == 0;
    if (!t->store.unfinished)
        serve_line(&t->line[JOIN], 0);
    int r = fern_queue_task_done(&t->queue);
    MUST(r == wanted, "a task that is done gave %d", r);
}

static size_t
pick_limit(void)
{
    return chance(20) ? FERN_QUEUE_UNBOUNDED : draw(4);
}

static void
queue_resize(struct thing *t)
{
    t->store.limit = pick_limit();
    refill(t);
    int r = fern_queue_resize(&t->queue, t->store.limit);
    MUST(r == 0, "a resize gave %d", r);
}

static void
queue_poke(struct thing *t)
{
    unsigned what = draw(100);
    if (what < 30)
        do_call(&model.nobody, t, PUT, FERN_NOWAIT);
    else if (what < 60)
        do_call(&model.nobody, t, GET, FERN_NOWAIT);
    else if (what < 90)
        queue_done(t);
    else if (what < 97)
        queue_resize(t);
    else
        queue_close(t);
}

static fern_case
queue_choose(struct user *u, struct way *w)
{
    struct item *item = &u->item[w - u->way];
    w->what = chance(50) && !has_no_room(w->thing) ? PUT : GET;
    w->line = &w->thing->line[w->what];
    if (w->what == PUT)
        w->item = new_item(w->thing);
    *item = w->what == PUT ? w->item : untouched;
    return w->what == PUT ? fern_case_put(&w->thing->queue, item)
                          : fern_case_get(&w->thing->queue, item);
}

/* A select is over. */
static void
queue_chosen(struct user *u, struct way *w, bool won)
{
    const struct item *item = &u->item[w - u->way];
    bool given = (won && w->result == 0) || w->what == PUT;
    MUST(same(w->thing, item, given ? &w->item : &untouched),
            "queue %d gave %lld, not %lld, to a select", w->thing->number,
            (long long)item->key, (long long)w->item.key);
}

/* ---- beginning, looking, ending ---- */

static void
queue_begin(struct thing *t)
{
    struct store *s = &t->store;
    FERN_QUEUE_OPTIONS(options);
    options.kind = s->order = chance(50) ? FERN_QUEUE_FIFO : (fern_queue_kind)draw(3);
    s->wide = chance(50);
    s->limit = pick_limit();
    size_t size = s->wide ? sizeof(struct item) : sizeof(int64_t);
    int r = fern_queue_init_with(&t->queue, size, s->limit, &options);
    MUST(r == 0, "a queue gave %d", r);
}

static void
queue_check(struct thing *t)
{
    const struct store *s = &t->store;
    size_t count = (size_t)s->count;
    MUST(fern_queue_len(&t->queue) == count, "queue %d has %zu items, not %zu", t->number,
            fern_queue_len(&t->queue), count);
    MUST(fern_queue_unfinished(&t->queue) == s->unfinished,
            "queue %d has %zu to do, not %zu", t->number, fern_queue_unfinished(&t->queue),
            s->unfinished);
    MUST(fern_queue_getting(&t->queue) == line_count(&t->line[GET]), "getting");
    MUST(fern_queue_putting(&t->queue) == line_count(&t->line[PUT]), "putting");
    MUST(fern_queue_full(&t->queue) == (count >= s->limit), "full");
    MUST(fern_queue_closed(&t->queue) == s->closed, "closed");
}

static void
queue_end(struct thing *t)
{
    MUST(fern_queue_fini(&t->queue) == 0, "queue %d is in use", t->number);
}

const struct kind kind_queue = {.name = "queue",
        .begin = queue_begin,
        .act = queue_act,
        .poke = queue_poke,
        .ready = queue_ready,
        .take = queue_take,
        .wait = queue_wait,
        .choose = queue_choose,
        .chosen = queue_chosen,
        .check = queue_check,
        .end = queue_end};
