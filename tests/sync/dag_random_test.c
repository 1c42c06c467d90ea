/* SPDX-License-Identifier: MIT */
/*
 * Random dags held against a model: keys that are given in any order, among them circles, failures
 * and kills. What must become of each follows from what it depends on.
 */

#include "harness.h"

#include <errno.h>
#include <stdlib.h>

#include "trace.h"

enum { KEYS = 24, DEPENDS = 3 };

struct node {
    char name[8];
    const char *depends[DEPENDS + 1]; /* up to a NULL */
    int on[DEPENDS];
    int count;
    bool given;
    bool posted;
    bool fails; /* its function does */
    bool circle;
    bool killed;
    int runs;
    int64_t sleep_ns;
};

static fern_dag *dag;
static struct node nodes[KEYS];

static fern_dag_state
state_of(int i)
{
    return fern_dag_state_of(dag, nodes[i].name);
}

static bool
is_over(int i)
{
    return state_of(i) == FERN_DAG_DONE || state_of(i) == FERN_DAG_FAILED;
}

static void *
make(const char *key, void *const *values, void *arg)
{
    struct node *n = arg;
    intptr_t total = n - nodes + 1;
    ASSERT_STR_EQ(key, n->name);
    n->runs++;
    for (int i = 0; i < n->count; i++) {
        ASSERT_EQ(state_of(n->on[i]), FERN_DAG_DONE);
        total += (intptr_t)values[i] % 1000003;
    }
    if (n->sleep_ns && fern_sleep(n->sleep_ns) < 0)
        return NULL;
    return n->fails ? fern_fail((int)(n - nodes) + 1, "as drawn") : (void *)total;
}

/* Whether there is a way to a key along what those who wait wait for. */
static bool
leads_to(int from, int to, bool *seen)
{
    if (is_over(from) || seen[from])
        return from == to && !is_over(from);
    seen[from] = true;
    if (from == to)
        return true;
    for (int i = 0; state_of(from) == FERN_DAG_WAITING && i < nodes[from].count; i++) {
        if (leads_to(nodes[from].on[i], to, seen))
            return true;
    }
    return false;
}

static bool
would_close_circle(int key)
{
    bool seen[KEYS] = {false};
    for (int i = 0; i < nodes[key].count; i++) {
        if (leads_to(nodes[key].on[i], key, seen))
            return true;
    }
    return false;
}

static void
draw_nodes(void)
{
    for (int i = 0; i < KEYS; i++) {
        struct node *n = &nodes[i];
        *n = (struct node){
                .fails = harness_draw(12) == 0, .sleep_ns = harness_draw(4) * FERN_US};
        snprintf(n->name, sizeof n->name, "k%d", i);
        n->count = (int)harness_draw(DEPENDS + 1);
        for (int d = 0; d < n->count; d++) /* mostly on those before it */
            n->on[d] = (int)harness_draw(harness_draw(15) && i ? (uint32_t)i : KEYS);
    }
    for (int i = 0; i < KEYS; i++) {
        for (int d = 0; d < nodes[i].count; d++)
            nodes[i].depends[d] = nodes[nodes[i].on[d]].name;
    }
}

static void
give(int i)
{
    struct node *n = &nodes[i];
    if (n->given || harness_draw(30) == 0) /* some never are */
        return;
    n->given = true;
    if (harness_draw(8) == 0) {
        n->posted = true;
        ASSERT_OK(fern_dag_post(dag, n->name, (void *)(intptr_t)(i + 1)));
        return;
    }
    bool circle = would_close_circle(i);
    int r = fern_dag_spawn(dag, n->name, n->depends, make, n);
    ASSERT_EQ(r, circle ? -EDEADLK : 0);
    n->circle = circle;
}

static void
kill_any(void)
{
    int i = (int)harness_draw(KEYS);
    bool unfinished = nodes[i].given && !is_over(i);
    int r = fern_dag_kill(dag, nodes[i].name, 0, FERN_FOREVER);
    ASSERT_EQ(r, unfinished ? 0 : -ESRCH);
    nodes[i].killed |= r == 0;
}

/* What must have become of a key, once nothing moves any more. */
static void
check(int i)
{
    struct node *n = &nodes[i];
    fern_dag_state is = state_of(i);
    bool fails = n->circle || n->killed, waits = false;
    intptr_t total = i + 1;
    for (int d = 0; d < n->count && !n->posted; d++) {
        fern_dag_state on = state_of(n->on[d]);
        fails |= on == FERN_DAG_FAILED;
        waits |= on != FERN_DAG_FAILED && on != FERN_DAG_DONE;
    }
    fern_dag_state wanted = !n->given                ? FERN_DAG_MISSING
                            : fails                  ? FERN_DAG_FAILED
                            : waits                  ? FERN_DAG_WAITING
                            : n->fails && !n->posted ? FERN_DAG_FAILED
                                                     : FERN_DAG_DONE;
    ASSERT_EQ(is, wanted);
    ASSERT_LE(n->runs, 1);
    ASSERT_TRUE(n->runs == 1 || n->posted || is != FERN_DAG_DONE);
    ASSERT_TRUE(n->runs == 0 || is == FERN_DAG_DONE || n->fails || n->killed);
    ASSERT_EQ(fern_dag_origin(dag, n->name) != NULL, is == FERN_DAG_FAILED);
    if (is != FERN_DAG_DONE)
        return;
    fern_outcome o;
    for (int d = 0; d < n->count && !n->posted; d++) {
        ASSERT_OK(fern_dag_get(dag, n->depends[d], &o, FERN_NOWAIT));
        total += (intptr_t)o.value % 1000003;
    }
    ASSERT_OK(fern_dag_get(dag, n->name, &o, FERN_NOWAIT));
    ASSERT_EQ((intptr_t)o.value, total);
}

/* Whoever failed tells of somebody who failed by himself. */
static void
check_origin(int i)
{
    const char *origin = fern_dag_origin(dag, nodes[i].name);
    if (!origin)
        return;
    const struct node *n = &nodes[atoi(origin + 1)];
    ASSERT_TRUE(n->circle || n->killed || (n->fails && n->runs == 1));
    fern_outcome o;
    ASSERT_OK(fern_dag_get(dag, nodes[i].name, &o, FERN_NOWAIT));
    if (n != &nodes[i])
        ASSERT_STR_HAS(o.message, origin);
}

static void
run_one(void)
{
    fern_pool *pool = harness_draw(2) ? fern_pool_new(1 + harness_draw(4)) : NULL;
    dag = fern_dag_new(pool);
    draw_nodes();
    for (int step = 0; step < 3 * KEYS; step++) {
        give((int)harness_draw(KEYS));
        if (harness_draw(12) == 0)
            kill_any();
        if (harness_draw(3) == 0)
            ASSERT_OK(fern_sleep(harness_draw(3) * FERN_US));
    }
    ASSERT_OK(fern_drain(FERN_FOREVER));
    for (int i = 0; i < KEYS; i++)
        check(i);
    for (int i = 0; i < KEYS; i++)
        check_origin(i);
    ASSERT_OK(fern_dag_free(dag));
    ASSERT_OK(fern_pool_free(pool));
}

TEST(random_dags_end_as_what_they_depend_on_says, .seconds = 60)
{
    harness_each_seed(harness_is_slow() ? 200 : 5000, run_one);
}
