/* SPDX-License-Identifier: MIT */
/*
 * A kind of greenlet of one's own: fields and a function, made first and started later.
 */
#include <fern.h>
#include <stdio.h>

struct my_greenlet {
    fern_greenlet *greenlet;
    const char *message;
    int seconds;
};

static void *
my_run(void *arg)
{
    struct my_greenlet *self = arg;
    puts(self->message);
    fern_sleep(self->seconds * FERN_SECOND);
    return NULL;
}

static struct my_greenlet
my_greenlet(const char *message, int seconds)
{
    return (struct my_greenlet){.message = message, .seconds = seconds};
}

static int
my_greenlet_start(struct my_greenlet *g)
{
    FERN_SPAWN_OPTIONS(options);
    options.unstarted = true;
    g->greenlet = fern_spawn_with(my_run, g, &options);
    return fern_start(g->greenlet);
}

int
main(void)
{
    struct my_greenlet g = my_greenlet("Hi there!", 3);
    int r = my_greenlet_start(&g);
    return r < 0 || fern_join(g.greenlet, FERN_FOREVER) < 0;
}
