/* SPDX-License-Identifier: MIT */
/*
 * Input and output on any fd, written as if it blocked.
 *
 * Each call tries the system call of its name first; if that would block, the greenlet parks
 * until the fd is ready, and others run. All fds will do: those that fern opened (fern_pipe here,
 * fern_socket and the rest in socket.h) cost no more than the system call itself; for others fern
 * never changes the description's flags, which other processes may share. Close what you use with
 * these calls by fern_close(), which wakes whoever waits for it.
 *
 *     char buf[4096];
 *     ssize_t n;
 *     while ((n = fern_read(from, buf, sizeof buf, FERN_FOREVER)) > 0) {
 *         int r = fern_write_all(to, buf, (size_t)n, NULL, fern_in(5 * FERN_SECOND));
 *         if (r < 0)
 *             return r;
 *     }
 *
 * Every call that may wait can also answer: -ETIME its deadline or scope passed; -ECANCELED the
 * greenlet was killed; -EAGAIN it would wait and the deadline is FERN_NOWAIT; -EBADF the fd is
 * closed, or was while it waited; -EDEADLK it was called from a callback; -ENOMEM; -EMFILE;
 * -ENOSPC the kernel will watch no more fds. Bytes are moved or the call fails, never both: only
 * fern_write_all() moves some and fails, and says how many.
 */
#ifndef FERN_IO_H
#define FERN_IO_H

#include <fern/base.h>
#include <fern/time.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/uio.h>

FERN__BEGIN_DECLS

/* ---- bytes ---- */

/**
 * Read what there is, waiting until there is something.
 *
 * @param  fd        any
 * @param  buf       receives the bytes; may be NULL if len is 0
 * @param  len       bytes at most
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return bytes read; 0 at the end; -ECONNRESET and what else read(2) gives; -EINVAL buf is NULL;
 *         and those at the top of this file
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: any.  Owner: borrows buf.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_read(
        int fd, void *buf, size_t len, fern_time deadline);

/**
 * Write what there is room for, waiting until there is some. Never raises SIGPIPE.
 *
 * @param  fd        any
 * @param  buf       the bytes; may be NULL if len is 0
 * @param  len       how many
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return bytes written, at least 1 unless len is 0; -EPIPE nobody reads any more; what else
 *         write(2) gives; -EINVAL buf is NULL; and those at the top of this file
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: any.  Owner: borrows buf.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_write(
        int fd, const void *buf, size_t len, fern_time deadline);

/**
 * Write all bytes. If it fails, those before *ret_done have been written and no others.
 *
 * @param  fd        any
 * @param  buf       the bytes; may be NULL if len is 0
 * @param  len       how many
 * @param  ret_done  receives how many were written, on success and on error; may be NULL
 * @param  deadline  absolute, of the whole; FERN_NOWAIT writes what there is room for
 * @return 0; as fern_write()
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: any.  Owner: borrows buf.
 */
FERN_API FERN_MUST_CHECK int fern_write_all(
        int fd, const void *buf, size_t len, size_t *ret_done, fern_time deadline);

/**
 * As fern_read(), into several pieces of memory in turn.
 *
 * @param  fd        any
 * @param  iov       the pieces
 * @param  count     how many, at most IOV_MAX
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return as fern_read(); -EINVAL also for a wrong count
 *
 * May switch: as fern_read().  Thread: any.  Owner: borrows iov and the pieces.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_readv(
        int fd, const struct iovec *iov, int count, fern_time deadline);

/**
 * As fern_write(), from several pieces of memory in turn.
 *
 * @param  fd        any
 * @param  iov       the pieces
 * @param  count     how many, at most IOV_MAX
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return as fern_write(); -EINVAL also for a wrong count
 *
 * May switch: as fern_write().  Thread: any.  Owner: borrows iov and the pieces.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_writev(
        int fd, const struct iovec *iov, int count, fern_time deadline);

/**
 * Read at a place in a file. A disk is waited for without switching.
 *
 * @param  fd        a file
 * @param  buf       receives the bytes; may be NULL if len is 0
 * @param  len       bytes at most
 * @param  offset    from the file's beginning, in bytes
 * @param  deadline  absolute; a passed scope or a kill is answered before anything is read
 * @return bytes read; 0 at the end; -ESPIPE no file; -EINVAL buf is NULL or offset < 0; what else
 *         pread(2) gives; and those at the top of this file
 *
 * May switch: now and then, after it has read.  Thread: any.  Owner: borrows buf.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_pread(
        int fd, void *buf, size_t len, int64_t offset, fern_time deadline);

/**
 * Write at a place in a file. A disk is waited for without switching.
 *
 * @param  fd        a file
 * @param  buf       the bytes; may be NULL if len is 0
 * @param  len       how many
 * @param  offset    from the file's beginning, in bytes
 * @param  deadline  absolute; a passed scope or a kill is answered before anything is written
 * @return bytes written; -ESPIPE no file; -EINVAL buf is NULL or offset < 0; what else pwrite(2)
 *         gives; and those at the top of this file
 *
 * May switch: now and then, after it has written.  Thread: any.  Owner: borrows buf.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_pwrite(
        int fd, const void *buf, size_t len, int64_t offset, fern_time deadline);

/**
 * As fern_pread(), into several pieces of memory in turn.
 *
 * @param  fd        a file
 * @param  iov       the pieces
 * @param  count     how many, at most IOV_MAX
 * @param  offset    from the file's beginning, in bytes
 * @param  deadline  absolute; as for fern_pread()
 * @return as fern_pread(); -EINVAL also for a wrong count
 *
 * May switch: as fern_pread().  Thread: any.  Owner: borrows iov and the pieces.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_preadv(
        int fd, const struct iovec *iov, int count, int64_t offset, fern_time deadline);

/**
 * As fern_pwrite(), from several pieces of memory in turn.
 *
 * @param  fd        a file
 * @param  iov       the pieces
 * @param  count     how many, at most IOV_MAX
 * @param  offset    from the file's beginning, in bytes
 * @param  deadline  absolute; as for fern_pwrite()
 * @return as fern_pwrite(); -EINVAL also for a wrong count
 *
 * May switch: as fern_pwrite().  Thread: any.  Owner: borrows iov and the pieces.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_pwritev(
        int fd, const struct iovec *iov, int count, int64_t offset, fern_time deadline);

/* ---- descriptors ---- */

