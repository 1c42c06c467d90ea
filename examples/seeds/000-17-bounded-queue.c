/* SPDX-License-Identifier: MIT */
/*
 * A queue of three: the boss waits while it is full, and a worker that waits for a second in vain
 * goes home.
 */
#include <fern.h>
#include <stdio.h>

static fern_queue tasks;

static void *
worker(void *name)
{
    int task;
    while (fern_queue_get(&tasks, &task, fern_in(FERN_SECOND)) == 0) {
        printf("Worker %s got task %d\n", (char *)name, task);
        fern_yield();
    }
    puts("Quitting time!");
    return NULL;
}

static void *
boss(void *unused)
{
    for (int i = 1; i < 20; i++) {
        if (fern_queue_put(&tasks, &i, FERN_FOREVER) < 0)
            return NULL;
        if (i == 9)
            puts("Assigned all work in iteration 1");
    }
    puts("Assigned all work in iteration 2");
    return unused;
}

int
main(void)
{
    fern_queue_init(&tasks, sizeof(int), 3);
    fern_greenlet *all[] = {fern_spawn(boss, NULL), fern_spawn(worker, "steve"),
            fern_spawn(worker, "john"), fern_spawn(worker, "bob")};
    return fern_join_all(all, 4, FERN_FOREVER) < 0;
}
