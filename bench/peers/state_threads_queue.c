/* SPDX-License-Identifier: MIT */
/*
 * State Threads has no queue: this is the usual one, a ring with two condition variables, compiled
 * into the program.
 */
#include "state_threads.h"

#include "../bench.h"

#include <errno.h>
#include <st.h>
#include <stdlib.h>

#define PASSES INT64_C(5000000)
#define ITEMS  INT64_C(10000000)
#define PLACES 128

struct queue {
    int64_t items[PLACES];
    size_t head;
    size_t tail;
    size_t capacity;
    st_cond_t more;
    st_cond_t room;
};

static struct queue queues[2];

static void
open_queue(struct queue *q, size_t capacity)
{
    q->capacity = capacity;
    q->more = st_cond_new();
    q->room = st_cond_new();
}

static void
put(struct queue *q, int64_t item)
{
    while (q->tail - q->head == q->capacity)
        st_cond_wait(q->room);
    q->items[q->tail++ % PLACES] = item;
    st_cond_signal(q->more);
}

static int64_t
get(struct queue *q)
{
    while (q->tail == q->head)
        st_cond_wait(q->more);
    int64_t item = q->items[q->head++ % PLACES];
    st_cond_signal(q->room);
    return item;
}

static st_thread_t
spawn(void *(*run)(void *), void *argument)
{
    st_thread_t thread = st_thread_create(run, argument, 1, 0);
    if (!thread)
        bench_die("st_thread_create", errno);
    return thread;
}

static void *
pass_on(void *from)
{
    struct queue *in = from, *out = &queues[in == &queues[0]];
    for (int64_t i = 0; i < PASSES / 2; i++)
        put(out, get(in));
    return NULL;
}

void
measure_queue_pingpong(const char *argument)
{
    (void)argument;
    open_queue(&queues[0], 1);
    open_queue(&queues[1], 1);
    int64_t start = bench_now_ns();
    st_thread_t first = spawn(pass_on, &queues[0]), second = spawn(pass_on, &queues[1]);
    put(&queues[0], 1);
    st_thread_join(first, NULL);
    get(&queues[0]);
    st_thread_join(second, NULL);
    bench_print("queue-pingpong", (double)(bench_now_ns() - start) / PASSES, "ns");
}

static void *
produce(void *unused)
{
    for (int64_t i = 0; i < ITEMS; i++)
        put(&queues[0], i);
    return unused;
}

void
measure_queue_buffered(const char *argument)
{
    (void)argument;
    open_queue(&queues[0], PLACES);
    int64_t start = bench_now_ns();
    st_thread_t producer = spawn(produce, NULL);
    for (int64_t i = 0; i < ITEMS; i++)
        get(&queues[0]);
    st_thread_join(producer, NULL);
    bench_print("queue-buffered", (double)(bench_now_ns() - start) / ITEMS, "ns");
}
