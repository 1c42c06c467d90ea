/* SPDX-License-Identifier: MIT */
/*
 * Two wake each other in turn by a condition, here six times.
 */
#include <fern.h>
#include <stdio.h>

static fern_mutex lock;
static fern_condition cond;

static void *
fun1(void *unused)
{
    int r = 0;
    while (r == 0) {
        FERN_WITH_LOCK (r, &lock, FERN_FOREVER) {
            r = fern_condition_wait(&cond, &lock, FERN_FOREVER);
            if (r < 0)
                break;
            puts("--------");
            fern_sleep(1 * FERN_SECOND);
            fern_condition_notify(&cond, 1);
        }
    }
    return unused;
}

static void *
fun2(void *unused)
{
    int r = 0;
    for (int i = 0; i < 3 && r == 0; i++) {
        FERN_WITH_LOCK (r, &lock, FERN_FOREVER) {
            fern_condition_notify(&cond, 1);
            puts("*******");
            fern_sleep(1 * FERN_SECOND);
            r = fern_condition_wait(&cond, &lock, FERN_FOREVER);
        }
    }
    return unused;
}

int
main(void)
{
    fern_go(fun1, NULL);
    return fern_join(fern_spawn(fun2, NULL), FERN_FOREVER);
}
