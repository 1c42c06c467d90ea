/* SPDX-License-Identifier: MIT */
/*
 * The life of a hub: made when its thread first needs one, ended with the thread.
 *
 * At the end its greenlets are killed and joined for at most a second; what is left then is
 * reported and dropped. When main returns the process ends without any of this: the kernel takes
 * everything back.
 */
#include "core/hub.h"

#include "base/clock.h"
#include "core/block.h"
#include "core/cxx.h"
#include "core/fair.h"
#include "core/locals.h"
#include "core/overflow.h"
#include "core/pause.h"
#include "core/registry.h"
#include "core/report.h"
#include "core/sched.h"
#include "core/timer.h"
#include "core/wait.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { TIMER_SLACK_NS = 1000 };

static const int64_t END_NS = FERN_SECOND;
static const int64_t TRIM_NS = 5 * FERN_SECOND;

static pthread_key_t end_key;
static pthread_once_t end_key_once = PTHREAD_ONCE_INIT;

/* ---- end ---- */

static bool
is_left(const fern_greenlet *g)
{
    return g->life != FERN__LIFE_DONE && g->life != FERN__LIFE_FREE &&
           !(g->flags & (FERN__CALLER | FERN__ROOT));
}

static bool
kill_left(fern_greenlet *g, void *unused)
{
    (void)unused;
    if (is_left(g) && !g->kills)
        fern__greenlet_kill(g, 0);
    return true;
}

struct gathering {
    fern_greenlet **gs;
    size_t n;
    size_t room;
};

static bool
gather(fern_greenlet *g, void *arg)
{
    struct gathering *all = arg;
    if (is_left(g) && !g->kills && all->n < all->room)
        all->gs[all->n++] = g;
    return true;
}

static int
by_id(const void *a, const void *b)
{
    uint64_t one = (*(fern_greenlet *const *)a)->id, two = (*(fern_greenlet *const *)b)->id;
    return one < two ? -1 : one > two;
}

/* Kill everybody in the order of their spawns; if there is no memory for that, in any. */
static void
kill_all_left(struct fern__hub *hub)
{
    struct gathering all = {.room = hub->blocks};
    all.gs = malloc(all.room * sizeof *all.gs);
    if (all.gs) {
        fern__greenlet_each(hub, gather, &all);
        qsort(all.gs, all.n, sizeof *all.gs, by_id);
        for (size_t i = 0; i < all.n; i++)
            kill_left(all.gs[i], NULL);
        free(all.gs);
    }
    fern__greenlet_each(hub, kill_left, NULL);
}

static bool
find_left(fern_greenlet *g, void *ret_g)
{
    if (is_left(g))
        *(fern_greenlet **)ret_g = g;
    return !*(fern_greenlet **)ret_g;
}

/* Kill everybody and wait for one of them; if there is nobody, let callbacks be made. Needs no
 * memory: there may be none. @return 1 there was somebody; 0; a negative code: it would not end */
static int
end_round(struct fern__hub *hub, fern_time end)
{
    fern_greenlet *left = NULL;
    kill_all_left(hub);
    fern__greenlet_each(hub, find_left, &left);
    if (!left)
        return fern_yield();
    fern_greenlet_ref(left);
    int r = fern_join(left, end);
    fern_greenlet_unref(left);
    return r < 0 ? r : 1;
}

int
fern__hub_end_greenlets(struct fern__hub *hub, fern_time end)
{
    int r;
    /* Those that end may spawn others, and links are called: until there are none of either. */
    do {
        r = end_round(hub, end);
    } while (r >= 0 && (r || fern__ring_count(&hub->ready)) &&
             (!end.ns || fern_now().ns < end.ns));
    return r < 0 ? r : 0;
}

static bool
drop(fern_greenlet *g, void *arg)
{
    (void)arg;
    free(g->message);
    free(g->extra);
    fern__locals_drop(g);
    return true;
}

static void
hub_free(struct fern__hub *hub)
{
    fern__sched_bury(hub);
    fern__timers_drop(hub);
    fern__greenlet_each(hub, drop, NULL);
    if (hub->poller)
        hub->poller->ops->close(hub->poller);
    fern__overflow_detach(hub);
    fern__stacks_fini(&hub->stacks);
    fern__ring_fini(&hub->ready);
    free(hub->free);
    for (struct fern__herd *herd = hub->herds, *older; herd; herd = older) {
        older = herd->older;
        fern__tool_region_gone(herd, FERN__HERD_BYTES);
        munmap(herd, FERN__HERD_BYTES);
    }
    free(hub);
}

