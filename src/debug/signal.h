/* SPDX-License-Identifier: MIT */
/*
 * The dump that a signal asks for.
 */
#ifndef FERN_DEBUG_SIGNAL_H
#define FERN_DEBUG_SIGNAL_H

#include "core/hub.h"

/* How long a hub that was asked may run on without a turn before it is dumped as it stands: a fifth
 * of it if its last turn is as long ago. Tests of what its turn writes leave it more. */
extern int64_t fern__signal_patience_ns;

/* If FERN_DUMP_SIGNAL names a signal, let it dump this hub. */
void fern__signal_attach(struct fern__hub *hub);

/* This thread's hub ends. */
void fern__signal_detach(void);

#endif
