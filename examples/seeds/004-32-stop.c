/* SPDX-License-Identifier: MIT */
/*
 * A loop runs until a greenlet stops it.
 */
#include <fern.h>
#include <stdio.h>

static void *
work(void *seconds)
{
    puts("start");
    fern_sleep(*(int *)seconds * FERN_SECOND);
    printf("after %ds stop\n", *(int *)seconds);
    fern_loop_stop();
    return NULL;
}

int
main(void)
{
    int seconds = 1;
    fern_go(work, &seconds);
    int r = fern_loop_run(FERN_FOREVER);
    if (r == 0)
        r = fern_loop_close(FERN_FOREVER);
    return r < 0;
}
