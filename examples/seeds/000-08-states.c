/* SPDX-License-Identifier: MIT */
/*
 * What can be asked of a greenlet, and that a failure stays inside it: it is reported on stderr,
 * and kept.
 */
#include <fern.h>
#include <stdio.h>

static void *
win(void *unused)
{
    (void)unused;
    return "You win!";
}

static void *
fail(void *unused)
{
    (void)unused;
    return fern_fail(1, "You fail at failing.");
}

static void
show(bool answer)
{
    puts(answer ? "True" : "False");
}

int
main(void)
{
    fern_greenlet *winner = fern_spawn(win, NULL), *loser = fern_spawn(fail, NULL);
    fern_outcome won, lost;

    show(fern_started(winner));
    show(fern_started(loser));
    if (fern_get(winner, &won, FERN_FOREVER) < 0 ||
            fern_get(loser, &lost, FERN_FOREVER) < 0)
        return 1;
    puts((char *)won.value);
    puts(lost.value ? (char *)lost.value : "None");
    show(fern_ready(winner));
    show(fern_ready(loser));
    show(fern_successful(winner));
    show(fern_successful(loser));
    puts(lost.message);
    return 0;
}
