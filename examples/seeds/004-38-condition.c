/* SPDX-License-Identifier: MIT */
/*
 * A condition wakes one, then two, then all the rest, first come first.
 */
#include <fern.h>
#include <stdint.h>
#include <stdio.h>

static fern_mutex lock;
static fern_condition condition;

static void *
consumer(void *number)
{
    int r, n = (int)(intptr_t)number;
    FERN_WITH_LOCK (r, &lock, FERN_FOREVER) {
        printf("consumer %d is waiting\n", n);
        r = fern_condition_wait(&condition, &lock, FERN_FOREVER);
        printf("consumer %d triggered\n", n);
    }
    printf("ending consumer %d\n", n);
    return NULL;
}

static void *
manipulate_condition(void *unused)
{
    int r;
    puts("starting manipulate_condition");
    fern_sleep(100 * FERN_MS);
    for (int i = 1; i < 3; i++) {
        FERN_WITH_LOCK (r, &lock, FERN_FOREVER) {
            printf("notifying %d consumers\n", i);
            fern_condition_notify(&condition, (size_t)i);
        }
        fern_sleep(100 * FERN_MS);
    }
    FERN_WITH_LOCK (r, &lock, FERN_FOREVER) {
        puts("notifying remaining consumers");
        fern_condition_notify_all(&condition);
    }
    puts("ending manipulate_condition");
    return unused;
}

int
main(void)
{
    fern_greenlet *all[6] = {fern_spawn(manipulate_condition, NULL)};
    for (intptr_t i = 0; i < 5; i++)
        all[i + 1] = fern_spawn(consumer, (void *)i);
    return fern_join_all(all, 6, FERN_FOREVER);
}
