/* SPDX-License-Identifier: MIT */
/*
 * A result: assigned once, and whoever asks for it waits until then.
 */
#include <fern.h>
#include <stdio.h>

static fern_result a;

static void *
setter(void *unused)
{
    fern_sleep(3 * FERN_SECOND);
    fern_result_set(&a, "Hello!");
    return unused;
}

static void *
waiter(void *unused)
{
    fern_outcome outcome;
    if (fern_result_get(&a, &outcome, FERN_FOREVER) == 0)
        puts(outcome.value);
    return unused;
}

int
main(void)
{
    fern_greenlet *all[] = {fern_spawn(setter, NULL), fern_spawn(waiter, NULL)};
    return fern_join_all(all, 2, FERN_FOREVER);
}
