/* SPDX-License-Identifier: MIT */
/* A future is made of a greenlet that runs already; one that nobody makes a future of pays nothing. */
#include <fern.h>
#include <stdio.h>

static void *
work(void *unused)
{
    (void)unused;
    fern_sleep(FERN_SECOND);
    return "a result";
}

int
main(void)
{
    fern_outcome outcome;
    fern_greenlet *g = fern_spawn(work, NULL);
    fern_future *future = fern_future_of(g);
    fern_greenlet_unref(g);
    if (fern_future_get(future, &outcome, FERN_FOREVER) < 0)
        return 1;
    puts(outcome.value);
    fern_future_unref(future);
    return 0;
}
