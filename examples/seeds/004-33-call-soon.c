/* SPDX-License-Identifier: MIT */
/*
 * Greenlets and a plain function begin in the order in which they were asked for.
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
    printf("[work ] start %s\n", w->name);
    fern_sleep(w->seconds * FERN_SECOND);
    printf("[work ] %s after %ds stop\n", w->name, w->seconds);
    return NULL;
}

int
main(void)
{
    struct work a = {1, "A"}, b = {2, "B"}, c = {3, "C"};
    fern_callback tom = FERN_CALLBACK_INIT;
    fern_go(work, &a);
    fern_call_soon(&tom, hello, "Tom");
    fern_go(work, &b);
    return fern_loop_run_until(fern_spawn(work, &c), NULL, FERN_FOREVER) < 0;
}
