/* SPDX-License-Identifier: MIT */
/*
 * Greenlets that wait for each other, over whatever it may be: the report shows them as the circle
 * they are. Each case runs in a child that ends in a deadlock.
 */
#include "harness.h"

#include <errno.h>
#include <fern.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define NEEDED(call)                                                                       \
    do {                                                                                   \
        if ((call) < 0)                                                                    \
            exit(9);                                                                       \
    } while (0)

/* ThreadSanitizer and emulators keep a thread of their own: nothing is a deadlock then. */
static void
skip_where_a_tool_has_threads(void)
{
    int threads = harness_other_threads();
    if (threads)
        SKIP("a tool keeps %d threads of its own", threads);
}

static fern_greenlet *left, *right;

struct sides {
    fern_fn *left;
    fern_fn *right;
};

static void
run_both(void *arg)
{
    const struct sides *sides = arg;
    FERN_SPAWN_OPTIONS(o);
    o.name = "left";
    left = fern_spawn_with(sides->left, NULL, &o);
    o.name = "right";
    right = fern_spawn_with(sides->right, NULL, &o);
    exit(fern_join(left, FERN_FOREVER) == -EDEADLK ? 7 : 8);
}

static char err[16384];

/* What is told of circles; "" if nothing is. */
static const char *
circles_of(fern_fn *left_fn, fern_fn *right_fn)
{
    struct sides sides = {left_fn, right_fn};
    int status = harness_child(run_both, &sides, err, sizeof err);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 7);
    char *begin = strstr(err, "returns -EDEADLK.\n"), *end = strstr(err, "fern: everybody");
    ASSERT_NOT_NULL(begin);
    ASSERT_NOT_NULL(end);
    *end = '\0';
    return strchr(begin, '\n') + 1;
}

/* Left and right wait for each other, over these. */
static void
assert_circle(const char *told, const char *of_left, const char *of_right)
{
    const char *at_left = strstr(told, "\"left\""), *at_right = strstr(told, "\"right\"");
    ASSERT_STR_HAS(told, "fern: these wait for each other, each for the next one:\n#");
    ASSERT_NOT_NULL(at_left);
    ASSERT_NOT_NULL(at_right);
    ASSERT_STR_HAS(at_left, of_left);
    ASSERT_STR_HAS(at_right, of_right);
    ASSERT_NULL(strstr(told, "main"));
}

static void *
join_left(void *unused)
{
    NEEDED(fern_join(left, FERN_FOREVER));
    return unused;
}

static void *
join_right(void *unused)
{
    NEEDED(fern_yield());
    NEEDED(fern_join(right, FERN_FOREVER));
    return unused;
}

/* ---- semaphores ---- */

static fern_semaphore one = FERN_SEMAPHORE_INIT(1), other = FERN_SEMAPHORE_INIT(1);
static fern_semaphore pair = FERN_SEMAPHORE_INIT(2), three = FERN_SEMAPHORE_INIT(3);

static void
take_two(fern_semaphore *first, fern_semaphore *second)
{
    NEEDED(fern_semaphore_acquire(first, 1, FERN_FOREVER));
    for (int i = 0; i < 3; i++) /* until the others have one, too */
        NEEDED(fern_yield());
    NEEDED(fern_semaphore_acquire(second, 1, FERN_FOREVER));
}

static void *
take_one_and_other(void *unused)
{
    take_two(&one, &other);
    return unused;
}

static void *
take_other_and_one(void *unused)
{
    /* Who was here before leaves nothing behind. */
    NEEDED(fern_semaphore_acquire(&other, 1, FERN_FOREVER));
    NEEDED(fern_semaphore_release(&other, 1));
    take_two(&other, &one);
    return unused;
}

