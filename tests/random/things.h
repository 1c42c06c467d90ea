/* SPDX-License-Identifier: MIT */
#ifndef FERN_TESTS_RANDOM_THINGS_H
#define FERN_TESTS_RANDOM_THINGS_H

/*
 * Random programs of greenlets (users) that wait for each other through the things of fern's
 * sync room: events, results, locks, queues, futures, tasks, pools, stocks, actors, and select over
 * what it can take.
 *
 * The model is exact. Each thing has a line of those who wait at it, first come first. Whoever
 * has something to hand over gives it in the model to the first in line who has not been timed
 * out or killed, before the library is asked to do the same. So it is known of each call whether
 * it must succeed, what it must have got, and in which order those who were served run on; a
 * wake-up that is lost, and an item or permit that is lost or there twice, cannot hide.
 *
 * Of some things the library alone knows when they come to be: which of those who were woken takes a
 * permit that is anybody's, when a member of a pool has left. Calls on them are open: what they gave
 * is held against what must be true of the thing then, nobody may have passed by another in line, and
 * whenever nobody is ready nobody may wait for what is there.
 */

#include "schedule.h"

enum {
    USERS_MAX = 14,
    THINGS_MAX = 16,
    WAYS_MAX = 5,
    LINE_MAX = USERS_MAX * WAYS_MAX + 1,
    POKERS = 3,
    ITEMS_MAX = 64,
    LINES = 6,
    SEVERAL = 4,
};

struct user;
struct thing;
struct line;

/* What goes through queues. */
struct item {
    int64_t key; /* by which a priority queue orders them */
    int64_t id;  /* only wide items have one */
};

/* One of the ways in which a wait may end. */
struct way {
    struct user *user;
    struct thing *thing; /* NULL: a moment */
    struct line *line;   /* where it waits; NULL: nowhere */
    int what;            /* the kind's */
    struct item item;    /* that is given, or must have been taken */
    int result;          /* of the call: 0 or a code */
    uint64_t arrival;    /* when it began to wait */
    fern_time when;      /* of a moment */
};

/* Those who wait, first come first. */
struct line {
    struct way *way[LINE_MAX];
    int count;
};

struct user {
    int number;
    fern_greenlet *g; /* one reference, until the end of the schedule */
    int runs, frees;
    int cleanups_owed;
    fern_scope scope;
    bool in_scope;
    int wanted;           /* of its ways, to be told of; 0: it waits for one */
    int tasks;            /* that run in its group */
    int held[THINGS_MAX]; /* permits, or how often it is locked; by thing */

    bool waits;
    bool selects;
    bool drawn;         /* any of the ready may win */
    bool retakes;       /* a mutex comes after what it waits for: no promise of order */
    bool open;          /* what the call gives is known only afterwards */
    bool passes;        /* it need not wait for who came before */
    fern_time deadline; /* of its wait */
    int entry;          /* the interrupt when the call began */
    bool at_once;       /* the call must not switch */
    int won;            /* the way by which it was served; -1 */
    uint64_t served;    /* when */
    int ways;
    struct thing *guarded; /* the condition whose guard it may wait for */
    struct way way[WAYS_MAX];
    struct item item[WAYS_MAX]; /* what the library reads and writes */
};

struct kind {
    const char *name;
    void (*begin)(struct thing *t);
    /* Do something with it that may wait. */
    void (*act)(struct user *u, struct thing *t);
    /* Do something with it that does not, from anywhere. */
    void (*poke)(struct thing *t);
    /* Whether the way can be gone at once; and go it, which may serve others. */
    bool (*ready)(const struct way *w);
    void (*take)(struct way *w);
    /* It begins to wait. May be NULL. */
    void (*wait)(struct way *w);
    /* Put it into a select. NULL: it cannot be */
    fern_case (*choose)(struct user *u, struct way *w);
    /* The same for a wait that takes nothing, of a kind that a select cannot take. NULL: not this
     * either, or it is chosen. */
    fern_case (*watch)(struct user *u, struct way *w);
    /* The select is over; whether this way has won. May be NULL. */
    void (*chosen)(struct user *u, struct way *w, bool won);
    /* Give back what the user holds: it ends. May be NULL. */
    void (*leave)(struct user *u, struct thing *t);
    /* Hold it against the library, while nobody is ready. */
    void (*check)(struct thing *t);
    /* Nobody uses it any more. */
    void (*end)(struct thing *t);
    bool stays; /* it can be ended on its own thread only */
};

