/* SPDX-License-Identifier: MIT */
/*
 * Three of nine at once, for ever: three lines every two seconds, each in its turn.
 */
#include <fern.h>
#include <stdint.h>
#include <stdio.h>

static fern_semaphore sem = FERN_SEMAPHORE_INIT(3);

static void *
fun(void *n)
{
    for (intptr_t num = (intptr_t)n;;) {
        int r;
        num++;
        FERN_WITH_SEMAPHORE (r, &sem, FERN_FOREVER) {
            printf("-------- %d\n", (int)num);
            r = fern_sleep(2 * FERN_SECOND);
        }
        if (r < 0)
            return NULL;
    }
}

int
main(void)
{
    int num = 0;
    for (intptr_t i = 0; i < 9; i++)
        fern_go(fun, (void *)i);
    fern_sleep(15 * FERN_SECOND);
    printf("******* %d\n", num);
    return 0;
}
