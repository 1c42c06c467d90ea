/* SPDX-License-Identifier: MIT */
/*
 * Dags: keys, what makes them, and what follows when one is made.
 *
 *     MISSING --post--> DONE or FAILED
 *     MISSING --spawn--> WAITING --all are there--> RUNNING --its end--> DONE or FAILED
 *     WAITING --one has failed, a kill--> FAILED
 *     FAILED by a kill, or replaced --> as MISSING, with a new promise
 *
 * A key that is over settles: those that depend on it are counted down, started or failed. That
 * goes by a list, not by recursion: a chain may be as long as memory.
 *
 * The greenlet of a key is made with it, so that starting it cannot fail, and that it inherits
 * from who has spawned it. It enters the pool when the key starts.
 */
#include "sync/dag.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys ---- */

static struct fern__dag_key *
find(const fern_dag *dag, const char *name, uint64_t hash)
{
    struct fern__dag_key *k = dag->room ? dag->buckets[hash & (dag->room - 1)] : NULL;
    while (k && (k->hash != hash || strcmp(k->name, name) != 0))
        k = k->same_hash;
    return k;
}

struct fern__dag_key *
fern__dag_find(const fern_dag *dag, const char *name)
{
    return find(dag, name, fern__hash_text(name));
}

static void
put_in_bucket(fern_dag *dag, struct fern__dag_key *k)
{
    struct fern__dag_key **bucket = &dag->buckets[k->hash & (dag->room - 1)];
    k->same_hash = *bucket;
    *bucket = k;
}

static bool
make_room(fern_dag *dag)
{
    if (dag->count < dag->room)
        return true;
    size_t room = dag->room ? 2 * dag->room : 16;
    struct fern__dag_key **buckets = calloc(room, sizeof(struct fern__dag_key *));
    struct fern__dag_key **keys =
            buckets ? realloc(dag->keys, room * sizeof(struct fern__dag_key *)) : NULL;
    if (!keys) {
        free(buckets);
        return false;
    }
    free(dag->buckets);
    dag->keys = keys;
    dag->buckets = buckets;
    dag->room = room;
    for (size_t i = 0; i < dag->count; i++)
        put_in_bucket(dag, keys[i]);
    return true;
}

/* ---- promises ---- */

static void promise_cancel(fern_future *f, int code);

static const struct fern__future_kind promise_kind = {
        .name = "the key of a dag", .cancel = promise_cancel};

static struct fern__promise *
promise_new(struct fern__dag_key *k)
{
    fern_future *f = fern__future_make(
            sizeof(struct fern__promise), &promise_kind, fern__self_hub());
    struct fern__promise *p = f ? fern__container_of(f, struct fern__promise, base) : NULL;
    if (p)
        p->key = k;
    return p;
}

struct fern__dag_key *
fern__dag_need(fern_dag *dag, const char *name)
{
    uint64_t hash = fern__hash_text(name);
    struct fern__dag_key *k = find(dag, name, hash);
    if (k)
        return k;
    size_t bytes = strlen(name) + 1;
    k = make_room(dag) ? calloc(1, sizeof *k + bytes) : NULL;
    if (!k)
        return NULL;
    memcpy(k->name, name, bytes);
    k->hash = hash;
    k->dag = dag;
    k->promise = promise_new(k);
    if (!k->promise) {
        free(k);
        return NULL;
    }
    dag->keys[dag->count++] = k;
    put_in_bucket(dag, k);
    return k;
}

/* ---- being over ---- */

static void
forget_edges(struct fern__dag_key *k)
{
    for (size_t i = 0; i < k->count; i++) {
        if (fern__list_linked(&k->edges[i].node))
            fern__list_remove(&k->edges[i].node);
    }
    free(k->edges);
    free(k->values);
    k->edges = NULL;
    k->values = NULL;
    k->count = 0;
}

/* A key is over, and those that depend on it are to be told. */
static void
conclude(struct fern__dag_key *k, const fern_outcome *outcome)
{
    fern_dag *dag = k->dag;
    dag->unfinished -= fern__dag_is_unfinished(k);
    dag->running -= k->state == FERN_DAG_RUNNING;
    forget_edges(k);
    bool failed = outcome->code || outcome->cancelled;
    k->state = failed ? FERN_DAG_FAILED : FERN_DAG_DONE;
    if (failed && !k->origin)
        k->origin = k;
    fern__list_append(&dag->settled, &k->settled);
    fern__future_resolve_as(&k->promise->base, outcome);
}

