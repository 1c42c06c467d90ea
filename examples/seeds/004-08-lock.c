/* SPDX-License-Identifier: MIT */
/*
 * Two add a million each under a lock; both may be interrupted in the middle of it.
 */
#include <fern.h>
#include <stdio.h>

static fern_mutex lock;
static long num;

static void *
fun(void *unused)
{
    for (int i = 0; i < 1000000; i++) {
        int r;
        FERN_WITH_LOCK (r, &lock, FERN_FOREVER) {
            long was = num;
            if (i % 1000 == 0)
                fern_yield();
            num = was + 1;
        }
    }
    return unused;
}

int
main(void)
{
    fern_greenlet *both[] = {fern_spawn(fun, NULL), fern_spawn(fun, NULL)};
    int r = fern_join_all(both, 2, FERN_FOREVER);
    printf("%ld\n", num);
    return r;
}
