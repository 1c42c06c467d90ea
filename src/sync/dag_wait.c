/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the keys of a dag, and looking at them.
 *
 * A wait for a key is one for its promise. If the waiter is a function of the dag, what it asks for
 * is noted first, and looked at: a function that would wait for its own key is told so.
 */
#include "sync/dag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- circles ---- */

/* Call a function for each key that a key waits for; the same may come again. */
static void
each_missing(const struct fern__dag_key *k, void (*fn)(struct fern__dag_key *on, void *arg),
        void *arg)
{
    for (size_t i = 0; k->state == FERN_DAG_WAITING && i < k->count; i++) {
        if (!fern__dag_is_over(k->edges[i].on))
            fn(k->edges[i].on, arg);
    }
    for (size_t i = 0; k->ask && i < k->ask->count; i++) {
        if (!fern__dag_is_over(k->ask->keys[i]))
            fn(k->ask->keys[i], arg);
    }
}

/* Keys that are to be looked at, first come first served. */
struct walk {
    fern_dag *dag;
    struct fern__dag_key *first;
    struct fern__dag_key *last;
    struct fern__dag_key *here;
};

static void
walk_to(struct fern__dag_key *k, void *arg)
{
    struct walk *w = arg;
    if (k->walked == w->dag->walks)
        return;
    k->walked = w->dag->walks;
    k->via = w->here;
    k->walk = NULL;
    if (w->last)
        w->last->walk = k;
    else
        w->first = k;
    w->last = k;
}

/* Write the way from a key back to itself, which `via` tells from its end. */
static void
write_circle(fern_dag *dag, struct fern__dag_key *start)
{
    struct fern__dag_key *way = NULL;
    for (struct fern__dag_key *k = start->via, *before; k; k = before) {
        before = k->via;
        k->via = way;
        way = k;
    }
    size_t room = sizeof dag->circle;
    size_t n = (size_t)snprintf(dag->circle, room, "\"%s\"", start->name);
    for (; way && n < room; way = way->via)
        n += (size_t)snprintf(dag->circle + n, room - n, " needs \"%s\"", way->name);
    if (n < room)
        n += (size_t)snprintf(dag->circle + n, room - n, " needs \"%s\"", start->name);
    if (n >= room)
        memcpy(dag->circle + room - 4, "...", 4);
}

/* Whether anybody at all waits for a key, itself included: else it stands in no circle, and there
 * is no need to go through what may be a long chain. */
static bool
is_awaited(const struct fern__dag_key *k)
{
    for (size_t i = 0; i < k->count; i++) {
        if (k->edges[i].on == k)
            return true;
    }
    return k->askers || !fern__list_empty(&k->dependents);
}

bool
fern__dag_is_in_circle(struct fern__dag_key *start)
{
    struct walk w = {.dag = start->dag};
    if (!is_awaited(start))
        return false;
    w.dag->walks++;
    each_missing(start, walk_to, &w);
    for (; w.first; w.first = w.first->walk) {
        if (w.first == start) {
            write_circle(w.dag, start);
            return true;
        }
        w.here = w.first;
        each_missing(w.first, walk_to, &w);
    }
    return false;
}

/* ---- waiting ---- */

static void
end_ask(fern_dag *dag, struct fern__dag_key *self)
{
    dag->users--;
    if (!self)
        return;
    for (size_t i = 0; i < self->ask->count; i++)
        self->ask->keys[i]->askers--;
    self->ask = NULL;
}

/* Begin to wait: a function's own wait is noted. @return 0; -EDEADLK */
static int
begin_ask(fern_dag *dag, const struct fern__dag_ask *ask, struct fern__dag_key **ret_self)
{
    struct fern__dag_key *self = fern__dag_key_of(dag, fern__self_hub()->current);
    dag->users++;
    *ret_self = self;
    if (!self)
        return 0;
    self->ask = ask;
    for (size_t i = 0; i < ask->count; i++)
        ask->keys[i]->askers++;
    if (!fern__dag_is_in_circle(self))
        return 0;
    end_ask(dag, self);
    return -EDEADLK;
}

static int
enter(fern_dag *dag, fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    return fern__sync_enter(&dag->pool->sync, &hub, &g, deadline);
}

int
fern_dag_get(fern_dag *dag, const char *key, fern_outcome *ret_outcome, fern_time deadline)
{
    FERN_CHECK(dag && key && ret_outcome, -EINVAL);
    int r = enter(dag, deadline);
    if (r < 0)
        return r;
    bool looks = deadline.ns == 0;
    struct fern__dag_key *k = looks ? fern__dag_find(dag, key) : fern__dag_need(dag, key);
    if (!k || (looks && !fern__dag_is_over(k)))
        return looks ? -EAGAIN : -ENOMEM;
    fern_future *f = &k->promise->base;
    if (!fern_future_done(f)) {
        struct fern__dag_ask ask = {&k, 1};
        struct fern__dag_key *self;
        r = begin_ask(dag, &ask, &self);
        if (r < 0)
            return r;
        fern_future_ref(f);
        r = fern_future_wait(f, deadline);
        if (r == 0)
            *ret_outcome = fern__future_take(f);
        end_ask(dag, self);
        fern_future_unref(f);
        return r;
    }
    *ret_outcome = fern__future_take(f);
    return 0;
}

