/* SPDX-License-Identifier: MIT */
/*
 * The acceptor of datagrams: a greenlet that receives into a buffer of its own and hands copies
 * on, so that a handler has only what its datagram needs.
 */
#include "net/server.h"

#include <errno.h>
#include <fern/io.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct packet {
    struct fern__handling handling; /* first: end() frees the packet by it */
    fern_datagram datagram;
    char data[];
};

static void *
serve(void *arg)
{
    struct packet *packet = arg;
    struct fern_server *server = packet->handling.server;
    return server->handle_datagram(&packet->datagram, server->arg);
}

/* Hand a copy of a datagram on to a new greenlet. @return 0; -ENOMEM, then it is dropped */
static int
hand_on(struct fern_server *server, const fern_datagram *datagram)
{
    struct packet *packet = malloc(sizeof *packet + datagram->bytes);
    int r = -ENOMEM;
    if (packet) {
        packet->handling = (struct fern__handling){.fd = -1};
        packet->datagram = *datagram;
        packet->datagram.data = packet->data;
        memcpy(packet->data, datagram->data, datagram->bytes);
        r = fern__server_handle(server, &packet->handling, serve);
    }
    if (r < 0) {
        free(packet);
        server->stats.refused++;
    }
    return r;
}

/* Wait for one datagram. @return 0; a negative code */
static int
receive(struct fern_server *server, char *room, fern_datagram *ret_datagram)
{
    size_t max = server->options.datagram_bytes_max;
    ssize_t n = fern_recvfrom(
            server->listener.fd, room, max, MSG_TRUNC, &ret_datagram->from, FERN_FOREVER);
    if (n < 0)
        return (int)n;
    ret_datagram->fd = server->listener.fd;
    ret_datagram->cut = (size_t)n > max;
    ret_datagram->bytes = ret_datagram->cut ? max : (size_t)n;
    ret_datagram->data = room;
    return 0;
}

/* Answer a failure. @return 0 to go on; else the loop ends */
static int
fail(struct fern_server *server, int code)
{
    switch (-code) {
    case ECANCELED:
        return code;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
        /* What became of an answer sent earlier. */
        return 0;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case ENOTCONN:
        fern__report("server %s has ended: %s", server->listener.text, strerror(-code));
        fern__server_close(server, code);
        return code;
    default:
        return fern__server_wait_shortage(server, code);
    }
}

static void
loop(struct fern_server *server, char *room)
{
    fern_datagram datagram;
    uint64_t seen = 0;
    int row = 0;
    int r = 0;
    while (r >=
            0) { /* until it is killed by fern__server_close(), or the socket is broken */
        r = fern__server_wait_room(server);
        if (r < 0)
            break;
        r = receive(server, room, &datagram);
        if (!fern__server_is_acceptor(server))
            break;
        if (r == 0)
            r = hand_on(server, &datagram);
        if (r < 0)
            r = fail(server, r);
        if (r >= 0)
            r = fern__server_count_row(server, &row, &seen);
    }
}

void *
fern__server_receive_loop(void *arg)
{
    struct fern_server *server = arg;
    char *room = malloc(server->options.datagram_bytes_max);
    if (room)
        loop(server, room);
    else
        fern__server_close(server, -ENOMEM);
    free(room);
    return NULL;
}
