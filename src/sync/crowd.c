/* SPDX-License-Identifier: MIT */
/*
 * Crowds: waiting for several things, in order of readiness, without taking anything.
 *
 * A thing is armed by its own kind, as a choice of a select would be; then the watcher takes the
 * place of the choice's cell in that queue.
 */
#include "sync/crowd.h"

#include "core/scope.h"
#include "sync/select.h"

#include <stdio.h>
#include <stdlib.h>

static void
describe_crowd(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct fern__crowd *c = cell->object;
    snprintf(text, bytes, "%zu of %zu", c->wanted, c->count);
}

/* Of those that are not ready yet. */
static void
crowd_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct fern__crowd *c = cell->object;
    for (size_t i = 0; i < c->count; i++) {
        if (!c->members[i].ready)
            fern__choice_owners(cell->greenlet, &c->members[i].choice, owners);
    }
}

static const struct fern__waitable waitable_crowd = {
        .name = "wait", .describe = describe_crowd, .owners = crowd_owners};
static const struct fern__waitable waitable_crowd_outside = {.name = "wait",
        .outside = true,
        .describe = describe_crowd,
        .owners = crowd_owners};

/* ---- noting ---- */

static void
note(struct fern__member *m, int result)
{
    struct fern__crowd *c = m->crowd;
    size_t index = (size_t)m->choice.index;
    m->ready = true;
    c->cases[index].result = result;
    c->order[c->ready++] = index;
    if (c->stop && c->stop(c, index))
        c->stopped = true;
    if (c->waiter && (c->stopped || c->ready >= c->wanted) && fern__wait_claim(c->waiter))
        fern__wait_grant(c->waiter, 0);
}

static void
member_told(struct fern__watcher *watcher)
{
    struct fern__member *m = fern__container_of(watcher, struct fern__member, watcher);
    int r = m->choice.kind->ready(m->crowd->hub, &m->choice);
    note(m, r == -EAGAIN ? 0 : r);
}

static void
member_ended(struct fern__link *link, fern_greenlet *g)
{
    (void)g;
    note(fern__container_of(link, struct fern__member, end), 0);
}

/* ---- opening ---- */

/* Whether somebody has to look: nobody tells of it. */
static bool
is_looked_at(const fern_case *c)
{
    return c->kind == FERN_CASE_TIMER || c->kind == FERN_CASE_FD;
}

static int
look(struct fern__crowd *c, struct fern__member *m)
{
    const fern_case *it = &c->cases[m->choice.index];
    if (it->kind == FERN_CASE_TIMER)
        return it->when.ns <= fern_now().ns ? 0 : -EAGAIN;
    return m->choice.kind->ready(c->hub, &m->choice);
}

static int
put_watcher(struct fern__crowd *c, struct fern__member *m)
{
    if (m->choice.kind == &fern__waitable_end) {
        fern__link_add(m->choice.object, &m->end);
        return 0;
    }
    m->choice.item = NULL; /* nothing is given */
    if (m->choice.kind->watched) {
        fern__wait_add(m->choice.kind->watched(&m->choice), &m->watcher.cell);
        return 0;
    }
    int r = m->choice.kind->arm(c->hub, &m->choice);
    struct fern__list *place = &m->choice.watch.cell.node;
    if (r < 0 || !fern__list_linked(place))
        return r;
    fern__list_insert_before(place, &m->watcher.cell.node);
    fern__list_remove(place);
    return 0;
}

static int
join(struct fern__crowd *c, size_t i)
{
    struct fern__member *m = &c->members[i];
    *m = (struct fern__member){
            .crowd = c, .end.ended = member_ended, .watcher.tell = member_told};
    int r = fern__case_prepare(c->hub, &c->cases[i], i, &m->choice);
    if (r < 0)
        return r;
    FERN_CHECK(m->choice.kind->ready, -EINVAL);
    if (c->cases[i].kind == FERN_CASE_FD)
        c->outside = true;
    if (is_looked_at(&c->cases[i]))
        c->looks = true;
    r = look(c, m);
    if (r == -EXDEV)
        return r;
    if (r != -EAGAIN)
        note(m, r);
    else if (!is_looked_at(&c->cases[i]))
        return put_watcher(c, m);
    return 0;
}

