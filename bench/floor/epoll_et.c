/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
/*
 * The raw echo loop, edge-triggered: each socket is registered once, and read until a read comes
 * back short. There is no read that only learns that nothing is left.
 *
 * With OWN_BUFFERS each connection has memory of its own, as it needs in any server whose clients
 * may be slow to read: this one then shows what a thousand such buffers cost by themselves.
 */
#include "../bench.h"
#include "echo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef OWN_BUFFERS
#define FDS_MAX 2048

static char *
buffer_of(int fd)
{
    static char(*buffers)[ECHO_BUFFER_BYTES];
    if (!buffers)
        buffers = aligned_alloc(ECHO_BUFFER_BYTES, (size_t)FDS_MAX * ECHO_BUFFER_BYTES);
    if (!buffers || fd >= FDS_MAX)
        bench_die("buffers", buffers ? EMFILE : ENOMEM);
    return buffers[fd];
}
#endif

static void
answer(int fd, uint32_t events)
{
#ifdef OWN_BUFFERS
    char *buffer = buffer_of(fd);
#else
    char buffer[ECHO_BUFFER_BYTES];
#endif
    ssize_t received;
    /* Ends with a short read, unless the end of the stream was reported: then with that end. */
    do {
        received = recv(fd, buffer, ECHO_BUFFER_BYTES, 0);
        if (received < 0 && errno == EAGAIN)
            return;
        if (received <= 0 || !echo_send(fd, buffer, (size_t)received)) {
            close(fd);
            return;
        }
    } while (
            received == ECHO_BUFFER_BYTES || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)));
}

static void
serve(const char *path)
{
    int listener = bench_listen(path);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = listener};
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
                echo_accept_all(epoll, listener, EPOLLIN | EPOLLRDHUP | EPOLLET);
            else
                answer(events[i].data.fd, events[i].events);
        }
    }
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {{"echo", serve}, {NULL, NULL}};
    return bench_main(argc, argv, measures);
}
