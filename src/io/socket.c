/* SPDX-License-Identifier: MIT */
/*
 * Making sockets, accepting, shutting down, their addresses.
 *
 * Sockets made here do not block and are closed at exec, and fern knows what they are.
 */
#include "io/op.h"

#include <fern/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static enum fern__fd_kind
kind(int domain, int type, int protocol)
{
    bool inet = domain == AF_INET || domain == AF_INET6;
    bool tcp = protocol == 0 || protocol == IPPROTO_TCP;
    if (type != SOCK_STREAM)
        return FERN__FD_SOCKET;
    return inet && tcp ? FERN__FD_TCP : domain == AF_UNIX ? FERN__FD_UNIX : FERN__FD_SOCKET;
}

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

enum { TYPE_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC };

int
fern_socket(int domain, int type, int protocol)
{
    int fd = fern__sys_socket(domain, type | TYPE_FLAGS, protocol);
    if (fd >= 0)
        fern__fd_opened(fd, kind(domain, type & ~TYPE_FLAGS, protocol));
    return fd;
}

int
fern_socketpair(int domain, int type, int protocol, int *ret_fds)
{
    FERN_CHECK(ret_fds, -EINVAL);
    int fds[2];
    int r = fern__sys_socketpair(domain, type | TYPE_FLAGS, protocol, fds);
    if (r < 0)
        return r;
    for (int i = 0; i < 2; i++) {
        fern__fd_opened(fds[i], kind(domain, type & ~TYPE_FLAGS, protocol));
        ret_fds[i] = fds[i];
    }
    return 0;
}

int
fern_bind(int fd, const fern_address *address)
{
    FERN_CHECK(address, -EINVAL);
    return fern__sys_bind(fd, &address->as.any, address->size);
}

/* ---- accepting ---- */

struct acceptance {
    struct sockaddr *address;
    socklen_t *len;
};

/* There is no accept that does not block but on a listener that is set so; a foreign one, which
 * others may share, is asked first. */
static ssize_t
attempt_accept(struct fern__fd *rec, void *args)
{
    const struct acceptance *a = args;
    if (!(rec->state & FERN__FD_OWN)) {
        int r = fern__op_ask(rec->fd, FERN__FD_IN);
        if (r < 0)
            return r;
    }
    int fd = fern__sys_accept4(rec->fd, a->address, a->len, TYPE_FLAGS);
    if (fd >= 0) {
        enum fern__fd_kind kind = fern__fd_kind_of(rec->fd);
        bool known = kind == FERN__FD_TCP || kind == FERN__FD_UNIX;
        fern__fd_opened(fd, known ? kind : FERN__FD_SOCKET);
    }
    return fd;
}

int
fern_accept(int fd, fern_address *ret_peer, fern_time deadline)
{
    fern_address peer;
    socklen_t len = sizeof peer.as;
    struct acceptance a = {0};
    if (ret_peer) {
        a.address = &peer.as.any;
        a.len = &len;
    }
    int r;
    do {
        r = (int)fern__op_run(fd, FERN__FD_IN, attempt_accept, &a, 0, deadline);
    } while (r == -ECONNABORTED); /* that one has gone already; the next may not have */
    if (r >= 0 && ret_peer) {
        peer.size = len;
        *ret_peer = peer;
    }
    return r;
}

/* ---- the rest ---- */

int
fern_shutdown(int fd, int how)
{
    int r = fern__sys_shutdown(fd, how);
    struct fern__hub *hub = fern__self_hub();
    if (r < 0 || !hub)
        return r;
    unsigned dirs = how == SHUT_RD   ? FERN__FD_IN
                    : how == SHUT_WR ? FERN__FD_OUT
                                     : FERN__FD_IN | FERN__FD_OUT;
    fern__fd_shut(fern__fds_of(hub), fd, dirs);
    return 0;
}

/* ---- options and names ---- */

/* With these a read may stop short of what is there. */
static bool
shortens_reads(int level, int name)
{
    return (level == SOL_SOCKET && (name == SO_OOBINLINE || name == SO_PASSCRED)) ||
           (level == IPPROTO_TCP && name == TCP_ULP) || level == SOL_TLS;
}

int
fern_socket_set_option(int fd, int level, int name, const void *value, size_t bytes)
{
    FERN_CHECK(value && bytes <= INT32_MAX, -EINVAL);
    int r = fern__sys_setsockopt(fd, level, name, value, (socklen_t)bytes);
    struct fern__hub *hub = r == 0 && shortens_reads(level, name) ? fern__hub_need() : NULL;
    if (!hub)
        return r;
    struct fern__fd *rec = fern__fd_get(fern__fds_of(hub), fd, &r);
    if (!rec)
        return r;
    rec->state &= (uint8_t)~FERN__FD_SHORT;
    rec->ready |= FERN__FD_IN;
    return 0;
}

int
fern_socket_get_option(int fd, int level, int name, void *ret_value, size_t bytes)
{
    FERN_CHECK(ret_value && bytes <= INT32_MAX, -EINVAL);
    socklen_t len = (socklen_t)bytes;
    int r = fern__sys_getsockopt(fd, level, name, ret_value, &len);
    return r < 0 ? r : (int)len;
}

typedef int name_fn(int fd, struct sockaddr *address, socklen_t *len);

static int
get_name(name_fn *call, int fd, fern_address *ret_address)
{
    FERN_CHECK(ret_address, -EINVAL);
    fern_address address;
    socklen_t len = sizeof address.as;
    int r = call(fd, &address.as.any, &len);
    if (r < 0)
        return r;
    address.size = len;
    *ret_address = address;
    return 0;
}

int
fern_local_address(int fd, fern_address *ret_address)
{
    return get_name(fern__sys_getsockname, fd, ret_address);
}

int
fern_peer_address(int fd, fern_address *ret_address)
{
    return get_name(fern__sys_getpeername, fd, ret_address);
}
