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