TEST(two_that_want_each_others_permits_are_a_circle)
{
    skip_where_a_tool_has_threads();
    const char *told = circles_of(take_one_and_other, take_other_and_one);
    assert_circle(told, "semaphore: ", "semaphore: ");
    ASSERT_STR_HAS(told, ", 0 there, held by #2\n    at ");
    ASSERT_STR_HAS(told, ", 0 there, held by #3\n    at ");
    ASSERT_STR_HAS(strstr(told, "\"right\""), "    at take_two+0x");
}

static void *
take_two_of_a_pair(void *unused)
{
    take_two(&pair, &pair);
    return unused;
}

TEST(two_that_have_half_of_what_both_want_are_a_circle)
{
    skip_where_a_tool_has_threads();
    assert_circle(circles_of(take_two_of_a_pair, take_two_of_a_pair),
            "semaphore: ", "semaphore: ");
}

static void *
take_two_of_three(void *unused)
{
    take_two(&three, &three);
    return unused;
}

static void *
take_two_of_three_with_another(void *unused)
{
    fern_greenlet_unref(fern_spawn(take_two_of_three, NULL));
    return take_two_of_three(unused);
}

TEST(three_that_have_a_third_each_and_want_more_are_a_circle)
{
    skip_where_a_tool_has_threads();
    const char *told = circles_of(take_two_of_three, take_two_of_three_with_another);
    assert_circle(told, "semaphore: ", "semaphore: ");
}

static void *
wait_for_a_signal(void *unused)
{
    NEEDED(fern_semaphore_acquire(&pair, 2, FERN_FOREVER));
    for (;;) /* until the deadlock */
        NEEDED(fern_semaphore_acquire(&pair, 1, FERN_FOREVER));
    return unused;
}

static void *
signal_and_join_left(void *unused)
{
    for (int i = 0; i < 3; i++)
        NEEDED(fern_semaphore_release(&pair, 1));
    return join_left(unused);
}

TEST(who_takes_what_others_release_holds_nothing)
{
    skip_where_a_tool_has_threads();
    const char *told = circles_of(wait_for_a_signal, signal_and_join_left);
    ASSERT_NULL(strstr(told, "waits for itself"));
    ASSERT_NULL(strstr(told, "for each other"));
}

static void *
take_one_twice(void *unused)
{
    take_two(&one, &one);
    return unused;
}

TEST(who_wants_what_it_holds_itself_is_shown_as_such)
{
    skip_where_a_tool_has_threads();
    const char *told = circles_of(take_one_twice, join_left);
    ASSERT_STR_HAS(told, "fern: this one waits for itself:\n#2 \"left\"");
    ASSERT_NULL(strstr(told, "right"));
}

/* ---- readers and writers ---- */

static fern_rwlock rwlock;

static void *
read_and_write(void *unused)
{
    NEEDED(fern_rwlock_read(&rwlock, FERN_FOREVER));
    NEEDED(fern_yield());
    NEEDED(fern_rwlock_write(&rwlock, FERN_FOREVER));
    return unused;
}

TEST(two_readers_that_both_want_to_write_are_a_circle)
{
    skip_where_a_tool_has_threads();
    assert_circle(circles_of(read_and_write, read_and_write), "rwlock: ", "rwlock: ");
}

static void *
read_and_join_right(void *unused)
{
    NEEDED(fern_rwlock_read(&rwlock, FERN_FOREVER));
    return join_right(unused);
}

static void *
write_it(void *unused)
{
    NEEDED(fern_rwlock_write(&rwlock, FERN_FOREVER));
    return unused;
}

TEST(a_writer_waits_for_the_one_that_reads)
{
    skip_where_a_tool_has_threads();
    const char *told = circles_of(read_and_join_right, write_it);
    assert_circle(told, "join: end of #3", "rwlock: ");
    ASSERT_STR_HAS(told, ", read by #2\n");
}

/* ---- conditions and barriers ---- */

static fern_mutex mutex;
static fern_condition condition;
static fern_barrier barrier;

