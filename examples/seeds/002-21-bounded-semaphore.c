/* SPDX-License-Identifier: MIT */
/*
 * Two of four at once: both have said that they are done before the next two come in.
 */
#include <fern.h>
#include <stdint.h>
#include <stdio.h>

static fern_semaphore sem;

static void *
worker(void *n)
{
    if (fern_semaphore_acquire(&sem, 1, FERN_FOREVER) < 0)
        return NULL;
    printf("Worker %d acquired semaphore\n", (int)(intptr_t)n);
    fern_sleep(1 * FERN_SECOND);
    fern_semaphore_release(&sem, 1);
    printf("Worker %d released semaphore\n", (int)(intptr_t)n);
    return NULL;
}

int
main(void)
{
    FERN_SEMAPHORE_OPTIONS(bounded);
    bounded.count = bounded.limit = 2;
    fern_greenlet *all[4];
    if (fern_semaphore_init(&sem, &bounded) < 0)
        return 1;
    for (intptr_t i = 0; i < 4; i++)
        all[i] = fern_spawn(worker, (void *)i);
    return fern_join_all(all, 4, FERN_FOREVER);
}
