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
#include <sys/stat.h>
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

/* ---- many fds, registered once ---- */

/** Fds that are registered for good, and asked for together. Opaque. */
typedef struct fern_selector fern_selector;

/** An fd that fern_selector_select() has found ready. */
typedef struct fern_selected {
    int fd;
    int events; /**< what it is ready for: of those registered, and POLLERR, POLLHUP */
    void *data; /**< what was registered with it */
} fern_selected;

/**
 * Make a selector. Asking it costs as much as there are ready fds, however many are registered.
 *
 * @return the selector; NULL with errno ENOMEM, EMFILE or ENFILE
 *
 * May switch: no.  Thread: any; it belongs to the hub of its first use.  Owner: the caller frees it by fern_selector_free().
 */
FERN_API fern_selector *fern_selector_new(void);

/**
 * Register an fd. Unregister it before it is closed: as long as a duplicate of it is open somewhere
 * it would go on to be told of.
 *
 * @param  selector  the selector
 * @param  fd        an fd that is not registered
 * @param  events    POLLIN, POLLOUT, POLLPRI, POLLRDHUP or several; 0 for errors and hang-up alone
 * @param  data      kept as it is
 * @return 0; -EEXIST it is registered; -EBADF it is not open; -EPERM a file, which is always ready;
 *         -EINVAL NULL or other events; -EXDEV another hub's; -ENOMEM; -ENOSPC the kernel will watch no
 *         more fds
 *
 * May switch: no.  Thread: its hub only.  Owner: fd and data stay the caller's.
 */
FERN_API int fern_selector_register(
        fern_selector *selector, int fd, int events, void *data);

/**
 * Change what a registered fd is watched for, and its data.
 *
 * @param  selector  the selector
 * @param  fd        a registered fd
 * @param  events    as fern_selector_register()
 * @param  data      kept as it is
 * @return 0; -ENOENT it is not registered; -EBADF it is not open; -EINVAL NULL or other events; -EXDEV
 *         another hub's; -ENOMEM
 *
 * May switch: no.  Thread: its hub only.  Owner: data stays the caller's.
 */
FERN_API int fern_selector_modify(fern_selector *selector, int fd, int events, void *data);

/**
 * Forget an fd.
 *
 * @param  selector  the selector
 * @param  fd        a registered fd
 * @return 0; -ENOENT it is not registered; -EBADF it is not open; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: gives data back.
 */
FERN_API int fern_selector_unregister(fern_selector *selector, int fd);

/**
 * Wait until registered fds are ready. One that stays ready is told of each time; several greenlets
 * may wait, and fds may be registered meanwhile.
 *
 * @param  selector      the selector
 * @param  ret_selected  receives those that are ready
 * @param  room          how many fit, at least 1; what does not is told of next time
 * @param  deadline      absolute; FERN_NOWAIT to only look
 * @return how many there are, > 0; -EINVAL NULL or no room; -EXDEV another hub's; -EBADF it was freed
 *         meanwhile; and those at the top of this file
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: its hub only.  Owner: borrows selector.
 */
FERN_API FERN_MUST_CHECK int fern_selector_select(fern_selector *selector,
        fern_selected *ret_selected, size_t room, fern_time deadline);

/**
 * Free a selector. The fds stay open; who waits for it gets -EBADF.
 *
 * @param  selector  the selector; NULL is allowed
 *
 * May switch: no.  Thread: its hub only.  Owner: frees selector, gives data back.
 */
FERN_API void fern_selector_free(fern_selector *selector);

/* ---- libraries with an fd of their own ---- */

/** One call of a library, without blocking. @return >= 0; -EAGAIN it would wait; another error */
typedef ssize_t fern_edge_fn(void *arg);

/** The two ways through a library's object, for fern_edge_call(). */
enum {
    FERN_EDGE_IN = 0,  /**< calls that receive */
    FERN_EDGE_OUT = 1, /**< calls that send */
};

