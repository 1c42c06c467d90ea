/* SPDX-License-Identifier: MIT */
/* Groups of tasks, gathered; and the groups gathered: outcomes nest in the order of arguments. */
#include <fern.h>
#include <stdio.h>

static void *
work(void *number)
{
    fern_sleep((10 - (intptr_t)number) * FERN_MS); /* they end the other way round */
    return number;
}

/* The gather of tasks 1 to n; it holds them. */
static fern_future *
group(intptr_t n)
{
    fern_future *tasks[8];
    for (intptr_t i = 0; i < n; i++)
        tasks[i] = fern_task(work, (void *)(i + 1));
    fern_future *gather = fern_gather(tasks, (size_t)n, 0);
    for (intptr_t i = 0; i < n; i++)
        fern_future_unref(tasks[i]);
    return gather;
}

int
main(void)
{
    static const int sizes[] = {2, 4, 6};
    fern_outcome outcome;
    fern_future *groups[] = {group(2), group(4), group(6)};
    fern_future *all = fern_gather(groups, 3, 0);
    for (int i = 0; i < 3; i++)
        fern_future_unref(groups[i]);
    if (fern_future_get(all, &outcome, FERN_FOREVER) < 0)
        return 1;
    const fern_outcome *outer = outcome.value;
    for (int i = 0; i < 3; i++) {
        const fern_outcome *inner = outer[i].value;
        printf("%c:", "ABB"[i]);
        for (int k = 0; k < sizes[i]; k++)
            printf(" %ld", (long)(intptr_t)inner[k].value);
        putchar('\n');
    }
    fern_future_unref(all);
    return 0;
}
