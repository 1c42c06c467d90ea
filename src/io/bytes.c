/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing any fd.
 *
 * fern never sets O_NONBLOCK on a description that it did not create: others share it. So each
 * kind of fd has its own way not to block: sockets MSG_DONTWAIT, pipes and most else RWF_NOWAIT,
 * and what knows neither is asked by poll first. What poll promises for writing is one page in a
 * pipe and some hundred bytes at a terminal, so no more than that is written at once there. Files
 * are read and written plainly; each time it is made sure that it is still a file.
 *
 * Writing to a pipe that nobody reads must not raise SIGPIPE: RWF_NOSIGNAL where the kernel has
 * it; else the signal is blocked around the call and taken back.
 */
#include "io/op.h"

#include "core/sched.h"

#include <fern/io.h>
#include <limits.h>
#include <string.h>

enum { TERMINAL_PIECE = 256 };

/* The kernel has told that it does not know RWF_NOSIGNAL. */
static atomic_bool no_nosignal;

struct vector {
    const struct iovec *iov;
    int count;
};

/* ---- reading ---- */

static ssize_t
receive(int fd, const struct vector *v)
{
    if (v->count == 1)
        return fern__sys_recvfrom(
                fd, v->iov->iov_base, v->iov->iov_len, MSG_DONTWAIT, NULL, NULL);
    struct msghdr msg = {
            .msg_iov = (struct iovec *)(uintptr_t)v->iov, .msg_iovlen = (size_t)v->count};
    return fern__sys_recvmsg(fd, &msg, MSG_DONTWAIT);
}

static ssize_t
read_polled(int fd, const struct vector *v)
{
    int r = fern__op_ask(fd, FERN__FD_IN);
    return r < 0 ? r : fern__sys_readv(fd, v->iov, v->count);
}

static bool
unsupported(ssize_t r)
{
    return r == -EOPNOTSUPP || r == -ENOSYS;
}

static ssize_t
attempt_read(struct fern__fd *rec, void *args)
{
    const struct vector *v = args;
    if (fern__likely(rec->how == FERN__FD_MSG))
        return receive(rec->fd, v);
    if (rec->how == FERN__FD_PLAIN) {
        int how = fern__fd_look(rec->fd);
        if (how < 0)
            return how;
        if (how == FERN__FD_PLAIN)
            return fern__sys_readv(rec->fd, v->iov, v->count);
        rec->how = FERN__FD_NOWAIT;
    }
    if (rec->how == FERN__FD_NOWAIT) {
        ssize_t r = fern__sys_preadv2(rec->fd, v->iov, v->count, -1, RWF_NOWAIT);
        if (!unsupported(r))
            return r;
        rec->how = FERN__FD_POLLED;
    }
    return read_polled(rec->fd, v);
}

/* ---- writing ---- */

/* Set or restore the thread's signals. That cannot fail but by a planned fault, which strikes once,
 * and a signal that is let through would end the program. */
static void
set_signals(const uint64_t *mask)
{
    for (int i = 0; i < 3 && fern__sys_sigprocmask(SIG_SETMASK, mask, NULL) < 0; i++)
        ;
}

/* Take back the SIGPIPE that a write has raised; likewise. */
static void
take_back(const uint64_t *sigpipe)
{
    const struct timespec none = {0, 0};
    for (int i = 0; i < 3 && fern__sys_sigtimedwait(sigpipe, &none) < 0; i++)
        ;
}

/* writev with SIGPIPE blocked, and taken back if the call has raised it. */
static ssize_t
write_blocked(int fd, const struct vector *v, int flags)
{
    const uint64_t sigpipe = UINT64_C(1) << (SIGPIPE - 1);
    uint64_t old, pending;
    int error = fern__sys_sigpending(&pending);
    if (error == 0)
        error = fern__sys_sigprocmask(SIG_BLOCK, &sigpipe, &old);
    if (error < 0)
        return error;
    ssize_t r = flags ? fern__sys_pwritev2(fd, v->iov, v->count, -1, flags)
                      : fern__sys_writev(fd, v->iov, v->count);
    if (r == -EPIPE && !(pending & sigpipe))
        take_back(&sigpipe);
    set_signals(&old);
    return r;
}

