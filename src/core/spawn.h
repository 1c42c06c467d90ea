/* SPDX-License-Identifier: MIT */
/*
 * Spawning, as the rest of core sees it.
 */
#ifndef FERN_CORE_SPAWN_H
#define FERN_CORE_SPAWN_H

#include "core/hub.h"

/* The greenlet with this id has ended: those of its children that must not outlive it and have
 * not started never will. */
void fern__spawn_orphan(struct fern__hub *hub, uint64_t id);

/* A new greenlet with one reference, its stack and its place in the ready queue reserved, not
 * started; or NULL with errno. */
fern_greenlet *fern__spawn_make(struct fern__hub *hub, fern_fn *fn, void *arg);

#endif
