/* SPDX-License-Identifier: MIT */
/*
 * Events as select knows them.
 */
#ifndef FERN_SYNC_EVENT_H
#define FERN_SYNC_EVENT_H

#include "sync/object.h"

extern const struct fern__waitable fern__waitable_event;
extern const struct fern__waitable fern__waitable_result;

#endif
