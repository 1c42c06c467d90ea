/* SPDX-License-Identifier: MIT */
/*
 * Spawning.
 *
 * A spawn writes one cache line of a control block and one slot of the ready queue; the stack is
 * bound at the first run. What could run out is reserved here, so that a greenlet that was
 * spawned can run and be woken.
 */
#include "core/spawn.h"

#include "base/clock.h"
#include "core/block.h"
#include "core/locals.h"
#include "core/raw.h"
#include "core/sched.h"
#include "core/timer.h"

#include <errno.h>
#include <string.h>

/* What every spawn writes into a block. */
static inline void
fill(struct fern__hub *hub, fern_greenlet *g, fern_fn *fn, void *arg, uint32_t refs)
{
    g->fn = fn;
    g->arg = arg;
    g->parent_id = hub->current->id;
    g->refs = refs;
}

static inline void
enqueue(struct fern__hub *hub, fern_greenlet *g)
{
    g->life = FERN__LIFE_SPAWNED;
    fern__ready_unrun(hub, g);
}

fern_greenlet *
fern__spawn_make(struct fern__hub *hub, fern_fn *fn, void *arg)
{
    fern_greenlet *g = fern__greenlet_alloc(hub);
    if (fern__unlikely(!g)) {
        errno = ENOMEM;
        return NULL;
    }
    fill(hub, g, fn, arg, 1);
    g->site = NULL;
    if (fern__unlikely(hub->inherits) && fern__locals_inherit(hub, g) < 0) {
        fern__greenlet_release(g);
        errno = ENOMEM;
        return NULL;
    }
    return g;
}

/* When there is no hub yet, no block is free, or somebody watches. */
static __attribute__((noinline)) fern_greenlet *
spawn_slow(fern_fn *fn, void *arg, const fern_site *site, uint32_t refs)
{
    if (!fn) {
        errno = EINVAL;
        return NULL;
    }
    struct fern__hub *hub = fern__hub_need();
    fern_greenlet *g = hub ? fern__spawn_make(hub, fn, arg) : NULL;
    if (!g)
        return NULL;
    g->site = site;
    g->refs = refs;
    enqueue(hub, g);
    if (hub->hooks.spawned)
        hub->hooks.spawned(g, hub->hooks.arg);
    return g;
}

/* Spawn with as many references as asked for. */
static inline __attribute__((always_inline)) fern_greenlet *
spawn(fern_fn *fn, void *arg, const fern_site *site, uint32_t refs)
{
    struct fern__hub *hub = fern__self_hub();
    if (fern__unlikely(!fn || !hub || !hub->free_count || hub->watch_spawns))
        return spawn_slow(fn, arg, site, refs);
    fern_greenlet *g = fern__greenlet_alloc_free(hub);
    fill(hub, g, fn, arg, refs);
    g->site = site;
    enqueue(hub, g);
    return g;
}

int
fern_go_at(fern_fn *fn, void *arg, const fern_site *site)
{
    return fern__likely(spawn(fn, arg, site, 1) != NULL) ? 0 : -errno;
}

/* ---- with options ---- */

static int
check_options(const fern_spawn_options *o)
{
    static const size_t stack_max = (size_t)1 << 30;
    FERN_CHECK(o->size == sizeof *o && o->stack_bytes <= stack_max, -EINVAL);
    FERN_CHECK(!o->unstarted || !(o->now || o->detached || o->delay_ns > 0), -EINVAL);
    FERN_CHECK(!o->now || o->delay_ns <= 0, -EINVAL);
    return 0;
}

/* What options ask for that needs memory; all of it before the greenlet can be seen. */
static int
equip(struct fern__hub *hub, fern_greenlet *g, const fern_spawn_options *o)
{
    if (o->name || o->free_arg || o->user_data || o->save_fpu) {
        struct fern__extra *extra = fern__greenlet_extra(g);
        if (!extra)
            return -ENOMEM;
        if (o->name)
            strncpy(extra->name, o->name, sizeof extra->name - 1);
        extra->user_data = o->user_data;
        extra->mxcsr = hub->mxcsr;
        extra->fpucw = hub->fpucw;
    }
    if (o->stack_bytes > hub->stacks.stack_bytes) {
        g->stack_top = fern__stack_open(&hub->stacks, o->stack_bytes);
        if (!g->stack_top)
            return -ENOMEM;
        fern__greenlet_mark(g, FERN__ODD_STACK);
    }
    return 0;
}

