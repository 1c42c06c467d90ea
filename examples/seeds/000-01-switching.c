/* SPDX-License-Identifier: MIT */
/*
 * Two greenlets let each other run.
 */
#include <fern.h>
#include <stdio.h>

static void *
foo(void *unused)
{
    puts("Running in foo");
    fern_yield();
    puts("Explicit context switch to foo again");
    return unused;
}

static void *
bar(void *unused)
{
    puts("Explicit context to bar");
    fern_yield();
    puts("Implicit context switch back to bar");
    return unused;
}

int
main(void)
{
    fern_greenlet *both[] = {fern_spawn(foo, NULL), fern_spawn(bar, NULL)};
    return fern_join_all(both, 2, FERN_FOREVER) < 0;
}
