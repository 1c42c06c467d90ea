/* SPDX-License-Identifier: MIT */
/*
 * Skynet: a tree of greenlets, ten children a node, a million leaves; each gives the sum of what
 * is below it. Results come by join, or through a channel of each inner node.
 */
#include "fern_bench.h"

#include <fern/queue.h>

#define CHILDREN 10
#define LEAVES   INT64_C(1000000)
#define SUM      (LEAVES * (LEAVES - 1) / 2)

struct node {
    int64_t number; /* of its first leaf */
    int64_t leaves;
    fern_queue *parent; /* where the sum goes to */
};

static int64_t sum_by_join(int64_t number, int64_t leaves);

static void *
run_joined(void *arg)
{
    const struct node *node = arg;
    return (void *)sum_by_join(node->number, node->leaves);
}

static void *
run_leaf(void *number)
{
    return number;
}

static int64_t
sum_by_join(int64_t number, int64_t leaves)
{
    fern_greenlet *children[CHILDREN];
    struct node nodes[CHILDREN];
    int64_t sum = 0, each = leaves / CHILDREN;
    for (int64_t i = 0; i < CHILDREN; i++) {
        nodes[i] = (struct node){.number = number + i * each, .leaves = each};
        children[i] = spawned(each > 1 ? fern_spawn(run_joined, &nodes[i])
                                       : fern_spawn(run_leaf, (void *)nodes[i].number));
    }
    for (int i = 0; i < CHILDREN; i++) {
        fern_outcome outcome;
        must(fern_get(children[i], &outcome, FERN_FOREVER));
        sum += (int64_t)(intptr_t)outcome.value;
        fern_greenlet_unref(children[i]);
    }
    return sum;
}

static void *
run_sending(void *arg)
{
    const struct node *node = arg;
    int64_t sum = node->number;
    if (node->leaves > 1) {
        struct node nodes[CHILDREN];
        fern_queue channel;
        must(fern_queue_init(&channel, sizeof sum, CHILDREN));
        int64_t each = node->leaves / CHILDREN;
        for (int64_t i = 0; i < CHILDREN; i++) {
            nodes[i] = (struct node){node->number + i * each, each, &channel};
            must(fern_go(run_sending, &nodes[i]));
        }
        sum = 0;
        for (int i = 0; i < CHILDREN; i++) {
            int64_t part;
            must(fern_queue_get(&channel, &part, FERN_FOREVER));
            sum += part;
        }
        must(fern_queue_fini(&channel));
    }
    must(fern_queue_put(node->parent, &sum, FERN_FOREVER));
    return NULL;
}

static void
report(const char *measure, int64_t start, int64_t sum)
{
    if (sum != SUM)
        bench_die("the sum is wrong", 0);
    bench_print(measure, (double)(bench_now_ns() - start) / BENCH_MS, "ms");
}

void
measure_skynet(const char *argument)
{
    (void)argument;
    int64_t start = bench_now_ns();
    report("queue-skynet", start, sum_by_join(0, LEAVES));
}

void
measure_skynet_channel(const char *argument)
{
    (void)argument;
    int64_t start = bench_now_ns(), sum;
    fern_queue channel;
    must(fern_queue_init(&channel, sizeof sum, 0));
    struct node root = {0, LEAVES, &channel};
    must(fern_go(run_sending, &root));
    must(fern_queue_get(&channel, &sum, FERN_FOREVER));
    report("queue-skynet-channel", start, sum);
    must(fern_queue_fini(&channel));
}
