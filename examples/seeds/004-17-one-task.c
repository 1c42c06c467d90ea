/* SPDX-License-Identifier: MIT */
/* A program that is one task: it runs until that is complete. */
#include <fern.h>
#include <stdio.h>

static void *
write_something(void *unused)
{
    fern_sleep(FERN_SECOND);
    puts("written");
    return unused;
}

int
main(void)
{
    fern_greenlet *g = fern_spawn(write_something, NULL);
    int r = fern_join(g, FERN_FOREVER);
    fern_greenlet_unref(g);
    return r < 0;
}
