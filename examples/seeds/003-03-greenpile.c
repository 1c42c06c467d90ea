/* SPDX-License-Identifier: MIT */
/*
 * A pile: results in the order of the spawns, whatever ends first.
 */
#include <fern.h>
#include <stdio.h>

static void *
fetch(void *seconds)
{
    fern_sleep((intptr_t)seconds * FERN_SECOND);
    return seconds;
}

int
main(void)
{
    fern_outcome outcome;
    fern_pool *pool = fern_pool_new(10);
    fern_pile *pile = fern_pile_new(pool, 0);
    for (intptr_t i = 3; i > 0; i--)
        if (fern_pile_spawn(pile, fetch, (void *)i, FERN_FOREVER) < 0)
            return 1;
    while (fern_pile_next(pile, &outcome, FERN_FOREVER) > 0)
        printf("took %d seconds\n", (int)(intptr_t)outcome.value);
    puts("StopIteration");
    return fern_pile_free(pile) < 0 || fern_pool_free(pool) < 0;
}
