/* SPDX-License-Identifier: MIT */
/*
 * At most three of five at once: the next one goes on when one of them gives its permit back.
 */
#include <fern.h>
#include <stdint.h>
#include <stdio.h>

static fern_semaphore sema = FERN_SEMAPHORE_INIT(3);
static long num;

static void *
foo(void *tid)
{
    int r, id = (int)(intptr_t)tid;
    FERN_WITH_SEMAPHORE (r, &sema, FERN_FOREVER) {
        for (int i = 0; i < 1000000; i++)
            num++;
        printf("%d acquire sema\n%ld\n", id, num);
        fern_sleep(FERN_SECOND);
    }
    printf("%d release sema\n", id);
    return NULL;
}

int
main(void)
{
    fern_greenlet *all[5];
    for (intptr_t i = 0; i < 5; i++)
        all[i] = fern_spawn(foo, (void *)i);
    return fern_join_all(all, 5, FERN_FOREVER);
}
