/* SPDX-License-Identifier: MIT */
/*
 * recv and send in all their forms. Every call is made with MSG_DONTWAIT, every sending one with
 * MSG_NOSIGNAL.
 */
#include "io/op.h"

#include <fern/socket.h>
#include <string.h>

/* These leave bytes where they were, wait for more, or take what is no part of the stream: such a
 * call says nothing about what is left. */
enum { ODD_FLAGS = MSG_PEEK | MSG_OOB | MSG_WAITALL | MSG_TRUNC | MSG_ERRQUEUE };

struct transfer {
    void *buf;
    size_t len;
    struct sockaddr *address;
    socklen_t *ret_address_len;
    socklen_t address_len;
    int flags;
};

static inline ssize_t
attempt_recv(struct fern__fd *rec, void *args)
{
    const struct transfer *t = args;
    return fern__sys_recvfrom(rec->fd, t->buf, t->len, t->flags | MSG_DONTWAIT, t->address,
            t->ret_address_len);
}

static inline ssize_t
attempt_send(struct fern__fd *rec, void *args)
{
    const struct transfer *t = args;
    return fern__sys_sendto(rec->fd, t->buf, t->len, t->flags | MSG_DONTWAIT | MSG_NOSIGNAL,
            t->address, t->address_len);
}

/* Urgent bytes and queued errors may be there while nothing can be read. */
static inline __attribute__((always_inline)) ssize_t
run_recv(int fd, fern__attempt *attempt, void *args, int flags, size_t wanted,
        fern_time deadline)
{
    if (fern__unlikely(flags & (MSG_OOB | MSG_ERRQUEUE))) {
        struct fern__op op;
        int r = fern__op_begin(&op, fd, FERN__FD_IN, deadline);
        if (r < 0)
            return r;
        op.rec->ready |= FERN__FD_IN;
    }
    return fern__op_run(
            fd, FERN__FD_IN, attempt, args, flags & ODD_FLAGS ? 0 : wanted, deadline);
}

static __attribute__((noinline)) ssize_t
recv_slow(int fd, void *buf, size_t len, int flags, fern_time deadline)
{
    struct transfer t = {.buf = buf, .len = len, .flags = flags};
    return run_recv(fd, attempt_recv, &t, flags, len, deadline);
}

/* The quick attempt has failed: is it to be made again? */
static __attribute__((noinline)) ssize_t
recv_again(struct fern__fd *rec, ssize_t error, void *buf, size_t len, int flags,
        fern_time deadline)
{
    if (error == -EAGAIN)
        rec->ready &= (uint8_t)~FERN__FD_IN;
    else if (error != -EINTR && error != -ENOTSOCK) {
        fern__fd_pass(rec, FERN__FD_IN);
        return error;
    }
    return recv_slow(rec->fd, buf, len, flags, deadline);
}

ssize_t
fern_recv(int fd, void *buf, size_t len, int flags, fern_time deadline)
{
    FERN_CHECK(buf || len == 0, -EINVAL);
    struct fern__hub *hub;
    struct fern__fd *rec = fern__op_quick(&hub, fd, FERN__FD_IN);
    if (fern__unlikely(!rec || flags & ODD_FLAGS || deadline.ns == 0))
        return recv_slow(fd, buf, len, flags, deadline);
    if (!(rec->ready & FERN__FD_IN)) {
        hub->current->item = buf; /* to be fetched before the switch back */
        int r = fern__fd_wait(
                fern__fds_of(hub), hub->current, rec, FERN__FD_IN, false, deadline);
        if (fern__unlikely(r < 0)) {
            if (rec->word == fern__fd_word(fd))
                fern__fd_pass(rec, FERN__FD_IN);
            return r;
        }
    }
    ssize_t n = fern__sys_recvfrom(fd, buf, len, flags | MSG_DONTWAIT, NULL, NULL);
    if (fern__unlikely(n < 0))
        return recv_again(rec, n, buf, len, flags, deadline);
    if ((size_t)n < len && n > 0 && rec->state & FERN__FD_SHORT)
        rec->ready &= (uint8_t)~FERN__FD_IN;
    fern__fd_pass(rec, FERN__FD_IN);
    fern__sched_spend(hub);
    return n;
}

ssize_t
fern_send(int fd, const void *buf, size_t len, int flags, fern_time deadline)
{
    FERN_CHECK(buf || len == 0, -EINVAL);
    struct transfer t = {.buf = (void *)(uintptr_t)buf, .len = len, .flags = flags};
    return fern__op_run(fd, FERN__FD_OUT, attempt_send, &t, 0, deadline);
}

ssize_t
fern_recvfrom(int fd, void *buf, size_t len, int flags, fern_address *ret_from,
        fern_time deadline)
{
    FERN_CHECK(buf || len == 0, -EINVAL);
    fern_address from;
    socklen_t from_len = sizeof from.as;
    struct transfer t = {.buf = buf, .len = len, .flags = flags};
    if (ret_from) {
        memset(&from, 0, sizeof from); /* the kernel may know of none */
        t.address = &from.as.any;
        t.ret_address_len = &from_len;
    }
    ssize_t n = run_recv(fd, attempt_recv, &t, flags, len, deadline);
    if (n >= 0 && ret_from) {
        from.size = from_len;
        *ret_from = from;
    }
    return n;
}

ssize_t
fern_sendto(int fd, const void *buf, size_t len, int flags, const fern_address *to,
        fern_time deadline)
{
    FERN_CHECK(buf || len == 0, -EINVAL);
    struct transfer t = {.buf = (void *)(uintptr_t)buf, .len = len, .flags = flags};
    if (to) {
        t.address = (struct sockaddr *)(uintptr_t)&to->as.any;
        t.address_len = to->size;
    }
    return fern__op_run(fd, FERN__FD_OUT, attempt_send, &t, 0, deadline);
}

struct message {
    struct msghdr *msg;
    struct msghdr before; /* the kernel writes into it even when it fails */
    int flags;
};

static ssize_t
attempt_recvmsg(struct fern__fd *rec, void *args)
{
    struct message *m = args;
    *m->msg = m->before;
    return fern__sys_recvmsg(rec->fd, m->msg, m->flags | MSG_DONTWAIT);
}

static ssize_t
attempt_sendmsg(struct fern__fd *rec, void *args)
{
    struct message *m = args;
    return fern__sys_sendmsg(rec->fd, m->msg, m->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Fds that came with a message have numbers of which fern may know something old. */
static void
meet(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            fern__fd_opened(fd, FERN__FD_FOREIGN);
        }
    }
}

ssize_t
fern_recvmsg(int fd, struct msghdr *msg, int flags, fern_time deadline)
{
    FERN_CHECK(msg, -EINVAL);
    struct message m = {.msg = msg, .before = *msg, .flags = flags};
    ssize_t n = run_recv(fd, attempt_recvmsg, &m, flags, 0, deadline);
    if (n >= 0)
        meet(msg);
    return n;
}

ssize_t
fern_sendmsg(int fd, const struct msghdr *msg, int flags, fern_time deadline)
{
    FERN_CHECK(msg, -EINVAL);
    struct message m = {.msg = (struct msghdr *)(uintptr_t)msg, .flags = flags};
    return fern__op_run(fd, FERN__FD_OUT, attempt_sendmsg, &m, 0, deadline);
}
