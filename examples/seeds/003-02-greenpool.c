/* SPDX-License-Identifier: MIT */
/*
 * What can be asked of a pool: free, running and waiting; resize, spawn, starmap, wait for all.
 */
#include <fern.h>
#include <stdio.h>

static fern_pool *pool;

static void *
sleepy(void *unused)
{
    fern_sleep(FERN_SECOND);
    return unused;
}

static void *
spawner(void *unused)
{
    return fern_pool_go(pool, sleepy, NULL, FERN_FOREVER) < 0 ? NULL : unused;
}

static void *
multiply(void *pair)
{
    void **factors = pair;
    return (void *)((intptr_t)factors[0] * (intptr_t)factors[1]);
}

static void
show(const char *when)
{
    printf("%s: free %zd, running %zu, waiting %zu\n", when, fern_pool_available(pool),
            fern_pool_running(pool), fern_pool_waiting(pool));
}

int
main(void)
{
    void *a[] = {(void *)2, (void *)3, (void *)4}, *b[] = {(void *)5, (void *)6, (void *)7};
    fern_input inputs[] = {fern_input_items(a, 3), fern_input_items(b, 3)};
    fern_outcome product;
    pool = fern_pool_new(3);
    for (int i = 0; i < 3; i++)
        if (fern_pool_go(pool, sleepy, NULL, FERN_FOREVER) < 0)
            return 1;
    fern_pool_resize(pool, 1);
    show("smaller");
    fern_go(spawner, NULL);
    fern_yield();
    show("a spawner waits");
    if (fern_pool_wait_all(pool, FERN_FOREVER) < 0)
        return 1;
    show("all done");
    fern_pile *products = fern_pool_starmap(pool, multiply, inputs, 2, 0, 0);
    while (fern_pile_next(products, &product, FERN_FOREVER) > 0)
        printf("%d\n", (int)(intptr_t)product.value);
    fern_pile_free(products);
    return fern_pool_free(pool) < 0;
}