static void *
wait_for_notice(void *unused)
{
    NEEDED(fern_mutex_lock(&mutex, FERN_FOREVER));
    NEEDED(fern_condition_wait(&condition, &mutex, FERN_FOREVER));
    return unused;
}

static void *
lock_and_join_left(void *unused)
{
    NEEDED(fern_mutex_lock(&mutex, FERN_FOREVER));
    return join_left(unused);
}

TEST(nobody_can_notify_while_one_that_waits_for_the_waiter_has_the_mutex)
{
    skip_where_a_tool_has_threads();
    const char *told = circles_of(wait_for_notice, lock_and_join_left);
    assert_circle(told, "condition: ", "join: end of #2");
    ASSERT_STR_HAS(told, ", its mutex held by #3\n");
}

static int
join_right_in_the_action(void *unused)
{
    return join_right(unused) ? -1 : 0;
}

static void *
meet(void *unused)
{
    NEEDED(fern_barrier_wait(&barrier, FERN_FOREVER));
    return unused;
}

static void *
meet_alone(void *unused)
{
    NEEDED(fern_barrier_init(&barrier, 1, join_right_in_the_action, NULL));
    return meet(unused);
}

TEST(who_comes_to_a_barrier_waits_for_the_one_whose_action_runs)
{
    skip_where_a_tool_has_threads();
    const char *told = circles_of(meet_alone, meet);
    assert_circle(told, "join: end of #3", "barrier: ");
    ASSERT_STR_HAS(told, ", for 1, #2 acts\n");
}

/* ---- several at once ---- */

static void *
end_at_once(void *unused)
{
    return unused;
}

static void *
join_several(void *unused)
{
    FERN_JOIN_OPTIONS(o);
    NEEDED(fern_yield());
    fern_greenlet *done = fern_spawn(end_at_once, NULL);
    NEEDED(fern_join(done, FERN_FOREVER));
    fern_greenlet *all[] = {done, right};
    NEEDED(fern_join_all_with(all, 2, &o, FERN_FOREVER));
    return unused;
}

TEST(who_joins_several_waits_for_each_of_them)
{
    skip_where_a_tool_has_threads();
    assert_circle(
            circles_of(join_several, join_left), "join of several", "join: end of #2");
}

static fern_event never;

static void *
select_several(void *unused)
{
    NEEDED(fern_yield());
    fern_case cases[] = {fern_case_event(&never), fern_case_mutex(&mutex)};
    NEEDED(fern_select(cases, 2, 0, FERN_FOREVER));
    return unused;
}

TEST(who_selects_waits_for_the_owner_of_each_case)
{
    skip_where_a_tool_has_threads();
    assert_circle(circles_of(select_several, lock_and_join_left), "select: the first of 2",
            "join: end of #2");
}

static void *
wait_for_several(void *unused)
{
    size_t order[2];
    NEEDED(fern_yield());
    fern_case cases[] = {fern_case_event(&never), fern_case_end(right)};
    NEEDED(fern_wait(cases, 2, 2, order, FERN_FOREVER));
    return unused;
}

TEST(who_waits_for_many_waits_for_the_owner_of_each)
{
    skip_where_a_tool_has_threads();
    assert_circle(
            circles_of(wait_for_several, join_left), "wait: 2 of 2", "join: end of #2");
}

/* ---- those who work for one ---- */

static void
assert_waits_for_its_own(const char *told, const char *of_left)
{
    ASSERT_STR_HAS(told, "fern: these wait for each other, each for the next one:\n#");
    ASSERT_STR_HAS(told, "\"left\"");
    ASSERT_STR_HAS(told, of_left);
    ASSERT_STR_HAS(told, ": parked in join: end of #2\n");
    ASSERT_NULL(strstr(told, "main"));
}

static void *
do_nothing(void *unused)
{
    return unused;
}

static fern_pool *pool;

static void *
enter_the_pool(void *unused)
{
    pool = fern_pool_new(1);
    NEEDED(fern_pool_add(pool, fern_self(), FERN_NOWAIT));
    return join_left(unused);
}