/* What a key is told that fails because of another one; the promise owns the text. */
static void
fail_because_of(struct fern__dag_key *k, struct fern__dag_key *on)
{
    struct fern__dag_key *origin = on->origin;
    const fern_future *why = &origin->promise->base;
    char **text = &k->promise->base.text;
    int n = why->state == FERN__FUTURE_CANCELLED
                    ? asprintf(text, "\"%s\" was killed", origin->name)
            : why->message
                    ? asprintf(text, "\"%s\" failed: %s", origin->name, why->message)
                    : asprintf(text, "\"%s\" failed with code %d", origin->name, why->code);
    if (n < 0)
        *text = NULL;
    k->origin = origin;
    k->promise->base.looked = why->state == FERN__FUTURE_CANCELLED; /* that is no failure */
    fern_outcome outcome = {.code = why->code, .message = *text};
    fern_greenlet *g = k->promise->base.greenlet;
    fern__wait_remove(&k->end.cell);
    fern__greenlet_kill(g, 0); /* it has not run: this is its end */
    conclude(k, &outcome);
}

static void
start(struct fern__dag_key *k)
{
    for (size_t i = 0; i < k->count; i++)
        k->values[i] = k->edges[i].on->promise->base.value;
    k->state = FERN_DAG_RUNNING;
    k->dag->running++;
    fern__pool_enqueue(k->dag->pool, &k->member, k->promise->base.greenlet);
}

static void
tell_dependents(struct fern__dag_key *k)
{
    for (struct fern__list *node; (node = fern__list_pop(&k->dependents));) {
        struct fern__dag_key *d = fern__container_of(node, struct fern__dag_edge, node)->of;
        if (k->state == FERN_DAG_FAILED) {
            k->promise->base.looked = true;
            fail_because_of(d, k);
        } else if (--d->missing == 0) {
            start(d);
        }
    }
}

/* Tell all who are to be told; who comes here meanwhile leaves it to the first. */
static void
settle(fern_dag *dag)
{
    if (dag->settling)
        return;
    dag->settling = true;
    for (struct fern__list *node; (node = fern__list_pop(&dag->settled));)
        tell_dependents(fern__container_of(node, struct fern__dag_key, settled));
    dag->settling = false;
}

static void
finish(struct fern__dag_key *k, const fern_outcome *outcome)
{
    conclude(k, outcome);
    settle(k->dag);
}

static void
key_ended(struct fern__link *link, fern_greenlet *g)
{
    fern_outcome outcome;
    (void)fern_greenlet_outcome(g, &outcome);
    finish(fern__container_of(link, struct fern__dag_key, end), &outcome);
}

/* The greenlet is not a member any more; its own link does the rest. */
static void
key_left(struct fern__member *member, fern_greenlet *g)
{
    (void)member;
    (void)g;
}

struct fern__dag_key *
fern__dag_key_of(const fern_dag *dag, const fern_greenlet *g)
{
    struct fern__member *member = fern__pool_member(dag->pool, g);
    if (!member || member->done != key_left)
        return NULL;
    struct fern__dag_key *k = fern__container_of(member, struct fern__dag_key, member);
    return k->dag == dag ? k : NULL;
}

/* ---- making ---- */

fern_dag *
fern_dag_new(fern_pool *pool)
{
    fern_pool *own = pool ? NULL : fern_group_new();
    int r = pool || own ? fern__pool_bind(pool ? pool : own) : -ENOMEM;
    fern_dag *dag = r == 0 ? calloc(1, sizeof *dag) : NULL;
    if (!dag) {
        (void)fern_pool_free(own);
        errno = r < 0 ? -r : ENOMEM;
        return NULL;
    }
    dag->pool = pool ? pool : own;
    dag->own_pool = own != NULL;
    dag->pool->users++;
    return dag;
}

int
fern_dag_free(fern_dag *dag)
{
    if (!dag)
        return 0;
    int r = fern__sync_check(&dag->pool->sync);
    if (r < 0)
        return r;
    FERN_CHECK(!dag->running && !dag->users, -EBUSY);
    dag->settling = true; /* nobody fails because of another one any more */
    for (size_t i = 0; i < dag->count; i++)
        (void)fern_future_cancel(&dag->keys[i]->promise->base, 0);
    for (size_t i = 0; i < dag->count; i++) {
        fern_future_unref(&dag->keys[i]->promise->base);
        free(dag->keys[i]);
    }
    if (--dag->pool->users == 0 && dag->own_pool)
        (void)fern_pool_free(dag->pool);
    free(dag->keys);
    free(dag->buckets);
    free(dag);
    return 0;
}

