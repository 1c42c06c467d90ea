/* SPDX-License-Identifier: MIT */
/*
 * A group of one is joined; the others speak, too, since they were spawned before.
 */
#include <fern.h>
#include <stdio.h>

static void *
talk(void *message)
{
    for (int i = 0; i < 3; i++)
        puts(message);
    return NULL;
}

int
main(void)
{
    fern_greenlet *g1 = fern_spawn(talk, "bar");
    fern_go(talk, "foo");
    fern_go(talk, "fizz");

    fern_group *group = fern_group_new();
    if (fern_pool_add(group, g1, FERN_FOREVER) < 0 ||
            fern_pool_join(group, FERN_FOREVER) < 0)
        return 1;
    fern_greenlet_unref(g1);
    return fern_pool_free(group) < 0;
}
