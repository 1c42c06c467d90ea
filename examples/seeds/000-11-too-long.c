/* SPDX-License-Identifier: MIT */
/*
 * A time-out with a failure of one's own, which nobody catches: it ends the program.
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>

enum { TOO_LONG = 3 };

static int
nap(void)
{
    int time_to_wait = 5, r = 0;
    FERN_SCOPE (timeout, fern_in(time_to_wait * FERN_SECOND)) {
        r = fern_sleep(10 * FERN_SECOND);
        if (r == -ETIME && fern_scope_fired(&timeout))
            r = TOO_LONG;
    }
    return r;
}

int
main(void)
{
    int r = nap();
    if (r == TOO_LONG)
        fputs("TooLong\n", stderr);
    return r;
}
