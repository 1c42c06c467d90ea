/* SPDX-License-Identifier: MIT */
/*
 * Writing who is there.
 */
#ifndef FERN_DEBUG_DUMP_H
#define FERN_DEBUG_DUMP_H

#include "core/hub.h"

enum fern__dump_kind {
    FERN__DUMP_FULL,
    FERN__DUMP_LEAN,     /* in a signal handler: takes no lock and no memory */
    FERN__DUMP_CYCLES,   /* only those that wait for each other */
    FERN__DUMP_UNSETTLED /* as lean, and a switch may be under way: no parked backtraces */
};

/* Write a hub's greenlets to a descriptor, each in one write. The running one is shown from the
 * frame that returns to `from` outwards. Needs 32 KiB of stack, or brings its own: who parks may
 * have 2 KiB left. */
void fern__dump_here(
        struct fern__hub *hub, int fd, enum fern__dump_kind kind, const void *from);
void fern__dump_aside(
        struct fern__hub *hub, int fd, enum fern__dump_kind kind, const void *from);

#endif
