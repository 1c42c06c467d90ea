/* SPDX-License-Identifier: MIT */
/*
 * Let others run, spawn, and spawn for later.
 */
#include <fern.h>
#include <stdio.h>

static void *
func(void *word)
{
    puts(word);
    return NULL;
}

int
main(void)
{
    FERN_SPAWN_OPTIONS(later);
    later.delay_ns = 500 * FERN_MS;
    fern_greenlet *both[] = {
            fern_spawn_with(func, "after", &later), fern_spawn(func, "now")};
    puts("spawned");
    fern_yield();
    puts("it has run");
    return fern_join_all(both, 2, FERN_FOREVER) < 0;
}
