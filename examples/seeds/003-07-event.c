/* SPDX-License-Identifier: MIT */
/*
 * A value that is sent once, to everybody who waits for it.
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>

static fern_result sent;

static void *
send_next(void *b)
{
    fern_result_set(&sent, (void *)((intptr_t)b + 1));
    return NULL;
}

int
main(void)
{
    fern_outcome outcome;
    fern_spawn(send_next, (void *)3);
    if (fern_result_get(&sent, &outcome, FERN_FOREVER) < 0)
        return 1;
    printf("%d\n", (int)(intptr_t)outcome.value);
    puts(fern_result_set(&sent, NULL) == -EALREADY ? "a second send is refused" : "?");
    fern_result_reset(&sent);
    puts(fern_result_ready(&sent) ? "?" : "after a reset it is as new");
    return 0;
}
