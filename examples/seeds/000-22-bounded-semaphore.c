/* SPDX-License-Identifier: MIT */
/*
 * A bounded semaphore with two permits, taken by hand and by a block.
 */
#include <fern.h>
#include <stdint.h>
#include <stdio.h>

static fern_semaphore sem;

static void *
worker1(void *n)
{
    if (fern_semaphore_acquire(&sem, 1, FERN_FOREVER) < 0)
        return NULL;
    printf("Worker %d acquired semaphore\n", (int)(intptr_t)n);
    fern_yield();
    fern_semaphore_release(&sem, 1);
    printf("Worker %d released semaphore\n", (int)(intptr_t)n);
    return NULL;
}

static void *
worker2(void *n)
{
    int r;
    FERN_WITH_SEMAPHORE (r, &sem, FERN_FOREVER) {
        printf("Worker %d acquired semaphore\n", (int)(intptr_t)n);
        fern_yield();
    }
    printf("Worker %d released semaphore\n", (int)(intptr_t)n);
    return NULL;
}

int
main(void)
{
    FERN_SEMAPHORE_OPTIONS(bounded);
    bounded.count = bounded.limit = 2;
    fern_pool *pool = fern_pool_new(FERN_POOL_UNLIMITED);
    void *first[] = {(void *)0, (void *)1}, *second[] = {(void *)3, (void *)4, (void *)5};
    if (fern_semaphore_init(&sem, &bounded) < 0 ||
            fern_pool_map(pool, worker1, first, 2, NULL, FERN_FOREVER) < 0 ||
            fern_pool_map(pool, worker2, second, 3, NULL, FERN_FOREVER) < 0)
        return 1;
    return fern_pool_free(pool);
}
