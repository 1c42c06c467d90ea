/* SPDX-License-Identifier: MIT */
/*
 * Tasks that are all there before the workers begin: each worker takes one and lets the others run.
 */
#include <fern.h>
#include <stdio.h>

static fern_queue tasks;

static void *
worker(void *name)
{
    int task;
    while (!fern_queue_empty(&tasks)) {
        if (fern_queue_get(&tasks, &task, FERN_FOREVER) < 0)
            return NULL;
        printf("Worker %s got task %d\n", (char *)name, task);
        fern_yield();
    }
    puts("Quitting time!");
    return NULL;
}

static void *
boss(void *unused)
{
    for (int i = 1; i < 25; i++)
        if (fern_queue_put(&tasks, &i, FERN_NOWAIT) < 0)
            break;
    return unused;
}

int
main(void)
{
    fern_queue_init(&tasks, sizeof(int), FERN_QUEUE_UNBOUNDED);
    if (fern_join(fern_spawn(boss, NULL), FERN_FOREVER) < 0)
        return 1;
    fern_greenlet *workers[] = {fern_spawn(worker, "steve"), fern_spawn(worker, "john"),
            fern_spawn(worker, "nancy")};
    return fern_join_all(workers, 3, FERN_FOREVER) < 0;
}
