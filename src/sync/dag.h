/* SPDX-License-Identifier: MIT */
/*
 * Dags, as those who wait for their keys see them.
 *
 * A key lives as long as its dag and has a promise, a future, at each time; a key that is given
 * anew has another one. A key that waits is an edge in the list `dependents` of each key that it
 * depends on; `missing` counts those that are not there. What its function asks for while it runs
 * is `ask`, so that circles can be found.
 */
#ifndef FERN_SYNC_DAG_H
#define FERN_SYNC_DAG_H

#include "sync/future.h"
#include "sync/pool.h"

#include <fern/dag.h>

struct fern__dag_key;

/* It is done before its key gets another one, and before the dag is freed. */
struct fern__promise {
    fern_future base;
    struct fern__dag_key *key;
};

/* What a function of a dag, or another greenlet, waits for. */
struct fern__dag_ask {
    struct fern__dag_key *const *keys;
    size_t count;
};

struct fern__dag_edge {
    struct fern__list node; /* in on->dependents until it is there */
    struct fern__dag_key *of;
    struct fern__dag_key *on;
};

struct fern__dag_key {
    struct fern__member member; /* in the pool, once it was started */
    struct fern__link end;      /* at the greenlet, until that has ended */
    struct fern__list dependents;
    struct fern__list settled; /* in the dag's list while its dependents are to be told */
    fern_dag *dag;
    struct fern__promise *promise;
    struct fern__dag_key *origin; /* of FAILED: who failed first */
    const struct fern__dag_ask *ask;
    struct fern__dag_key *same_hash; /* the next one in its bucket */
    struct fern__dag_key *walk;      /* the next one to be looked at */
    struct fern__dag_key *via;       /* who has led here */
    uint64_t walked;                 /* by which walk */
    uint64_t hash;
    struct fern__dag_edge *edges;
    void **values;
    size_t count; /* of both */
    size_t missing;
    size_t askers; /* functions that ask for it at this moment */
    fern_dag_fn *fn;
    void *arg;
    fern_dag_state state;
    char name[];
};

struct fern_dag {
    fern_pool *pool;             /* its hub is the dag's */
    struct fern__dag_key **keys; /* in the order in which they were mentioned */
    struct fern__dag_key **buckets;
    size_t count;
    size_t room;               /* of both, a power of two */
    struct fern__list settled; /* keys whose dependents are to be told */
    size_t unfinished;         /* keys in WAITING or RUNNING */
    size_t running;            /* of which in RUNNING */
    size_t users;              /* who waits, and iterators */
    uint64_t walks;
    bool settling;
    bool own_pool;
    char circle[512];
};

/* The key of a name, or NULL. */
struct fern__dag_key *fern__dag_find(const fern_dag *dag, const char *name);

/* The same; made if there is none. @return it; NULL there is no memory */
struct fern__dag_key *fern__dag_need(fern_dag *dag, const char *name);

/* Whose function the greenlet runs; NULL: none of this dag's. */
struct fern__dag_key *fern__dag_key_of(const fern_dag *dag, const fern_greenlet *g);

static inline bool
fern__dag_is_over(const struct fern__dag_key *key)
{
    return key->state == FERN_DAG_DONE || key->state == FERN_DAG_FAILED;
}

static inline bool
fern__dag_is_unfinished(const struct fern__dag_key *key)
{
    return key->state == FERN_DAG_WAITING || key->state == FERN_DAG_RUNNING;
}

/* Whether what a key waits for waits for that key; then dag->circle tells how. */
bool fern__dag_is_in_circle(struct fern__dag_key *key);

/* How many strings there are up to the NULL. */
size_t fern__dag_list_length(const char *const *keys);

#endif
