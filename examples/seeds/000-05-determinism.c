/* SPDX-License-Identifier: MIT */
/*
 * The same work in the same pool comes out in the same order, each time.
 */
#include <fern.h>
#include <stdio.h>
#include <string.h>

static void *
echo(void *i)
{
    fern_sleep(FERN_MS);
    return i;
}

static int
run(fern_pool *pool, void **ret_order)
{
    void *numbers[10];
    fern_outcome outcome;
    int n = 0;
    for (intptr_t i = 0; i < 10; i++)
        numbers[i] = (void *)i;
    fern_input input = fern_input_items(numbers, 10);
    fern_pile *results = fern_pool_imap(pool, echo, &input, FERN_PILE_UNORDERED, 0);
    while (fern_pile_next(results, &outcome, FERN_FOREVER) > 0)
        ret_order[n++] = outcome.value;
    fern_pile_free(results);
    return n;
}

int
main(void)
{
    void *runs[4][10];
    fern_pool *pool = fern_pool_new(10);
    bool same = true;
    for (int i = 0; i < 4; i++)
        same = run(pool, runs[i]) == 10 && same &&
               !memcmp(runs[i], runs[0], sizeof runs[0]);
    puts(same ? "True" : "False");
    return fern_pool_free(pool) < 0;
}
