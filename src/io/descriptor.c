/* SPDX-License-Identifier: MIT */
/*
 * Closing, duplicating, pipes.
 *
 * Closing goes in this order: the registration is taken back (while the number still means this
 * file), the generation is turned over and waiters are woken with -EBADF, the kernel closes. So
 * nobody who waits ever sees a number's next file.
 */
#include "io/op.h"

#include "core/sched.h"

#include <fern/io.h>

int
fern_close(int fd)
{
    FERN_CHECK(fd >= 0, -EBADF);
    fern__fd_closing(fd);
    int r = fern__sys_close(fd);
    /* Linux has closed it even if it was interrupted or a late write failed. */
    return r == -EINTR ? 0 : r;
}

/* What fern knows of a description holds for its duplicates. */
static enum fern__fd_kind
kind_of(int fd)
{
    return fd < FERN__FDS_MAX ? fern__fd_kind_of(fd) : FERN__FD_FOREIGN;
}

int
fern_dup(int fd)
{
    FERN_CHECK(fd >= 0, -EBADF);
    int r = fern__sys_fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (r >= 0)
        fern__fd_opened(r, kind_of(fd));
    return r;
}

int
fern_dup2(int fd, int to)
{
    FERN_CHECK(fd >= 0 && to >= 0, -EBADF);
    int r = fern__sys_fcntl(fd, F_GETFD, 0);
    if (r < 0 || fd == to)
        return r < 0 ? r : to;
    fern__fd_closing(to);
    r = fern__sys_dup3(fd, to, 0);
    if (r >= 0)
        fern__fd_opened(to, kind_of(fd));
    return r;
}

int
fern_pipe(int *ret_fds, int flags)
{
    FERN_CHECK(ret_fds && !(flags & ~(O_DIRECT | O_CLOEXEC | O_NONBLOCK)), -EINVAL);
    int fds[2];
    int r = fern__sys_pipe2(fds, flags | O_CLOEXEC | O_NONBLOCK);
    if (r < 0)
        return r;
    enum fern__fd_kind kind = flags & O_DIRECT ? FERN__FD_PACKET_PIPE : FERN__FD_PIPE;
    for (int i = 0; i < 2; i++) {
        fern__fd_opened(fds[i], kind);
        ret_fds[i] = fds[i];
    }
    return 0;
}
