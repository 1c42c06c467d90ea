/* SPDX-License-Identifier: MIT */
/*
 * Actors: each has an inbox and handles one message after the other. Two of them play ping-pong.
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>

enum { ROUNDS = 3 };

static fern_actor *pinger, *ponger;

static int
ping(fern_actor *self, void *message, void *unused)
{
    int round = *(int *)message;
    (void)unused;
    if (round == ROUNDS) /* the end of `running` */
        return fern_actor_stop(self, FERN_ACTOR_NOW, FERN_NOWAIT) == -EAGAIN ? 0 : -1;
    printf("ping %d\n", round);
    return fern_actor_send(ponger, &round, FERN_FOREVER);
}

static int
pong(fern_actor *self, void *message, void *unused)
{
    int next = *(int *)message + 1;
    (void)self;
    (void)unused;
    printf("pong %d\n", next - 1);
    return fern_actor_send(pinger, &next, FERN_FOREVER);
}

int
main(void)
{
    pinger = fern_actor_new(ping, NULL, sizeof(int), NULL);
    ponger = fern_actor_new(pong, NULL, sizeof(int), NULL);
    int r = fern_actor_send(pinger, &(int){0}, FERN_FOREVER);
    if (r == 0)
        r = fern_actor_join(pinger, NULL, FERN_FOREVER);
    if (r == 0)
        r = fern_actor_stop(ponger, 0, FERN_FOREVER);
    fern_actor_free(pinger);
    fern_actor_free(ponger);
    return r < 0;
}
