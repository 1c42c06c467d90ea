/* SPDX-License-Identifier: MIT */
/*
 * Every macro of the public headers, used once: tools/header_check compiles this pedantically as
 * C11 and as C++17. It is not run.
 */
#include <fern.h>

static void *
run(void *arg)
{
    return arg;
}

static void
give_back(void *what)
{
    (void)what;
}

int use_spawning(void);
int use_scopes(void);
int use_futures(void);
size_t use_actors(void);
int use_exits(void);
int use_iterators(void);
int use_values(void);
int use_locks(void);
size_t use_servers(void);
int use_queues(void);
int use_pools(void);

int
use_spawning(void)
{
    int number = 0;
    FERN_SPAWN_OPTIONS(spawn_options);
    spawn_options.name = "name";
    FERN_JOIN_OPTIONS(join_options);
    join_options.count = 1;
    fern_greenlet *gs[] = {
            fern_spawn(run, &number), fern_spawn_with(run, &number, &spawn_options)};
    FERN_AUTO(give_back, &number);
    FERN_AUTO(fern_greenlet_unref, gs[0]);
    const fern_site *site = FERN_SITE;
    return fern_go(run, NULL) + fern_join_all_with(gs, 2, &join_options, fern_in(FERN_MS)) +
           site->line;
}

int
use_scopes(void)
{
    fern_scope by_hand = FERN_SCOPE_INIT;
    int r = fern_scope_start(&by_hand, fern_in(FERN_SECOND));
    FERN_SCOPE (outer, fern_in(FERN_HOUR)) {
        FERN_SCOPE (inner, fern_in(FERN_MINUTE))
            r += fern_sleep(FERN_US);
        FERN_SHIELD (shield)
            r += fern_sleep(FERN_US);
    }
    return r + fern_scope_stop(&by_hand);
}

static int
leave(void *what, int code)
{
    (void)what;
    return code;
}

size_t
use_actors(void)
{
    FERN_ACTOR_OPTIONS(options);
    return options.size;
}

int
use_exits(void)
{
    fern_exits exits = FERN_EXITS_INIT;
    int r;
    FERN_EXITS(r, exits)
    r = fern_exits_push(&exits, leave, NULL);
    FERN_WITH(r, NULL, leave, &exits)
    r = 1;
    return r;
}

int
use_iterators(void)
{
    fern_generator *generator = fern_generator_new(run, NULL, sizeof(int));
    fern_iterator iterator = fern_generator_iterator(generator);
    int item = 0, sum = 0, r;
    FERN_EACH(r, item, &iterator)
    sum += item;
    return r < 0 ? r : sum;
}

int
use_futures(void)
{
    FERN_SPAWN_OPTIONS(options);
    fern_task_group *group = fern_task_group_new();
    fern_future_unref(fern_task(run, NULL));
    fern_future_unref(fern_task_with(run, NULL, &options));
    fern_future_unref(fern_task_group_spawn(group, run, NULL));
    return fern_task_group_go(group, run, NULL) + fern_task_group_wait(group, FERN_FOREVER);
}

size_t
use_servers(void)
{
    FERN_SERVER_OPTIONS(options);
    return options.size;
}

int
use_queues(void)
{
    fern_queue queue = FERN_QUEUE_INIT;
    FERN_QUEUE_OPTIONS(options);
    options.kind = FERN_QUEUE_LIFO;
    int r = fern_queue_init_with(&queue, sizeof r, FERN_QUEUE_UNBOUNDED, &options),
        item = 0;
    FERN_QUEUE_FOREACH (r, &queue, &item)
        r += item;
    return r;
}

int
use_values(void)
{
    fern_timer timer = FERN_TIMER_INIT;
    fern_callback callback = FERN_CALLBACK_INIT;
    fern_time when = FERN_FOREVER;
    fern_event event = FERN_EVENT_INIT;
    fern_result result = FERN_RESULT_INIT;
    (void)timer;
    (void)callback;
    (void)event;
    (void)result;
    return fern_run(run, NULL, NULL, when) + fern_sleep_until(when) +
           fern_sleep_until(FERN_NOWAIT);
}

int
use_pools(void)
{
    FERN_STOCK_OPTIONS(stock_options);
    stock_options.idle_max = FERN_STOCK_NO_IDLE;
    fern_pool *pool =
            fern_pool_new(stock_options.idle_max ? FERN_POOL_UNLIMITED : stock_options.max);
    fern_pile *pile = fern_pile_new(pool, 0);
    fern_greenlet *g = fern_pool_spawn(pool, run, NULL, FERN_FOREVER);
#ifdef __cplusplus
    const char *const keys[] = {"a", "b", NULL};
#else
    const char *const *keys = FERN_KEYS("a", "b");
#endif
    FERN_SPAWN_OPTIONS(options);
    fern_dag *dag = fern_dag_new(pool);
    if (fern_dag_spawn(dag, "c", keys, NULL, NULL) < 0)
        return fern_dag_spawn_with(dag, "c", keys, NULL, NULL, &options);
    return fern_pool_go(pool, run, g, FERN_FOREVER) +
           fern_pile_spawn(pile, run, NULL, FERN_FOREVER);
}

int
use_locks(void)
{
    static fern_mutex mutex, *both[2] = {&mutex, &mutex};
    static fern_semaphore semaphore;
    fern_mutex plain = FERN_MUTEX_INIT, recursive = FERN_RLOCK_INIT;
    fern_semaphore counted = FERN_SEMAPHORE_INIT(2);
    fern_condition condition = FERN_CONDITION_INIT;
    fern_rwlock rwlock = FERN_RWLOCK_INIT;
    fern_barrier barrier = FERN_BARRIER_INIT(2);
    fern_waitgroup group = FERN_WAITGROUP_INIT;
    fern_once once = FERN_ONCE_INIT;
    fern_flight flight = FERN_FLIGHT_INIT;
    FERN_SEMAPHORE_OPTIONS(options);
    int r = fern_semaphore_init(&semaphore, &options);
    FERN_WITH_LOCK (r, &mutex, FERN_NOWAIT)
        r++;
    FERN_WITH_LOCKS (r, both, 2, FERN_NOWAIT)
        r++;
    FERN_WITH_SEMAPHORE (r, &semaphore, FERN_NOWAIT)
        r++;
    (void)plain;
    (void)recursive;
    (void)counted;
    (void)condition;
    (void)rwlock;
    (void)barrier;
    (void)group;
    (void)once;
    (void)flight;
    return r;
}
