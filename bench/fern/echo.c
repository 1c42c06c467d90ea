/* SPDX-License-Identifier: MIT */
/*
 * The echo server: a greenlet for each connection, written as if it were the only one.
 */
#include "fern_bench.h"

#include <fern/io.h>
#include <fern/socket.h>

#include <stdint.h>
#include <stdio.h>

#define BACKLOG 4096

static void *
answer(void *connection)
{
    int fd = (int)(intptr_t)connection;
    char buffer[4096];
    ssize_t received;
    while ((received = fern_recv(fd, buffer, sizeof(buffer), 0, FERN_FOREVER)) > 0) {
        if (fern_write_all(fd, buffer, (size_t)received, NULL, FERN_FOREVER) < 0)
            break;
    }
    fern_close(fd);
    return NULL;
}

void
serve_echo(const char *path)
{
    char address[128] = "127.0.0.1:0";
    if (path)
        snprintf(address, sizeof(address), "unix:%s", path);
    bench_fds_raise(1024);
    int listener = fern_listen(address, BACKLOG);
    must(listener);
    bench_listen_ready(listener);
    /* Ended by SIGTERM. */
    for (;;) {
        int fd = fern_accept(listener, NULL, FERN_FOREVER);
        must(fd);
        must(fern_go(answer, (void *)(intptr_t)fd));
    }
}
