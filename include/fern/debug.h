/* SPDX-License-Identifier: MIT */
/*
 * Seeing: who is there, what everybody waits for and where.
 *
 *     fern_dump(stderr);
 *
 * With FERN_DUMP_SIGNAL=QUIT in the environment (or any signal's name or number), that signal
 * prints the dump to stderr and the program runs on.
 */
#ifndef FERN_DEBUG_H
#define FERN_DEBUG_H

#include <fern/base.h>
#include <fern/greenlet.h>
#include <stdio.h>

FERN__BEGIN_DECLS

/**
 * Write every greenlet of this thread's hub: id, name, state, age, where it was spawned, what it
 * waits for, its deadline, and a backtrace of where it is parked.
 *
 * @param  out  where to; NULL for stderr
 * @return how many greenlets were written; -EIO writing failed
 *
 * May switch: no.  Thread: any; its own hub.  Owner: borrows out.
 */
FERN_API int fern_dump(FILE *out);

/**
 * The return addresses of a greenlet's stack, innermost first, ending at its function.
 *
 * @param  g           a greenlet of this hub; NULL is the current one
 * @param  ret_frames  room for max addresses
 * @param  max         how many fit, 1 to 1024
 * @return how many were written, 0 for one that has not run or has ended; -EINVAL; -EXDEV another hub's
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API int fern_backtrace(const fern_greenlet *g, void **ret_frames, size_t max);

FERN__END_DECLS

#endif
