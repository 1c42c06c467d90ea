/* SPDX-License-Identifier: MIT */
/*
 * The order in which mutexes are taken: fern_lock_all, and the check.
 *
 * Mutexes that were taken by fern_lock_all, or while the check is on, are tracked: each greenlet
 * has a list of those it holds, the last one first, which only it changes.
 *
 * The check remembers pairs: `after` was taken while `before` was held, and both places. Taking m
 * while holding h is against the order if a way of pairs leads from m to h. Mutexes are known by
 * a number of their own, not by address, since memory is used again. The pairs are the process',
 * behind a lock: the check is for tests.
 */
#include "core/report.h"
#include "sync/lock.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    uint32_t before;
    uint32_t after;
    const void *before_place;
    const void *after_place;
};

atomic_bool fern__order_on;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pair *pairs; /* all that were seen; in none is one mutex taken twice */
static size_t pair_count, pair_room;
static uint32_t serial_last;

/* ---- switching ---- */

static void
learn(void)
{
    const char *value = getenv("FERN_LOCK_ORDER");
    if (value && *value && strcmp(value, "0") != 0)
        atomic_store(&fern__order_on, true);
}

void
fern__order_learn(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, learn);
}

bool
fern_lock_order_check(bool on)
{
    fern__order_learn();
    return atomic_exchange(&fern__order_on, on);
}

/* ---- what a greenlet holds ---- */

static struct fern__mutex *
held_by(const fern_greenlet *g)
{
    return g->extra ? g->extra->held : NULL;
}

void
fern__order_track(struct fern__mutex *m, const void *place)
{
    struct fern__extra *extra = fern__greenlet_extra(fern__self_hub()->current);
    if (!extra || m->heavy & FERN__MUTEX_TRACKED)
        return;
    m->place = place;
    m->held_next = extra->held;
    extra->held = m;
    m->heavy |= FERN__MUTEX_TRACKED;
}

void
fern__order_untrack(struct fern__mutex *m)
{
    struct fern__extra *extra = fern__self_hub()->current->extra;
    if (extra->held == m) {
        extra->held = m->held_next;
        return;
    }
    for (struct fern__mutex *h = extra->held; h; h = h->held_next) {
        if (h->held_next == m) {
            h->held_next = m->held_next;
            return;
        }
    }
}

/* ---- pairs ---- */

static uint32_t
serial_of(struct fern__mutex *m)
{
    if (!m->serial)
        m->serial = ++serial_last;
    return m->serial;
}

static bool
is_known(uint32_t before, uint32_t after)
{
    for (size_t i = 0; i < pair_count; i++) {
        if (pairs[i].before == before && pairs[i].after == after)
            return true;
    }
    return false;
}

static void
remember(uint32_t before, uint32_t after, const void *before_place, const void *after_place)
{
    if (pair_count == pair_room) {
        size_t room = pair_room ? 2 * pair_room : 64;
        struct pair *more = realloc(pairs, room * sizeof *pairs);
        if (!more)
            return; /* it is not seen, then */
        pairs = more;
        pair_room = room;
    }
    pairs[pair_count++] = (struct pair){before, after, before_place, after_place};
}

/* The last pair of a way from one mutex to another; NULL: there is none. `reached` has a place,
 * zero, for each number. */
static const struct pair *
find_way(uint32_t from, uint32_t to, bool *reached)
{
    bool more = true;
    for (reached[from] = true; more;) {
        more = false;
        for (size_t i = 0; i < pair_count; i++) {
            if (!reached[pairs[i].before] || reached[pairs[i].after])
                continue;
            if (pairs[i].after == to)
                return &pairs[i];
            reached[pairs[i].after] = more = true;
        }
    }
    return NULL;
}

/* What contradicts taking `m` while `held` is held; else they are remembered. */
static const struct pair *
contradiction(struct fern__mutex *held, struct fern__mutex *m, const void *place)
{
    uint32_t before = serial_of(held), after = serial_of(m);
    if (before == after || is_known(before, after))
        return NULL;
    bool *reached = calloc((size_t)serial_last + 1, sizeof *reached);
    if (!reached)
        return NULL;
    const struct pair *found = find_way(after, before, reached);
    free(reached);
    if (!found)
        remember(before, after, held->place, place);
    return found;
}

void
fern__order_forget(struct fern__mutex *m)
{
    if (!m->serial)
        return;
    pthread_mutex_lock(&lock);
    size_t kept = 0;
    for (size_t i = 0; i < pair_count; i++) {
        if (pairs[i].before != m->serial && pairs[i].after != m->serial)
            pairs[kept++] = pairs[i];
    }
    pair_count = kept;
    pthread_mutex_unlock(&lock);
}

