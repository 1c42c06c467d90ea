/* SPDX-License-Identifier: MIT */
/* A task is created: it runs when its maker next waits, not before. */
#include <fern.h>
#include <stdio.h>

static void *
do_some_work(void *seconds)
{
    printf("waiting %ld\n", (long)(intptr_t)seconds);
    fern_sleep((intptr_t)seconds * FERN_SECOND);
    return seconds;
}

int
main(void)
{
    fern_future *task = fern_task(do_some_work, (void *)2);
    printf("done: %d\n", fern_future_done(task));
    int r = fern_future_wait(task, FERN_FOREVER);
    printf("done: %d\n", fern_future_done(task));
    fern_future_unref(task);
    return r < 0;
}
