/* SPDX-License-Identifier: MIT */
/*
 * Wait, set, clear: who waits in a loop clears the event, to be woken anew.
 */
#include <fern.h>
#include <stdio.h>

static fern_event event;

static void *
fun(void *unused)
{
    while (fern_event_wait(&event, FERN_FOREVER) == 0) {
        puts("--------");
        fern_event_clear(&event);
    }
    return unused;
}

int
main(void)
{
    fern_go(fun, NULL);
    for (int i = 0; i < 5; i++) {
        fern_sleep(1 * FERN_SECOND);
        fern_event_set(&event);
    }
    fern_yield();
    puts("********");
    return 0;
}
