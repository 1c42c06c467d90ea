/* SPDX-License-Identifier: MIT */
/*
 * Plain functions called soon and at moments. Of two moments that are one, the one asked for
 * first comes first: Jerry's second began before A's.
 */
#include <fern.h>
#include <stdio.h>

struct work {
    int seconds;
    const char *name;
};

static void
hello(void *name)
{
    printf("[hello] Hello, %s\n", (char *)name);
}

static void *
work(void *arg)
{
    const struct work *w = arg;
    printf("[work%s] start\n", w->name);
    fern_sleep(w->seconds * FERN_SECOND);
    printf("[work%s] stop\n", w->name);
    return NULL;
}

int
main(void)
{
    struct work a = {1, "A"}, b = {2, "B"};
    fern_callback kitty = FERN_CALLBACK_INIT;
    fern_timer tom = FERN_TIMER_INIT, jerry = FERN_TIMER_INIT;
    fern_time start = fern_now();
    fern_go(work, &a);
    fern_call_at(&tom, fern_time_add(start, 1200 * FERN_MS), hello, "Tom");
    fern_call_soon(&kitty, hello, "Kitty");
    fern_greenlet *task4 = fern_spawn(work, &b);
    fern_call_at(&jerry, fern_time_add(start, FERN_SECOND), hello, "Jerry");
    return fern_loop_run_until(task4, NULL, FERN_FOREVER) < 0;
}
