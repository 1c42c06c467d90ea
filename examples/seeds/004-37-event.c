/* SPDX-License-Identifier: MIT */
/*
 * An event that a timer's callback sets.
 */
#include <fern.h>
#include <stdio.h>

static fern_event event;

static void
set_event(void *unused)
{
    (void)unused;
    puts("setting event in callback");
    fern_event_set(&event);
}

static void *
coro(void *name)
{
    printf("%s waiting for event\n", (const char *)name);
    if (fern_event_wait(&event, FERN_FOREVER) == 0)
        printf("%s triggered\n", (const char *)name);
    return NULL;
}

int
main(void)
{
    fern_timer timer = FERN_TIMER_INIT;
    printf("event start state: %s\n", fern_event_is_set(&event) ? "True" : "False");
    if (fern_timer_start(&timer, fern_in(100 * FERN_MS), 0, set_event, NULL) < 0)
        return 1;
    fern_greenlet *both[] = {fern_spawn(coro, "coro1"), fern_spawn(coro, "coro2")};
    int r = fern_join_all(both, 2, FERN_FOREVER);
    printf("event end state: %s\n", fern_event_is_set(&event) ? "True" : "False");
    return r;
}
