/* SPDX-License-Identifier: MIT */
/*
 * A cook fills the pot with five fish balls, a guest eats them, and so on: each wakes the other
 * and waits to be woken. The pot is filled twice here.
 */
#include <fern.h>
#include <stdio.h>

static fern_mutex lock;
static fern_condition con;
static int num;

static void *
producer(void *unused)
{
    int r;
    FERN_WITH_LOCK (r, &lock, FERN_FOREVER) {
        while (r == 0) {
            printf("火锅里面鱼丸个数:%d\n", ++num);
            fern_sleep(1 * FERN_SECOND);
            if (num >= 5) {
                puts("火锅里面里面鱼丸数量已经到达5个,无法添加了!");
                fern_condition_notify(&con, 1);
                r = fern_condition_wait(&con, &lock, FERN_FOREVER);
            }
        }
    }
    return unused;
}

static void *
consumer(void *unused)
{
    int r;
    FERN_WITH_LOCK (r, &lock, FERN_FOREVER) {
        for (int meals = 0; meals < 2 && r == 0;) {
            printf("火锅里面剩余鱼丸数量:%d\n", --num);
            fern_sleep(2 * FERN_SECOND);
            if (num <= 0 && ++meals < 2) {
                puts("锅底没货了,赶紧加鱼丸吧!");
                fern_condition_notify(&con, 1);
                r = fern_condition_wait(&con, &lock, FERN_FOREVER);
            }
        }
    }
    return unused;
}

int
main(void)
{
    fern_go(producer, NULL);
    return fern_join(fern_spawn(consumer, NULL), FERN_FOREVER);
}
