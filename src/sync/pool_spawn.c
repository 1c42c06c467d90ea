/* SPDX-License-Identifier: MIT */
/*
 * Spawning in pools, and running a function there where the spawner stands.
 *
 * A member that finds its own pool full runs the function on its own stack. What the function
 * does to the greenlet it runs in, a failure, is taken off the caller and given to a greenlet
 * that never ran and ends right away: whoever has the handle sees no difference.
 */
#include "core/spawn.h"
#include "sync/pool.h"

#include <stdlib.h>

/* What a failure leaves in a greenlet. */
struct failure {
    char *message;
    int32_t code;
    bool failed;
};

/* Take the failure off a greenlet, and give it another one's. */
static struct failure
exchange(fern_greenlet *g, struct failure other)
{
    struct failure own = {g->message, g->fail_code, g->flags & FERN__FAILED};
    g->message = other.message;
    g->fail_code = other.code;
    g->flags &= (uint16_t)~FERN__FAILED;
    if (other.failed) {
        fern__greenlet_mark(g, FERN__FAILED);
        g->dirty |= FERN__DIRTY_REST;
    }
    return own;
}

/* A greenlet that is going to end without having run; or NULL with errno. */
static fern_greenlet *
make_handle(struct fern__hub *hub, fern_fn *fn, void *arg,
        const fern_spawn_options *options, const fern_site *site)
{
    fern_greenlet *h = fern__spawn_make(hub, fn, arg);
    if (!h)
        return NULL;
    h->site = site;
    if (options && options->quiet)
        fern__greenlet_mark(h, FERN__QUIET);
    if (options && options->name && fern_set_name(h, options->name) < 0) {
        fern_greenlet_unref(h);
        errno = ENOMEM;
        return NULL;
    }
    if (hub->hooks.spawned)
        hub->hooks.spawned(h, hub->hooks.arg);
    return h;
}

fern_greenlet *
fern__pool_run_here(
        fern_fn *fn, void *arg, const fern_spawn_options *options, const fern_site *site)
{
    struct fern__hub *hub = fern__self_hub();
    fern_greenlet *self = hub->current;
    fern_greenlet *h = make_handle(hub, fn, arg, options, site);
    if (!h)
        return NULL;
    struct failure before = exchange(self, (struct failure){0});
    void *value = fn(arg);
    exchange(h, exchange(self, before));
    bool failed = h->flags & FERN__FAILED;
    fern__greenlet_finish_unrun(h);
    h->arg = failed ? NULL : value;
    if (options && options->free_arg)
        options->free_arg(arg);
    return h;
}

/* ---- spawning ---- */

static int
check(const fern_pool *pool, fern_fn *fn, const fern_spawn_options *options)
{
    FERN_CHECK(pool && fn, -EINVAL);
    /* One that runs first may have ended before it is a member. */
    FERN_CHECK(!options || (options->size == sizeof *options && !options->now), -EINVAL);
    return 0;
}

static fern_greenlet *
refuse(int r)
{
    errno = -r;
    return NULL;
}

/* Spawn in a slot that was taken; one reference is the caller's. */
static fern_greenlet *
spawn_in(fern_pool *pool, struct fern__member *member, fern_fn *fn, void *arg,
        const fern_spawn_options *options, const fern_site *site)
{
    fern_spawn_options kept;
    if (options) {
        kept = *options;
        kept.detached = false; /* the pool looks at it, whoever else does */
    }
    fern_greenlet *g = fern_spawn_at(fn, arg, options ? &kept : NULL, site);
    if (!g) {
        int code = errno;
        free(member);
        fern__pool_give(pool);
        return refuse(-code);
    }
    fern__pool_admit(pool, member, g);
    if (options && options->detached)
        fern_greenlet_unref(g);
    return g;
}

fern_greenlet *
fern_pool_spawn_at(fern_pool *pool, fern_fn *fn, void *arg,
        const fern_spawn_options *options, const fern_site *site, fern_time deadline)
{
    int r = check(pool, fn, options);
    if (r < 0)
        return refuse(r);
    struct fern__member *member = calloc(1, sizeof *member);
    if (!member)
        return NULL;
    r = fern__pool_take(pool, FERN__POOL_MEMBER, deadline);
    if (r == 0)
        return spawn_in(pool, member, fn, arg, options, site);
    free(member);
    if (r < 0)
        return refuse(r);
    fern_greenlet *g = fern__pool_run_here(fn, arg, options, site);
    if (g && options && options->detached)
        fern_greenlet_unref(g);
    return g;
}

fern_greenlet *(
        fern_pool_spawn)(fern_pool *pool, fern_fn *fn, void *arg, fern_time deadline)
{
    return fern_pool_spawn_at(pool, fn, arg, NULL, NULL, deadline);
}

int
fern_pool_go_at(
        fern_pool *pool, fern_fn *fn, void *arg, const fern_site *site, fern_time deadline)
{
    fern_greenlet *g = fern_pool_spawn_at(pool, fn, arg, NULL, site, deadline);
    if (!g)
        return -errno;
    fern_greenlet_unref(g);
    return 0;
}

int(fern_pool_go)(fern_pool *pool, fern_fn *fn, void *arg, fern_time deadline)
{
    return fern_pool_go_at(pool, fn, arg, NULL, deadline);
}

int
fern__pool_launch(fern_pool *pool, struct fern__member *member, fern_fn *fn, void *arg,
        const fern_site *site)
{
    FERN_SPAWN_OPTIONS(options);
    options.quiet = true;
    fern_greenlet *g = fern_spawn_at(fn, arg, &options, site);
    if (!g) {
        int code = errno;
        fern__pool_give(pool);
        return -code;
    }
    fern__pool_admit(pool, member, g);
    fern_greenlet_unref(g);
    return 0;
}

/* ---- applying ---- */

int
fern_pool_apply(fern_pool *pool, fern_fn *fn, void *arg, fern_outcome *ret_outcome,
        fern_time deadline)
{
    FERN_CHECK(ret_outcome, -EINVAL);
    FERN_SPAWN_OPTIONS(options);
    options.quiet = true;
    fern_greenlet *g = fern_pool_spawn_at(pool, fn, arg, &options, NULL, deadline);
    if (!g)
        return -errno;
    /* What has ended has ended, even if the caller was killed meanwhile: it ran as the caller. */
    int r = fern_ready(g) ? fern_greenlet_outcome(g, ret_outcome)
                          : fern_get(g, ret_outcome, deadline);
    if (r == 0)
        ret_outcome->message = NULL;
    fern_greenlet_unref(g);
    return r;
}

fern_greenlet *
fern_pool_apply_async(
        fern_pool *pool, fern_fn *fn, void *arg, fern_link_fn *done, void *done_arg)
{
    int r = check(pool, fn, NULL);
    if (r == 0)
        r = fern__pool_bind(pool);
    if (r < 0)
        return refuse(r);
    FERN_SPAWN_OPTIONS(options);
    options.unstarted = true;
    struct fern__member *member = calloc(1, sizeof *member);
    fern_greenlet *g = member ? fern_spawn_with(fn, arg, &options) : NULL;
    r = g && done ? fern_link(g, done, done_arg, FERN_LINK_SUCCESS) : 0;
    if (!g || r < 0) {
        int code = g ? -r : errno;
        fern_greenlet_unref(g);
        free(member);
        return refuse(-code);
    }
    fern__pool_enqueue(pool, member, g);
    return g;
}
