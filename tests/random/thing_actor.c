/* SPDX-License-Identifier: MIT */
/*
 * Actors: messages in their order, each handled once, and actors that begin anew after a failure.
 */
#include <errno.h>
#include <stdlib.h>

#include "things.h"

enum { SEND, CALL, JOIN, MESSAGES = 1024, LINKS = 4 };

/* What has become of a message. */
enum fate { UNSENT, ACCEPTED, UNSURE, WITHDRAWN, HANDLED };

struct message {
    int64_t number;
    bool called;
};

struct inbox {
    fern_actor *actor;
    int64_t numbered; /* messages that were sent or tried to be */
    int64_t last;     /* that was handled */
    uint8_t fate[MESSAGES];
    bool over[MESSAGES];  /* its handler has returned */
    int accepted, unsure; /* that have not been handled */
    size_t room;
    uint32_t failures, failures_max;
    bool handling;
    bool stopped;
    bool dropped; /* stopped at once */
    int late;     /* handled although */
    int users;
    int links, told;
};

static struct inbox *
inbox_of(const struct thing *t)
{
    return t->own;
}

/* ---- the actor ---- */

static bool
is_dead(const struct inbox *b)
{
    return b->failures > b->failures_max;
}

static int
receive(fern_actor *self, void *message, void *state)
{
    struct inbox *b = state;
    struct message m = *(struct message *)message;
    uint8_t *fate = &b->fate[m.number];
    MUST(!b->handling, "message %d is handled beside another", (int)m.number);
    MUST(m.number > b->last, "message %d comes after message %d", (int)m.number,
            (int)b->last);
    MUST(*fate != WITHDRAWN && *fate != HANDLED, "message %d was not sent", (int)m.number);
    /* One may have been handed to it before it was stopped at once. */
    MUST(!is_dead(b) && (!b->dropped || b->late++ == 0), "a message to one that has ended");
    b->accepted -= *fate == ACCEPTED;
    b->unsure -= *fate == UNSURE;
    *fate = HANDLED;
    b->last = m.number;
    b->handling = true;
    for (unsigned rests = draw(3); rests; rests--)
        if (fern_sleep((int64_t)draw(4) * 500 * FERN_US) < 0)
            break;
    if (chance(60)) {
        int r = fern_actor_reply(self, (void *)(intptr_t)m.number);
        MUST(r == (m.called ? 0 : -ESRCH), "a reply gave %d", r);
    }
    b->handling = false;
    b->over[m.number] = true;
    if (!chance(15))
        return 0;
    b->failures++;
    return -EIO;
}

static void
actor_told(fern_actor *actor, const fern_outcome *outcome, void *arg)
{
    struct inbox *b = arg;
    MUST(actor == b->actor, "another actor has ended");
    MUST(b->stopped || (is_dead(b) && outcome->code), "an actor has ended: %d",
            outcome->code);
    b->told++;
}

static void
actor_make(struct thing *t)
{
    struct inbox *b = inbox_of(t);
    *b = (struct inbox){.room = draw(4), .failures_max = draw(3)};
    FERN_ACTOR_OPTIONS(options);
    options.quiet = true;
    options.inbox_max = b->room;
    options.restarts_max = b->failures_max;
    b->actor = fern_actor_new(receive, b, sizeof(struct message), &options);
    MUST(b->actor, "no actor");
}

static void
actor_begin(struct thing *t)
{
    t->own = calloc(1, sizeof(struct inbox));
    MUST(t->own, "no memory");
    actor_make(t);
}

/* ---- calls ---- */

/* Whether what the way waits for is there, while nobody is ready. */
static bool
actor_ready(const struct way *w)
{
    const struct inbox *b = inbox_of(w->thing);
    if (!fern_actor_running(b->actor))
        return true;
    if (w->what == CALL && b->over[w->item.key])
        return true;
    if (w->what == JOIN || (w->what == CALL && b->fate[w->item.key] == HANDLED))
        return false;
    bool room = !b->room || (size_t)(b->accepted + b->unsure) < b->room;
    return w->what == SEND && room;
}

static void
actor_take(struct way *w)
{
    (void)w;
}

/* That of a call may stand in the inbox, whatever the call gives. */
static void
note_call(struct inbox *b, const struct message *m)
{
    b->fate[m->number] = UNSURE;
    b->unsure++;
}

/* @param r  what sending it gave */
static void
note_sent(struct inbox *b, const struct message *m, int r)
{
    uint8_t *fate = &b->fate[m->number];
    if (*fate == HANDLED) {
        MUST(r == 0 || (m->called && r != -EAGAIN),
                "message %d was handled and its sender got %d", (int)m->number, r);
    } else if (*fate == UNSURE && r == -EAGAIN) {
        *fate = WITHDRAWN;
        b->unsure--;
    } else if (*fate == UNSENT) {
        *fate = r == 0 ? ACCEPTED : WITHDRAWN;
        b->accepted += r == 0;
    }
}

static void
check_reply(const struct inbox *b, const struct message *m, int r, const void *reply)
{
    if (r == 0)
        MUST(b->over[m->number] && (!reply || (intptr_t)reply == m->number),
                "the reply to message %d is %d", (int)m->number, (int)(intptr_t)reply);
    else
        MUST(b->stopped || is_dead(b) || b->over[m->number], "message %d was refused",
                (int)m->number);
}

