/* SPDX-License-Identifier: MIT */
/*
 * The thread-local slot. The initial-exec model makes a read of it one instruction; its few
 * bytes fit the surplus that the loader keeps for libraries that are opened late.
 */
#include "core/self.h"

__thread struct fern__self fern__self_slot;
