/* SPDX-License-Identifier: MIT */
/*
 * Four calculations put their results into a queue; one greenlet takes them, hands each to a
 * callback, and ends at a signal that the callback puts in after the last. (As greenlets instead
 * of threads it needs no mutex around the results.)
 */
#include <fern.h>
#include <stdio.h>
#include <string.h>

static const char *SIG_QUIT = "sig_quit";
static fern_queue safe_queue;
static const char *results[4];
static int count;

static void
queue_callback(const char *data)
{
    printf("接收到数据: %s\n", data);
    results[count++] = data;
    if (count == 4) {
        if (fern_queue_put(&safe_queue, &SIG_QUIT, FERN_NOWAIT) < 0)
            return;
        printf("=======大任务计算结束===========  result: ['%s', '%s', '%s', '%s']\n",
                results[0], results[1], results[2], results[3]);
    }
}

static void *
receive(void *unused)
{
    const char *data;
    while (puts("等待中消息队列任务……") >= 0 &&
            fern_queue_get(&safe_queue, &data, FERN_FOREVER) == 0 && data != SIG_QUIT)
        queue_callback(data);
    return unused;
}

static void *
calculate(void *result)
{
    printf("%.8s  正在计算\n", (char *)result);
    fern_sleep(2 * FERN_SECOND);
    printf("%.8s  计算完成,加入队列\n", (char *)result);
    return (void *)(intptr_t)fern_queue_put(&safe_queue, &result, FERN_FOREVER);
}

int
main(void)
{
    fern_queue_init(&safe_queue, sizeof(char *), FERN_QUEUE_UNBOUNDED);
    fern_greenlet *receiver = fern_spawn(receive, NULL);
    fern_yield(); /* it waits first */
    fern_go(calculate, "Thread-2 result1");
    fern_go(calculate, "Thread-3 result2");
    fern_go(calculate, "Thread-4 result3");
    fern_go(calculate, "Thread-5 result4");
    return fern_join(receiver, FERN_FOREVER) < 0;
}
