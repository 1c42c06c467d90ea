/* SPDX-License-Identifier: MIT */
/*
 * The C++ runtime's exception state, which is kept per greenlet when there is such a runtime.
 */
#ifndef FERN_CORE_CXX_H
#define FERN_CORE_CXX_H

#include "core/hub.h"

/* Look for the runtime, if libraries have been loaded since the last look. */
void fern__cxx_find(struct fern__hub *hub);

#endif
