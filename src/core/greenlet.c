/* SPDX-License-Identifier: MIT */
/*
 * A greenlet's life.
 *
 *     FREE --alloc--> NEW --spawn, fern_start--> SPAWNED --first run--> LIVE --finish--> DONE
 *      ^               |                            |                                     |
 *      |               +------- kill, finish -------+------------------> DONE             |
 *      +---------------------------- release of the last reference -----------------------+
 *
 *     alloc      fern__greenlet_alloc        here
 *     spawn      enqueue, fern_start         core/spawn.c
 *     first run  start, fern__greenlet_main  core/sched.c
 *     finish     fern__greenlet_finish       here
 *     kill       fern__greenlet_kill         core/kill.c
 *     release    fern__greenlet_release      here
 *
 * While LIVE it is current, on the ready queue, or parked: parked exactly while its winner word
 * is OPEN (core/wait.c).
 */
#include "core/greenlet.h"

#include "core/block.h"
#include "core/link.h"
#include "core/locals.h"
#include "core/observe.h"
#include "core/raw.h"
#include "core/registry.h"
#include "core/scope.h"
#include "core/spawn.h"
#include "core/timer.h"
#include "core/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- blocks ---- */

/* Map a herd at a multiple of its size. Only the block of a greenlet points to what it holds on
 * the heap. */
static struct fern__herd *
herd_map(bool first)
{
    size_t bytes = FERN__HERD_BYTES;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    char *p = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t before = bytes - (uintptr_t)p % bytes;
    munmap(p, before);
    if (before < bytes)
        munmap(p + before + bytes, bytes - before);
    /* Thousands of blocks are walked over in turn: small pages would cost a TLB miss each. A
     * small program stays within the first herd and pays for no huge page. */
    if (!first)
        madvise(p + before, bytes, MADV_HUGEPAGE);
    fern__tool_region_new(p + before, bytes);
    return (struct fern__herd *)(void *)(p + before);
}

static struct fern__herd *
herd_new(struct fern__hub *hub)
{
    size_t room = hub->free_room + FERN__HERD_ROOM;
    fern_greenlet **bigger = realloc(hub->free, room * sizeof *bigger);
    if (!bigger)
        return NULL;
    hub->free = bigger;
    struct fern__herd *herd = herd_map(!hub->herds);
    if (!herd)
        return NULL;
    hub->free_room = room;
    herd->hub = hub;
    herd->older = hub->herds;
    hub->herds = herd;
    return herd;
}

fern_greenlet *
fern__greenlet_alloc_new(struct fern__hub *hub)
{
    if (hub->blocks >= hub->room && fern__hub_make_room(hub) < 0)
        return NULL;
    struct fern__herd *herd = hub->herds;
    if (!herd || herd->count == FERN__HERD_ROOM) {
        herd = herd_new(hub);
        if (!herd)
            return NULL;
    }
    fern_greenlet *g = fern__herd_block(herd, herd->count++);
    hub->blocks++;
    g->magic = FERN__GREENLET_MAGIC;
    g->id = ++hub->id_last;
    g->born_ns = hub->now;
    g->life = FERN__LIFE_NEW;
    return g;
}

/* Undo what was set beyond the first line. */
static void
clean(fern_greenlet *g)
{
    free(g->message);
    free(g->extra);
    g->scopes = NULL;
    g->interrupt = 0;
    g->ended = (struct fern__list){0};
    g->message = NULL;
    g->extra = NULL;
    g->autos = NULL;
    g->kill_code = g->fail_code = g->kills = 0;
}

/* Give back what was given to it for its life. */
static __attribute__((noinline)) void
give_back(fern_greenlet *g)
{
    fern__locals_end(g);
    fern_free_fn *fn = g->extra ? g->extra->free_arg : NULL;
    if (fn) {
        g->extra->free_arg = NULL;
        fn(g->extra->free_what);
    }
}

/* What freeing undoes for a greenlet with marks. @return whose reference it held, or NULL */
static __attribute__((noinline)) fern_greenlet *
free_marked(struct fern__hub *hub, fern_greenlet *g)
{
    if (g->life == FERN__LIFE_NEW) {
        give_back(g);
        if (g->flags & FERN__ODD_STACK)
            fern__stack_close(&hub->stacks, g->stack_top);
    }
    fern_greenlet *parent = fern_raw_parent(g);
    if (g->dirty & FERN__DIRTY_REST)
        clean(g);
    g->flags = 0;
    g->dirty = 0;
    return parent;
}

void
fern__greenlet_free_marked(struct fern__hub *hub, fern_greenlet *g)
{
    fern_greenlet *parent = g->dirty ? free_marked(hub, g) : NULL;
    if (g->life == FERN__LIFE_NEW)
        hub->ended++;
    fern__greenlet_recycle(hub, g);
    if (parent)
        fern__greenlet_release(parent);
}

void
fern__greenlet_release(fern_greenlet *g)
{
    fern__greenlet_drop(fern__greenlet_hub(g), g);
}

struct fern__extra *
fern__greenlet_extra(fern_greenlet *g)
{
    if (!g->extra) {
        g->extra = calloc(1, sizeof *g->extra);
        g->dirty |= FERN__DIRTY_REST;
    }
    return g->extra;
}

/* ---- end ---- */

static int
outcome_code(const fern_greenlet *g)
{
    return g->flags & FERN__KILLED   ? g->kill_code
           : g->flags & FERN__FAILED ? g->fail_code
                                     : 0;
}