static void
configure(struct fern__hub *hub, fern_greenlet *g, const fern_spawn_options *o)
{
    if (o->daemon || o->quiet)
        fern__greenlet_mark(
                g, (o->daemon ? FERN__DAEMON : 0u) | (o->quiet ? FERN__QUIET : 0u));
    if (o->with_parent) {
        fern__greenlet_mark(g, FERN__CHILD);
        fern__greenlet_mark(hub->current, FERN__PARENT);
    }
    if (o->save_fpu) {
        fern__greenlet_mark(g, FERN__FPU);
        hub->fpu_users++;
        fern__hub_observe(hub);
    }
    if (o->free_arg) {
        g->extra->free_arg = o->free_arg;
        g->extra->free_what = g->arg;
    }
}

static void
launch(struct fern__hub *hub, fern_greenlet *g, const fern_spawn_options *o)
{
    if (hub->hooks.spawned)
        hub->hooks.spawned(g, hub->hooks.arg);
    if (o->unstarted)
        return;
    if (o->delay_ns > 0) {
        g->life = FERN__LIFE_SPAWNED;
        g->refs++;
        int64_t at = fern_in(o->delay_ns).ns;
        fern__timer_arm_start(g, at < INT64_MAX ? at : INT64_MAX - 1);
        return;
    }
    if (!o->now || hub->current->interrupt) {
        g->refs++;
        enqueue(hub, g);
        return;
    }
    g->life = FERN__LIFE_SPAWNED;
    g->refs++;
    if (hub->current->scopes)
        fern__timer_arm_yield(hub->current);
    fern__ready(hub, hub->current);
    fern__ready_first(hub, fern__unrun(g));
    fern__sched_leave(hub, hub->current);
}

static __attribute__((noinline)) fern_greenlet *
spawn_with(fern_fn *fn, void *arg, const fern_spawn_options *o, const fern_site *site)
{
    int r = fn ? check_options(o) : -EINVAL;
    if (r < 0) {
        errno = -r;
        return NULL;
    }
    struct fern__hub *hub = fern__hub_need();
    fern_greenlet *g = hub ? fern__spawn_make(hub, fn, arg) : NULL;
    if (!g)
        return NULL;
    g->site = site;
    r = equip(hub, g, o);
    if (r < 0) {
        fern__greenlet_release(g);
        errno = -r;
        return NULL;
    }
    configure(hub, g, o);
    launch(hub, g, o);
    if (o->detached)
        fern__greenlet_release(g);
    return g;
}

fern_greenlet *
fern_spawn_at(
        fern_fn *fn, void *arg, const fern_spawn_options *options, const fern_site *site)
{
    if (fern__likely(!options))
        return spawn(fn, arg, site, 2);
    return spawn_with(fn, arg, options, site);
}

/* The functions behind the macros: for languages without macros. */

fern_greenlet *(fern_spawn)(fern_fn *fn, void *arg)
{
    return spawn(fn, arg, NULL, 2);
}

int(fern_go)(fern_fn *fn, void *arg)
{
    return fern_go_at(fn, arg, NULL);
}

fern_greenlet *(fern_spawn_with)(fern_fn *fn, void *arg, const fern_spawn_options *options)
{
    return fern_spawn_at(fn, arg, options, NULL);
}

int
fern_start(fern_greenlet *g)
{
    FERN_CHECK(g && !(g->flags & FERN__RAW), -EINVAL);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    if (g->life == FERN__LIFE_NEW) {
        g->refs++;
        enqueue(fern__greenlet_hub(g), g);
    }
    return 0;
}

/* ---- children that must not outlive their spawner ---- */

static bool
orphan(fern_greenlet *g, void *id)
{
    bool unrun = g->life == FERN__LIFE_NEW || g->life == FERN__LIFE_SPAWNED;
    if (unrun && g->flags & FERN__CHILD && g->parent_id == *(uint64_t *)id)
        fern__greenlet_kill(g, 0);
    return true;
}

void
fern__spawn_orphan(struct fern__hub *hub, uint64_t id)
{
    fern__greenlet_each(hub, orphan, &id);
}
