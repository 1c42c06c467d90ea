/* SPDX-License-Identifier: MIT */
/*
 * The loop of every operation on an fd: try if it may succeed, else wait, then try again.
 *
 * An fd of fern's own is tried only while its record says ready; any other is tried always, since
 * its record may be about another file by now. With FERN_NOWAIT the kernel is always asked. Who
 * comes while others wait for the same direction takes its place behind them.
 */
#include "io/op.h"

#include "core/sched.h"

int
fern__op_begin(struct fern__op *op, int fd, unsigned dir, fern_time deadline)
{
    int r = fern__wait_enter(&op->hub, &op->g, deadline);
    if (fern__unlikely(r < 0))
        return r;
    op->fds = fern__fds_of(op->hub);
    op->rec = fern__fd_get(op->fds, fd, &r);
    if (fern__unlikely(!op->rec))
        return r;
    op->word = op->rec->word;
    op->dir = dir;
    op->deadline = deadline;
    return 0;
}

static inline bool
may_try(const struct fern__op *op, bool again)
{
    const struct fern__fd *rec = op->rec;
    if (fern__unlikely(!again && !fern__list_empty(&rec->waiters[op->dir - 1])))
        return false;
    return rec->ready & op->dir || !(rec->state & FERN__FD_OWN) || op->deadline.ns == 0;
}

/* It has succeeded: what does that say of the fd? */
static inline void
judge(struct fern__op *op, ssize_t n, size_t wanted)
{
    struct fern__fd *rec = op->rec;
    if (op->dir == FERN__FD_IN && n > 0 && (size_t)n < wanted &&
            rec->state & FERN__FD_SHORT)
        rec->ready &= (uint8_t)~FERN__FD_IN;
    fern__fd_pass(rec, op->dir);
}

/* An attempt has failed. @return 0 wait; 1 try at once; or the error */
static int
weigh(struct fern__op *op, int error)
{
    struct fern__fd *rec = op->rec;
    if (error == -EAGAIN) {
        rec->ready &= (uint8_t)~op->dir;
        return op->deadline.ns ? 0 : -EAGAIN;
    }
    if (error == -EINTR)
        return 1;
    if (error == -ENOTSOCK && rec->how == FERN__FD_MSG) {
        int r = fern__fd_doubt(op->fds, rec);
        return r < 0 ? r : 1;
    }
    return error;
}

ssize_t
fern__op_attempt(struct fern__op *op, fern__attempt *attempt, void *args, size_t wanted)
{
    ssize_t r;
    bool again = false;
    for (;;) { /* ends with success or an error, of the attempt or of the wait */
        if (fern__likely(may_try(op, again))) {
            r = attempt(op->rec, args);
            if (fern__likely(r >= 0)) {
                judge(op, r, wanted);
                return r;
            }
            r = weigh(op, (int)r);
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

ssize_t
fern__op_run(int fd, unsigned dir, fern__attempt *attempt, void *args, size_t wanted,
        fern_time deadline)
{
    struct fern__op op;
    int r = fern__op_begin(&op, fd, dir, deadline);
    if (fern__unlikely(r < 0))
        return r;
    ssize_t n = fern__op_attempt(&op, attempt, args, wanted);
    if (fern__likely(n >= 0))
        fern__sched_spend(op.hub);
    return n;
}
