/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
/*
 * The raw echo loop, level-triggered: one recv and one send for each readiness that epoll
 * reports. With the edge-triggered one it is the floor under every echo server.
 */
#include "../bench.h"
#include "echo.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void
answer(int fd)
{
    char buffer[ECHO_BUFFER_BYTES];
    ssize_t received = recv(fd, buffer, sizeof(buffer), 0);
    if (received < 0 && errno == EAGAIN)
        return;
    if (received <= 0 || !echo_send(fd, buffer, (size_t)received))
        close(fd);
}

static void
serve(const char *path)
{
    int listener = bench_listen(path);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    fcntl(listener, F_SETFL, O_NONBLOCK);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        bench_die("epoll", errno);
    bench_listen_ready(listener);

    /* Ended by SIGTERM. */
    for (;;) {
        struct epoll_event events[ECHO_EVENTS];
        int count = epoll_wait(epoll, events, ECHO_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                echo_accept_all(epoll, listener, EPOLLIN);
            else
                answer(events[i].data.fd);
        }
    }
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {{"echo", serve}, {NULL, NULL}};
    return bench_main(argc, argv, measures);
}
