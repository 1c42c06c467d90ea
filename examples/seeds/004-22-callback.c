/* SPDX-License-Identifier: MIT */
/* Callbacks of a task: called by the hub when it is done, first come first. */
#include <fern.h>
#include <stdio.h>

static void *
work(void *unused)
{
    (void)unused;
    puts("working");
    fern_sleep(2 * FERN_SECOND);
    return "a result";
}

static void
callback(fern_future *future, void *name)
{
    fern_outcome outcome;
    if (fern_future_outcome(future, &outcome) == 0)
        printf("%s: %s\n", (const char *)name, (const char *)outcome.value);
}

int
main(void)
{
    fern_future *task = fern_task(work, NULL);
    fern_future_add_callback(task, callback, "first");
    fern_future_add_callback(task, callback, "second");
    int r = fern_future_wait(task, FERN_FOREVER);
    fern_future_add_callback(task, callback, "late");
    fern_yield();
    fern_future_unref(task);
    return r < 0;
}
