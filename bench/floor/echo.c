/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
/*
 * The parts of a raw echo server that both epoll loops have in common, see echo.h.
 */
#include "echo.h"
#include "../bench.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

void
echo_accept_all(int epoll, int listener, uint32_t events)
{
    /* Ends when nothing waits any more. */
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN || errno == ECONNABORTED)
                return;
            bench_die("accept4", errno);
        }
        struct epoll_event event = {.events = events, .data.fd = fd};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
            bench_die("epoll_ctl", errno);
    }
}

bool
echo_send(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            poll(&room, 1, -1);
            continue;
        }
        if (sent < 0)
            return false;
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}
