/* SPDX-License-Identifier: MIT */
/*
 * The engine for kernels that do not offer io_uring: level-triggered epoll over blocking
 * sockets, each of which has at most one message in flight.
 */
#include "../bench.h"
#include "load.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 1024

static void
ask(struct load *load, struct load_connection *connection, int64_t now_ns)
{
    connection->sent_ns = now_ns;
    if (send(connection->fd, load->message, LOAD_MESSAGE_BYTES, MSG_NOSIGNAL) !=
            LOAD_MESSAGE_BYTES)
        bench_die("send", errno);
}

static void
take(struct load *load, struct load_connection *connection, int64_t now_ns)
{
    ssize_t received = recv(connection->fd, connection->answer + connection->received,
            LOAD_MESSAGE_BYTES - connection->received, 0);
    if (received <= 0)
        bench_die("recv", received < 0 ? errno : ECONNRESET);
    connection->received += (size_t)received;
    if (connection->received < LOAD_MESSAGE_BYTES)
        return;
    load_answered(load, connection, now_ns);
    ask(load, connection, now_ns);
}

static bool
run(struct load *load)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        bench_die("epoll_create1", errno);
    int64_t now_ns = bench_now_ns();
    for (size_t i = 0; i < load->count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &load->connections[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, load->connections[i].fd, &event) != 0)
            bench_die("epoll_ctl", errno);
        ask(load, &load->connections[i], now_ns);
    }
    while (load_goes_on(load, now_ns)) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        now_ns = bench_now_ns();
        for (int i = 0; i < count; i++)
            take(load, events[i].data.ptr, now_ns);
    }
    close(epoll);
    return true;
}

const struct load_engine load_epoll = {"epoll", run};