/* The keys of a list. @return 0; -ENOMEM */
static int
keys_of(fern_dag *dag, const char *const *names, struct fern__dag_key ***ret_keys,
        size_t *ret_count)
{
    size_t count = fern__dag_list_length(names);
    struct fern__dag_key **keys = malloc((count + 1) * sizeof(struct fern__dag_key *));
    for (size_t i = 0; keys && i < count; i++) {
        keys[i] = fern__dag_need(dag, names[i]);
        if (!keys[i]) {
            free(keys);
            return -ENOMEM;
        }
    }
    *ret_keys = keys;
    *ret_count = count;
    return keys ? 0 : -ENOMEM;
}

/* Wait for one key. @return 1 it has failed; 0; a negative code */
static int
wait_for_key(const struct fern__dag_key *k, fern_outcome *ret_outcome, fern_time deadline)
{
    fern_outcome outcome;
    int r = fern_future_get(&k->promise->base, &outcome, deadline);
    if (r == 0 && ret_outcome)
        *ret_outcome = outcome;
    return r < 0 ? r : outcome.code || outcome.cancelled;
}

static int
wait_for_keys(fern_dag *dag, const struct fern__dag_ask *ask, fern_outcome *ret_outcomes,
        fern_time deadline)
{
    struct fern__dag_key *self;
    int failed = 0, r = begin_ask(dag, ask, &self);
    if (r < 0)
        return r;
    for (size_t i = 0; r >= 0 && i < ask->count; i++) {
        r = wait_for_key(ask->keys[i], ret_outcomes ? &ret_outcomes[i] : NULL, deadline);
        failed += r > 0;
    }
    end_ask(dag, self);
    return r < 0 ? r : failed;
}

/* Wait for all that have been given by now. @return as wait_for_keys() */
static int
wait_for_given(const fern_dag *dag, fern_time deadline)
{
    int failed = 0;
    for (size_t i = 0; i < dag->count; i++) {
        if (dag->keys[i]->state == FERN_DAG_MISSING)
            continue;
        int r = wait_for_key(dag->keys[i], NULL, deadline);
        if (r < 0)
            return r;
        failed += r;
    }
    return failed;
}

static int
wait_for_all(fern_dag *dag, fern_time deadline)
{
    int r;
    FERN_CHECK(!fern__dag_key_of(dag, fern__self_hub()->current), -EDEADLK);
    FERN_CHECK(deadline.ns || !dag->unfinished, -EAGAIN);
    dag->users++;
    do {
        r = wait_for_given(dag, deadline);
    } while (r >= 0 && dag->unfinished); /* what was only mentioned may have been given */
    dag->users--;
    return r;
}

int
fern_dag_wait(fern_dag *dag, const char *const *keys, fern_outcome *ret_outcomes,
        fern_time deadline)
{
    FERN_CHECK(dag && (keys || !ret_outcomes), -EINVAL);
    int r = enter(dag, deadline);
    if (r < 0)
        return r;
    if (!keys)
        return wait_for_all(dag, deadline);
    struct fern__dag_key **list;
    struct fern__dag_ask ask;
    r = keys_of(dag, keys, &list, &ask.count);
    if (r < 0)
        return r;
    ask.keys = list;
    r = wait_for_keys(dag, &ask, ret_outcomes, deadline);
    free(list);
    return r;
}

/* ---- one after the other ---- */

struct fern_dag_each {
    fern_dag *dag;
    fern_completed *completed;
    struct fern__dag_key **keys;
    struct fern__dag_ask ask; /* for `keys` */
};

/* All that have been given, or those of the list. @return 0; -ENOMEM */
static int
choose(fern_dag_each *it, const char *const *names)
{
    fern_dag *dag = it->dag;
    if (names)
        return keys_of(dag, names, &it->keys, &it->ask.count);
    it->keys = malloc((dag->count + 1) * sizeof(struct fern__dag_key *));
    for (size_t i = 0; it->keys && i < dag->count; i++) {
        if (dag->keys[i]->state != FERN_DAG_MISSING)
            it->keys[it->ask.count++] = dag->keys[i];
    }
    return it->keys ? 0 : -ENOMEM;
}

static int
watch(fern_dag_each *it)
{
    size_t count = it->ask.count;
    fern_future **futures = malloc((count + 1) * sizeof(fern_future *));
    if (!futures)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        futures[i] = &it->keys[i]->promise->base;
    it->completed = fern_as_completed(futures, count);
    int r = it->completed ? 0 : -errno;
    free(futures);
    return r;
}

