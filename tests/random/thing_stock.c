/* SPDX-License-Identifier: MIT */
/*
 * Stocks: things that are made, lent, given back and thrown away.
 */
#include <errno.h>
#include <stdlib.h>

#include "things.h"

enum { PIECES = 512 };

struct piece {
    int32_t number;
    bool there;          /* made and not destroyed */
    struct user *holder; /* or NULL */
};

struct stock {
    struct thing *thing;
    fern_stock *stock;
    size_t max, most; /* there may have been more before it shrank */
    int pieces;       /* that were ever made */
    size_t there, lent, making;
    int users; /* in a call */
    bool closed;
    struct piece piece[PIECES];
};

static struct stock *
stock_of(const struct thing *t)
{
    return t->own;
}

/* ---- what the stock calls ---- */

static struct user *
self_in_act(void)
{
    for (int i = 0; i < model.users; i++)
        if (model.user[i].g == fern_self() && model.user[i].waits)
            return &model.user[i];
    return NULL;
}

/* One who asks has got leave to make or to look at a piece, and may take its time. */
static void
take_time(fern_time deadline)
{
    struct user *u = self_in_act();
    if (!u)
        return;
    open_end(u, 0);
    if (deadline.ns && chance(50))
        do_rest(u);
}

static int
piece_make(void *stock, void **ret_piece, fern_time deadline)
{
    struct stock *s = stock;
    s->making++;
    MUST(s->there + s->making <= s->most, "%zu pieces of stock %d, and %zu made", s->there,
            s->thing->number, s->making);
    take_time(deadline);
    s->making--;
    if (chance(10) || s->pieces == PIECES)
        return -EIO;
    struct piece *p = &s->piece[s->pieces++];
    *p = (struct piece){.number = s->pieces, .there = true};
    s->there++;
    *ret_piece = p;
    return 0;
}

static void
piece_destroy(void *piece, void *stock)
{
    struct stock *s = stock;
    struct piece *p = piece;
    MUST(p->there, "piece %d is destroyed twice", p->number);
    MUST(!p->holder, "piece %d is destroyed under user %d", p->number, p->holder->number);
    p->there = false;
    s->there--;
}

/* While it is looked at nobody else has it. */
static int
piece_check(void *piece, void *stock, fern_time deadline)
{
    struct stock *s = stock;
    struct piece *p = piece;
    MUST(p->there && !p->holder, "piece %d is handed out, and is not there", p->number);
    p->holder = &model.nobody;
    s->lent++;
    take_time(deadline);
    s->lent--;
    p->holder = NULL;
    return chance(10) ? -EIO : 0;
}

/* ---- using ---- */

static void
stock_make(struct thing *t)
{
    struct stock *s = stock_of(t);
    *s = (struct stock){.thing = t, .max = 1 + draw(3)};
    s->most = s->max;
    FERN_STOCK_OPTIONS(options);
    options.create = piece_make;
    options.destroy = piece_destroy;
    options.check = piece_check;
    options.arg = s;
    options.max = s->max;
    options.idle_max = chance(30) ? 1 : 0;
    options.idle_ns_max = chance(30) ? 2 * FERN_MS : 0;
    options.round_robin = chance(50);
    s->stock = fern_stock_new(&options);
    MUST(s->stock, "no stock");
}

static void
stock_begin(struct thing *t)
{
    t->own = calloc(1, sizeof(struct stock));
    MUST(t->own, "no memory");
    stock_make(t);
}

static void
stock_get(struct user *u, struct thing *t)
{
    struct stock *s = stock_of(t);
    void *piece = NULL;
    fern_time deadline = pick_deadline();
    open_begin(u, t, &t->line[0], deadline);
    s->users++;
    int r = fern_stock_get(s->stock, &piece, deadline);
    s->users--;
    if (u->waits && !open_end(u, r))
        return;
    if (r < 0) {
        MUST(r == -EIO || (r == -EPIPE && s->closed), "stock %d gave %d", t->number, r);
        return;
    }
    struct piece *p = piece;
    MUST(p->there && !p->holder, "piece %d was not there", p->number);
    p->holder = u;
    s->lent++;
    u->held[t->number]++;
}

