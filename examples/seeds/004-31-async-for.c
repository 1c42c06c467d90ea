/* SPDX-License-Identifier: MIT */
/*
 * A loop over items that take their time, with an else for when it came to the end.
 */
#include <fern.h>
#include <stdio.h>

static void *
items(void *unused)
{
    for (int i = 0; i < 3; i++) {
        if (fern_sleep(FERN_SECOND) < 0 || fern_generator_yield(&i, NULL) < 0)
            break;
    }
    return unused;
}

static void
loop(int last)
{
    fern_generator *generator = fern_generator_new(items, NULL, sizeof(int));
    FERN_AUTO(fern_generator_free, generator);
    fern_iterator iterator = fern_generator_iterator(generator);
    int r, target;
    FERN_EACH(r, target, &iterator)
    {
        printf("block %d\n", target);
        if (target == last)
            break;
    }
    if (r == 0)
        puts("block2");
}

int
main(void)
{
    loop(10);
    loop(1);
    return 0;
}
