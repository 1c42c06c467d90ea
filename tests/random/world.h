/* SPDX-License-Identifier: MIT */
#ifndef FERN_TESTS_RANDOM_WORLD_H
#define FERN_TESTS_RANDOM_WORLD_H

/*
 * A program made at random from a seed, and a model of what must become of it.
 *
 * A schedule is one such program: some greenlets (actors), each of which does a few things drawn
 * from the seed (wait for others, wake them, kill them, open scopes, ...), until main ends them
 * all. Beside each thing done stands what the model knows of it, and every result is held against
 * the model. When nothing is ready main looks at everybody who waits: nobody may wait for what
 * has happened already. In the end everybody has ended, everything that was to be called was
 * called once, and nothing is left.
 *
 * Time is virtual, so the same seed gives the same run.
 */

#include "schedule.h"

enum {
    ACTORS_MAX = 20,
    SCOPES_MAX = 4,
    LINKS_MAX = 12,
    CALLS_MAX = 4,
    TIMERS_MAX = 4,
    SET_MAX = 10,
    PAIRS = 2,
};

/* What an actor waits for. */
enum waiting {
    WAIT_NOTHING,
    WAIT_SLEEP,
    WAIT_PARK,
    WAIT_JOIN,
    WAIT_JOIN_ALL,
    WAIT_IDLE,
    WAIT_RECV,
    WAIT_RAW,
    WAIT_POLL,
};

struct actor {
    int number;
    fern_greenlet *g; /* one reference, until the end of the schedule */
    struct actor *parent;
    bool with_parent;
    int runs;
    int frees;
    uint64_t end_order; /* when its argument was freed: the order of ends */
    int cleanups_owed;

    enum waiting waiting;
    fern_time deadline;   /* of its wait */
    uint64_t arrival;     /* number of its wait */
    struct actor *target; /* of a join */
    fern_greenlet **set;  /* of a join of several */
    size_t set_count;     /* members */
    size_t set_wanted;    /* that must end */
    bool set_stops;       /* at a failure */
    int pair, side;       /* of a recv */
    bool polls[PAIRS][2]; /* what a poll waits for */
    bool granted;         /* woken from its park */
    bool token;           /* an unpark that was remembered */

    int depth; /* open scopes */
    fern_scope scopes[SCOPES_MAX];
    bool is_shield[SCOPES_MAX];
    bool had_fired[SCOPES_MAX]; /* when its wait began */
};

struct link_record {
    fern_greenlet *g;
    int flags;
    bool used;
    bool unlinked;
    int calls;
};

struct call_record {
    fern_callback callback;
    bool pending;
    uint64_t order;
};

struct timer_record {
    fern_timer timer;
    fern_time when;
    int64_t repeat_ns;
    bool started;
    int calls;
};

/* A pair of connected sockets. Bytes that were sent to side s and not received are bytes[s]. */
struct pair {
    int fds[2];
    int bytes[2];
    bool closed[2];
    bool ended[2]; /* the other side sends no more */
};

struct world {
    bool with_io;
    bool draining;
    bool looking; /* main waits until nobody is ready: nobody else begins to */
    int actors;
    int actors_wanted;
    struct actor actor[ACTORS_MAX];
    struct link_record link[LINKS_MAX];
    struct call_record call[CALLS_MAX];
    struct timer_record timer[TIMERS_MAX];
    struct pair pair[PAIRS];
    uint64_t clock;              /* counts everything that has an order */
    uint64_t last_call;          /* the latest of the calls that were made */
    uint64_t joined[ACTORS_MAX]; /* by target: the latest arrival that was woken */
    fern_time slept;             /* the latest deadline of the sleeps that have ended */
    uint64_t slept_arrival;
};

extern struct world world;

/* ---- actor.c ---- */

/* What an actor runs; its argument is the struct actor. */
void *actor_main(void *actor);
void actor_free(void *actor);
/* The code with which its calls must fail now, by the scopes and kills that can be seen. */
int actor_interrupt(const struct actor *a);
bool actor_shielded(const struct actor *a);
bool actor_set_satisfied(const struct actor *a);

/* Whether a receive would not have to wait. */
bool pair_readable(const struct pair *p, int side);

/* ---- waits.c: things that may wait ---- */

void do_wait(struct actor *a);

/* ---- deeds.c: things that do not ---- */

void do_deed(struct actor *a);
struct actor *spawn_actor(struct actor *parent);
void unpark_actor(struct actor *target);
/* A little of everything, from where nothing may wait: a callback, an end. */
void act_without_waiting(void);
void stop_calls_and_timers(void);

#endif
