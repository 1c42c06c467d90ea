/* SPDX-License-Identifier: MIT */
/*
 * An event: five greenlets wait, and all of them go on when it is set.
 */
#include <fern.h>
#include <stdio.h>

static fern_event evt;

static void *
setter(void *unused)
{
    puts("A: Hey wait for me, I have to do something");
    fern_sleep(3 * FERN_SECOND);
    puts("Ok, I'm done");
    fern_event_set(&evt);
    return unused;
}

static void *
waiter(void *unused)
{
    puts("I'll wait for you");
    if (fern_event_wait(&evt, FERN_FOREVER) == 0)
        puts("It's about time");
    return unused;
}

int
main(void)
{
    fern_greenlet *all[6] = {fern_spawn(setter, NULL)};
    for (int i = 1; i < 6; i++)
        all[i] = fern_spawn(waiter, NULL);
    return fern_join_all(all, 6, FERN_FOREVER);
}
