/* SPDX-License-Identifier: MIT */
/*
 * Return addresses of a stack, innermost first.
 */
#ifndef FERN_DEBUG_BACKTRACE_H
#define FERN_DEBUG_BACKTRACE_H

#include "core/hub.h"

/* What the room given must be larger than the frames wanted: frames of our own, and of a sanitizer
 * that stands before libc's function, come first and are taken out. */
enum { FERN__BACKTRACE_EXTRA = 20 };

/* Of a greenlet that has run and is not running: ends at its function. @return how many frames */
size_t fern__backtrace_parked(const fern_greenlet *g, void **frames, size_t room);

/* Of the running stack, from the frame that returns to `from` outwards; NULL for all of it. */
size_t fern__backtrace_running(const void *from, void **frames, size_t room);

/* Whether a frame is that of the park that a greenlet waits in. */
bool fern__backtrace_is_park(const void *frame);

/* Load what the first backtrace of a process loads: afterwards one may be taken in a signal
 * handler. */
void fern__backtrace_prime(void);

#endif