static ssize_t
write_nowait(int fd, const struct vector *v)
{
    bool untold = !atomic_load_explicit(&no_nosignal, memory_order_relaxed);
    if (untold) {
        ssize_t r = fern__sys_pwritev2(fd, v->iov, v->count, -1, RWF_NOWAIT | RWF_NOSIGNAL);
        if (!unsupported(r))
            return r;
    }
    ssize_t r = write_blocked(fd, v, RWF_NOWAIT);
    /* Which of the two flags was not known shows only now: a terminal knows neither. */
    if (untold && !unsupported(r))
        atomic_store_explicit(&no_nosignal, true, memory_order_relaxed);
    return r;
}

/* Write no more than poll has promised room for. */
static ssize_t
write_polled(int fd, const struct vector *v)
{
    int r = fern__op_ask(fd, FERN__FD_OUT);
    if (r < 0)
        return r;
    struct stat st;
    r = fern__sys_fstat(fd, &st);
    if (r < 0)
        return r;
    struct iovec piece = v->iov[0];
    size_t most = S_ISCHR(st.st_mode) ? TERMINAL_PIECE : PIPE_BUF;
    for (int i = 1; i < v->count && piece.iov_len == 0; i++)
        piece = v->iov[i];
    if (piece.iov_len > most)
        piece.iov_len = most;
    return write_blocked(fd, &(struct vector){&piece, 1}, 0);
}

static ssize_t
transmit(int fd, const struct vector *v)
{
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    if (v->count == 1)
        return fern__sys_sendto(fd, v->iov->iov_base, v->iov->iov_len, flags, NULL, 0);
    struct msghdr msg = {
            .msg_iov = (struct iovec *)(uintptr_t)v->iov, .msg_iovlen = (size_t)v->count};
    return fern__sys_sendmsg(fd, &msg, flags);
}

static ssize_t
attempt_write(struct fern__fd *rec, void *args)
{
    const struct vector *v = args;
    if (fern__likely(rec->how == FERN__FD_MSG))
        return transmit(rec->fd, v);
    if (rec->how == FERN__FD_PLAIN) {
        int how = fern__fd_look(rec->fd);
        if (how < 0)
            return how;
        if (how == FERN__FD_PLAIN)
            return fern__sys_writev(rec->fd, v->iov, v->count);
        rec->how = FERN__FD_NOWAIT;
    }
    if (rec->how == FERN__FD_NOWAIT) {
        ssize_t r = write_nowait(rec->fd, v);
        if (!unsupported(r))
            return r;
        rec->how = FERN__FD_POLLED;
    }
    return write_polled(rec->fd, v);
}

/* ---- the calls ---- */

/* The sum of the lengths; 0, which is not judged by, if there is no such sum. */
static size_t
total(const struct iovec *iov, int count)
{
    size_t sum = 0;
    for (int i = 0; i < count; i++) {
        if (__builtin_add_overflow(sum, iov[i].iov_len, &sum))
            return 0;
    }
    return sum;
}

typedef ssize_t nothing_fn(int fd, const struct iovec *iov, int count);

/* Move no bytes: it need not be waited for, and takes or sends no datagram. It only tells whether
 * the fd is open for it. */
static __attribute__((noinline)) ssize_t
move_nothing(nothing_fn *call, int fd, fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, deadline);
    if (r < 0)
        return r;
    ssize_t n = call(fd, NULL, 0);
    if (n >= 0 && deadline.ns)
        fern__sched_spend(hub);
    return n;
}

static bool
is_nothing(const struct iovec *iov, int count)
{
    int i = 0;
    while (i < count && iov[i].iov_len == 0)
        i++;
    return i == count;
}

ssize_t
fern_read(int fd, void *buf, size_t len, fern_time deadline)
{
    FERN_CHECK(buf || len == 0, -EINVAL);
    if (fern__unlikely(len == 0))
        return move_nothing(fern__sys_readv, fd, deadline);
    struct iovec iov = {buf, len};
    struct vector v = {&iov, 1};
    return fern__op_run(fd, FERN__FD_IN, attempt_read, &v, len, deadline);
}

ssize_t
fern_write(int fd, const void *buf, size_t len, fern_time deadline)
{
    FERN_CHECK(buf || len == 0, -EINVAL);
    struct iovec iov = {(void *)(uintptr_t)buf, len};
    struct vector v = {&iov, 1};
    return fern__op_run(fd, FERN__FD_OUT, attempt_write, &v, 0, deadline);
}

ssize_t
fern_readv(int fd, const struct iovec *iov, int count, fern_time deadline)
{
    FERN_CHECK((iov || count == 0) && count >= 0 && count <= IOV_MAX, -EINVAL);
    if (fern__unlikely(is_nothing(iov, count)))
        return move_nothing(fern__sys_readv, fd, deadline);
    struct vector v = {iov, count};
    return fern__op_run(fd, FERN__FD_IN, attempt_read, &v, total(iov, count), deadline);
}