static void *
join_the_pool(void *unused)
{
    NEEDED(fern_yield());
    NEEDED(fern_pool_join(pool, FERN_FOREVER));
    return unused;
}

static void *
spawn_in_the_pool(void *unused)
{
    NEEDED(fern_yield());
    NEEDED(fern_pool_go(pool, do_nothing, NULL, FERN_FOREVER));
    return unused;
}

TEST(who_waits_for_a_pool_or_a_slot_of_it_waits_for_its_members)
{
    skip_where_a_tool_has_threads();
    assert_circle(circles_of(join_the_pool, enter_the_pool), ": parked in pool",
            "join: end of #2");
    assert_circle(circles_of(spawn_in_the_pool, enter_the_pool),
            ": parked in slot of a pool", "join: end of #2");
}

static void *
map_in_a_pool(void *unused)
{
    void *args[] = {NULL, NULL};
    pool = fern_pool_new(2);
    NEEDED(fern_pool_map(pool, join_left, args, 2, NULL, FERN_FOREVER));
    return unused;
}

static void *
read_a_pile(void *unused)
{
    fern_outcome outcome;
    fern_pile *pile = fern_pile_new(NULL, 2);
    NEEDED(fern_pile_spawn(pile, join_left, NULL, FERN_FOREVER));
    NEEDED(fern_pile_next(pile, &outcome, FERN_FOREVER));
    return unused;
}

TEST(who_maps_or_reads_a_pile_waits_for_the_tasks_of_it)
{
    skip_where_a_tool_has_threads();
    assert_waits_for_its_own(circles_of(map_in_a_pool, do_nothing), ": parked in map");
    assert_waits_for_its_own(
            circles_of(read_a_pile, do_nothing), ": parked in result of a pile");
}

static void *
wait_for_a_task(void *unused)
{
    NEEDED(fern_future_wait(fern_task(join_left, NULL), FERN_FOREVER));
    return unused;
}

static void *
wait_for_a_gather(void *unused)
{
    fern_future *tasks[] = {fern_task(do_nothing, NULL), fern_task(join_left, NULL)};
    NEEDED(fern_future_wait(fern_gather(tasks, 2, 0), FERN_FOREVER));
    return unused;
}

static void *
wait_for_a_shield(void *unused)
{
    fern_future *shield = fern_future_shield(fern_task(join_left, NULL));
    NEEDED(fern_future_wait(shield, FERN_FOREVER));
    return unused;
}

static void *
wait_for_a_task_group(void *unused)
{
    fern_task_group *group = fern_task_group_new();
    if (!fern_task_group_spawn(group, join_left, NULL))
        exit(9);
    NEEDED(fern_task_group_wait(group, FERN_FOREVER));
    return unused;
}

TEST(who_waits_for_tasks_in_whatever_form_waits_for_their_greenlets)
{
    skip_where_a_tool_has_threads();
    assert_waits_for_its_own(circles_of(wait_for_a_task, do_nothing), ": parked in future");
    assert_waits_for_its_own(
            circles_of(wait_for_a_gather, do_nothing), ": parked in future");
    assert_waits_for_its_own(
            circles_of(wait_for_a_shield, do_nothing), ": parked in future");
    assert_waits_for_its_own(
            circles_of(wait_for_a_task_group, do_nothing), ": parked in task group");
}

static void *
ask_a_generator(void *unused)
{
    fern_generator *gen = fern_generator_new(join_left, NULL, sizeof(int));
    int item;
    NEEDED(fern_generator_next(gen, &item, FERN_FOREVER));
    return unused;
}

TEST(who_asks_a_generator_waits_for_its_greenlet)
{
    skip_where_a_tool_has_threads();
    assert_waits_for_its_own(
            circles_of(ask_a_generator, do_nothing), ": parked in a generator's item");
}

static fern_stock *stock;

