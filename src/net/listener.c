/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets. Called by server.c only.
 *
 * A Unix socket leaves a file behind when its program dies. Such a file, and only such, is
 * replaced: a socket on which nobody listens any more. Between the look and the removal another
 * program may begin to listen there; that is inherent in paths, abstract names have no such gap.
 */
#include "net/listener.h"

#include "base/sys.h"

#include <errno.h>
#include <fern/io.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool
is_path(const fern_address *address)
{
    return address->as.any.sa_family == AF_UNIX && address->size > sizeof(sa_family_t) &&
           address->as.local.sun_path[0] != '\0';
}

/* What an adopted descriptor is. @return 0; -EBADF, -ENOTSOCK; -EINVAL of another type */
static int
check_type(int fd, int type)
{
    int found = 0;
    socklen_t bytes = sizeof found;
    int r = fern__sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &found, &bytes);
    bool fits = found == type || (type == SOCK_STREAM && found == SOCK_SEQPACKET);
    return r < 0 ? r : fits ? 0 : -EINVAL;
}

int
fern__listener_init(struct fern__listener *listener, const char *address, int type,
        const fern_server_options *options)
{
    *listener = (struct fern__listener){.type = type, .fd = -1, .adopted = -1};
    if (!options->adopt) {
        listener->any = address[0] == '*' || address[0] == ':';
        return fern_address_parse(address, &listener->wanted);
    }
    listener->adopted = options->fd;
    return check_type(options->fd, type);
}

static int
set_flag(int fd, int level, int name, int value)
{
    return fern__sys_setsockopt(fd, level, name, &value, sizeof value);
}

static int
prepare_inet(int fd, int type, const fern_address *at, const fern_server_options *options)
{
    int r = set_flag(fd, SOL_SOCKET, SO_REUSEADDR, type == SOCK_STREAM);
    if (r == 0 && options->reuse_port)
        r = set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (r == 0 && at->as.any.sa_family == AF_INET6)
        r = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->ipv6_only);
    /* Connections inherit it. An answer is written whole; waiting for more of it helps nobody. */
    if (r == 0 && type == SOCK_STREAM)
        r = set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return r;
}

/* Whether a path is a socket on which nobody listens any more. */
static bool
is_stale(const fern_address *address, int type)
{
    struct stat file;
    if (lstat(address->as.local.sun_path, &file) < 0 || !S_ISSOCK(file.st_mode))
        return false;
    int probe = fern__sys_socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return false;
    int r = fern__sys_connect(probe, &address->as.any, address->size);
    (void)fern__sys_close(probe);
    return r == -ECONNREFUSED;
}

static int
bind_to(const struct fern__listener *listener, int fd)
{
    const fern_address *at = &listener->wanted;
    int r = fern_bind(fd, at);
    if (r == -EADDRINUSE && is_path(at) && is_stale(at, listener->type) &&
            unlink(at->as.local.sun_path) == 0)
        r = fern_bind(fd, at);
    return r;
}

/* "*" and "" mean every address, IPv6's too where the system has it. */
static void
widen(struct fern__listener *listener)
{
    fern_address *at = &listener->wanted;
    int probe = fern__sys_socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return;
    (void)fern__sys_close(probe);
    fern_address six = {.size = sizeof six.as.in6};
    six.as.in6.sin6_family = AF_INET6;
    six.as.in6.sin6_port = at->as.in.sin_port;
    *at = six;
}

static int
open_wanted(struct fern__listener *listener, const fern_server_options *options)
{
    const fern_address *at = &listener->wanted;
    if (listener->any && at->as.any.sa_family == AF_INET)
        widen(listener);
    int fd = fern_socket(at->as.any.sa_family, listener->type, 0);
    int r = fd;
    if (fd >= 0 && at->as.any.sa_family != AF_UNIX)
        r = prepare_inet(fd, listener->type, at, options);
    if (r >= 0)
        r = bind_to(listener, fd);
    if (r < 0 && fd >= 0)
        (void)fern_close(fd);
    return r < 0 ? r : fd;
}

/* Remember which file is ours. */
static void
note_path(struct fern__listener *listener)
{
    struct stat file;
    listener->owns_path = is_path(&listener->wanted) &&
                          lstat(listener->wanted.as.local.sun_path, &file) == 0;
    if (listener->owns_path) {
        listener->device = file.st_dev;
        listener->inode = file.st_ino;
    }
}

static int
note_address(struct fern__listener *listener, int fd)
{
    int r = fern_local_address(fd, &listener->address);
    if (r == 0)
        r = fern_address_format(&listener->address, listener->text, sizeof listener->text);
    return r < 0 ? r : 0;
}

int
fern__listener_open(struct fern__listener *listener, const fern_server_options *options)
{
    if (options->adopt && listener->adopted < 0)
        return -EBADF;
    int fd = options->adopt ? listener->adopted : open_wanted(listener, options);
    if (fd < 0)
        return fd;
    int r = 0;
    if (!options->adopt)
        note_path(listener);
    if (listener->type != SOCK_DGRAM)
        r = fern__sys_listen(fd, options->backlog);
    if (r == 0)
        r = note_address(listener, fd);
    listener->fd = fd;
    listener->adopted = -1;
    if (r < 0)
        fern__listener_close(listener);
    return r;
}

static void
remove_path(struct fern__listener *listener)
{
    struct stat file;
    const char *path = listener->wanted.as.local.sun_path;
    if (lstat(path, &file) == 0 && file.st_dev == listener->device &&
            file.st_ino == listener->inode)
        (void)unlink(path);
}

int
fern__listener_leave(struct fern__listener *listener)
{
    int fd = listener->fd;
    if (listener->owns_path)
        remove_path(listener);
    listener->owns_path = false;
    listener->fd = -1;
    return fd;
}

void
fern__listener_close(struct fern__listener *listener)
{
    int fd = fern__listener_leave(listener);
    if (fd >= 0)
        (void)fern_close(fd);
}
