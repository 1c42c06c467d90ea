/* SPDX-License-Identifier: MIT */
/*
 * Who takes a mutex twice would wait for itself, and is told so; a recursive one can be taken
 * again.
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>

static fern_mutex lock;
static fern_mutex rlock;

int
main(void)
{
    if (fern_mutex_lock(&lock, FERN_FOREVER) < 0)
        return 1;
    if (fern_mutex_lock(&lock, FERN_FOREVER) == -EDEADLK)
        puts("a deadlock");
    fern_mutex_unlock(&lock);

    fern_mutex_init(&rlock, FERN_MUTEX_RECURSIVE);
    if (fern_mutex_lock(&rlock, FERN_FOREVER) < 0 ||
            fern_mutex_lock(&rlock, FERN_FOREVER) < 0)
        return 1;
    printf("taken %zu times\n", fern_mutex_depth(&rlock));
    fern_mutex_unlock(&rlock);
    fern_mutex_unlock(&rlock);
    return 0;
}
