/* SPDX-License-Identifier: MIT */
/*
 * Mapping a function over an array, and waiting for all of it.
 *
 * The caller itself spawns, so that no more than the pool's size is alive at once; then it waits
 * until nothing is left. A map that is given up is kept by its tasks until the last has ended;
 * they write no results any more.
 */
#include "sync/pool.h"

#include <stdlib.h>

struct map {
    struct fern__sync sync; /* the caller, once all are spawned */
    fern_pool *pool;
    fern_outcome *results; /* NULL: nobody wants them */
    size_t running;
    uint32_t kills; /* of the pool, when it began: one more stops it */
    bool given_up;
};

struct task {
    struct fern__member member;
    struct map *map;
    size_t index;
};

static void
record(struct map *map, size_t index, const fern_greenlet *g)
{
    if (!map->results || fern_greenlet_outcome(g, &map->results[index]) < 0)
        return;
    map->results[index].message = NULL;
}

static void
map_free(struct map *map)
{
    map->pool->users--;
    free(map);
}

static void
task_done(struct fern__member *member, fern_greenlet *g)
{
    struct task *task = fern__container_of(member, struct task, member);
    struct map *map = task->map;
    record(map, task->index, g);
    free(task);
    if (--map->running)
        return;
    if (map->given_up)
        map_free(map);
    else
        fern__sync_grant_all(&map->sync.waiters, 0);
}

static void
map_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct map *map = cell->object;
    FERN__LIST_FOREACH (node, &map->pool->members) {
        struct fern__member *m = fern__container_of(node, struct fern__member, node);
        if (m->done == task_done && fern__container_of(m, struct task, member)->map == map)
            fern__owners_add(owners, m->greenlet->id);
    }
}

static const struct fern__waitable waitable_map = {.name = "map", .owners = map_owners};

static bool
is_stopped(const struct map *map)
{
    return map->kills != map->pool->kills;
}

/* Run one of them in the pool. @return 0; 1 the pool was killed; a negative code */
static int
run_one(struct map *map, fern_fn *fn, void *arg, size_t index, enum fern__pool_self self,
        fern_time deadline)
{
    int r = fern__pool_take(map->pool, self, deadline);
    if (r < 0)
        return r;
    if (r == 1) {
        FERN_SPAWN_OPTIONS(options);
        options.quiet = true;
        fern_greenlet *g = fern__pool_run_here(fn, arg, &options, NULL);
        if (!g)
            return -errno;
        record(map, index, g);
        fern_greenlet_unref(g);
        return 0;
    }
    struct task *task = is_stopped(map) ? NULL : calloc(1, sizeof *task);
    if (!task) {
        fern__pool_give(map->pool);
        return is_stopped(map) ? 1 : -ENOMEM;
    }
    *task = (struct task){.member.done = task_done, .map = map, .index = index};
    map->running++;
    r = fern__pool_launch(map->pool, &task->member, fn, arg, NULL);
    if (r < 0) {
        map->running--;
        free(task);
    }
    return r;
}

static void
fill(fern_outcome *results, size_t from, size_t to, int code)
{
    for (size_t i = from; results && i < to; i++)
        results[i] = (fern_outcome){.code = code, .cancelled = code == -ECANCELED};
}

/* Spawn all, unless the pool is killed meanwhile: then the others are cancelled. */
static int
run_all(struct map *map, fern_fn *fn, void *const *args, size_t n,
        enum fern__pool_self self, fern_time deadline)
{
    for (size_t i = 0; i < n; i++) {
        int r = is_stopped(map) ? 1 : run_one(map, fn, args[i], i, self, deadline);
        if (r < 0)
            return r;
        if (r == 1)
            fill(map->results, i, i + 1, -ECANCELED);
    }
    return 0;
}

static int
wait_for_all(struct map *map, fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    if (!map->running)
        return 0;
    int r = fern__sync_enter(&map->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    if (deadline.ns == 0)
        return -EAGAIN;
    return fern__sync_wait(hub, g, &map->sync, &waitable_map, NULL, deadline);
}

static int
map_over(fern_pool *pool, fern_fn *fn, void *const *args, size_t n,
        fern_outcome *ret_results, enum fern__pool_self self, fern_time deadline)
{
    FERN_CHECK(pool && fn && (args || n == 0), -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&pool->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    struct map *map = calloc(1, sizeof *map);
    if (!map)
        return -ENOMEM;
    *map = (struct map){.pool = pool, .results = ret_results, .kills = pool->kills};
    pool->users++;
    fill(ret_results, 0, n, -EINPROGRESS);
    r = run_all(map, fn, args, n, self, deadline);
    if (r == 0)
        r = wait_for_all(map, deadline);
    map->results = NULL;
    map->given_up = true;
    if (!map->running)
        map_free(map);
    return r;
}

int
fern_pool_map(fern_pool *pool, fern_fn *fn, void *const *args, size_t n,
        fern_outcome *ret_results, fern_time deadline)
{
    return map_over(pool, fn, args, n, ret_results, FERN__POOL_MEMBER, deadline);
}

/* ---- in a greenlet of its own ---- */

struct job {
    fern_pool *pool;
    fern_fn *fn;
    void *const *args;
    size_t n;
    fern_outcome *results;
    enum fern__pool_self self;
};

static void *
run_job(void *arg)
{
    const struct job *job = arg;
    int r = map_over(
            job->pool, job->fn, job->args, job->n, job->results, job->self, FERN_FOREVER);
    return r < 0 ? fern_fail(r, NULL) : job->results;
}

static void
free_job(void *arg)
{
    struct job *job = arg;
    job->pool->users--;
    free(job);
}

fern_greenlet *
fern_pool_map_async(fern_pool *pool, fern_fn *fn, void *const *args, size_t n,
        fern_outcome *ret_results, fern_link_fn *done, void *done_arg)
{
    int r = fn && (args || n == 0) ? fern__pool_bind(pool) : -EINVAL;
    struct job *job = r == 0 ? calloc(1, sizeof *job) : NULL;
    if (!job) {
        errno = r < 0 ? -r : ENOMEM;
        return NULL;
    }
    bool inside = fern__pool_member(pool, fern__self_hub()->current);
    *job = (struct job){.pool = pool,
            .fn = fn,
            .args = args,
            .n = n,
            .results = ret_results,
            .self = inside ? FERN__POOL_LENT : FERN__POOL_NOBODY};
    FERN_SPAWN_OPTIONS(options);
    options.free_arg = free_job;
    options.unstarted = true;
    pool->users++;
    fern_greenlet *g = fern_spawn_with(run_job, job, &options);
    if (!g) {
        int code = errno;
        free_job(job);
        errno = code;
        return NULL;
    }
    r = done ? fern_link(g, done, done_arg, FERN_LINK_SUCCESS) : 0;
    if (r < 0) {
        fern_greenlet_unref(g);
        errno = -r;
        return NULL;
    }
    fern_start(g);
    return g;
}
