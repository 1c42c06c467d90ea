/* SPDX-License-Identifier: MIT */
/*
 * Running a hub as a loop, for whatever the runner waits for.
 */
#ifndef FERN_CORE_LOOP_H
#define FERN_CORE_LOOP_H

#include "core/wait.h"

/* Begin to run: while it waits, the caller is to be hub->runner. @return 0; 1 it has been stopped
 * before, and what was ready has run; a negative code */
int fern__loop_begin(struct fern__hub **ret_hub, fern_greenlet **ret_g, fern_time deadline);

#endif
