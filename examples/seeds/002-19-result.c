/* SPDX-License-Identifier: MIT */
/*
 * The same by a result, which is assigned without a value.
 */
#include <fern.h>
#include <stdio.h>

static fern_result evt;

static void *
setter(void *unused)
{
    puts("Wait for me");
    fern_sleep(2 * FERN_SECOND);
    puts("Ok, I'm done");
    fern_result_set(&evt, NULL);
    return unused;
}

static void *
waiter(void *unused)
{
    fern_outcome outcome;
    puts("I'll wait for you");
    if (fern_result_get(&evt, &outcome, FERN_FOREVER) == 0)
        printf("%s\n", outcome.value ? (char *)outcome.value : "None");
    return unused;
}

int
main(void)
{
    fern_greenlet *all[] = {fern_spawn(setter, NULL), fern_spawn(waiter, NULL)};
    return fern_join_all(all, 2, FERN_FOREVER);
}
