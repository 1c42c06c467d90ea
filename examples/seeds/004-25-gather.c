/* SPDX-License-Identifier: MIT */
/* Three tasks, gathered: their results come in the order in which they were given. */
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
    fern_outcome outcome;
    fern_future *tasks[] = {fern_task(do_some_work, (void *)1),
            fern_task(do_some_work, (void *)2), fern_task(do_some_work, (void *)2)};
    fern_future *all = fern_gather(tasks, 3, 0);
    for (int i = 0; i < 3; i++)
        fern_future_unref(tasks[i]);
    if (fern_future_get(all, &outcome, FERN_FOREVER) < 0)
        return 1;
    const fern_outcome *results = outcome.value;
    for (int i = 0; i < 3; i++)
        printf("Task ret: %ld\n", (long)(intptr_t)results[i].value);
    fern_future_unref(all);
    return 0;
}
