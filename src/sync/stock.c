/* SPDX-License-Identifier: MIT */
/*
 * Stocks: bounded numbers of reusable things.
 *
 * A stock counts permits: `used` of them are out, to users and to those who are making or checking
 * a thing, and used + idle is never raised above max. Who waits is handed a thing that comes back,
 * or, when one was discarded, the permit to make one (its item stays NULL). What fails gives its
 * permit to the next who waits, so that an error of `create` costs nothing.
 */
#include "sync/pool.h"

#include <fern/stock.h>
#include <limits.h>
#include <stdlib.h>

struct thing {
    struct fern__list node; /* idle, the one that was given back last at the end */
    void *what;
    int64_t born_ns;
    int64_t idle_ns;  /* since when */
    uint64_t user_id; /* who got it last */
    uint32_t epoch;
};

struct fern_stock {
    struct fern__sync sync;    /* who waits for a permit; the item is a `struct thing *` */
    struct fern__list lookers; /* who waits until one could be had */
    struct fern__list idle;    /* things */
    struct fern__list out;     /* things in use */
    fern_stock_options options;
    size_t idle_count;
    size_t used;
    size_t waiting;
    uint32_t epoch; /* things of an older one are discarded when they come back */
    bool closed;
};

/* Who has got a thing; it may have handed it on. */
static void
stock_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const fern_stock *stock = cell->object;
    FERN__LIST_FOREACH (node, &stock->out)
        fern__owners_add(owners, fern__container_of(node, struct thing, node)->user_id);
}

/* ---- making ---- */

fern_stock *
fern_stock_new(const fern_stock_options *options)
{
    bool valid = options && options->size == sizeof *options && options->create &&
                 options->idle_ns_max >= 0 && options->age_ns_max >= 0 &&
                 options->min <= (options->max ? options->max : 4);
    fern_stock *stock = valid ? calloc(1, sizeof *stock) : NULL;
    if (!valid)
        errno = EINVAL;
    if (!stock)
        return NULL;
    stock->options = *options;
    if (!stock->options.max)
        stock->options.max = 4;
    return stock;
}

/* Destroy a thing that is on no list. */
static void
destroy(fern_stock *stock, struct thing *thing)
{
    if (stock->options.destroy)
        stock->options.destroy(thing->what, stock->options.arg);
    free(thing);
}

static void
destroy_idle(fern_stock *stock, struct thing *thing)
{
    fern__list_remove(&thing->node);
    stock->idle_count--;
    destroy(stock, thing);
}

static void
destroy_all_idle(fern_stock *stock)
{
    FERN__LIST_FOREACH_SAFE (node, after, &stock->idle)
        destroy_idle(stock, fern__container_of(node, struct thing, node));
}

int
fern_stock_free(fern_stock *stock)
{
    if (!stock)
        return 0;
    int r = fern__sync_check(&stock->sync);
    if (r < 0)
        return r;
    FERN_CHECK(!stock->used && !stock->waiting, -EBUSY);
    FERN_CHECK(fern__list_empty(&stock->lookers), -EBUSY);
    destroy_all_idle(stock);
    free(stock);
    return 0;
}

/* ---- permits ---- */

static size_t
total(const fern_stock *stock)
{
    return stock->used + stock->idle_count;
}

/* How many could be had by who does not stand behind others. */
static int
available(const fern_stock *stock)
{
    size_t max = stock->options.max;
    bool awaited = fern__sync_awaited(&stock->sync); /* `waiting` lags behind time-outs */
    size_t n = stock->used < max && !awaited ? max - stock->used : 0;
    return stock->closed ? -EPIPE : n < INT_MAX ? (int)n : INT_MAX;
}

static void
tell_lookers(fern_stock *stock)
{
    if (available(stock))
        fern__sync_grant_all(&stock->lookers, available(stock));
}

/* Let those who wait make things, as many as there may be. */
static void
hand_on(fern_stock *stock)
{
    struct fern__cell *cell;
    while (total(stock) < stock->options.max &&
            (cell = fern__sync_claim(&stock->sync.waiters))) {
        stock->waiting--;
        stock->used++;
        fern__sync_grant(cell, 0);
    }
    tell_lookers(stock);
}

static void
give_permit(fern_stock *stock)
{
    stock->used--;
    hand_on(stock);
}

static bool
is_old(const fern_stock *stock, const struct thing *thing, int64_t now)
{
    return thing->epoch != stock->epoch ||
           (stock->options.age_ns_max && now - thing->born_ns > stock->options.age_ns_max);
}

