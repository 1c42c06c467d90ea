/* SPDX-License-Identifier: MIT */
/*
 * When nothing can ever wake main.
 */
#ifndef FERN_CORE_STARVE_H
#define FERN_CORE_STARVE_H

#include "core/hub.h"

/* The hub is about to wait without any waker of its own. If nothing outside can wake it either,
 * report everybody and make the root ready with -EDEADLK. @return true if it was made ready;
 * false: something may still come, ask again after hub->recheck_ns */
bool fern__starve(struct fern__hub *hub);

#endif