/* ---- giving ---- */

/* A key that may be given now. @return 0; -EINVAL; -EXDEV; -ENOMEM; -EEXIST */
static int
open_key(fern_dag *dag, const char *name, struct fern__dag_key **ret_key)
{
    FERN_CHECK(dag && name, -EINVAL);
    int r = fern__sync_check(&dag->pool->sync);
    if (r < 0)
        return r;
    struct fern__dag_key *k = fern__dag_need(dag, name);
    if (!k)
        return -ENOMEM;
    bool killed = k->promise->base.state == FERN__FUTURE_CANCELLED;
    FERN_CHECK(k->state == FERN_DAG_MISSING || killed, -EEXIST);
    *ret_key = k;
    return 0;
}

/* Give a key that is over a new promise. @return 0; -ENOMEM */
static int
renew(struct fern__dag_key *k)
{
    if (!fern__dag_is_over(k))
        return 0;
    struct fern__promise *promise = promise_new(k);
    if (!promise)
        return -ENOMEM;
    fern_future_unref(&k->promise->base);
    k->promise = promise;
    k->state = FERN_DAG_MISSING;
    k->origin = NULL;
    return 0;
}

static int
post(struct fern__dag_key *k, const fern_outcome *outcome)
{
    int r = renew(k);
    if (r < 0)
        return r;
    fern_outcome kept = *outcome;
    if (outcome->message) {
        k->promise->base.text = strdup(outcome->message);
        kept.message = k->promise->base.text;
        if (!kept.message)
            return -ENOMEM;
    }
    finish(k, &kept);
    return 0;
}

int
fern_dag_post(fern_dag *dag, const char *key, void *value)
{
    struct fern__dag_key *k;
    int r = open_key(dag, key, &k);
    fern_outcome outcome = {.value = value};
    return r < 0 ? r : post(k, &outcome);
}

int
fern_dag_post_error(fern_dag *dag, const char *key, int code, const char *message)
{
    struct fern__dag_key *k;
    FERN_CHECK(code != 0, -EINVAL);
    int r = open_key(dag, key, &k);
    fern_outcome outcome = {.code = code, .message = message};
    return r < 0 ? r : post(k, &outcome);
}

int
fern_dag_replace(fern_dag *dag, const char *key, void *value)
{
    FERN_CHECK(dag && key, -EINVAL);
    int r = fern__sync_check(&dag->pool->sync);
    if (r < 0)
        return r;
    struct fern__dag_key *k = fern__dag_need(dag, key);
    if (!k)
        return -ENOMEM;
    FERN_CHECK(!fern__dag_is_unfinished(k), -EBUSY);
    fern_outcome outcome = {.value = value};
    return post(k, &outcome);
}

/* ---- spawning ---- */

static void *
run_key(void *arg)
{
    struct fern__dag_key *k = arg;
    return k->fn(k->name, k->values, k->arg);
}

size_t
fern__dag_list_length(const char *const *keys)
{
    size_t n = 0;
    while (keys && keys[n])
        n++;
    return n;
}

/* Make the edges of a key, not yet linked. @return 0; -ENOMEM */
static int
make_edges(struct fern__dag_key *k, const char *const *depends)
{
    size_t count = fern__dag_list_length(depends);
    k->edges = calloc(count + 1, sizeof *k->edges);
    k->values = calloc(count + 1, sizeof *k->values);
    k->count = count;
    for (size_t i = 0; k->edges && i < count; i++) {
        k->edges[i].of = k;
        k->edges[i].on = fern__dag_need(k->dag, depends[i]);
        if (!k->edges[i].on)
            break;
    }
    bool complete = k->edges && k->values && (count == 0 || k->edges[count - 1].on != NULL);
    if (complete)
        return 0;
    k->count = 0;
    forget_edges(k);
    return -ENOMEM;
}

/* Nobody will make this key: say why. */
static int
refuse_circle(struct fern__dag_key *k)
{
    fern_outcome outcome = {.code = -EDEADLK, .message = k->dag->circle};
    k->state = FERN_DAG_MISSING;
    forget_edges(k);
    int r = post(k, &outcome);
    return r < 0 ? r : -EDEADLK;
}

