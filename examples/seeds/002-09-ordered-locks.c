/* SPDX-License-Identifier: MIT */
/*
 * Two greenlets want the same two locks, and name them in different orders; they are taken in
 * order of address, so that nobody waits for ever. To add one that comes before is refused, and
 * both places are named on stderr.
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>

static fern_mutex locks[2];
static int g_num;

static void
work(const char *flag, fern_mutex *const *wanted)
{
    int r;
    FERN_WITH_LOCKS (r, wanted, 2, FERN_FOREVER) {
        printf("%s获取锁并执行完任务代码......................\n", flag);
        fern_yield();
        g_num++;
    }
    printf("%s执行完任务逻辑后释放锁\n", flag);
}

static void *
thread_1(void *unused)
{
    work("thread1", (fern_mutex *[]){&locks[1], &locks[0]});
    return unused;
}

static void *
thread_2(void *unused)
{
    work("thread2", (fern_mutex *[]){&locks[0], &locks[1]});
    return unused;
}

int
main(void)
{
    fern_greenlet *both[] = {fern_spawn(thread_1, NULL), fern_spawn(thread_2, NULL)};
    if (fern_join_all(both, 2, FERN_FOREVER) < 0)
        return 1;
    int r, inner = 0;
    fern_mutex *x[] = {&locks[0]}, *y[] = {&locks[1]};
    FERN_WITH_LOCKS (r, y, 1, FERN_FOREVER)
        inner = fern_lock_all(x, 1, FERN_FOREVER);
    if (inner == -EDEADLK)
        puts("Lock Order Violation");
    return g_num != 2;
}
