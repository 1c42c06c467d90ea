/* SPDX-License-Identifier: MIT */
/* Tasks, one after the other as they are completed. */
#include <fern.h>
#include <stdio.h>

static void *
do_some_work(void *seconds)
{
    fern_sleep((intptr_t)seconds * FERN_SECOND);
    return seconds;
}

int
main(void)
{
    fern_future *tasks[] = {fern_task(do_some_work, (void *)4),
            fern_task(do_some_work, (void *)2), fern_task(do_some_work, (void *)1)};
    fern_completed *completed = fern_as_completed(tasks, 3);
    fern_future *task;
    int r;
    while ((r = fern_completed_next(completed, &task, FERN_FOREVER)) > 0) {
        fern_outcome outcome;
        if (fern_future_outcome(task, &outcome) == 0)
            printf("Task ret: %ld\n", (long)(intptr_t)outcome.value);
    }
    fern_completed_free(completed);
    for (int i = 0; i < 3; i++)
        fern_future_unref(tasks[i]);
    return r < 0;
}
