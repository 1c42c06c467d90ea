/* SPDX-License-Identifier: MIT */
/* A wait with a limit: it tells which are done, and leaves the others as they are. */
#include <fern.h>
#include <stdio.h>

static void *
do_some_work(void *seconds)
{
    fern_sleep((intptr_t)seconds * FERN_SECOND);
    return seconds;
}

static void
print(fern_future **dones, int count)
{
    for (int i = 0; i < count; i++) {
        fern_outcome outcome;
        if (fern_future_outcome(dones[i], &outcome) == 0)
            printf("Task ret: %ld\n", (long)(intptr_t)outcome.value);
    }
}

int
main(void)
{
    fern_future *tasks[] = {fern_task(do_some_work, (void *)1),
            fern_task(do_some_work, (void *)2), fern_task(do_some_work, (void *)4)};
    fern_future *dones[3];
    int n = fern_wait_futures(tasks, 3, FERN_WHEN_ALL, dones, fern_in(3 * FERN_SECOND));
    printf("%d done, %d pending\n", n, 3 - n);
    print(dones, n);
    n = fern_wait_futures(tasks, 3, FERN_WHEN_ALL, dones, FERN_FOREVER);
    printf("%d done, %d pending\n", n, 3 - n);
    print(dones, n);
    for (int i = 0; i < 3; i++)
        fern_future_unref(tasks[i]);
    return n != 3;
}
