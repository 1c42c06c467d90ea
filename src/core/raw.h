/* SPDX-License-Identifier: MIT */
/*
 * Raw coroutines, as the end of a greenlet sees them.
 */
#ifndef FERN_CORE_RAW_H
#define FERN_CORE_RAW_H

#include "core/hub.h"

/* A raw coroutine has ended: hand its value, or its failure's code, to the nearest ancestor that
 * has not, which runs next. */
void fern__raw_finish(fern_greenlet *g, void *value);

#endif
