/* SPDX-License-Identifier: MIT */
/*
 * Which poller a hub uses is chosen by the environment: FERN_POLLER=poll in front of the command.
 */
#include <fern.h>
#include <stdio.h>

int
main(void)
{
    if (fern_sleep(FERN_MS) == 0)
        printf("slept on %s\n", fern_hub_poller());
    return 0;
}
