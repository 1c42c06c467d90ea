/* SPDX-License-Identifier: MIT */
/*
 * The system call seam: every call of the kernel that I/O and pollers make goes through here.
 *
 * Functions are named after the call and return >= 0 or a negative errno; errno is not touched.
 * They do not go through libc's functions of the same names: those may be bound to fern's own
 * cooperative versions, and would come back here. A planned fault (base/fault.h) makes a call
 * fail without being made; only close is made all the same, as the kernel does.
 */
#ifndef FERN_BASE_SYS_H
#define FERN_BASE_SYS_H

#include "base/check.h"
#include "base/fault.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#if defined(__x86_64__) && defined(__LP64__)
#include "base/arch/syscall_x86_64.h"
#elif defined(__aarch64__) && defined(__LP64__)
#include "base/arch/syscall_aarch64.h"
#else
#include "base/arch/syscall_libc.h"
#endif

/* A newer kernel's flag of pwritev2: EPIPE without the signal. */
#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100
#endif

/* The kernel's own signal sets are 64 bits. */
#define FERN__SIGSET_BYTES 8

static inline long
fern__sys(const char *name, long number, long a, long b, long c, long d, long e, long f)
{
    if (fern__unlikely(fern__fault_armed)) {
        int error = fern__fault_hit(name);
        if (error)
            return -error;
    }
    return fern__syscall(number, a, b, c, d, e, f);
}

#define FERN__SYS(name, a, b, c, d, e, f)                                                  \
    fern__sys(#name, SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e),    \
            (long)(f))

/* ---- bytes ---- */

static inline ssize_t
fern__sys_read(int fd, void *buf, size_t len)
{
    return FERN__SYS(read, fd, buf, len, 0, 0, 0);
}

static inline ssize_t
fern__sys_write(int fd, const void *buf, size_t len)
{
    return FERN__SYS(write, fd, buf, len, 0, 0, 0);
}

static inline ssize_t
fern__sys_readv(int fd, const struct iovec *iov, int count)
{
    return FERN__SYS(readv, fd, iov, count, 0, 0, 0);
}

static inline ssize_t
fern__sys_writev(int fd, const struct iovec *iov, int count)
{
    return FERN__SYS(writev, fd, iov, count, 0, 0, 0);
}

/* The offset is passed whole in the low argument; the high one counts on 32-bit kernels only. */
static inline ssize_t
fern__sys_preadv2(int fd, const struct iovec *iov, int count, int64_t offset, int flags)
{
    return FERN__SYS(preadv2, fd, iov, count, offset, 0, flags);
}

static inline ssize_t
fern__sys_pwritev2(int fd, const struct iovec *iov, int count, int64_t offset, int flags)
{
    return FERN__SYS(pwritev2, fd, iov, count, offset, 0, flags);
}

static inline ssize_t
fern__sys_preadv(int fd, const struct iovec *iov, int count, int64_t offset)
{
    return FERN__SYS(preadv, fd, iov, count, offset, 0, 0);
}

static inline ssize_t
fern__sys_pwritev(int fd, const struct iovec *iov, int count, int64_t offset)
{
    return FERN__SYS(pwritev, fd, iov, count, offset, 0, 0);
}

static inline ssize_t
fern__sys_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *from,
        socklen_t *from_len)
{
    return FERN__SYS(recvfrom, fd, buf, len, flags, from, from_len);
}

static inline ssize_t
fern__sys_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
        socklen_t to_len)
{
    return FERN__SYS(sendto, fd, buf, len, flags, to, to_len);
}

static inline ssize_t
fern__sys_recvmsg(int fd, struct msghdr *msg, int flags)
{
    return FERN__SYS(recvmsg, fd, msg, flags, 0, 0, 0);
}

static inline ssize_t
fern__sys_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    return FERN__SYS(sendmsg, fd, msg, flags, 0, 0, 0);
}

/* ---- sockets ---- */

static inline int
fern__sys_socket(int domain, int type, int protocol)
{
    return (int)FERN__SYS(socket, domain, type, protocol, 0, 0, 0);
}

static inline int
fern__sys_socketpair(int domain, int type, int protocol, int *ret_fds)
{
    return (int)FERN__SYS(socketpair, domain, type, protocol, ret_fds, 0, 0);
}

static inline int
fern__sys_bind(int fd, const struct sockaddr *address, socklen_t len)
{
    return (int)FERN__SYS(bind, fd, address, len, 0, 0, 0);
}

static inline int
fern__sys_listen(int fd, int backlog)
{
    return (int)FERN__SYS(listen, fd, backlog, 0, 0, 0, 0);
}

static inline int
fern__sys_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    return (int)FERN__SYS(accept4, fd, address, len, flags, 0, 0);
}

