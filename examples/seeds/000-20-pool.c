/* SPDX-License-Identifier: MIT */
/*
 * Three tasks in a pool of two.
 */
#include <fern.h>
#include <stdio.h>

static fern_pool *pool;

static void *
hello_from(void *n)
{
    printf("Size of pool %zu\n", fern_pool_running(pool));
    return n;
}

int
main(void)
{
    void *range[] = {(void *)0, (void *)1, (void *)2};
    pool = fern_pool_new(2);
    int r = fern_pool_map(pool, hello_from, range, 3, NULL, FERN_FOREVER);
    return r < 0 || fern_pool_free(pool) < 0;
}