/* Discard idle things that are too old, and down to `min` those that were idle too long. */
static ssize_t
trim(fern_stock *stock)
{
    ssize_t n = 0;
    int64_t now = fern_now().ns, idle_max = stock->options.idle_ns_max;
    FERN__LIST_FOREACH_SAFE (node, after, &stock->idle) {
        struct thing *thing = fern__container_of(node, struct thing, node);
        bool stale = idle_max && now - thing->idle_ns > idle_max &&
                     total(stock) > stock->options.min;
        if (!stale && !is_old(stock, thing, now))
            continue;
        destroy_idle(stock, thing);
        n++;
    }
    return n;
}

/* ---- getting ---- */

static struct thing *
take_idle(fern_stock *stock)
{
    if (fern__list_empty(&stock->idle))
        return NULL;
    struct fern__list *node =
            stock->options.round_robin ? stock->idle.next : stock->idle.prev;
    fern__list_remove(node);
    stock->idle_count--;
    stock->used++;
    return fern__container_of(node, struct thing, node);
}

/* With a permit: make a thing. */
static int
create(fern_stock *stock, struct thing **ret_thing, fern_time deadline)
{
    struct thing *thing = calloc(1, sizeof *thing);
    if (!thing)
        return -ENOMEM;
    thing->epoch = stock->epoch;
    int r = stock->options.create(stock->options.arg, &thing->what, deadline);
    if (r < 0) {
        free(thing);
        return r;
    }
    thing->born_ns = fern_now().ns;
    *ret_thing = thing;
    return 0;
}

/* A permit, and with it an idle thing, one that came back, or none. */
static int
acquire(fern_stock *stock, struct thing **ret_thing, fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&stock->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    FERN_CHECK(!stock->closed, -EPIPE);
    trim(stock);
    *ret_thing = take_idle(stock);
    if (*ret_thing)
        return 0;
    if (total(stock) < stock->options.max) {
        stock->used++;
        return 0;
    }
    if (deadline.ns == 0)
        return -EAGAIN;
    stock->waiting++;
    r = fern__sync_wait(hub, g, &stock->sync, &fern__waitable_stock, ret_thing, deadline);
    if (r < 0 && r != -EPIPE) /* whoever grants counts it off */
        stock->waiting--;
    return r;
}

/* Whether a thing that was idle still works. */
static int
check(fern_stock *stock, struct thing *thing, fern_time deadline)
{
    if (!stock->options.check)
        return 0;
    return stock->options.check(thing->what, stock->options.arg, deadline);
}

int
fern_stock_get(fern_stock *stock, void **ret_thing, fern_time deadline)
{
    FERN_CHECK(stock && ret_thing, -EINVAL);
    struct thing *thing = NULL;
    int r = acquire(stock, &thing, deadline);
    if (r < 0)
        return r;
    if (thing && check(stock, thing, deadline) < 0) {
        destroy(stock, thing);
        thing = NULL;
    }
    if (!thing)
        r = create(stock, &thing, deadline);
    if (r < 0) {
        give_permit(stock);
        return r;
    }
    thing->user_id = fern__self_hub()->current->id;
    fern__list_append(&stock->out, &thing->node);
    *ret_thing = thing->what;
    return 0;
}

int
fern_stock_fill(fern_stock *stock, fern_time deadline)
{
    FERN_CHECK(stock, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&stock->sync, &hub, &g, deadline);
    while (r == 0 && total(stock) < stock->options.min) {
        struct thing *thing;
        FERN_CHECK(!stock->closed, -EPIPE);
        stock->used++;
        r = create(stock, &thing, deadline);
        if (r < 0) {
            give_permit(stock);
            break;
        }
        fern__list_append(&stock->out, &thing->node);
        r = fern_stock_put(stock, thing->what);
    }
    return r;
}

/* ---- giving back ---- */

/* Find a thing that is in use; its user has it no more. */
static int
take_back(fern_stock *stock, const void *what, struct thing **ret_thing)
{
    int r = fern__sync_check(&stock->sync);
    if (r < 0)
        return r;
    FERN__LIST_FOREACH (node, &stock->out) {
        struct thing *thing = fern__container_of(node, struct thing, node);
        if (thing->what != what)
            continue;
        fern__list_remove(node);
        *ret_thing = thing;
        return 0;
    }
    return -EOVERFLOW;
}

static bool
is_unwanted(const fern_stock *stock, const struct thing *thing)
{
    const fern_stock_options *o = &stock->options;
    bool too_many = total(stock) > o->max;
    if (stock->closed || too_many || is_old(stock, thing, fern_now().ns))
        return true;
    return !fern__sync_awaited(&stock->sync) && o->idle_max &&
           (o->idle_max == FERN_STOCK_NO_IDLE || stock->idle_count >= o->idle_max);
}