static int
make_room(struct fern__crowd *c, struct fern__crowd_room *room)
{
    if (room && c->count <= FERN__CROWD_ON_STACK) {
        c->members = room->members;
        c->order = room->order;
        return 0;
    }
    c->members = malloc(c->count * sizeof *c->members + sizeof *c->members);
    c->order = malloc(c->count * sizeof *c->order + sizeof *c->order);
    if (c->members && c->order)
        return 0;
    free(c->members);
    free(c->order);
    return -ENOMEM;
}

static void
part(struct fern__crowd *c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fern__member *m = &c->members[i];
        if (fern__list_linked(&m->end.cell.node))
            fern__wait_remove(&m->end.cell);
        if (fern__list_linked(&m->watcher.cell.node))
            fern__wait_remove(&m->watcher.cell);
    }
}

static void
free_room(struct fern__crowd *c, struct fern__crowd_room *room)
{
    if (room && c->members == room->members)
        return;
    free(c->members);
    free(c->order);
}

int
fern__crowd_open(struct fern__crowd *c, struct fern__crowd_room *room)
{
    int r = make_room(c, room);
    if (r < 0)
        return r;
    for (size_t i = 0; i < c->count; i++) {
        r = join(c, i);
        if (r < 0) {
            part(c, i);
            free_room(c, room);
            return r;
        }
    }
    return 0;
}

void
fern__crowd_close(struct fern__crowd *c, struct fern__crowd_room *room)
{
    part(c, c->count);
    free_room(c, room);
}

/* ---- waiting ---- */

/* Look at what nobody tells of. @return the moment of the next timer */
static fern_time
look_around(struct fern__crowd *c)
{
    fern_time next = FERN_FOREVER;
    for (size_t i = 0; i < c->count; i++) {
        struct fern__member *m = &c->members[i];
        if (m->ready || !is_looked_at(&c->cases[i]))
            continue;
        int r = look(c, m);
        if (r != -EAGAIN)
            note(m, r);
        else if (c->cases[i].kind == FERN_CASE_TIMER && c->cases[i].when.ns < next.ns)
            next = c->cases[i].when;
    }
    return next;
}

static void
unwatch_fds(struct fern__crowd *c)
{
    for (size_t i = 0; c->outside && i < c->count; i++) {
        if (c->cases[i].kind == FERN_CASE_FD)
            fern__choice_disarm(&c->members[i].choice);
    }
}

/* @return 0; 1 one must be looked at again; a code */
static int
watch_fds(struct fern__crowd *c)
{
    int r = 0;
    for (size_t i = 0; c->outside && i < c->count && r == 0; i++) {
        struct fern__member *m = &c->members[i];
        if (c->cases[i].kind == FERN_CASE_FD && !m->ready)
            r = m->choice.kind->arm(c->hub, &m->choice);
    }
    return r;
}

/* One park. @return 0 look again; a code */
static int
park(struct fern__crowd *c, fern_time timer, fern_time deadline)
{
    fern_greenlet *g = c->hub->current;
    int r = watch_fds(c);
    if (r == 0) {
        /* It comes before the deadline and the scopes. */
        bool timer_first = timer.ns <= deadline.ns && timer.ns < fern__scope_nearest(g);
        fern__wait_begin(g, c->outside ? &waitable_crowd_outside : &waitable_crowd, c);
        c->waiter = g;
        r = fern__park(c->hub, g, timer.ns < deadline.ns ? timer : deadline);
        c->waiter = NULL;
        if (r == -ETIME && timer_first)
            r = 0;
    }
    unwatch_fds(c);
    return r > 0 ? 0 : r;
}

int
fern__crowd_wait(struct fern__crowd *c, size_t wanted, fern_time deadline)
{
    fern_greenlet *g = c->hub->current;
    c->wanted = wanted;
    for (;;) { /* ends when enough are ready, or with a code */
        fern_time timer = FERN_FOREVER;
        if (c->looks && !c->stopped && c->ready < wanted)
            timer = look_around(c);
        if (c->stopped || c->ready >= wanted)
            return 0;
        if (deadline.ns == 0)
            return -EAGAIN;
        int r = g->interrupt ? g->interrupt : park(c, timer, deadline);
        if (r < 0)
            return r;
    }
}
