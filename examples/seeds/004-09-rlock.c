/* SPDX-License-Identifier: MIT */
/*
 * A recursive mutex is taken again by its owner.
 */
#include <fern.h>
#include <stdio.h>

static fern_mutex lock;
static int num;

static void *
fun(void *unused)
{
    for (int i = 0; i < 10000; i++) {
        int r;
        FERN_WITH_LOCK (r, &lock, FERN_FOREVER) {
            num++;
            FERN_WITH_LOCK (r, &lock, FERN_FOREVER)
                printf("%d\n", num);
        }
    }
    return unused;
}

int
main(void)
{
    fern_mutex_init(&lock, FERN_MUTEX_RECURSIVE);
    return fern_join(fern_spawn(fun, NULL), FERN_FOREVER);
}