/**
 * Close an fd. Whoever waits for it on this thread gets -EBADF, before the number can be used
 * again.
 *
 * @param  fd  any
 * @return 0; -EBADF it is not open; -EIO, -ENOSPC, -EDQUOT an earlier write has failed: closed all
 *         the same
 *
 * May switch: no.  Thread: any.  Owner: takes fd.
 */
FERN_API int fern_close(int fd);

/**
 * A second number for what an fd refers to, closed at exec.
 *
 * @param  fd  any
 * @return the new fd; -EBADF it is not open; -EMFILE no number is free
 *
 * May switch: no.  Thread: any.  Owner: the new fd is the caller's.
 */
FERN_API int fern_dup(int fd);

/**
 * Make a given number refer to what an fd refers to, closing first what it referred to, as
 * fern_close() does. It stays open at exec.
 *
 * @param  fd  any
 * @param  to  the number, open or not; if it is fd, nothing happens
 * @return to; -EBADF fd is not open or a number is not allowed
 *
 * May switch: no.  Thread: any.  Owner: the new fd is the caller's.
 */
FERN_API int fern_dup2(int fd, int to);

/**
 * Make a pipe, closed at exec.
 *
 * @param  ret_fds  receives two fds: [0] to read, [1] to write
 * @param  flags    0, or O_DIRECT: each write is a packet, and each read takes one; O_CLOEXEC and
 *                  O_NONBLOCK go without saying
 * @return 0; -EINVAL NULL or other flags; -EMFILE, -ENFILE no fd is free
 *
 * May switch: no.  Thread: any.  Owner: the fds are the caller's.
 */
FERN_API int fern_pipe(int *ret_fds, int flags);

/* ---- waiting without a transfer ---- */

/**
 * Wait until an fd is ready. Several greenlets may wait for one fd; each is told.
 *
 * @param  fd        any
 * @param  events    POLLIN, POLLOUT, POLLPRI, POLLRDHUP or several; 0 for errors and hang-up alone
 * @param  deadline  absolute; FERN_NOWAIT to only look
 * @return what it is ready for, > 0: of events, and POLLERR, POLLHUP; -EINVAL other events; and
 *         those at the top of this file
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: any.  Owner: none.
 */
FERN_API FERN_MUST_CHECK int fern_wait_fd(int fd, int events, fern_time deadline);

/**
 * Wait until at least one of several fds is ready, as poll(2).
 *
 * @param  fds       .fd < 0 is passed over; .revents is set for each, POLLNVAL if it is not open
 * @param  count     how many; with 0 it waits for the deadline
 * @param  deadline  absolute; FERN_NOWAIT to only look
 * @return how many have .revents, > 0; -EINVAL fds is NULL, or count is above the limit of fds;
 *         -EBADF one was closed while it waited; and those at the top of this file
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: any.  Owner: borrows fds.
 */
FERN_API FERN_MUST_CHECK int fern_poll(
        struct pollfd *fds, size_t count, fern_time deadline);

/**
 * Wait until at least one of several fds is ready, as select(2).
 *
 * @param  limit     one more than the highest fd in the sets, at most FD_SETSIZE
 * @param  in        to be readable, or at its end; may be NULL; left with those that are
 * @param  out       to be writable; may be NULL; left with those that are
 * @param  except    to have urgent bytes; may be NULL; left with those that have
 * @param  deadline  absolute; FERN_NOWAIT to only look; without any fd it is slept until
 * @return how many are left in all sets, > 0; -EBADF an fd is not open, or was closed while it
 *         waited; -EINVAL limit; and those at the top of this file; on error the sets are unchanged
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: any.  Owner: borrows the sets.
 */
FERN_API FERN_MUST_CHECK int fern_select_fds(
        int limit, fd_set *in, fd_set *out, fd_set *except, fern_time deadline);

FERN__END_DECLS

#endif