static void
report_failure(struct fern__hub *hub, fern_greenlet *g)
{
    fern_outcome outcome;
    (void)fern_greenlet_outcome(g, &outcome);
    if (hub->error_hook) {
        hub->error_hook(g, &outcome, hub->error_arg);
        return;
    }
    char label[160];
    fern__greenlet_label(g, label, sizeof label);
    fern__report("greenlet %s failed with code %d%s%s", label, outcome.code,
            outcome.message ? ": " : "", outcome.message ? outcome.message : "");
}

/* The end of a greenlet with marks, or of one that somebody watches. */
static __attribute__((noinline)) void
finish_marked(struct fern__hub *hub, fern_greenlet *g, bool ran)
{
    if (g->scopes)
        fern__scope_abandon(g);
    if (fern__wheel_armed(&g->timer))
        fern__timer_disarm(g);
    if (g->flags & FERN__FAILED)
        g->arg = NULL;
    if (g->flags & FERN__FAILED && !(g->flags & (FERN__KILLED | FERN__QUIET)))
        report_failure(hub, g);
    if (g->flags & FERN__PARENT)
        fern__spawn_orphan(hub, g->id);
    if (ran && hub->observed)
        fern__observe_end(hub, g);
    fern__observe_forget(hub, g);
    if (hub->hooks.ended)
        hub->hooks.ended(g, hub->hooks.arg);
    if (g->flags & FERN__LINKED)
        fern__link_serve(g);
    if (ran && g->flags & FERN__RAW)
        fern__raw_finish(g, g->arg);
}

/* Common to those that ran and those that did not. */
static void
finish(struct fern__hub *hub, fern_greenlet *g, void *value, bool ran)
{
    /* It has ended before anything is called: what is called may want to kill it. */
    g->arg = value;
    g->life = FERN__LIFE_DONE;
    if (g->dirty & FERN__DIRTY_REST || hub->hooks.ended) {
        g->dirty |= FERN__DIRTY_REST;
        g->interrupt = -EDEADLK; /* whatever is called from here on must not wait */
        give_back(g);
    }
    finish_marked(hub, g, ran);
}

void
fern__greenlet_finish_marked(struct fern__hub *hub, fern_greenlet *g, void *value)
{
    finish(hub, g, value, true);
    hub->ended++;
    fern__greenlet_drop(hub, g);
}

void
fern__greenlet_finish_unrun(fern_greenlet *g)
{
    struct fern__hub *hub = fern__greenlet_hub(g);
    bool spawned = g->life == FERN__LIFE_SPAWNED;
    bool queued = spawned && !fern__wheel_armed(&g->timer);
    if (g->flags & FERN__ODD_STACK)
        fern__stack_close(&hub->stacks, g->stack_top);
    if (queued)
        hub->stale++;
    else
        hub->ended++;
    /* What its end calls runs on the stack of who ended it, and must not wait there either. */
    fern_greenlet *self = hub->current;
    bool refused = self->flags & FERN__REFUSES;
    int32_t interrupt = self->interrupt;
    fern__greenlet_mark(self, FERN__REFUSES);
    self->interrupt = -EDEADLK;
    finish(hub, g, NULL, false);
    if (!refused)
        self->flags &= (uint16_t)~FERN__REFUSES;
    self->interrupt = interrupt;
    if (self->life == FERN__LIFE_LIVE)
        fern__greenlet_set_interrupt(self);
    if (spawned && !queued)
        fern__greenlet_release(g);
}

/* ---- looking at it ---- */

void
fern__greenlet_label(const fern_greenlet *g, char *text, size_t bytes)
{
    const char *name = g->flags & FERN__CALLER       ? "callbacks"
                       : g->extra && *g->extra->name ? g->extra->name
                       : g->flags & FERN__ROOT       ? "main"
                                                     : "";
    int n = snprintf(
            text, bytes, *name ? "#%llu \"%s\"" : "#%llu", (unsigned long long)g->id, name);
    if (g->site && n > 0 && (size_t)n < bytes)
        snprintf(text + n, bytes - (size_t)n, " spawned at %s:%d", g->site->file,
                g->site->line);
}

void
fern__greenlet_each(
        struct fern__hub *hub, bool (*fn)(fern_greenlet *g, void *arg), void *arg)
{
    for (struct fern__herd *herd = hub->herds; herd; herd = herd->older) {
        for (size_t i = 0; i < herd->count; i++) {
            fern_greenlet *g = fern__herd_block(herd, i);
            if (g->life != FERN__LIFE_FREE && !fn(g, arg))
                return;
        }
    }
}

struct search {
    uint64_t id;
    fern_greenlet *found;
};

static bool
has_id(fern_greenlet *g, void *arg)
{
    struct search *search = arg;
    if (g->id == search->id)
        search->found = g;
    return !search->found;
}

fern_greenlet *
fern__greenlet_find(struct fern__hub *hub, uint64_t id)
{
    struct search search = {.id = id};
    fern__greenlet_each(hub, has_id, &search);
    return search.found;
}

int
fern_greenlet_outcome(const fern_greenlet *g, fern_outcome *ret_outcome)
{
    FERN_CHECK(g && ret_outcome, -EINVAL);
    FERN_CHECK(g->life == FERN__LIFE_DONE, -EINPROGRESS);
    bool killed = g->flags & FERN__KILLED;
    *ret_outcome = (fern_outcome){
            .code = outcome_code(g),
            .cancelled = killed,
            .value = g->arg,
            .message = g->dirty & FERN__DIRTY_REST ? g->message : NULL,
    };
    return 0;
}
