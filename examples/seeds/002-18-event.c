/* SPDX-License-Identifier: MIT */
/*
 * Three wait for an event that is set after two seconds.
 */
#include <fern.h>
#include <stdio.h>

static fern_event evt;

static void *
setter(void *unused)
{
    puts("Wait for me");
    fern_sleep(2 * FERN_SECOND);
    puts("Ok, I'm done");
    fern_event_set(&evt);
    return unused;
}

static void *
waiter(void *unused)
{
    puts("I'll wait for you");
    if (fern_event_wait(&evt, FERN_FOREVER) == 0)
        puts("Finish waiting");
    return unused;
}

int
main(void)
{
    fern_greenlet *all[] = {fern_spawn(setter, NULL), fern_spawn(waiter, NULL),
            fern_spawn(waiter, NULL), fern_spawn(waiter, NULL)};
    return fern_join_all(all, 4, FERN_FOREVER);
}
