/* SPDX-License-Identifier: MIT */
/*
 * A timer as a greenlet that starts later: its function may wait, and it can be joined.
 */
#include <fern.h>
#include <stdio.h>

static void *
fun(void *unused)
{
    puts("--------");
    fern_sleep(2 * FERN_SECOND);
    return unused;
}

int
main(void)
{
    FERN_SPAWN_OPTIONS(options);
    options.delay_ns = 5 * FERN_SECOND;
    fern_greenlet *timer = fern_spawn_with(fun, NULL, &options);
    int r = fern_join(timer, FERN_FOREVER);
    puts("*******");
    return r < 0;
}
