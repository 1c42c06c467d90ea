/* SPDX-License-Identifier: MIT */
/*
 * Tasks of a random length, one after another and then all at once: in order, and in the order
 * in which they happen to end.
 */
#include <fern.h>
#include <stdio.h>
#include <stdlib.h>

static void *
task(void *number)
{
    fern_sleep(rand() % 3 * FERN_MS);
    printf("Task %d done\n", (int)(intptr_t)number);
    return NULL;
}

static void
synchronous(void)
{
    for (intptr_t i = 1; i < 10; i++)
        task((void *)i);
}

static int
asynchronous(void)
{
    fern_greenlet *tasks[10];
    for (intptr_t i = 0; i < 10; i++)
        tasks[i] = fern_spawn(task, (void *)i);
    return fern_join_all(tasks, 10, FERN_FOREVER);
}

int
main(void)
{
    puts("Synchronous:");
    synchronous();
    puts("Asynchronous:");
    return asynchronous() < 0;
}
