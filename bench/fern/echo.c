/* SPDX-License-Identifier: MIT */
/*
 * The echo server: a greenlet for each connection, written as if it were the only one.
 */
#include "fern_bench.h"

#include <fern/io.h>
#include <fern/server.h>

#include <errno.h>
#include <stdio.h>

static void *
answer(int fd, void *unused)
{
    char buffer[4096];
    ssize_t received;
    while ((received = fern_recv(fd, buffer, sizeof(buffer), 0, FERN_FOREVER)) > 0) {
        if (fern_write_all(fd, buffer, (size_t)received, NULL, FERN_FOREVER) < 0)
            break;
    }
    return unused;
}

void
serve_echo(const char *path)
{
    char address[128] = "127.0.0.1:0";
    if (path)
        snprintf(address, sizeof(address), "unix:%s", path);
    bench_fds_raise(1024 + 64);
    fern_server *server = fern_server_new(address, answer, NULL, NULL);
    if (!server)
        bench_die("fern_server_new", errno);
    must(fern_server_start(server));
    bench_listen_ready(fern_server_fd(server));
    /* Ended by SIGTERM. */
    must(fern_server_run(server, FERN_FOREVER));
}
