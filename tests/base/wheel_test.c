/* SPDX-License-Identifier: MIT */
/*
 * The timer wheel against a plain array that is searched from end to end: the same operations on
 * both must give the same nodes in the same order.
 */

#include "harness.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/wheel.h"

enum { TICK = 1 << FERN__WHEEL_TICK_SHIFT, NODES = 400, STEPS = 2000 };

/* The node that must come next of those armed, or NULL. */
static struct fern__wheel_node *
first_of(struct fern__wheel_node *nodes, int count)
{
    struct fern__wheel_node *first = NULL;
    for (int i = 0; i < count; i++) {
        struct fern__wheel_node *n = &nodes[i];
        if (!fern__wheel_armed(n))
            continue;
        if (!first || n->deadline < first->deadline ||
                (n->deadline == first->deadline && n->order < first->order))
            first = n;
    }
    return first;
}

/* Deadlines of every magnitude, many of them equal, some already past. */
static int64_t
draw_deadline(int64_t now)
{
    int64_t distance = (int64_t)(harness_random() >> (harness_random() % 60 + 4));
    if (harness_random() % 4 == 0)
        distance = (int64_t)(harness_random() % 4) * TICK;
    if (harness_random() % 16 == 0)
        distance = -distance;
    int64_t deadline;
    if (__builtin_add_overflow(now, distance, &deadline))
        return INT64_MAX;
    return deadline;
}

/* Pops all that is due and checks each one against the array. */
static void
pop_due(struct fern__wheel *wheel, struct fern__wheel_node *nodes, int64_t now)
{
    for (;;) {
        struct fern__wheel_node *wanted = first_of(nodes, NODES);
        if (wanted && wanted->deadline > now)
            wanted = NULL;
        struct fern__wheel_node *node = fern__wheel_pop(wheel, now);
        ASSERT_EQ((intptr_t)node, (intptr_t)wanted);
        if (!node)
            break;
    }
}

static void
check_next(struct fern__wheel *wheel, struct fern__wheel_node *nodes)
{
    struct fern__wheel_node *first = first_of(nodes, NODES);
    int64_t next = fern__wheel_next(wheel);
    if (first)
        ASSERT_LE(next, first->deadline);
    else
        ASSERT_EQ(next, INT64_MAX);
}

static void
run_at_random(void)
{
    struct fern__wheel wheel;
    struct fern__wheel_node *nodes = calloc(NODES, sizeof *nodes);
    ASSERT_NOT_NULL(nodes);
    int64_t now = INT64_C(1000000000);
    fern__wheel_init(&wheel, now);
    for (int i = 0; i < STEPS; i++) {
        struct fern__wheel_node *n = &nodes[harness_random() % NODES];
        if (!fern__wheel_armed(n))
            fern__wheel_insert(
                    &wheel, n, draw_deadline(now), (unsigned)(harness_random() % 8));
        else if (harness_random() % 2)
            fern__wheel_remove(&wheel, n);
        if (harness_random() % 8 == 0 && now < INT64_MAX / 2) {
            now += (int64_t)(harness_random() >> (harness_random() % 40 + 20));
            pop_due(&wheel, nodes, now);
        }
        check_next(&wheel, nodes);
    }
    pop_due(&wheel, nodes, INT64_MAX);
    ASSERT_EQ(wheel.count, 0);
    free(nodes);
}

TEST(any_mix_of_inserts_and_removes_comes_out_as_from_a_sorted_array, .seconds = 60)
{
    harness_each_seed(harness_is_slow() ? 5 : 50, run_at_random);
}

TEST(equal_deadlines_come_out_in_order_of_insertion)
{
    struct fern__wheel wheel;
    struct fern__wheel_node nodes[100] = {0};
    fern__wheel_init(&wheel, 0);
    for (int i = 0; i < 100; i++)
        fern__wheel_insert(&wheel, &nodes[i], 5 * TICK, (unsigned)i % 8);
    for (int i = 0; i < 100; i++) {
        struct fern__wheel_node *n = fern__wheel_pop(&wheel, 5 * TICK);
        ASSERT_EQ((intptr_t)n, (intptr_t)&nodes[i]);
        ASSERT_EQ(fern__wheel_kind(n), i % 8);
    }
    ASSERT_NULL(fern__wheel_pop(&wheel, INT64_MAX));
}

TEST(a_timer_never_fires_early_by_a_nanosecond)
{
    struct fern__wheel wheel;
    struct fern__wheel_node node = {0};
    fern__wheel_init(&wheel, 0);
    for (int64_t deadline = 1; deadline < INT64_MAX / 3; deadline *= 3) {
        fern__wheel_insert(&wheel, &node, deadline, 0);
        ASSERT_NULL(fern__wheel_pop(&wheel, deadline - 1));
        ASSERT_NOT_NULL(fern__wheel_pop(&wheel, deadline));
    }
}

TEST(deadlines_in_the_past_fire_at_once_and_in_order)
{
    struct fern__wheel wheel;
    struct fern__wheel_node late = {0}, later = {0};
    fern__wheel_init(&wheel, 1000 * TICK);
    fern__wheel_insert(&wheel, &later, 7, 0);
    fern__wheel_insert(&wheel, &late, -7, 0);
    ASSERT_EQ(fern__wheel_next(&wheel), -7);
    ASSERT_EQ((intptr_t)fern__wheel_pop(&wheel, 1000 * TICK), (intptr_t)&late);
    ASSERT_EQ((intptr_t)fern__wheel_pop(&wheel, 1000 * TICK), (intptr_t)&later);
}

TEST(the_last_moment_of_all_can_be_a_deadline)
{
    struct fern__wheel wheel;
    struct fern__wheel_node node = {0};
    fern__wheel_init(&wheel, 0);
    fern__wheel_insert(&wheel, &node, INT64_MAX, 3);
    ASSERT_NULL(fern__wheel_pop(&wheel, INT64_MAX - 1));
    ASSERT_EQ((intptr_t)fern__wheel_pop(&wheel, INT64_MAX), (intptr_t)&node);
    ASSERT_EQ(fern__wheel_next(&wheel), INT64_MAX);
}
