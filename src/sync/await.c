/* SPDX-License-Identifier: MIT */
/*
 * Waiting for futures: one with a time limit that cancels, several, one after the other.
 */
#include "core/loop.h"
#include "sync/crowd.h"
#include "sync/future.h"

#include <stdlib.h>

/* ---- one ---- */

int
fern_wait_for(fern_future *f, fern_outcome *ret_outcome, fern_time deadline)
{
    FERN_CHECK(f && ret_outcome, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&f->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    FERN_CHECK(f->greenlet != g, -EDEADLK);
    fern_future_ref(f);
    r = fern_future_wait(f, deadline);
    if (r == -ETIME || r == -ECANCELED) {
        (void)fern_future_cancel(f, 0);
        fern_scope shield = FERN_SCOPE_INIT;
        (void)fern_shield_start(&shield);
        int joined = fern_future_wait(f, FERN_FOREVER);
        (void)fern_shield_stop(&shield);
        if (joined == 0 && r == -ETIME && !fern_future_cancelled(f))
            r = 0;
    }
    if (r == 0)
        *ret_outcome = fern__future_take(f);
    fern_future_unref(f);
    return r;
}

int
fern_loop_run_until_done(fern_future *f, fern_outcome *ret_outcome, fern_time deadline)
{
    FERN_CHECK(f, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *self;
    int r = fern__sync_check(&f->sync);
    if (r == 0)
        r = fern__loop_begin(&hub, &self, deadline);
    if (r < 0)
        return r;
    if (r && !fern_future_done(f))
        return -EINTR;
    fern_outcome outcome;
    hub->runner = self;
    r = fern_future_get(f, ret_outcome ? ret_outcome : &outcome, deadline);
    hub->runner = NULL;
    return r;
}

/* ---- several ---- */

/* Cases that wait for futures, each of them referenced. */
static void
cases_of(fern_case *cases, fern_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cases[i] = fern_case_future(fern_future_ref(futures[i]));
}

static void
cases_unref(fern_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fern_future_unref(cases[i].object);
}

static bool
stop_at_error(const struct fern__crowd *crowd, size_t index)
{
    return fern__future_failed(crowd->cases[index].object);
}

/* @return how many are done; as fern_wait_futures() */
static int
wait_for_cases(struct fern__crowd *c, struct fern__crowd_room *room, fern_when when,
        fern_future **ret_done, fern_time deadline)
{
    int r = fern__crowd_open(c, room);
    if (r < 0)
        return r;
    r = fern__crowd_wait(c, when == FERN_WHEN_FIRST ? 1 : c->count, deadline);
    if (r == -EAGAIN || (r == -ETIME && !c->hub->current->interrupt))
        r = 0;
    for (size_t i = 0; ret_done && r == 0 && i < c->ready; i++)
        ret_done[i] = c->cases[c->order[i]].object;
    fern__crowd_close(c, room);
    return r < 0 ? r : (int)c->ready;
}

int
fern_wait_futures(fern_future *const *futures, size_t count, fern_when when,
        fern_future **ret_done, fern_time deadline)
{
    FERN_CHECK(count && count <= INT32_MAX, -EINVAL);
    FERN_CHECK(when >= FERN_WHEN_ALL && when <= FERN_WHEN_FIRST_ERROR, -EINVAL);
    struct fern__crowd crowd = {
            .count = count, .stop = when == FERN_WHEN_FIRST_ERROR ? stop_at_error : NULL};
    fern_greenlet *g;
    int r = fern__wait_enter(&crowd.hub, &g, deadline);
    if (r == 0)
        r = fern__futures_bind(crowd.hub, futures, count);
    if (r < 0)
        return r;
    struct fern__crowd_room room;
    fern_case few[FERN__CROWD_ON_STACK];
    crowd.cases = count <= FERN__CROWD_ON_STACK ? few : malloc(count * sizeof(fern_case));
    if (!crowd.cases)
        return -ENOMEM;
    cases_of(crowd.cases, futures, count);
    r = wait_for_cases(&crowd, &room, when, ret_done, deadline);
    cases_unref(crowd.cases, count);
    if (crowd.cases != few)
        free(crowd.cases);
    return r;
}

/* ---- one after the other ---- */

struct fern_completed {
    fern_iwait *iwait;
    size_t count;
    fern_case cases[];
};

static void
cases_of_each_once(struct fern_completed *it, fern_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        futures[i]->mark = NULL;
    for (size_t i = 0; i < count; i++) {
        if (futures[i]->mark != it)
            cases_of(&it->cases[it->count++], &futures[i], 1);
        futures[i]->mark = it;
    }
}

fern_completed *
fern_as_completed(fern_future *const *futures, size_t count)
{
    struct fern_completed *it = NULL;
    struct fern__hub *hub = fern__hub_need();
    int r = hub ? fern__futures_bind(hub, futures, count) : fern__hub_error();
    if (r == 0 && !(it = calloc(1, sizeof *it + count * sizeof(fern_case))))
        r = -ENOMEM;
    if (r < 0) {
        errno = -r;
        return NULL;
    }
    cases_of_each_once(it, futures, count);
    it->iwait = fern_iwait_new(it->cases, it->count);
    if (it->iwait)
        return it;
    int error = errno;
    fern_completed_free(it);
    errno = error;
    return NULL;
}

int
fern_completed_next(fern_completed *it, fern_future **ret_future, fern_time deadline)
{
    FERN_CHECK(it && ret_future, -EINVAL);
    size_t index;
    int r = fern_iwait_next(it->iwait, &index, deadline);
    if (r == 1)
        *ret_future = it->cases[index].object;
    return r;
}

static int
next_item(void *self, void *ret_item, fern_time deadline)
{
    fern_future *dropped;
    return fern_completed_next(self, ret_item ? ret_item : &dropped, deadline);
}

fern_iterator
fern_completed_iterator(fern_completed *it)
{
    static const fern_iterator_ops ops = {.next = next_item};
    return (fern_iterator){.ops = &ops, .self = it, .item_size = sizeof(fern_future *)};
}

void
fern_completed_free(fern_completed *it)
{
    if (!it)
        return;
    fern_iwait_free(it->iwait);
    cases_unref(it->cases, it->count);
    free(it);
}
