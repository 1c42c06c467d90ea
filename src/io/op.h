/* SPDX-License-Identifier: MIT */
/*
 * One operation on an fd that may have to wait.
 *
 * Every such public call is an attempt, a function that makes the system call once without
 * blocking, and one call of fern__op_run.
 */
#ifndef FERN_IO_OP_H
#define FERN_IO_OP_H

#include "poll/fdtab.h"

/* Make the call once. @return >= 0; -EAGAIN it would block; another error */
typedef ssize_t fern__attempt(struct fern__fd *rec, void *args);

/* What stays the same while an operation is tried again and again. */
struct fern__op {
    struct fern__hub *hub;
    fern_greenlet *g;
    struct fern__fds *fds;
    struct fern__fd *rec;
    uint32_t word; /* the generation it began with */
    unsigned dir;  /* FERN__FD_IN or FERN__FD_OUT */
    fern_time deadline;
};

/* Begin. @return 0; -ECANCELED; -ETIME; -EDEADLK; -EBADF; -EMFILE; -ENOMEM; -EINVAL */
int fern__op_begin(struct fern__op *op, int fd, unsigned dir, fern_time deadline);

/* Attempt, waiting as needed, until it succeeds or fails. `wanted`: bytes that a complete
 * transfer would have; 0: not to be judged by its result. Spends no budget. */
ssize_t fern__op_attempt(
        struct fern__op *op, fern__attempt *attempt, void *args, size_t wanted);

/* Begin, attempt, spend. */
ssize_t fern__op_run(int fd, unsigned dir, fern__attempt *attempt, void *args,
        size_t wanted, fern_time deadline);

/* -EAGAIN unless poll says that an fd is ready for IN or OUT. */
static inline int
fern__op_ask(int fd, unsigned dir)
{
    struct pollfd p = {.fd = fd, .events = dir == FERN__FD_IN ? POLLIN : POLLOUT};
    struct timespec none = {0, 0};
    int r = fern__sys_ppoll(&p, 1, &none);
    if (r < 0)
        return r;
    return r > 0 ? 0 : -EAGAIN;
}

#endif
