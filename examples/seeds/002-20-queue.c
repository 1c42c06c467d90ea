/* SPDX-License-Identifier: MIT */
/*
 * One produces three products, three take what there is.
 */
#include <fern.h>
#include <stdio.h>

static fern_queue q;

static void *
consumer(void *name)
{
    int product;
    while (fern_queue_get(&q, &product, FERN_NOWAIT) == 0) {
        printf("%s got product %d\n", (char *)name, product);
        fern_yield();
    }
    return NULL;
}

static void *
producer(void *unused)
{
    for (int i = 1; i < 4; i++)
        if (fern_queue_put(&q, &i, FERN_FOREVER) < 0)
            break;
    return unused;
}

int
main(void)
{
    fern_queue_init(&q, sizeof(int), FERN_QUEUE_UNBOUNDED);
    fern_greenlet *all[] = {fern_spawn(producer, NULL), fern_spawn(consumer, "steve"),
            fern_spawn(consumer, "john"), fern_spawn(consumer, "nancy")};
    return fern_join_all(all, 4, FERN_FOREVER) < 0;
}
