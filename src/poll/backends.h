/* SPDX-License-Identifier: MIT */
/*
 * The pollers that there are. Each is a file with the same functions in the same order.
 */
#ifndef FERN_POLL_BACKENDS_H
#define FERN_POLL_BACKENDS_H

#include "core/poller.h"

extern const struct fern__waitable fern__fd_choice;

extern const struct fern__poller_ops fern__poller_epoll;
extern const struct fern__poller_ops fern__poller_poll;
extern const struct fern__poller_ops fern__poller_select;
extern const struct fern__poller_ops fern__poller_sim;

#endif
