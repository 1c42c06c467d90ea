/* SPDX-License-Identifier: MIT */
/*
 * Two count up a value that has one name and is each one's own; main's stays what it was.
 */
#include <fern.h>
#include <stdint.h>
#include <stdio.h>

static fern_key num;

static void *
fun(void *start)
{
    fern_key_set(num, start);
    for (int i = 0; i < 1000000; i++) {
        fern_key_set(num, (void *)((intptr_t)fern_key_get(num) + 1));
        if (i % 1000 == 0)
            fern_yield();
    }
    printf("----- %d\n", (int)(intptr_t)fern_key_get(num));
    return NULL;
}

int
main(void)
{
    fern_key_create(&num, NULL, 0);
    fern_greenlet *gs[] = {fern_spawn(fun, NULL), fern_spawn(fun, NULL)};
    int r = fern_join_all(gs, 2, FERN_FOREVER);
    printf("----- %d\n", (int)(intptr_t)fern_key_get(num));
    return r < 0;
}
