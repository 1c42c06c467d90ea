/* SPDX-License-Identifier: MIT */
/*
 * The first of several things: fern_select.
 *
 * Each case is a choice of its own, whose kind knows how to try and to arm it. A waker
 * of any of them claims the greenlet's one winner word, carries the case out and wakes; the others
 * are unlinked before the call returns. Only an fd is tried again after the wake-up, since an
 * event says no more than that the kernel must be asked.
 *
 * Choices are on the caller's stack up to a few, else on the heap.
 */
#include "sync/select.h"
#include "core/link.h"
#include "core/observe.h"
#include "core/sched.h"
#include "core/scope.h"
#include "sync/event.h"
#include "sync/future.h"
#include "sync/lock.h"
#include "sync/pool.h"
#include "sync/queue.h"

#include <fern/wait.h>
#include <stdlib.h>
#include <string.h>

enum { CHOICES_ON_STACK = 8 };

struct selection {
    struct fern__hub *hub;
    fern_greenlet *g;
    fern_case *cases;
    struct fern__choice *choices;
    size_t count;
    bool random;
    bool outside;    /* one of them is an fd */
    fern_time timer; /* the earliest of timer cases */
    int timer_index;
    bool timer_first; /* it comes before the deadline and the scopes */
};

/* ---- kinds ---- */

static int
never_attempt(struct fern__hub *hub, struct fern__choice *choice)
{
    (void)hub, (void)choice;
    return -EAGAIN;
}

static int
never_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    (void)hub, (void)choice;
    return 0;
}

/* Of a timer too: the park's own deadline stands for it. */
static const struct fern__waitable waitable_never = {.name = "nothing",
        .attempt = never_attempt,
        .ready = never_attempt,
        .arm = never_arm};

static const struct fern__waitable *
kind_of(struct fern__hub *hub, const fern_case *c)
{
    static const struct fern__waitable *const kinds[] = {
            [FERN_CASE_NEVER] = &waitable_never,
            [FERN_CASE_TIMER] = &waitable_never,
            [FERN_CASE_END] = &fern__waitable_end,
            [FERN_CASE_EVENT] = &fern__waitable_event,
            [FERN_CASE_RESULT] = &fern__waitable_result,
            [FERN_CASE_PUT] = &fern__waitable_queue_put,
            [FERN_CASE_GET] = &fern__waitable_queue_get,
            [FERN_CASE_FUTURE] = &fern__waitable_future,
            [FERN_CASE_SEMAPHORE] = &fern__waitable_semaphore,
            [FERN_CASE_MUTEX] = &fern__waitable_mutex,
            [FERN_CASE_POOL_SLOT] = &fern__waitable_pool_slot,
            [FERN_CASE_POOL_IDLE] = &fern__waitable_pool_idle,
            [FERN_CASE_PILE] = &fern__waitable_pile,
            [FERN_CASE_STOCK] = &fern__waitable_stock,
    };
    if (fern__unlikely(c->kind == FERN_CASE_FD))
        return hub->poller->ops->choice;
    if ((size_t)c->kind >= sizeof kinds / sizeof kinds[0])
        return NULL;
    return c->object ? kinds[c->kind] : &waitable_never;
}

/* ---- preparing ---- */

static inline int
prepare_choice(struct fern__hub *hub, const fern_case *c, size_t i,
        struct fern__choice *ret_choice)
{
    const struct fern__waitable *kind = kind_of(hub, c);
    FERN_CHECK(kind, -EINVAL);
    *ret_choice = (struct fern__choice){
            .kind = kind, .object = c->object, .item = c->item, .index = (int32_t)i};
    if (fern__unlikely(c->kind == FERN_CASE_FD)) {
        ret_choice->object = (void *)(intptr_t)c->fd;
        ret_choice->watch.events = (uint16_t)c->events;
    }
    return 0;
}

int
fern__case_prepare(struct fern__hub *hub, const fern_case *c, size_t i,
        struct fern__choice *ret_choice)
{
    return prepare_choice(hub, c, i, ret_choice);
}

static inline int
prepare_one(struct selection *s, size_t i)
{
    const fern_case *c = &s->cases[i];
    int r = prepare_choice(s->hub, c, i, &s->choices[i]);
    if (r < 0)
        return r;
    if (c->kind == FERN_CASE_FD)
        s->outside = true;
    if (c->kind == FERN_CASE_TIMER && c->when.ns < s->timer.ns) {
        s->timer = c->when;
        s->timer_index = (int)i;
    }
    return 0;
}