fern_dag_each *
fern_dag_each_new(fern_dag *dag, const char *const *keys)
{
    int r = dag ? fern__sync_check(&dag->pool->sync) : -EINVAL;
    fern_dag_each *it = r == 0 ? calloc(1, sizeof *it) : NULL;
    if (it) {
        it->dag = dag;
        r = choose(it, keys);
        it->ask.keys = it->keys;
        if (r == 0)
            r = watch(it);
        if (r == 0) {
            dag->users++;
            return it;
        }
        free(it->keys);
        free(it);
    }
    errno = r < 0 ? -r : ENOMEM;
    return NULL;
}

static int
next(fern_dag_each *it, fern_future **ret_future, fern_time deadline)
{
    struct fern__dag_key *self;
    int r = fern_completed_next(it->completed, ret_future, FERN_NOWAIT);
    if (r != -EAGAIN || deadline.ns == 0)
        return r;
    r = begin_ask(it->dag, &it->ask, &self);
    if (r < 0)
        return r;
    r = fern_completed_next(it->completed, ret_future, deadline);
    end_ask(it->dag, self);
    return r;
}

int
fern_dag_each_next(fern_dag_each *it, fern_dag_result *ret_result, fern_time deadline)
{
    FERN_CHECK(it && ret_result, -EINVAL);
    int r = enter(it->dag, deadline);
    fern_future *f;
    if (r == 0)
        r = next(it, &f, deadline);
    if (r != 1)
        return r;
    ret_result->key = fern__container_of(f, struct fern__promise, base)->key->name;
    ret_result->outcome = fern__future_take(f);
    return 1;
}

static int
dag_each_next_item(void *self, void *ret_item, fern_time deadline)
{
    fern_dag_result dropped;
    return fern_dag_each_next(self, ret_item ? ret_item : &dropped, deadline);
}

fern_iterator
fern_dag_each_iterator(fern_dag_each *it)
{
    static const fern_iterator_ops ops = {.next = dag_each_next_item};
    return (fern_iterator){.ops = &ops, .self = it, .item_size = sizeof(fern_dag_result)};
}

void
fern_dag_each_free(fern_dag_each *it)
{
    if (!it)
        return;
    fern_completed_free(it->completed);
    it->dag->users--;
    free(it->keys);
    free(it);
}

fern_future *
fern_dag_future(fern_dag *dag, const char *key)
{
    int r = dag && key ? fern__sync_check(&dag->pool->sync) : -EINVAL;
    struct fern__dag_key *k = r == 0 ? fern__dag_need(dag, key) : NULL;
    if (k)
        return fern_future_ref(&k->promise->base);
    errno = r < 0 ? -r : ENOMEM;
    return NULL;
}

/* ---- looking ---- */

fern_dag_state
fern_dag_state_of(const fern_dag *dag, const char *key)
{
    const struct fern__dag_key *k = dag && key ? fern__dag_find(dag, key) : NULL;
    return k ? k->state : FERN_DAG_MISSING;
}

size_t
fern_dag_keys(const fern_dag *dag, fern_dag_state state, const char **ret_keys, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; dag && i < dag->count; i++) {
        if (dag->keys[i]->state != state)
            continue;
        if (n < room)
            ret_keys[n] = dag->keys[i]->name;
        n++;
    }
    return n;
}

struct listing {
    fern_dag *dag;
    const char **names;
    size_t room;
    size_t count;
};

static void
list_key(struct fern__dag_key *k, void *arg)
{
    struct listing *l = arg;
    if (k->walked == l->dag->walks)
        return;
    k->walked = l->dag->walks;
    if (l->count < l->room)
        l->names[l->count] = k->name;
    l->count++;
}

ssize_t
fern_dag_waiting_for(fern_dag *dag, const char *key, const char **ret_keys, size_t room)
{
    FERN_CHECK(dag && key && (ret_keys || !room), -EINVAL);
    int r = fern__sync_check(&dag->pool->sync);
    if (r < 0)
        return r;
    const struct fern__dag_key *k = fern__dag_find(dag, key);
    FERN_CHECK(k && k->state != FERN_DAG_MISSING, -ESRCH);
    struct listing l = {.dag = dag, .names = ret_keys, .room = room};
    dag->walks++;
    each_missing(k, list_key, &l);
    return (ssize_t)l.count;
}

const char *
fern_dag_origin(const fern_dag *dag, const char *key)
{
    const struct fern__dag_key *k = dag && key ? fern__dag_find(dag, key) : NULL;
    return k && k->origin ? k->origin->name : NULL;
}

const char *
fern_dag_circle(const fern_dag *dag)
{
    return dag && *dag->circle ? dag->circle : NULL;
}
