/* SPDX-License-Identifier: MIT */
/*
 * The second one waits until the first has let the lock go, and finds that it need not work.
 */
#include <fern.h>
#include <stdbool.h>
#include <stdio.h>

static fern_mutex lock;
static bool has_x;

static void
work(const char *name)
{
    int r;
    printf("\\\\\\\\ %s\n", name);
    FERN_WITH_LOCK (r, &lock, FERN_FOREVER) {
        printf("%s start\n", name);
        if (has_x)
            return; /* and the lock is released */
        printf("++++++++++ %s\n", name);
        fern_yield();
        printf("---------- %s\n", name);
        has_x = true;
        printf("%s end\n", name);
    }
}

static void *
one(void *name)
{
    work(name);
    printf("%s ok\n", (const char *)name);
    return NULL;
}

static void *
line(void *unused)
{
    puts("///////////");
    return unused;
}

int
main(void)
{
    fern_greenlet *all[] = {
            fern_spawn(one, "one"), fern_spawn(line, NULL), fern_spawn(one, "two")};
    return fern_join_all(all, 3, FERN_FOREVER);
}