int
fern__order_may(struct fern__mutex *m, const void *place)
{
    fern_greenlet *g = fern__self_hub()->current;
    struct pair found = {0};
    struct fern__mutex *held = held_by(g);
    pthread_mutex_lock(&lock);
    for (; held; held = held->held_next) {
        const struct pair *against = contradiction(held, m, place);
        if (against) {
            found = *against;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    if (!held)
        return 0;
    struct fern__order_report report = {
            .held = held,
            .wanted = m,
            .held_place = held->place,
            .wanted_place = place,
            .before_place = found.before_place,
            .after_place = found.after_place,
    };
    fern__report_order(g, &report);
    return -EDEADLK;
}

/* ---- several at once ---- */

enum { FEW = 16 };

static int
by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (fern_mutex *const *)a;
    uintptr_t y = (uintptr_t) * (fern_mutex *const *)b;
    return (x > y) - (x < y);
}

/* A sorted copy, in `few` if it fits there. @return NULL if there is no memory */
static fern_mutex **
sort(fern_mutex *const *mutexes, size_t n, fern_mutex **few)
{
    fern_mutex **sorted = n <= FEW ? few : malloc(n * sizeof *sorted);
    if (!sorted)
        return NULL;
    memcpy(sorted, mutexes, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_address);
    return sorted;
}

/* Whether what the caller holds by such calls comes before all of these. */
static int
check_addresses(fern_mutex *const *sorted, const void *place)
{
    struct fern__hub *hub = fern__hub_need();
    if (!hub)
        return fern__hub_error();
    struct fern__mutex *first = fern__mutex_of(sorted[0]);
    for (struct fern__mutex *h = held_by(hub->current); h; h = h->held_next) {
        if (h < first)
            continue;
        struct fern__order_report report = {
                .held = h,
                .wanted = first,
                .held_place = h->place,
                .wanted_place = place,
        };
        fern__report_order(hub->current, &report);
        return -EDEADLK;
    }
    return 0;
}

static void
unlock_down(fern_mutex *const *sorted, size_t n)
{
    while (n > 0)
        (void)fern_mutex_unlock(sorted[--n]);
}

static int
lock_sorted(fern_mutex *const *sorted, size_t n, fern_time deadline, const void *place)
{
    for (size_t i = 0; i < n; i++)
        FERN_CHECK(sorted[i] && (i == 0 || sorted[i] != sorted[i - 1]), -EINVAL);
    int r = check_addresses(sorted, place);
    for (size_t i = 0; i < n && r == 0; i++) {
        r = fern__mutex_lock(fern__mutex_of(sorted[i]), deadline, place);
        if (r == 0)
            fern__order_track(fern__mutex_of(sorted[i]), place);
        else
            unlock_down(sorted, i);
    }
    return r;
}

int
fern_lock_all(fern_mutex *const *mutexes, size_t n, fern_time deadline)
{
    if (n == 0)
        return 0;
    FERN_CHECK(mutexes, -EINVAL);
    fern_mutex *few[FEW];
    fern_mutex **sorted = sort(mutexes, n, few);
    FERN_CHECK(sorted, -ENOMEM);
    int r = lock_sorted(sorted, n, deadline, __builtin_return_address(0));
    if (sorted != few)
        free(sorted);
    return r;
}

static int
check_held(fern_mutex *const *mutexes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        FERN_CHECK(mutexes[i], -EINVAL);
        struct fern__mutex *m = fern__mutex_of(mutexes[i]);
        int r = fern__sync_check(&m->sync);
        if (r < 0)
            return r;
        FERN_CHECK(fern__mutex_mine(m), -EPERM);
    }
    return 0;
}

int
fern_unlock_all(fern_mutex *const *mutexes, size_t n)
{
    FERN_CHECK(mutexes || n == 0, -EINVAL);
    int r = check_held(mutexes, n);
    /* The highest that is left, each time: no memory is needed, and they are few. */
    for (const fern_mutex *below = NULL; r == 0 && n > 0;) {
        fern_mutex *highest = NULL;
        for (size_t i = 0; i < n; i++) {
            if ((!below || mutexes[i] < below) && (!highest || mutexes[i] > highest))
                highest = mutexes[i];
        }
        if (!highest)
            return 0;
        (void)fern_mutex_unlock(highest);
        below = highest;
    }
    return r;
}
