/* SPDX-License-Identifier: MIT */
/*
 * A producer, two consumers and a queue of two: the producer waits until all that it put is done,
 * the stop signals included. (The first two items go straight to consumers that wait, and take no
 * place: so the producer puts four before anybody else runs, where asyncio's puts two.)
 */
#include <fern.h>
#include <stdio.h>

enum { CONSUMERS = 2, STOP = -1 };

static fern_queue q;

static void *
consumer(void *number)
{
    long n = (long)(intptr_t)number;
    int item = 0;
    printf("consumer %ld: waiting for item\n", n);
    while (item != STOP) {
        printf("consumer %ld: waiting for item\n", n);
        if (fern_queue_get(&q, &item, FERN_FOREVER) < 0)
            return NULL;
        if (item == STOP)
            printf("consumer %ld: has item None\n", n);
        else
            printf("consumer %ld: has item %d\n", n, item);
        if (item != STOP)
            fern_sleep(item * 10 * FERN_MS);
        fern_queue_task_done(&q);
    }
    printf("consumer %ld: ending\n", n);
    return NULL;
}

static void *
producer(void *unused)
{
    puts("producer: starting");
    for (int i = 0; i < CONSUMERS * 3; i++) {
        if (fern_queue_put(&q, &i, FERN_FOREVER) < 0)
            return NULL;
        printf("producer: added task %d to the queue\n", i);
    }
    puts("producer: adding stop signals to the queue");
    for (int i = 0, stop = STOP; i < CONSUMERS; i++)
        if (fern_queue_put(&q, &stop, FERN_FOREVER) < 0)
            return NULL;
    puts("producer: waiting for queue to empty");
    if (fern_queue_join(&q, FERN_FOREVER) == 0)
        puts("producer: ending");
    return unused;
}

int
main(void)
{
    fern_queue_init(&q, sizeof(int), CONSUMERS);
    fern_greenlet *all[] = {fern_spawn(consumer, (void *)0),
            fern_spawn(consumer, (void *)1), fern_spawn(producer, NULL)};
    return fern_join_all(all, CONSUMERS + 1, FERN_FOREVER) < 0;
}
