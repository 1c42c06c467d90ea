/* SPDX-License-Identifier: MIT */
/*
 * Three ways to spawn; the value that the third one returns is looked at by nobody.
 */
#include <fern.h>
#include <stdio.h>

struct message {
    const char *text;
    int seconds;
};

static void *
foo(void *arg)
{
    const struct message *message = arg;
    fern_sleep(message->seconds * FERN_SECOND);
    puts(message->text);
    return NULL;
}

static void *
plus_one(void *x)
{
    return (void *)((intptr_t)x + 1);
}

int
main(void)
{
    struct message hello = {"Hello", 1}, live = {"I live!", 2};
    FERN_SPAWN_OPTIONS(options);
    options.name = "greeter";
    fern_greenlet *threads[] = {
            fern_spawn_with(foo, &hello, &options),
            fern_spawn(foo, &live),
            fern_spawn(plus_one, (void *)2),
    };
    return fern_join_all(threads, 3, FERN_FOREVER) < 0;
}
