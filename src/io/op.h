/* SPDX-License-Identifier: MIT */
/*
 * One operation on an fd that may have to wait.
 *
 * Every such public call is an attempt, a function that makes the system call once without
 * blocking, and one call of fern__op_run.
 */
#ifndef FERN_IO_OP_H
#define FERN_IO_OP_H

#include "core/sched.h"
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
static inline int
fern__op_begin(struct fern__op *op, int fd, unsigned dir, fern_time deadline)
{
    int r = fern__wait_enter(&op->hub, &op->g, deadline);
    if (fern__unlikely(r < 0))
        return r;
    op->fds = fern__fds_of(op->hub);
    op->rec = fern__fd_get(op->fds, fd, &r);
    if (fern__unlikely(!op->rec))
        return r < 0 ? r : -EBADF;
    op->word = op->rec->word;
    op->dir = dir;
    op->deadline = deadline;
    return 0;
}

/* The record of a socket of fern's own for which nobody waits in this direction, for a greenlet
 * whose calls do not fail; NULL: it has to go the long way, for whichever reason. */
static inline struct fern__fd *
fern__op_quick(struct fern__hub **ret_hub, int fd, unsigned dir)
{
    struct fern__hub *hub = fern__self_hub();
    if (fern__unlikely(!hub || hub->current->interrupt))
        return NULL;
    struct fern__fds *fds = fern__fds_of(hub);
    size_t chunk = (size_t)(unsigned)fd >> FERN__FD_CHUNK_SHIFT;
    if (fern__unlikely(chunk >= fds->chunk_count || !fds->chunks[chunk]))
        return NULL;
    struct fern__fd *rec = fern__fd_at(fds, fd);
    if (fern__unlikely(rec->word != fern__fd_word(fd) || !(rec->state & FERN__FD_OWN) ||
                       rec->how != FERN__FD_MSG ||
                       !fern__list_empty(&rec->waiters[dir - 1])))
        return NULL;
    *ret_hub = hub;
    return rec;
}

/* What an attempt that failed means. @return 0 wait; 1 try at once; or the error */
int fern__op_weigh(struct fern__op *op, int error);

/* Whether an attempt may succeed, and is this greenlet's to make. An fd of fern's own is tried
 * only while its record says ready; any other is tried always, since its record may be about
 * another file by now. With FERN_NOWAIT the kernel is always asked. Who comes while others wait
 * for the same direction takes its place behind them. */
static inline bool
fern__op_may_try(const struct fern__op *op, bool again)
{
    const struct fern__fd *rec = op->rec;
    if (fern__unlikely(!again && !fern__list_empty(&rec->waiters[op->dir - 1])))
        return false;
    return rec->ready & op->dir || !(rec->state & FERN__FD_OWN) || op->deadline.ns == 0;
}

/* Attempt, waiting as needed, until it succeeds or fails. `wanted`: bytes that a complete
 * transfer would have; 0: not to be judged by its result. Spends no budget. In line, so that the
 * attempt is too: a connection that is woken finds fewer cold lines of stack and code. */
static inline __attribute__((always_inline)) ssize_t
fern__op_attempt(struct fern__op *op, fern__attempt *attempt, void *args, size_t wanted)
{
    ssize_t r;
    bool again = false;
    for (;;) { /* ends with success or an error, of the attempt or of the wait */
        if (fern__likely(fern__op_may_try(op, again))) {
            r = attempt(op->rec, args);
            if (fern__likely(r >= 0)) {
                struct fern__fd *rec = op->rec;
                if (op->dir == FERN__FD_IN && r > 0 && (size_t)r < wanted &&
                        rec->state & FERN__FD_SHORT)
                    rec->ready &= (uint8_t)~FERN__FD_IN;
                fern__fd_pass(rec, op->dir);
                return r;
            }
            r = fern__op_weigh(op, (int)r);
            if (r > 0)
                continue;
            if (r < 0)
                break;
        } else if (op->deadline.ns == 0) {
            return -EAGAIN;
        }
        r = fern__fd_wait(op->fds, op->g, op->rec, op->dir, again, op->deadline);
        if (fern__unlikely(r < 0))
            break;
        again = true;
    }
    if (op->rec->word == op->word)
        fern__fd_pass(op->rec, op->dir);
    return r;
}

/* Begin, attempt, spend. */
static inline __attribute__((always_inline)) ssize_t
fern__op_run(int fd, unsigned dir, fern__attempt *attempt, void *args, size_t wanted,
        fern_time deadline)
{
    struct fern__op op;
    int r = fern__op_begin(&op, fd, dir, deadline);
    if (fern__unlikely(r < 0))
        return r;
    ssize_t n = fern__op_attempt(&op, attempt, args, wanted);
    if (fern__likely(n >= 0 && deadline.ns))
        fern__sched_spend(op.hub);
    return n;
}

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
