/* SPDX-License-Identifier: MIT */
/*
 * Connecting, and the two calls that do everything: fern_dial, fern_listen.
 *
 * A connection that is under way is waited for by its becoming writable; then SO_ERROR tells.
 * A Unix listener whose backlog is full answers EAGAIN while poll says writable: it is asked
 * again after a pause that grows.
 *
 * connect blocks on a description without O_NONBLOCK, which fern does not set on what it has not
 * made: there a send timeout of a microsecond for the time of the call ends the blocking, and the
 * connection goes on being made.
 */
#include "io/op.h"

#include <fern/io.h>
#include <fern/socket.h>
#include <netinet/in.h>
#include <sys/time.h>

static const int64_t PAUSE_MIN_NS = FERN_MS;
static const int64_t PAUSE_MAX_NS = 64 * FERN_MS;

static const struct fern__waitable waitable_backlog = {
        .name = "room in a full backlog", .outside = true};

/* ---- one attempt ---- */

static int
connect_foreign(int fd, const fern_address *to)
{
    struct timeval short_time = {0, 1}, old;
    socklen_t len = sizeof old;
    int r = fern__sys_getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &old, &len);
    if (r == 0)
        r = fern__sys_setsockopt(
                fd, SOL_SOCKET, SO_SNDTIMEO, &short_time, sizeof short_time);
    if (r < 0)
        return r;
    r = fern__sys_connect(fd, &to->as.any, to->size);
    fern__sys_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &old, sizeof old);
    return r;
}

static int
connect_once(const struct fern__fd *rec, const fern_address *to)
{
    if (rec->state & FERN__FD_OWN)
        return fern__sys_connect(rec->fd, &to->as.any, to->size);
    return connect_foreign(rec->fd, to);
}

/* ---- waiting ---- */

static int
pause_for(struct fern__op *op, int64_t ns)
{
    if (op->g->interrupt)
        return op->g->interrupt;
    if (op->deadline.ns == 0)
        return -EAGAIN;
    fern_time until = fern_in(ns);
    bool last = until.ns >= op->deadline.ns;
    fern__wait_begin(op->g, &waitable_backlog, NULL);
    int r = fern__park(op->hub, op->g, last ? op->deadline : until);
    if (r == -ETIME && !last)
        r = op->g->interrupt;
    if (r == 0 && (op->word != op->rec->word || op->word != fern__fd_word(op->rec->fd)))
        r = -EBADF;
    return r;
}

/* Wait until the connection under way is made or has failed. */
static int
finish(struct fern__op *op, const fern_address *to)
{
    struct fern__fd *rec = op->rec;
    int r = 0;
    bool again = false;
    /* What was seen of the socket while it was not connected counts no more. Ends when poll finds
     * it writable, or with the wait. */
    while (r == 0) {
        do {
            r = fern__op_ask(rec->fd, FERN__FD_OUT);
        } while (r == -EINTR);
        if (r != -EAGAIN)
            break;
        if (op->deadline.ns == 0)
            return -EAGAIN;
        rec->ready &= (uint8_t)~FERN__FD_OUT;
        r = fern__fd_wait(op->fds, op->g, rec, FERN__FD_OUT, again, op->deadline);
        again = true;
    }
    if (r < 0)
        return r;
    int error = 0;
    socklen_t len = sizeof error;
    r = fern__sys_getsockopt(rec->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    rec->ready |= FERN__FD_IN | FERN__FD_OUT;
    if (r < 0 || error)
        return r < 0 ? r : -error;
    /* The kernel counts a connection as made when connect has said so; the next call would. */
    if (to->as.any.sa_family == AF_INET || to->as.any.sa_family == AF_INET6)
        connect_once(rec, to);
    return 0;
}

static int
connect_op(struct fern__op *op, const fern_address *to)
{
    int64_t pause_ns = PAUSE_MIN_NS;
    for (;;) { /* ends connected, with an error, or when the wait does */
        int r = connect_once(op->rec, to);
        if (r == -EINPROGRESS || r == -EALREADY || r == -EINTR)
            return finish(op, to);
        if (r != -EAGAIN)
            return r;
        r = pause_for(op, pause_ns);
        if (r < 0)
            return r;
        pause_ns = pause_ns * 2 < PAUSE_MAX_NS ? pause_ns * 2 : PAUSE_MAX_NS;
    }
}

int
fern_connect(int fd, const fern_address *to, fern_time deadline)
{
    FERN_CHECK(to, -EINVAL);
    struct fern__op op;
    int r = fern__op_begin(&op, fd, FERN__FD_OUT, deadline);
    if (r == 0)
        r = connect_op(&op, to);
    if (r == 0 && deadline.ns)
        fern__sched_spend(op.hub);
    return r;
}

/* ---- everything in one ---- */

int
fern_dial_at(const fern_address *to, fern_time deadline)
{
    FERN_CHECK(to, -EINVAL);
    int fd = fern_socket(to->as.any.sa_family, SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    int r = fern_connect(fd, to, deadline);
    if (r < 0) {
        fern_close(fd);
        return r;
    }
    return fd;
}

int
fern_dial(const char *to, fern_time deadline)
{
    fern_address address;
    int r = fern_address_parse(to, &address);
    return r < 0 ? r : fern_dial_at(&address, deadline);
}

int
fern_listen_at(const fern_address *address, int backlog)
{
    FERN_CHECK(address && backlog >= 0, -EINVAL);
    int family = address->as.any.sa_family, on = 1;
    int fd = fern_socket(family, SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    int r = 0;
    if (family != AF_UNIX)
        r = fern__sys_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (r == 0)
        r = fern_bind(fd, address);
    if (r == 0)
        r = fern__sys_listen(fd, backlog ? backlog : SOMAXCONN);
    if (r < 0) {
        fern_close(fd);
        return r;
    }
    return fd;
}

int
fern_listen(const char *at, int backlog)
{
    fern_address address;
    int r = fern_address_parse(at, &address);
    return r < 0 ? r : fern_listen_at(&address, backlog);
}
