/* SPDX-License-Identifier: MIT */
/*
 * Two greenlets wait in select() for two seconds, and the third works meanwhile: two seconds in
 * all, not four.
 */
#include <fern.h>
#include <stdio.h>

static fern_time start;

static double
seconds(void)
{
    return (double)fern_time_diff(fern_now(), start) / 1e9;
}

static void *
poller(void *unused)
{
    printf("Started Polling: at %.1f seconds\n", seconds());
    int r = fern_select_fds(0, NULL, NULL, NULL, fern_in(2 * FERN_SECOND));
    printf("Ended Polling: at %.1f seconds\n", seconds());
    return r == 0 ? unused : fern_fail(r, "select");
}

static void *
worker(void *unused)
{
    printf("Hey lets do some stuff while the greenlets poll, at %.1f seconds\n", seconds());
    fern_sleep(1 * FERN_SECOND);
    return unused;
}

int
main(void)
{
    start = fern_now();
    fern_greenlet *all[] = {
            fern_spawn(poller, NULL), fern_spawn(poller, NULL), fern_spawn(worker, NULL)};
    return fern_join_all(all, 3, FERN_FOREVER) < 0;
}
