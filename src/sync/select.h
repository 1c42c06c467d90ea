/* SPDX-License-Identifier: MIT */
/*
 * The cases of select, for whoever else waits for several things.
 */
#ifndef FERN_SYNC_SELECT_H
#define FERN_SYNC_SELECT_H

#include "sync/object.h"

#include <fern/wait.h>

/* The choice that stands for a case. @return 0; -EINVAL its kind is not known */
int fern__case_prepare(struct fern__hub *hub, const fern_case *c, size_t i,
        struct fern__choice *ret_choice);

#endif
