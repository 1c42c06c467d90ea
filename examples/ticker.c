/* SPDX-License-Identifier: MIT */
/*
 * A timer ticks beside a greenlet that works; a kill ends the work, and what it holds is given
 * back.
 */
#include <fern.h>
#include <stdio.h>

static int ticks;

static void
tick(void *unused)
{
    (void)unused;
    printf("tick %d\n", ++ticks);
}

static void *
work(void *unused)
{
    FERN_AUTO(puts, "the worker cleans up");
    for (int i = 1; fern_sleep(22 * FERN_MS) == 0; i++)
        printf("work %d\n", i);
    return unused;
}

int
main(void)
{
    fern_timer timer = FERN_TIMER_INIT;
    fern_timer_start(&timer, fern_in(10 * FERN_MS), 10 * FERN_MS, tick, NULL);
    fern_greenlet *worker = fern_spawn(work, NULL);
    fern_sleep(55 * FERN_MS);
    int r = fern_kill(worker, 0, FERN_FOREVER);
    fern_timer_stop(&timer);
    return r < 0;
}
