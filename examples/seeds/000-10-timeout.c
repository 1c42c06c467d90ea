/* SPDX-License-Identifier: MIT */
/*
 * A time-out around waiting for somebody who takes as long.
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>

static void *
wait_long(void *unused)
{
    fern_sleep(10 * FERN_SECOND);
    return unused;
}

int
main(void)
{
    int seconds = 10, r = 0;
    FERN_SCOPE (timeout, fern_in(seconds * FERN_SECOND)) {
        r = fern_join(fern_spawn(wait_long, NULL), FERN_FOREVER);
        if (r == -ETIME && fern_scope_fired(&timeout))
            puts("Could not complete");
    }
    return 0;
}
