/* SPDX-License-Identifier: MIT */
/* Two tasks, and a wait for both of them. */
#include <fern.h>
#include <stdio.h>

static void *
work(void *name)
{
    printf("%s begins\n", (const char *)name);
    fern_sleep(FERN_SECOND);
    printf("%s ends\n", (const char *)name);
    return name;
}

int
main(void)
{
    fern_future *tasks[] = {fern_task(work, "one"), fern_task(work, "two")};
    int done = fern_wait_futures(tasks, 2, FERN_WHEN_ALL, NULL, FERN_FOREVER);
    printf("%d are done\n", done);
    for (int i = 0; i < 2; i++)
        fern_future_unref(tasks[i]);
    return done != 2;
}
