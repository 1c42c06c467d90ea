/* SPDX-License-Identifier: MIT */
/*
 * The program of the README: two greenlets that take turns, because each of them sleeps.
 */
#include <fern.h>
#include <stdio.h>

static void *
count(void *name)
{
    for (int i = 1; i <= 3 && fern_sleep(10 * FERN_MS) == 0; i++)
        printf("%s %d\n", (char *)name, i);
    return name;
}

int
main(void)
{
    fern_greenlet *both[] = {fern_spawn(count, "tick"), fern_spawn(count, "tock")};
    return fern_join_all(both, 2, FERN_FOREVER);
}
