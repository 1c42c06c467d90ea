/* SPDX-License-Identifier: MIT */
/*
 * Two raw coroutines hand the CPU to each other by name, and sleep in between.
 */
#include <fern.h>
#include <stdio.h>

static fern_greenlet *one, *other;

static void *
say_a(void *unused)
{
    for (int i = 0; i < 100; i++) {
        puts("---A--");
        if (fern_raw_switch(other, NULL, NULL) < 0 || fern_sleep(FERN_SECOND / 2) < 0)
            break;
    }
    return unused;
}

static void *
say_b(void *unused)
{
    for (int i = 0; i < 100; i++) {
        puts("---B--");
        if (fern_raw_switch(one, NULL, NULL) < 0 || fern_sleep(FERN_SECOND / 2) < 0)
            break;
    }
    return unused;
}

int
main(void)
{
    one = fern_raw_new(say_a, NULL);
    other = fern_raw_new(say_b, NULL);
    return fern_raw_switch(one, NULL, NULL) < 0;
}
