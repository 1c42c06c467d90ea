/* SPDX-License-Identifier: MIT */
/*
 * A pool that listens to many sockets, refuses more than it has room for, and is shut down as a
 * whole.
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>
#include <sys/socket.h>

static fern_pool *pool;

static void *
listen_to(void *socket)
{
    char text[64];
    ssize_t n;
    while ((n = fern_recv((int)(intptr_t)socket, text, sizeof text, 0, FERN_FOREVER)) > 0)
        printf("heard %.*s\n", (int)n, text);
    return NULL;
}

static int
add_handler(int socket)
{
    if (fern_pool_full(pool))
        return -EAGAIN; /* at maximum pool size */
    return fern_pool_go(pool, listen_to, (void *)(intptr_t)socket, FERN_NOWAIT);
}

int
main(void)
{
    int pair[2];
    if (fern_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return 1;
    pool = fern_pool_new(1);
    printf("first: %d\n", add_handler(pair[0]));
    printf("second: %s\n", add_handler(pair[0]) == -EAGAIN ? "at maximum pool size" : "?");
    if (fern_send(pair[1], "hello", 5, 0, FERN_FOREVER) != 5 || fern_sleep(FERN_MS) < 0)
        return 1;
    printf("shutdown: %d\n", fern_pool_kill(pool, 0, FERN_FOREVER));
    printf("running: %zu\n", fern_pool_running(pool));
    fern_close(pair[0]);
    fern_close(pair[1]);
    return fern_pool_free(pool) < 0;
}