/* The thread ends. */
static void
hub_end(void *arg)
{
    struct fern__hub *hub = arg;
    fern__self_slot.hub = hub;
    if (hub->current != hub->root)
        fern__die(__FILE__, __LINE__,
                "pthread_exit() on a greenlet's stack: greenlet #%llu must "
                "end by returning or by fern_exit()",
                (unsigned long long)hub->current->id);
    /* The frames with its scopes are gone: they must not be touched. */
    hub->root->scopes = NULL;
    if (fern__wheel_armed(&hub->root->timer))
        fern__timer_disarm(hub->root);
    hub->root->kills = 0;
    fern__greenlet_set_interrupt(hub->root);
    if (fern__hub_end_greenlets(hub, fern_in(END_NS)) < 0)
        fern__report_left(hub);
    fern__report_detach();
    fern__registry_remove(hub);
    fern__self_slot.hub = NULL;
    hub_free(hub);
}

static void
make_end_key(void)
{
    pthread_key_create(&end_key, hub_end);
}

/* ---- beginning ---- */

int
fern__hub_make_room(struct fern__hub *hub)
{
    size_t needed = hub->blocks + 1;
    int r = fern__stacks_reserve(&hub->stacks, needed);
    if (r == 0)
        r = fern__ring_grow(&hub->ready, needed + hub->calls);
    if (r < 0)
        return r;
    size_t places = fern__ring_room(&hub->ready) - hub->calls;
    hub->room = hub->stacks.total < places ? hub->stacks.total : places;
    return 0;
}

int
fern__hub_make_call_room(struct fern__hub *hub)
{
    if (hub->blocks + hub->calls + 1 > fern__ring_room(&hub->ready)) {
        int r = fern__ring_grow(&hub->ready, hub->blocks + hub->calls + 1);
        if (r < 0)
            return r;
    }
    hub->calls++;
    size_t places = fern__ring_room(&hub->ready) - hub->calls;
    if (hub->room > places)
        hub->room = places;
    return 0;
}

/* main, or whatever runs on the thread's own stack. */
static int
make_root(struct fern__hub *hub)
{
    fern_greenlet *g = fern__greenlet_alloc(hub);
    if (!g)
        return -ENOMEM;
    g->refs = 1;
    g->life = FERN__LIFE_LIVE;
    fern__greenlet_mark(g, FERN__ROOT);
    hub->root = hub->current = g;
    hub->nobody.life = FERN__LIFE_LIVE;
    if (hub->tooled) {
        struct fern__extra *extra = fern__greenlet_extra(g);
        if (!extra)
            return -ENOMEM;
        fern__tool_adopt_thread(&extra->tool);
    }
    return 0;
}