/**
 * An object of a library that tells of changes by an fd, once for each, so that whoever asks the
 * library takes the news from everybody else (a ZeroMQ socket is one). Fields are fern's;
 * fern_edge_init() before first use.
 */
typedef struct fern_edge {
    uint64_t fern__words[32];
} fern_edge;

/**
 * Begin.
 *
 * @param  edge    memory that is not in use
 * @param  fd      the fd that tells of changes
 * @param  events  what it tells them by: POLLIN, POLLOUT, POLLPRI, POLLRDHUP or several
 * @return 0; -EINVAL NULL, fd < 0, no or other events
 *
 * May switch: no.  Thread: any; it belongs to the hub of its first use.  Owner: edge and fd stay the caller's.
 */
FERN_API int fern_edge_init(fern_edge *edge, int fd, int events);

/**
 * Call a function of the library until it does not say that it would block: at once, and again whenever there may
 * be news. Calls of one direction are made in order of arrival, one at a time.
 *
 * @param  edge       the object
 * @param  direction  FERN_EDGE_IN or FERN_EDGE_OUT
 * @param  fn         makes the call once; must not wait
 * @param  arg        passed to fn
 * @param  deadline   absolute; FERN_NOWAIT calls once at most
 * @return what fn returned; -EAGAIN it would wait, or others wait before it, and FERN_NOWAIT; -EINVAL
 *         NULL or no direction; -EXDEV another hub's; and those at the top of this file
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: its hub only.  Owner: borrows edge.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_edge_call(
        fern_edge *edge, int direction, fern_edge_fn *fn, void *arg, fern_time deadline);

/**
 * End.
 *
 * @param  edge  the object; its fd stays open
 * @return 0; -EBUSY somebody calls through it; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: edge stays the caller's.
 */
FERN_API int fern_edge_fini(fern_edge *edge);

/* ---- changes of a file ---- */

/** Watches a path for changes of what is there. Opaque. */
typedef struct fern_stat_watcher fern_stat_watcher;

/**
 * Begin to watch a path, by looking at it now and every so often while somebody waits: that works on
 * every file system, and sees what has changed between two looks, not how often.
 *
 * @param  path         what to watch; it need not exist; followed if it is a symbolic link
 * @param  interval_ns  time between two looks, > 0; 0 for a second
 * @return the watcher; NULL with errno EINVAL (NULL, interval_ns < 0) or ENOMEM
 *
 * May switch: no.  Thread: any; it belongs to the hub of its first use.  Owner: copies path; the caller frees it by fern_stat_watcher_free().
 */
FERN_API fern_stat_watcher *fern_stat_watcher_new(const char *path, int64_t interval_ns);

/**
 * Wait until what is at the path differs from what was there when the watcher was made, or when it
 * last reported a change: the file, its size, mode, owner, links, or the times of its modification
 * and change. That it was read is no change.
 *
 * @param  watcher     the watcher; several may wait, and all hear of a change
 * @param  ret_now     receives what is there; st_nlink is 0 if nothing is; or NULL
 * @param  ret_before  receives what was there; or NULL
 * @param  deadline    absolute; FERN_NOWAIT to only look
 * @return 0 it has changed; -EINVAL NULL; -EXDEV another hub's; and those at the top of this file
 *
 * May switch: if it must wait.  Thread: its hub only.  Owner: borrows watcher.
 */
FERN_API FERN_MUST_CHECK int fern_stat_watcher_wait(fern_stat_watcher *watcher,
        struct stat *ret_now, struct stat *ret_before, fern_time deadline);

/**
 * Stop watching.
 *
 * @param  watcher  the watcher, for which nobody waits; NULL is allowed
 *
 * May switch: no.  Thread: its hub only.  Owner: frees watcher.
 */
FERN_API void fern_stat_watcher_free(fern_stat_watcher *watcher);

FERN__END_DECLS

#endif