/* Make the greenlet of a key, which does not start yet. */
static int
make_greenlet(
        struct fern__dag_key *k, const fern_spawn_options *options, const fern_site *site)
{
    FERN_SPAWN_OPTIONS(o);
    if (options)
        o = *options;
    o.unstarted = true;
    o.quiet = true;
    if (!o.name)
        o.name = k->name;
    fern_greenlet *g = fern_spawn_at(run_key, k, &o, site);
    if (!g)
        return -errno;
    if (o.free_arg)
        g->extra->free_what = k->arg;
    k->promise->base.greenlet = g;
    k->member.done = key_left;
    k->end.ended = key_ended;
    fern__link_add(g, &k->end);
    return 0;
}

/* Wait for what it depends on, and fail or start if there is nothing to wait for. */
static void
begin(struct fern__dag_key *k)
{
    struct fern__dag_key *failed = NULL;
    k->state = FERN_DAG_WAITING;
    k->dag->unfinished++;
    k->missing = 0;
    for (size_t i = 0; i < k->count; i++) {
        struct fern__dag_key *on = k->edges[i].on;
        if (on->state == FERN_DAG_FAILED && !failed)
            failed = on;
        if (fern__dag_is_over(on))
            continue;
        fern__list_append(&on->dependents, &k->edges[i].node);
        k->missing++;
    }
    if (failed) {
        failed->promise->base.looked = true;
        fail_because_of(k, failed);
        settle(k->dag);
    } else if (k->missing == 0) {
        start(k);
    }
}

int
fern_dag_spawn_at(fern_dag *dag, const char *key, const char *const *depends,
        fern_dag_fn *fn, void *arg, const fern_spawn_options *options,
        const fern_site *site)
{
    struct fern__dag_key *k;
    FERN_CHECK(fn && (!options || !options->detached), -EINVAL);
    int r = open_key(dag, key, &k);
    if (r == 0)
        r = renew(k);
    if (r == 0)
        r = make_edges(k, depends);
    if (r < 0)
        return r;
    k->state = FERN_DAG_WAITING; /* what it depends on can be seen */
    if (fern__dag_is_in_circle(k))
        return refuse_circle(k);
    k->state = FERN_DAG_MISSING;
    k->fn = fn;
    k->arg = arg;
    r = make_greenlet(k, options, site);
    if (r == 0)
        begin(k);
    else
        forget_edges(k);
    return r;
}

/* The function behind the macro: for languages without macros. */

int(fern_dag_spawn)(fern_dag *dag, const char *key, const char *const *depends,
        fern_dag_fn *fn, void *arg)
{
    return fern_dag_spawn_at(dag, key, depends, fn, arg, NULL, NULL);
}

/* ---- stopping ---- */

/* Kill the function of a key that is not over, or let one that has none fail. */
static void
promise_cancel(fern_future *f, int code)
{
    struct fern__dag_key *k = fern__container_of(f, struct fern__promise, base)->key;
    if (f->greenlet) {
        fern__greenlet_kill(f->greenlet, code);
        return;
    }
    fern_outcome outcome = {.code = code, .cancelled = true};
    finish(k, &outcome);
}

static int
kill_one(fern_dag *dag, const char *key, int code, fern_time deadline)
{
    struct fern__dag_key *k = fern__dag_find(dag, key);
    FERN_CHECK(k && fern__dag_is_unfinished(k), -ESRCH);
    fern_greenlet *g = fern_greenlet_ref(k->promise->base.greenlet);
    int r = fern_kill(g, code, deadline);
    fern_greenlet_unref(g);
    return r;
}

static int
kill_all(fern_dag *dag, int code, fern_time deadline)
{
    static const fern_dag_state states[] = {FERN_DAG_WAITING, FERN_DAG_RUNNING};
    struct fern__dag_key *self = fern__dag_key_of(dag, fern__self_hub()->current);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < dag->count; i++) {
            struct fern__dag_key *k = dag->keys[i];
            if (k->state == states[pass] && k != self)
                (void)fern_kill(k->promise->base.greenlet, code, FERN_NOWAIT);
        }
    }
    if (self)
        return fern_kill(self->promise->base.greenlet, code, FERN_NOWAIT);
    int r = fern_dag_wait(dag, NULL, NULL, deadline);
    return r < 0 ? r : 0;
}

int
fern_dag_kill(fern_dag *dag, const char *key, int code, fern_time deadline)
{
    FERN_CHECK(dag, -EINVAL);
    int r = fern__sync_check(&dag->pool->sync);
    if (r < 0)
        return r;
    return key ? kill_one(dag, key, code, deadline) : kill_all(dag, code, deadline);
}