static void
read_seed(struct fern__hub *hub)
{
    const char *text = getenv("FERN_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : 0;
    /* Neighbouring seeds must not give neighbouring orders; zero means no permutation. */
    hub->seed = seed ? seed * UINT64_C(0x9e3779b97f4a7c15) | 1 : 0;
    hub->luck = (seed + 1) * UINT64_C(0xd1b54a32d192ed03) | 1;
}

static void
read_fpu(struct fern__hub *hub)
{
#if defined(__x86_64__)
    __asm__ volatile("stmxcsr %0" : "=m"(hub->mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(hub->fpucw));
#elif defined(__aarch64__)
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    hub->mxcsr = (uint32_t)fpcr;
#endif
}

static int
hub_init(struct fern__hub *hub)
{
    const struct fern__poller_ops *ops = fern__poller_default();
    if (!ops)
        return -EINVAL;
    fern__fair_init(hub);
    hub->id_first = hub->id_last = fern__registry_ids();
    fern__wheel_init(&hub->wheel, hub->now);
    fern__list_init(&hub->idlers);
    hub->magic = FERN__HUB_MAGIC;
    hub->errno_at = &errno;
    hub->tooled = fern__tool_present();
    read_seed(hub);
    read_fpu(hub);
    int r = fern__stacks_init(&hub->stacks);
    if (r == 0)
        r = make_root(hub);
    if (r == 0)
        r = fern__overflow_attach(hub);
    if (r == 0)
        r = ops->open(hub, &hub->poller);
    return r;
}

struct fern__hub *
fern__hub_make(void)
{
    int saved = errno;
    pthread_once(&end_key_once, make_end_key);
    struct fern__hub *hub = calloc(1, sizeof *hub);
    int r = hub ? hub_init(hub) : -ENOMEM;
    if (r == 0 && pthread_setspecific(end_key, hub) != 0)
        r = -ENOMEM;
    if (r < 0) {
        if (hub)
            hub_free(hub);
        errno = -r;
        return NULL;
    }
    /* The default slack of 50 us would be the largest error of a short sleep. */
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
    fern__cxx_find(hub);
    fern__locals_attach(hub);
    fern__hub_observe(hub);
    fern__registry_add(hub);
    fern__self_slot.hub = hub;
    fern__report_attach(hub);
    errno = saved;
    return hub;
}

/* ---- options, counts, embedding ---- */

int
fern_hub_set_options(const fern_hub_options *options)
{
    FERN_CHECK(options && options->size == sizeof *options, -EINVAL);
    struct fern__hub *hub = fern__hub_need();
    if (!hub)
        return fern__hub_error();
    struct fern_hub_options *o = &hub->options;
    if (options->switches_max)
        o->switches_max =
                options->switches_max < INT32_MAX ? options->switches_max : INT32_MAX;
    if (options->slice_ns > 0)
        o->slice_ns = options->slice_ns;
    if (options->budget_ops) {
        o->budget_ops = options->budget_ops < INT32_MAX ? options->budget_ops : INT32_MAX;
        hub->ops_left = (int32_t)o->budget_ops;
    }
    if (options->spin_ns)
        o->spin_ns = options->spin_ns;
    if (options->stacks_idle_max)
        o->stacks_idle_max = options->stacks_idle_max;
    fern__fair_hurry(hub);
    return 0;
}

const char *
fern_hub_poller(void)
{
    struct fern__hub *hub = fern__hub_need();
    return hub ? hub->poller->ops->name : NULL;
}

int
fern_hub_fd(void)
{
    struct fern__hub *hub = fern__hub_need();
    return hub ? hub->poller->ops->fd(hub->poller) : fern__hub_error();
}

int64_t
fern_hub_timeout(void)
{
    struct fern__hub *hub = fern__self_hub();
    if (!hub)
        return -1;
    if (fern__ring_count(&hub->ready) || !fern__list_empty(&hub->idlers))
        return 0;
    int64_t next = fern__wheel_next(&hub->wheel);
    int64_t due = hub->poller->ops->due(hub->poller);
    next = due < next ? due : next;
    if (next == INT64_MAX)
        return -1;
    int64_t now = fern__clock_now();
    return next > now ? next - now : 0;
}

int
fern_hub_step(void)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, FERN_NOWAIT);
    if (r < 0)
        return r;
    FERN_CHECK(g->interrupt != -EDEADLK, -EDEADLK);
    uint64_t before = fern__fair_switches(hub);
    fern__sched_turn(hub, false);
    if (fern__ring_count(&hub->ready) == 0)
        fern__pause_idle(hub);
    if (fern__ring_count(&hub->ready))
        fern__pause_yield(hub, g);
    return (int)(fern__fair_switches(hub) - before);
}

int
fern_hub_get_stats(fern_hub_stats *ret_stats)
{
    FERN_CHECK(ret_stats, -EINVAL);
    *ret_stats = (fern_hub_stats){0};
    struct fern__hub *hub = fern__self_hub();
    if (!hub)
        return 0;
    *ret_stats = hub->stats;
    ret_stats->switches = fern__fair_switches(hub);
    size_t made = hub->id_last - hub->id_first - (hub->caller != NULL);
    ret_stats->greenlets = made - hub->ended - hub->stale;
    ret_stats->spawned = made - 1;
    ret_stats->stacks =
            hub->stacks.taken - (hub->caller && hub->caller->life == FERN__LIFE_LIVE);
    ret_stats->stacks_idle = hub->stacks.pooled;
    ret_stats->timers = hub->wheel.count - fern__wheel_armed(&hub->trim);
    ret_stats->fds = hub->poller->ops->count(hub->poller);
    return 0;
}

/* ---- trimming ---- */

void
fern__hub_plan_trim(struct fern__hub *hub)
{
    size_t warm = hub->stacks.pooled - hub->stacks.trimmed;
    if (warm > hub->options.stacks_idle_max && !fern__wheel_armed(&hub->trim))
        fern__wheel_insert(&hub->wheel, &hub->trim, fern__add_saturating(hub->now, TRIM_NS),
                FERN__TIMER_TRIM);
}

void
fern__hub_trim(struct fern__hub *hub)
{
    fern__stacks_trim(&hub->stacks, hub->options.stacks_idle_max);
}
