/* SPDX-License-Identifier: MIT */
/*
 * Values under keys, as the life of greenlets and hubs sees them.
 */
#ifndef FERN_CORE_LOCALS_H
#define FERN_CORE_LOCALS_H

#include "core/hub.h"

/* A hub begins: note whether there are keys whose values pass to spawned greenlets. */
void fern__locals_attach(struct fern__hub *hub);

/* The current greenlet spawns one: hand on what passes to it. @return 0; -ENOMEM */
int fern__locals_inherit(struct fern__hub *hub, fern_greenlet *g);

/* A greenlet has ended: destroy its values. */
void fern__locals_end(fern_greenlet *g);

/* Free what a greenlet has that is dropped with its hub, without calling anything. */
void fern__locals_drop(fern_greenlet *g);

#endif
