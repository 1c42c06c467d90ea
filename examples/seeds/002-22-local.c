/* SPDX-License-Identifier: MIT */
/*
 * One name, and for each greenlet a value of its own.
 */
#include <fern.h>
#include <stdint.h>
#include <stdio.h>

static fern_key x;

static void *
f1(void *unused)
{
    fern_key_set(x, (void *)1);
    printf("协程1:%d\n", (int)(intptr_t)fern_key_get(x));
    return unused;
}

static void *
f2(void *unused)
{
    if (!fern_key_get(x)) /* nothing of the other's is seen */
        fern_key_set(x, (void *)2);
    printf("协程2:%d\n", (int)(intptr_t)fern_key_get(x));
    return unused;
}

int
main(void)
{
    fern_key_create(&x, NULL, 0);
    fern_greenlet *gs[] = {fern_spawn(f1, NULL), fern_spawn(f2, NULL)};
    int r = fern_join_all(gs, 2, FERN_FOREVER);
    fern_key_delete(x);
    return r < 0;
}
