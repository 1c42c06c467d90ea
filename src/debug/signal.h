/* SPDX-License-Identifier: MIT */
/*
 * The dump that a signal asks for.
 */
#ifndef FERN_DEBUG_SIGNAL_H
#define FERN_DEBUG_SIGNAL_H

#include "core/hub.h"

/* If FERN_DUMP_SIGNAL names a signal, let it dump this hub. */
void fern__signal_attach(struct fern__hub *hub);

/* This thread's hub ends. */
void fern__signal_detach(void);

#endif
