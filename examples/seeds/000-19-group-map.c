/* SPDX-License-Identifier: MIT */
/*
 * One function for several things: all at once, in the order of the input, and as they end.
 */
#include <fern.h>
#include <stdio.h>

static fern_group *group;

static void *
hello_from(void *n)
{
    printf("Size of group %zu\n", fern_pool_running(group));
    return n;
}

static void *
intensive(void *n)
{
    fern_sleep((3 - (intptr_t)n) * FERN_SECOND);
    return n;
}

static void
show(fern_pile *results)
{
    fern_outcome outcome;
    while (fern_pile_next(results, &outcome, FERN_FOREVER) > 0)
        printf("('task', %d)\n", (int)(intptr_t)outcome.value);
    fern_pile_free(results);
}

int
main(void)
{
    void *range[] = {(void *)0, (void *)1, (void *)2};
    fern_input input = fern_input_items(range, 3);
    group = fern_group_new();
    if (fern_pool_map(group, hello_from, range, 3, NULL, FERN_FOREVER) < 0)
        return 1;
    puts("Ordered");
    show(fern_pool_imap(group, intensive, &input, 0, 0));
    puts("Unordered");
    show(fern_pool_imap(group, intensive, &input, FERN_PILE_UNORDERED, 0));
    return fern_pool_free(group) < 0;
}