static void
stock_give(struct user *u, struct thing *t)
{
    struct stock *s = stock_of(t);
    struct piece *p = s->piece;
    while (p->holder != u)
        p++;
    p->holder = NULL;
    s->lent--;
    u->held[t->number]--;
    int r = chance(70) ? fern_stock_put(s->stock, p) : fern_stock_discard(s->stock, p);
    MUST(r == 0, "giving piece %d back gave %d", p->number, r);
}

static void
stock_act(struct user *u, struct thing *t)
{
    if (u->held[t->number] && chance(60))
        stock_give(u, t);
    else
        stock_get(u, t);
}

static void
stock_leave(struct user *u, struct thing *t)
{
    while (u->held[t->number])
        stock_give(u, t);
}

/* ---- deeds ---- */

static void
stock_resize(struct stock *s)
{
    s->max = 1 + draw(4);
    if (s->most < s->max)
        s->most = s->max;
    int r = fern_stock_resize(s->stock, s->max);
    MUST(r == 0, "a resize gave %d", r);
}

/* One that was closed gives way to a new one. */
static void
stock_renew(struct thing *t)
{
    struct stock *s = stock_of(t);
    if (s->closed && !s->users && !t->watched && fern_stock_free(s->stock) == 0) {
        MUST(s->there == 0 && s->making == 0, "%zu pieces were left", s->there);
        stock_make(t);
    }
}

static void
stock_poke(struct thing *t)
{
    struct stock *s = stock_of(t);
    unsigned what = draw(100);
    if (what < 30) {
        stock_resize(s);
    } else if (what < 40) {
        MUST(fern_stock_clear(s->stock) == 0, "clear");
    } else if (what < 55) {
        MUST(fern_stock_trim(s->stock) >= 0, "trim");
    } else if (what < 60) {
        s->closed = true;
        MUST(fern_stock_close(s->stock) == 0, "close");
    } else {
        stock_renew(t);
    }
}

/* What was handed to one who has not run yet is nobody else's. */
static bool
stock_ready(const struct way *w)
{
    const struct stock *s = stock_of(w->thing);
    fern_stock_counts counts;
    MUST(fern_stock_get_counts(s->stock, &counts) == 0, "counts");
    return s->closed || counts.idle || counts.idle + counts.used < s->max;
}

static fern_case
stock_watch(struct user *u, struct way *w)
{
    (void)u;
    return fern_case_stock(stock_of(w->thing)->stock);
}

static void
stock_take(struct way *w)
{
    (void)w;
}

static void
stock_check(struct thing *t)
{
    struct stock *s = stock_of(t);
    fern_stock_counts counts;
    MUST(fern_stock_get_counts(s->stock, &counts) == 0, "counts");
    MUST(counts.used == s->lent + s->making, "stock %d has lent %zu, not %zu", t->number,
            counts.used, s->lent + s->making);
    MUST(counts.idle == s->there - s->lent, "stock %d has %zu idle pieces, not %zu",
            t->number, counts.idle, s->there - s->lent);
    MUST(counts.idle == 0 || s->there + s->making <= s->max,
            "stock %d keeps more than it may", t->number);
    MUST(counts.waiting == line_count(&t->line[0]), "waiting for stock %d", t->number);
    s->most = s->there + s->making > s->max ? s->there + s->making : s->max;
}

static void
stock_end(struct thing *t)
{
    struct stock *s = stock_of(t);
    MUST(fern_stock_free(s->stock) == 0, "stock %d is in use", t->number);
    MUST(s->there == 0, "stock %d has left %zu pieces", t->number, s->there);
    free(s);
}

const struct kind kind_stock = {.name = "stock",
        .begin = stock_begin,
        .act = stock_act,
        .poke = stock_poke,
        .ready = stock_ready,
        .take = stock_take,
        .watch = stock_watch,
        .leave = stock_leave,
        .check = stock_check,
        .end = stock_end,
        .stays = true};
