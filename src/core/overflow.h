/* SPDX-License-Identifier: MIT */
/*
 * Stack overflow: saying whose it was.
 */
#ifndef FERN_CORE_OVERFLOW_H
#define FERN_CORE_OVERFLOW_H

#include "core/hub.h"

/* Install the process's SIGSEGV handler (once) and this thread's alternate stack, unless the
 * thread has one. @return 0; -ENOMEM */
int fern__overflow_attach(struct fern__hub *hub);

/* Take this thread's alternate stack away again. */
void fern__overflow_detach(struct fern__hub *hub);

/* In canary mode, while the greenlet is still on its stack: die with a report if it has run out
 * of it. */
void fern__overflow_check(struct fern__hub *hub, fern_greenlet *g, bool ended);

#endif