static int
prepare(struct selection *s)
{
    s->timer = FERN_FOREVER;
    s->timer_index = -1;
    for (size_t i = 0; i < s->count; i++) {
        int r = prepare_one(s, i);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- trying ---- */

/* Note a case's result. @return its index; a code that is no case's: the object cannot be used */
static int
won(struct selection *s, size_t i, int result)
{
    s->cases[i].result = result;
    return (int)i;
}

static inline __attribute__((always_inline)) int
try_one(struct selection *s, size_t i)
{
    struct fern__choice *choice = &s->choices[i];
    int r = fern__unlikely(s->cases[i].kind == FERN_CASE_TIMER)
                    ? (s->cases[i].when.ns <= fern_now().ns ? 0 : -EAGAIN)
                    : choice->kind->attempt(s->hub, choice);
    if (fern__likely(r == -EAGAIN) || r == -EXDEV)
        return r;
    return won(s, i, r);
}

/* Carry out the first that is ready. @return its index; -EAGAIN; -EXDEV */
static int
try_all(struct selection *s)
{
    size_t at =
            s->random ? (size_t)(fern__observe_random(&s->hub->luck) >> 33) % s->count : 0;
    for (size_t i = 0; i < s->count; i++) {
        int r = try_one(s, at);
        if (r != -EAGAIN)
            return r;
        if (++at == s->count)
            at = 0;
    }
    return -EAGAIN;
}

/* ---- waiting ---- */

static int
arm_all(struct selection *s)
{
    for (size_t i = 0; i < s->count; i++) {
        int r = s->choices[i].kind->arm(s->hub, &s->choices[i]);
        if (r != 0)
            return r;
    }
    return 0;
}

static void
disarm_all(struct selection *s)
{
    for (size_t i = 0; i < s->count; i++)
        fern__choice_disarm(&s->choices[i]);
}

/* What a park that ended says. @return the winner's index; -EAGAIN try again; a code */
static int
conclude(struct selection *s, int r)
{
    if (r == -ETIME && s->timer_first)
        return won(s, (size_t)s->timer_index, 0);
    if (r < 0)
        return r;
    if (s->cases[r].kind == FERN_CASE_FD)
        return s->choices[r].result < 0 ? won(s, (size_t)r, s->choices[r].result)
                                        : try_one(s, (size_t)r);
    return won(s, (size_t)r, s->choices[r].result);
}

/* One park. @return as conclude() */
static int
park(struct selection *s, fern_time deadline)
{
    int r = arm_all(s);
    if (r == 0) {
        fern_time until = s->timer.ns < deadline.ns ? s->timer : deadline;
        s->timer_first =
                s->timer.ns <= deadline.ns && s->timer.ns < fern__scope_nearest(s->g);
        fern__wait_begin(s->g,
                s->outside ? &fern__waitable_select_outside : &fern__waitable_select,
                (void *)s->count);
        s->g->item = s->choices;
        r = fern__park(s->hub, s->g, until);
        disarm_all(s);
        return conclude(s, r);
    }
    disarm_all(s);
    return r > 0 ? -EAGAIN : r; /* an fd that is always ready */
}

static int
run(struct selection *s, fern_time deadline)
{
    int r = prepare(s);
    if (r < 0)
        return r;
    do {
        r = try_all(s);
        if (r != -EAGAIN || deadline.ns == 0)
            return r;
        r = s->g->interrupt ? s->g->interrupt : park(s, deadline);
    } while (r == -EAGAIN);
    return r;
}

int
fern_select(fern_case *cases, size_t count, int flags, fern_time deadline)
{
    FERN_CHECK(cases && count && count <= INT32_MAX, -EINVAL);
    FERN_CHECK(!(flags & ~FERN_SELECT_RANDOM), -EINVAL);
    struct selection s = {
            .cases = cases, .count = count, .random = flags & FERN_SELECT_RANDOM};
    int r = fern__wait_enter(&s.hub, &s.g, deadline);
    if (r < 0)
        return r;
    struct fern__choice few[CHOICES_ON_STACK];
    s.choices = few;
    if (count > CHOICES_ON_STACK) {
        s.choices = malloc(count * sizeof *s.choices);
        if (!s.choices)
            return -ENOMEM;
    }
    r = run(&s, deadline);
    if (s.choices != few)
        free(s.choices);
    return r;
}
