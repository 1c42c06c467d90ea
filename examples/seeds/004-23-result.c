/* SPDX-License-Identifier: MIT */
/* A task's result, asked for too early and in time. */
#include <errno.h>
#include <fern.h>
#include <stdio.h>

static void *
work(void *seconds)
{
    fern_sleep((intptr_t)seconds * FERN_SECOND);
    return seconds;
}

int
main(void)
{
    fern_outcome outcome;
    fern_future *task = fern_task(work, (void *)2);
    if (fern_future_outcome(task, &outcome) == -EINPROGRESS)
        puts("not yet");
    if (fern_future_wait(task, FERN_FOREVER) < 0 || fern_future_outcome(task, &outcome) < 0)
        return 1;
    printf("%ld\n", (long)(intptr_t)outcome.value);
    fern_future_unref(task);
    return 0;
}
