/* SPDX-License-Identifier: MIT */
/* A task that waits for others and hands them on: the wait is over when the slowest has ended. */
#include <fern.h>
#include <stdio.h>

static void *
do_some_work(void *seconds)
{
    fern_sleep((intptr_t)seconds * FERN_SECOND);
    return seconds;
}

static fern_future *done[3];

static void *
wait_for_three(void *ret_count)
{
    fern_future *tasks[] = {fern_task(do_some_work, (void *)1),
            fern_task(do_some_work, (void *)2), fern_task(do_some_work, (void *)4)};
    *(int *)ret_count = fern_wait_futures(tasks, 3, FERN_WHEN_ALL, done, FERN_FOREVER);
    return NULL;
}

int
main(void)
{
    int count = 0;
    fern_time start = fern_now();
    fern_greenlet *g = fern_spawn(wait_for_three, &count);
    if (fern_join(g, FERN_FOREVER) < 0)
        return 1;
    fern_greenlet_unref(g);
    for (int i = 0; i < count; i++) {
        fern_outcome outcome;
        if (fern_future_outcome(done[i], &outcome) == 0)
            printf("Task ret: %ld\n", (long)(intptr_t)outcome.value);
        fern_future_unref(done[i]);
    }
    printf("TIME: %.0f\n", (double)fern_time_diff(fern_now(), start) / 1e9);
    return 0;
}
