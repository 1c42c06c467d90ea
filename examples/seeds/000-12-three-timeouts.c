/* SPDX-License-Identifier: MIT */
/*
 * Three ways to give up on a greenlet after a second: a scope around any code, the deadline of
 * the waiting call, and a function called with a time-out.
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>

static void *
wait_long(void *unused)
{
    fern_sleep(2 * FERN_SECOND);
    return unused;
}

int
main(void)
{
    FERN_SCOPE (timer, fern_in(1 * FERN_SECOND)) {
        fern_greenlet *thread1 = fern_spawn(wait_long, NULL);
        if (fern_join(thread1, FERN_FOREVER) == -ETIME && fern_scope_fired(&timer))
            puts("Thread 1 timed out");
    }

    fern_greenlet *thread2 = fern_spawn(wait_long, NULL);
    fern_outcome outcome;
    if (fern_get(thread2, &outcome, fern_in(1 * FERN_SECOND)) == -ETIME)
        puts("Thread 2 timed out");

    if (fern_with_timeout(wait_long, NULL, NULL, fern_in(1 * FERN_SECOND)) == -ETIME)
        puts("Thread 3 timed out");
    return 0;
}
