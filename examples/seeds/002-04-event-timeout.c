/* SPDX-License-Identifier: MIT */
/*
 * One waits for an event as long as it takes, another at most two seconds.
 */
#include <fern.h>
#include <stdio.h>

static fern_event e;

static const char *
flag(void)
{
    return fern_event_is_set(&e) ? "True" : "False";
}

static void *
wait_for_event(void *unused)
{
    puts("event通信开始等待……");
    (void)!fern_event_wait(&e, FERN_FOREVER);
    printf("event通信时标志位是%s\n", flag());
    return unused;
}

static void *
wait_for_event_timeout(void *unused)
{
    puts("event超时通信开始等待……");
    (void)!fern_event_wait(&e, fern_in(2 * FERN_SECOND));
    printf("event超时通信时标志位是%s\n", flag());
    return unused;
}

int
main(void)
{
    fern_greenlet *w1 = fern_spawn(wait_for_event, NULL);
    fern_go(wait_for_event_timeout, NULL);
    fern_sleep(3 * FERN_SECOND);
    fern_event_set(&e);
    puts("标志位已经被设置为True");
    return fern_join(w1, FERN_FOREVER);
}
