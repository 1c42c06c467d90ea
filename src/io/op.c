/* SPDX-License-Identifier: MIT */
/*
 * What becomes of an operation on an fd whose attempt has failed.
 */
#include "io/op.h"

int
fern__op_weigh(struct fern__op *op, int error)
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