static void
actor_send(struct user *u, struct thing *t)
{
    struct inbox *b = inbox_of(t);
    if (b->numbered + 1 == MESSAGES)
        return;
    struct message m = {++b->numbered, chance(40)};
    fern_time deadline = pick_deadline();
    void *reply = NULL;
    open_begin(u, t, m.called ? NULL : &t->line[0], deadline);
    u->way[0].what = m.called ? CALL : SEND;
    u->way[0].item.key = m.number;
    if (m.called)
        note_call(b, &m);
    b->users++;
    int r = m.called ? fern_actor_call(b->actor, &m, &reply, deadline)
                     : fern_actor_send(b->actor, &m, deadline);
    b->users--;
    note_sent(b, &m, r);
    if (!open_end(u, r))
        return;
    MUST(r == 0 || r == -EPIPE, "sending message %d gave %d", (int)m.number, r);
    if (m.called)
        check_reply(b, &m, r, reply);
    else
        MUST(r == 0 || b->stopped || is_dead(b), "message %d was refused", (int)m.number);
}

static void
actor_join(struct user *u, struct thing *t)
{
    struct inbox *b = inbox_of(t);
    fern_time deadline = pick_deadline();
    open_begin(u, t, NULL, deadline);
    u->way[0].what = JOIN;
    b->users++;
    int r = fern_actor_join(b->actor, NULL, deadline);
    b->users--;
    if (open_end(u, r))
        MUST(r == 0 && !fern_actor_running(b->actor), "joining an actor gave %d", r);
}

static void
actor_act(struct user *u, struct thing *t)
{
    if (chance(85))
        actor_send(u, t);
    else
        actor_join(u, t);
}

/* ---- deeds ---- */

static void
actor_stop(struct thing *t)
{
    struct inbox *b = inbox_of(t);
    int flags = chance(50) ? FERN_ACTOR_NOW : 0;
    bool ran = fern_actor_running(b->actor);
    b->stopped |= ran;
    b->dropped |= ran && flags;
    int r = fern_actor_stop(b->actor, flags, FERN_NOWAIT);
    MUST(r == -EAGAIN || (r == 0 && !fern_actor_running(b->actor)), "a stop gave %d", r);
}

/* One that has ended gives way to a new one. */
static void
actor_renew(struct thing *t)
{
    struct inbox *b = inbox_of(t);
    if (fern_actor_running(b->actor) || b->users)
        return;
    MUST(b->told == b->links, "%d of %d were told of an end", b->told, b->links);
    fern_actor_free(b->actor);
    actor_make(t);
}

static void
actor_poke(struct thing *t)
{
    struct inbox *b = inbox_of(t);
    unsigned what = draw(100);
    if (what < 10) {
        actor_stop(t);
    } else if (what < 40) {
        actor_renew(t);
    } else if (what < 60 && b->links < LINKS) {
        bool runs = fern_actor_running(b->actor);
        b->links += runs;
        int r = fern_actor_link(b->actor, actor_told, b);
        MUST(r == (runs ? 0 : -ESRCH), "a link to an actor gave %d", r);
    } else if (b->numbered + 1 < MESSAGES) {
        struct message m = {++b->numbered, false};
        int r = fern_actor_send(b->actor, &m, FERN_NOWAIT);
        MUST(r == 0 || (r == -EAGAIN && b->room) ||
                        (r == -EPIPE && (b->stopped || is_dead(b))),
                "sending message %d gave %d", (int)m.number, r);
        note_sent(b, &m, r);
    }
}

static void
actor_check(struct thing *t)
{
    struct inbox *b = inbox_of(t);
    bool runs = fern_actor_running(b->actor);
    uint32_t restarts = b->failures < b->failures_max ? b->failures : b->failures_max;
    MUST(runs || b->stopped || is_dead(b), "actor %d has ended", t->number);
    MUST(!runs || !is_dead(b), "actor %d has failed too often and runs", t->number);
    MUST(runs ? b->told == 0 : b->told == b->links, "%d of %d were told of an end", b->told,
            b->links);
    MUST(b->stopped || fern_actor_restarts(b->actor) == restarts,
            "actor %d has begun anew %d times", t->number,
            (int)fern_actor_restarts(b->actor));
    if (runs && !b->handling)
        MUST(b->accepted == 0 && !b->stopped, "actor %d rests, with %d messages", t->number,
                b->accepted);
}

static void
actor_end(struct thing *t)
{
    struct inbox *b = inbox_of(t);
    b->stopped = true;
    int r = fern_actor_stop(b->actor, FERN_ACTOR_NOW, FERN_FOREVER);
    MUST(r == 0, "stopping actor %d gave %d", t->number, r);
    fern_actor_free(b->actor);
    free(b);
}

const struct kind kind_actor = {.name = "actor",
        .begin = actor_begin,
        .act = actor_act,
        .poke = actor_poke,
        .ready = actor_ready,
        .take = actor_take,
        .check = actor_check,
        .end = actor_end,
        .stays = true};