ssize_t
fern_writev(int fd, const struct iovec *iov, int count, fern_time deadline)
{
    FERN_CHECK((iov || count == 0) && count >= 0 && count <= IOV_MAX, -EINVAL);
    if (fern__unlikely(is_nothing(iov, count)))
        return move_nothing(fern__sys_writev, fd, deadline);
    struct vector v = {iov, count};
    return fern__op_run(fd, FERN__FD_OUT, attempt_write, &v, 0, deadline);
}

/* What remains of it, waiting as needed. */
static __attribute__((noinline)) int
write_rest(int fd, const char *buf, size_t len, size_t done, size_t *ret_done,
        fern_time deadline)
{
    struct fern__op op;
    ssize_t r = fern__op_begin(&op, fd, FERN__FD_OUT, deadline);
    while (r >= 0 && done < len) {
        struct iovec iov = {(char *)(uintptr_t)buf + done, len - done};
        struct vector v = {&iov, 1};
        r = fern__op_attempt(&op, attempt_write, &v, 0);
        if (r < 0)
            break;
        done += (size_t)r;
        if (deadline.ns)
            fern__sched_spend(op.hub);
        /* While others ran the fd may have been closed, and its number be another's. */
        if (done < len && (op.word != op.rec->word || op.word != fern__fd_word(fd)))
            r = -EBADF;
    }
    if (ret_done)
        *ret_done = done;
    return r < 0 ? (int)r : 0;
}

int
fern_write_all(int fd, const void *buf, size_t len, size_t *ret_done, fern_time deadline)
{
    FERN_CHECK(buf || len == 0, -EINVAL);
    struct fern__hub *hub;
    struct fern__fd *rec = fern__op_quick(&hub, fd, FERN__FD_OUT);
    if (fern__unlikely(!rec || !(rec->ready & FERN__FD_OUT) || len == 0))
        return write_rest(fd, buf, len, 0, ret_done, deadline);
    ssize_t n = fern__sys_sendto(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
    if (fern__likely((size_t)n == len)) {
        if (deadline.ns)
            fern__sched_spend(hub);
        if (ret_done)
            *ret_done = len;
        return 0;
    }
    if (n > 0)
        return write_rest(fd, buf, len, (size_t)n, ret_done, deadline);
    if (n == -EAGAIN)
        rec->ready &= (uint8_t)~FERN__FD_OUT;
    if (n == -EAGAIN || n == -EINTR || n == -ENOTSOCK)
        return write_rest(fd, buf, len, 0, ret_done, deadline);
    if (ret_done)
        *ret_done = 0;
    return (int)n;
}

/* ---- at a place in a file ---- */

typedef ssize_t at_fn(int fd, const struct iovec *iov, int count, int64_t offset);

static ssize_t
run_at(at_fn *call, int fd, const struct iovec *iov, int count, int64_t offset,
        fern_time deadline)
{
    FERN_CHECK(
            (iov || count == 0) && count >= 0 && count <= IOV_MAX && offset >= 0, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, deadline);
    if (r < 0)
        return r;
    ssize_t n;
    do {
        n = call(fd, iov, count, offset);
    } while (n == -EINTR);
    if (n >= 0 && deadline.ns)
        fern__sched_spend(hub);
    return n;
}

ssize_t
fern_preadv(int fd, const struct iovec *iov, int count, int64_t offset, fern_time deadline)
{
    return run_at(fern__sys_preadv, fd, iov, count, offset, deadline);
}

ssize_t
fern_pwritev(int fd, const struct iovec *iov, int count, int64_t offset, fern_time deadline)
{
    return run_at(fern__sys_pwritev, fd, iov, count, offset, deadline);
}

ssize_t
fern_pread(int fd, void *buf, size_t len, int64_t offset, fern_time deadline)
{
    FERN_CHECK(buf || len == 0, -EINVAL);
    struct iovec iov = {buf, len};
    return fern_preadv(fd, &iov, 1, offset, deadline);
}

ssize_t
fern_pwrite(int fd, const void *buf, size_t len, int64_t offset, fern_time deadline)
{
    FERN_CHECK(buf || len == 0, -EINVAL);
    struct iovec iov = {(void *)(uintptr_t)buf, len};
    return fern_pwritev(fd, &iov, 1, offset, deadline);
}