static inline int
fern__sys_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    return (int)FERN__SYS(connect, fd, address, len, 0, 0, 0);
}

static inline int
fern__sys_shutdown(int fd, int how)
{
    return (int)FERN__SYS(shutdown, fd, how, 0, 0, 0, 0);
}

static inline int
fern__sys_getsockname(int fd, struct sockaddr *address, socklen_t *len)
{
    return (int)FERN__SYS(getsockname, fd, address, len, 0, 0, 0);
}

static inline int
fern__sys_getpeername(int fd, struct sockaddr *address, socklen_t *len)
{
    return (int)FERN__SYS(getpeername, fd, address, len, 0, 0, 0);
}

static inline int
fern__sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    return (int)FERN__SYS(getsockopt, fd, level, name, value, len, 0);
}

static inline int
fern__sys_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    return (int)FERN__SYS(setsockopt, fd, level, name, value, len, 0);
}

/* ---- descriptors ---- */

static inline int
fern__sys_close(int fd)
{
    int error = fern__unlikely(fern__fault_armed) ? fern__fault_hit("close") : 0;
    long r = fern__syscall(SYS_close, fd, 0, 0, 0, 0, 0);
    return error ? -error : (int)r;
}

static inline int
fern__sys_dup(int fd)
{
    return (int)FERN__SYS(dup, fd, 0, 0, 0, 0, 0);
}

static inline int
fern__sys_dup3(int from, int to, int flags)
{
    return (int)FERN__SYS(dup3, from, to, flags, 0, 0, 0);
}

static inline int
fern__sys_pipe2(int *ret_fds, int flags)
{
    return (int)FERN__SYS(pipe2, ret_fds, flags, 0, 0, 0, 0);
}

static inline int
fern__sys_fcntl(int fd, int command, long arg)
{
    return (int)FERN__SYS(fcntl, fd, command, arg, 0, 0, 0);
}

static inline int
fern__sys_fstat(int fd, struct stat *ret_stat)
{
    return (int)FERN__SYS(fstat, fd, ret_stat, 0, 0, 0, 0);
}

static inline int
fern__sys_fstatat(int dirfd, const char *path, struct stat *ret_stat, int flags)
{
    return (int)FERN__SYS(newfstatat, dirfd, path, ret_stat, flags, 0, 0);
}

/* ---- waiting ---- */

/* timeout: NULL for no limit; what is left of it is written there. */
static inline int
fern__sys_ppoll(struct pollfd *fds, nfds_t count, struct timespec *timeout)
{
    return (int)FERN__SYS(ppoll, fds, count, timeout, 0, FERN__SIGSET_BYTES, 0);
}

static inline int
fern__sys_pselect(int count, void *in, void *out, void *except, struct timespec *timeout)
{
    return (int)FERN__SYS(pselect6, count, in, out, except, timeout, 0);
}

/* How many bytes a read would find. @return that; a negative code */
static inline int
fern__sys_pending(int fd)
{
    int bytes = 0;
    int r = (int)FERN__SYS(ioctl, fd, FIONREAD, &bytes, 0, 0, 0);
    return r < 0 ? r : bytes;
}

static inline int
fern__sys_epoll_create(int flags)
{
    return (int)FERN__SYS(epoll_create1, flags, 0, 0, 0, 0, 0);
}

static inline int
fern__sys_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    return (int)FERN__SYS(epoll_ctl, epfd, op, fd, event, 0, 0);
}

static inline int
fern__sys_epoll_pwait(int epfd, struct epoll_event *events, int max, int timeout_ms)
{
    return (int)FERN__SYS(
            epoll_pwait, epfd, events, max, timeout_ms, 0, FERN__SIGSET_BYTES);
}

static inline int
fern__sys_epoll_pwait2(
        int epfd, struct epoll_event *events, int max, const struct timespec *timeout)
{
    return (int)FERN__SYS(epoll_pwait2, epfd, events, max, timeout, 0, FERN__SIGSET_BYTES);
}

/* ---- signals ---- */

static inline int
fern__sys_sigprocmask(int how, const uint64_t *set, uint64_t *ret_old)
{
    return (int)FERN__SYS(rt_sigprocmask, how, set, ret_old, FERN__SIGSET_BYTES, 0, 0);
}

static inline int
fern__sys_sigpending(uint64_t *ret_set)
{
    return (int)FERN__SYS(rt_sigpending, ret_set, FERN__SIGSET_BYTES, 0, 0, 0, 0);
}

static inline int
fern__sys_sigtimedwait(const uint64_t *set, const struct timespec *timeout)
{
    return (int)FERN__SYS(rt_sigtimedwait, set, 0, timeout, FERN__SIGSET_BYTES, 0, 0);
}

#endif