/* What is in a queue. */
struct store {
    fern_queue_kind order;
    bool wide;
    bool closed;
    size_t limit;
    size_t unfinished;
    int count;
    struct item item[ITEMS_MAX];
};

struct thing {
    const struct kind *kind;
    int number;
    struct line line[LINES];
    void *own; /* what else the kind knows of it */
    union {
        fern_event event;
        fern_result result;
        fern_queue queue;
        fern_semaphore semaphore;
        fern_mutex mutex;
        fern_barrier barrier;
        fern_rwlock rwlock;
        fern_waitgroup waitgroup;
        fern_once once;
        struct {
            fern_condition condition;
            fern_mutex guard;
        };
        struct {
            fern_mutex one[SEVERAL];
            struct user *holder[SEVERAL];
        };
    };
    bool set; /* event, result */
    bool clears;
    int32_t value; /* of a result; less than 0: an error */
    int watched;   /* by how many ways of those who take nothing */
    int woken;     /* served, and have not run yet */
    int64_t count; /* of permits; of readers; of those that meet at a barrier */
    int64_t limit;
    struct user *owner; /* of a mutex; who writes */
    int depth;          /* how often more it has taken it */
    uint64_t meeting;   /* at a barrier: its number */
    bool broken;
    int action_code;
    struct store store;
};

struct poker {
    fern_timer timer;
    bool started;
};

struct model {
    int users, users_wanted;
    struct user user[USERS_MAX];
    int things;
    struct thing thing[THINGS_MAX];
    struct poker poker[POKERS];
    struct user nobody;      /* in whose name callbacks act */
    const struct user *runs; /* who has run last */
    uint64_t clock;          /* counts those who are served */
    uint64_t ran;            /* the latest of them who has run on */
    int32_t last_item;
    bool late;    /* it comes behind the library */
    bool leaving; /* its thread ends in the middle */
    bool draining;
};

extern struct model model;

/* ---- things.c: lines and waits ---- */

/* Begin a call with these ways out, set in user->way. What it must give is known then, if it
 * does not have to wait; else it stands in the lines. */
void wait_begin(struct user *u, fern_time deadline);
/* Hold the call's result against the model. @return whether it was served */
bool wait_end(struct user *u, int r);
/* The same of a select. */
bool select_end(struct user *u, int r, const fern_case *cases);
/* The same of a call that can only time out, such as a sleep. */
void rest_end(struct user *u, int r);

/* A call of which only afterwards is known what it gives: it is held against what is true of the
 * thing, at its end and while nobody is ready, and nobody may have passed by who stands in line. */
void open_begin(struct user *u, struct thing *t, struct line *line, fern_time deadline);
/* @return whether it was served, with whatever result */
bool open_end(struct user *u, int r);

/* Whether it could be gone now. */
bool way_is_ready(const struct way *w);

/* A call with one way out. */
struct way *only_way(struct user *u, struct thing *t, struct line *line);

/* The first in line who still waits, or NULL. */
struct way *line_first(struct line *line);
/* Pass over it, in a copy of a line. */
void line_skip(struct line *line);
/* The same, and nothing else can serve it any more. */
struct way *line_claim(struct line *line);
/* Serve it: the library does so in the call that follows. */
void serve(struct way *w, int result);
/* Everybody who still waits in it. */
void serve_line(struct line *line, int result);
/* How many ways of those who still wait stand in it. */
size_t line_count(const struct line *line);
/* The same without one user's own. */
size_t line_others(const struct line *line, const struct user *u);
/* Whether nobody's cell can be linked. */
bool line_empty(const struct line *line);
/* The first whose cell is linked, or NULL: also of a select that another of its ways has won. */
struct way *line_head(struct line *line);
/* Take it off, and win it. @return whether it still waited */
bool line_pop(struct line *line);

/* Whether it waits for a condition's guard, and not, or not any more, for the condition. */
bool waits_for_guard(const struct user *u);

/* The code with which the user's calls must fail now. */
int user_interrupt(const struct user *u);
fern_time pick_deadline(void);

/* ---- things that there are ---- */

extern const struct kind kind_event, kind_result, kind_queue, kind_semaphore, kind_mutex,
        kind_condition, kind_barrier, kind_rwlock, kind_waitgroup, kind_once, kind_barging,
        kind_several, kind_future, kind_task, kind_pool, kind_actor, kind_stock,
        kind_generator;

/* Wait for the first of several. */
void do_select(struct user *u);
/* Wait for some of several, and take nothing. */
void do_watch(struct user *u);

/* ---- users.c ---- */

/* Let time pass, or others run. */
void do_rest(struct user *u);

#endif
