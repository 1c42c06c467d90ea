/* SPDX-License-Identifier: MIT */
/*
 * Nine come one after another; they go on three by three.
 */
#include <fern.h>
#include <stdint.h>
#include <stdio.h>

static fern_barrier bar = FERN_BARRIER_INIT(3);

static void *
fun(void *num)
{
    if (fern_barrier_wait(&bar, FERN_FOREVER) >= 0)
        printf("-------- %d\n", (int)(intptr_t)num);
    fern_sleep(2 * FERN_SECOND);
    return NULL;
}

int
main(void)
{
    int num = 0;
    for (intptr_t i = 0; i < 9; i++) {
        fern_sleep(1 * FERN_SECOND);
        fern_go(fun, (void *)i);
    }
    fern_sleep(15 * FERN_SECOND);
    printf("******* %d\n", num);
    return 0;
}
