/* SPDX-License-Identifier: MIT */
/*
 * Which poller a hub uses is chosen by the environment, before the hub is made.
 */
#include <fern.h>
#include <stdio.h>
#include <stdlib.h>

int
main(void)
{
    setenv("FERN_POLLER", "poll", 1); /* as FERN_POLLER=poll in front of the command */
    if (fern_sleep(FERN_MS) == 0)
        printf("slept on %s\n", fern_hub_poller());
    return 0;
}