static void
keep(fern_stock *stock, struct thing *thing)
{
    struct fern__cell *cell = fern__sync_claim(&stock->sync.waiters);
    thing->idle_ns = fern_now().ns;
    if (cell) { /* the permit goes with it */
        stock->waiting--;
        *(struct thing **)fern__wait_item(cell) = thing;
        fern__sync_grant(cell, 0);
        return;
    }
    stock->used--;
    stock->idle_count++;
    fern__list_append(&stock->idle, &thing->node);
    tell_lookers(stock);
}

int
fern_stock_put(fern_stock *stock, void *thing)
{
    FERN_CHECK(stock && thing, -EINVAL);
    struct thing *back;
    int r = take_back(stock, thing, &back);
    if (r < 0)
        return r;
    int interrupt = fern__self_hub()->current->interrupt;
    if (interrupt == -ECANCELED || interrupt == -ETIME || is_unwanted(stock, back)) {
        destroy(stock, back);
        give_permit(stock);
    } else {
        keep(stock, back);
    }
    trim(stock);
    return 0;
}

int
fern_stock_discard(fern_stock *stock, void *thing)
{
    FERN_CHECK(stock && thing, -EINVAL);
    struct thing *back;
    int r = take_back(stock, thing, &back);
    if (r < 0)
        return r;
    destroy(stock, back);
    give_permit(stock);
    return 0;
}

/* ---- as a case ---- */

static int
stock_ready(struct fern__hub *hub, struct fern__choice *choice)
{
    const fern_stock *stock = choice->object;
    int r = fern__sync_bind(&((fern_stock *)choice->object)->sync, hub);
    if (r < 0)
        return r;
    r = available(stock);
    return r ? r : -EAGAIN;
}

static int
stock_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    fern_stock *stock = choice->object;
    fern__sync_arm(choice, hub, &stock->lookers);
    return 0;
}

const struct fern__waitable fern__waitable_stock = {.name = "stock",
        .owners = stock_owners,
        .attempt = stock_ready,
        .ready = stock_ready,
        .arm = stock_arm};

/* ---- for a block ---- */

int
fern_loan_begin(void *loan)
{
    fern_loan *l = loan;
    return fern_stock_get(l->stock, &l->thing, l->deadline);
}

int
fern_loan_end(void *loan, int code)
{
    fern_loan *l = loan;
    /* Kills are kept back while an exit runs: they are looked for themselves. */
    if (code < 0 || fern__self_hub()->current->kills)
        (void)fern_stock_discard(l->stock, l->thing);
    else
        (void)fern_stock_put(l->stock, l->thing);
    return code;
}

/* ---- the stock as a whole ---- */

ssize_t
fern_stock_trim(fern_stock *stock)
{
    FERN_CHECK(stock, -EINVAL);
    int r = fern__sync_check(&stock->sync);
    return r < 0 ? r : trim(stock);
}

int
fern_stock_clear(fern_stock *stock)
{
    FERN_CHECK(stock, -EINVAL);
    int r = fern__sync_check(&stock->sync);
    if (r < 0)
        return r;
    stock->epoch++;
    destroy_all_idle(stock);
    return 0;
}

int
fern_stock_close(fern_stock *stock)
{
    int r = fern_stock_clear(stock);
    if (r < 0)
        return r;
    stock->closed = true;
    stock->waiting -= fern__sync_grant_all(&stock->sync.waiters, -EPIPE);
    tell_lookers(stock);
    return 0;
}

int
fern_stock_resize(fern_stock *stock, size_t max)
{
    FERN_CHECK(stock && max && max >= stock->options.min, -EINVAL);
    int r = fern__sync_check(&stock->sync);
    if (r < 0)
        return r;
    stock->options.max = max;
    while (total(stock) > max && !fern__list_empty(&stock->idle))
        destroy_idle(stock, fern__container_of(stock->idle.next, struct thing, node));
    hand_on(stock);
    return 0;
}

int
fern_stock_get_counts(fern_stock *stock, fern_stock_counts *ret_counts)
{
    FERN_CHECK(stock && ret_counts, -EINVAL);
    int r = fern__sync_check(&stock->sync);
    if (r < 0)
        return r;
    *ret_counts = (fern_stock_counts){.idle = stock->idle_count,
            .used = stock->used,
            .waiting = stock->waiting,
            .free = (ssize_t)stock->options.max - (ssize_t)stock->used};
    return 0;
}
