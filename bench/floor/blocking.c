/* SPDX-License-Identifier: MIT */
/*
 * The bare echo of one connection: recv and send that block in the kernel, with no poller at
 * all. It serves one connection after another.
 */
#include "../bench.h"
#include "echo.h"

#include <sys/socket.h>
#include <unistd.h>

static void
serve(const char *path)
{
    int listener = bench_listen(path);
    bench_listen_ready(listener);
    /* Ended by SIGTERM. */
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        char buffer[ECHO_BUFFER_BYTES];
        ssize_t received;
        while ((received = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
            if (!echo_send(fd, buffer, (size_t)received))
                break;
        }
        close(fd);
    }
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {{"echo", serve}, {NULL, NULL}};
    return bench_main(argc, argv, measures);
}
