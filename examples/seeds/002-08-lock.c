/* SPDX-License-Identifier: MIT */
/*
 * Two count under one lock, taken by hand and by a block.
 */
#include <fern.h>
#include <stdio.h>

static fern_mutex lock;
static long globals_num;

static void *
func1(void *unused)
{
    if (fern_mutex_lock(&lock, FERN_FOREVER) < 0)
        return NULL;
    for (int i = 0; i < 1000000; i++) {
        long was = globals_num;
        if (i % 100000 == 0)
            fern_yield(); /* anybody else may run now */
        globals_num = was + 1;
    }
    fern_mutex_unlock(&lock);
    printf("线程1结果%ld\n", globals_num);
    return unused;
}

static void *
func2(void *unused)
{
    int r;
    FERN_WITH_LOCK (r, &lock, FERN_FOREVER) {
        for (int i = 0; i < 1000000; i++)
            globals_num++;
        printf("线程2结果%ld\n", globals_num);
    }
    return unused;
}

int
main(void)
{
    fern_greenlet *both[] = {fern_spawn(func1, NULL), fern_spawn(func2, NULL)};
    return fern_join_all(both, 2, FERN_FOREVER);
}
