/* SPDX-License-Identifier: MIT */
/*
 * The acceptor of connections: a greenlet that waits for room, accepts, and hands on.
 */
#include "base/sys.h"
#include "net/server.h"

#include <errno.h>
#include <fern/io.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void *
serve(void *arg)
{
    struct fern__handling *handling = arg;
    return handling->server->handle(handling->fd, handling->server->arg);
}

/* Hand a connection to a new greenlet. @return 0; -ENOMEM, then it is closed */
static int
hand_on(struct fern_server *server, int fd)
{
    struct fern__handling *handling = calloc(1, sizeof *handling);
    int r = -ENOMEM;
    if (handling) {
        handling->fd = fd;
        handling->word = fern__server_generation(fd);
        r = fern__server_handle(server, handling, serve);
    }
    if (r < 0) {
        free(handling);
        (void)fern_close(fd);
        server->stats.refused++;
    }
    return r;
}

int
fern__server_open_reserve(void)
{
    return fern__sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* Accept by means of the reserve, and close at once, what no descriptor is left for. */
static void
refuse_pending(struct fern_server *server)
{
    if (server->reserve >= 0)
        (void)fern__sys_close(server->reserve);
    for (int i = 0; i < server->options.accepts_max; i++) {
        int fd = fern_accept(server->listener.fd, NULL, FERN_NOWAIT);
        if (fd < 0)
            break;
        (void)fern_close(fd);
        server->stats.refused++;
    }
    server->reserve = fern__server_open_reserve();
}

/* What is wrong when accept fails. */
enum fault { FAULT_END, FAULT_CONNECTION, FAULT_SHORTAGE, FAULT_SERVER };

static enum fault
judge(int code)
{
    switch (-code) {
    case ECANCELED:
        return FAULT_END;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
    case EDEADLK:
        return FAULT_SERVER;
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ETIMEDOUT:
    case EINTR:
        /* accept(2) passes on what had already happened to the connection: it is gone. */
        return FAULT_CONNECTION;
    default:
        /* Of what is not known, waiting is the answer that does no harm. */
        return FAULT_SHORTAGE;
    }
}

/* Answer a failed accept. @return 0 to go on; else the loop ends */
static int
fail(struct fern_server *server, int code)
{
    switch (judge(code)) {
    case FAULT_END:
        return code;
    case FAULT_CONNECTION:
        return 0;
    case FAULT_SHORTAGE:
        if (server->pause_ns)
            refuse_pending(server);
        return fern__server_wait_shortage(server, code);
    default:
        fern__report("server %s has ended: %s", server->listener.text, strerror(-code));
        fern__server_close(server, code);
        return code;
    }
}

void *
fern__server_accept_loop(void *arg)
{
    struct fern_server *server = arg;
    uint64_t seen = 0;
    int row = 0;
    int r = 0;
    while (r >=
            0) { /* until it is killed by fern__server_close(), or the listener is broken */
        r = fern__server_wait_room(server);
        if (r < 0)
            break;
        r = fern_accept(server->listener.fd, NULL, FERN_FOREVER);
        if (!fern__server_is_acceptor(server)) {
            if (r >= 0)
                (void)fern_close(r);
            break;
        }
        if (r >= 0)
            r = hand_on(server, r);
        if (r < 0)
            r = fail(server, r);
        if (r >= 0)
            r = fern__server_count_row(server, &row, &seen);
    }
    return NULL;
}