static int
make_thing(void *arg, void **ret_thing, fern_time deadline)
{
    (void)deadline;
    *ret_thing = arg;
    return 0;
}

static void *
borrow_and_join_left(void *unused)
{
    void *thing;
    FERN_STOCK_OPTIONS(o);
    o.create = make_thing;
    o.arg = &o;
    o.max = 1;
    stock = fern_stock_new(&o);
    NEEDED(fern_stock_get(stock, &thing, FERN_FOREVER));
    return join_left(unused);
}

static void *
borrow(void *unused)
{
    void *thing;
    NEEDED(fern_yield());
    NEEDED(fern_stock_get(stock, &thing, FERN_FOREVER));
    return unused;
}

TEST(who_waits_for_a_thing_waits_for_those_who_have_one)
{
    skip_where_a_tool_has_threads();
    assert_circle(circles_of(borrow, borrow_and_join_left), ": parked in stock",
            "join: end of #2");
}

/* ---- queues ---- */

static fern_queue there, back;

static void
assert_seems_a_circle(const char *told, const char *of_left, const char *of_right)
{
    ASSERT_STR_HAS(told,
            "fern: these seem to wait for each other, each for the next one, "
            "if who put into a queue or got from it before is to do so again:\n");
    ASSERT_NULL(strstr(told, "fern: these wait"));
    ASSERT_STR_HAS(strstr(told, "\"left\""), of_left);
    ASSERT_STR_HAS(strstr(told, "\"right\""), of_right);
    ASSERT_NULL(strstr(told, "main"));
}

static void
put(fern_queue *queue, int item)
{
    NEEDED(fern_queue_put(queue, &item, FERN_FOREVER));
}

static void
get(fern_queue *queue)
{
    int item;
    NEEDED(fern_queue_get(queue, &item, FERN_FOREVER));
}

static void *
ask_and_then_only_put(void *unused)
{
    NEEDED(fern_queue_init(&there, sizeof(int), 1));
    NEEDED(fern_queue_init(&back, sizeof(int), 1));
    put(&there, 1);
    get(&back);
    for (int i = 0; i < 3; i++)
        put(&there, i);
    return unused;
}

static void *
answer_too_much(void *unused)
{
    get(&there);
    for (int i = 0; i < 4; i++)
        put(&back, i);
    return unused;
}

TEST(two_that_both_wait_to_put_what_the_other_got_before_seem_to_be_a_circle)
{
    skip_where_a_tool_has_threads();
    const char *told = circles_of(ask_and_then_only_put, answer_too_much);
    assert_seems_a_circle(told, ": parked in queue put: ", ": parked in queue put: ");
    ASSERT_STR_HAS(told, ", 1 there, got from before by #3\n");
}

static void *
lock_and_get(void *unused)
{
    NEEDED(fern_queue_init(&there, sizeof(int), 1));
    get(&there);
    NEEDED(fern_mutex_lock(&mutex, FERN_FOREVER));
    get(&there);
    return unused;
}

static void *
put_and_lock(void *unused)
{
    put(&there, 1);
    NEEDED(fern_yield());
    NEEDED(fern_mutex_lock(&mutex, FERN_FOREVER));
    return unused;
}

TEST(a_circle_that_seems_so_goes_through_what_is_certain_as_well)
{
    skip_where_a_tool_has_threads();
    const char *told = circles_of(lock_and_get, put_and_lock);
    assert_seems_a_circle(told, ": parked in queue get: ", ": parked in mutex: ");
    ASSERT_STR_HAS(told, ", 0 there, put into before by #3\n");
}

static void *
get_what_nobody_puts(void *unused)
{
    NEEDED(fern_queue_init(&there, sizeof(int), 1));
    get(&there);
    return unused;
}

TEST(of_a_queue_that_nobody_has_put_into_nothing_is_said)
{
    skip_where_a_tool_has_threads();
    const char *told = circles_of(get_what_nobody_puts, join_left);
    ASSERT_STR_EQ(told, "");
}
