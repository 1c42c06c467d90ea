/* SPDX-License-Identifier: MIT */
/*
 * Ask several, take the first answer, and send the others home.
 */
#include <fern.h>
#include <stdio.h>

struct source {
    const char *name;
    int64_t takes_ns;
};

static void *
ask(void *arg)
{
    struct source *source = arg;
    if (fern_sleep(source->takes_ns) < 0) {
        printf("%s is not needed any more\n", source->name);
        return NULL;
    }
    return source;
}

int
main(void)
{
    struct source sources[] = {{"the disk", 30 * FERN_MS}, {"the cache", 5 * FERN_MS},
            {"the net", 80 * FERN_MS}};
    fern_greenlet *all[3];
    for (int i = 0; i < 3; i++)
        all[i] = fern_spawn(ask, &sources[i]);

    fern_greenlet *done[3];
    FERN_JOIN_OPTIONS(options);
    options.count = 1;
    options.ret_done = done;
    int r = fern_join_all_with(all, 3, &options, fern_in(FERN_SECOND));
    if (r == 0) {
        fern_outcome outcome;
        r = fern_greenlet_outcome(done[0], &outcome);
        printf("%s answered first\n", ((struct source *)outcome.value)->name);
    }
    return r < 0 || fern_kill_all(all, 3, 0, FERN_FOREVER) < 0;
}
