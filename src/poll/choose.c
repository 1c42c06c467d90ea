/* SPDX-License-Identifier: MIT */
/*
 * Which poller a hub gets.
 */
#include "core/poller.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

static int
poll_open(struct fern__hub *hub, struct fern__poller **ret_poller)
{
    struct fern__poller *poller = calloc(1, sizeof *poller);
    if (!poller)
        return -ENOMEM;
    poller->hub = hub;
    poller->ops = fern__poller_default();
    *ret_poller = poller;
    return 0;
}

static void
poll_close(struct fern__poller *poller)
{
    free(poller);
}

static int
poll_turn(struct fern__poller *poller, int64_t timeout_ns)
{
    (void)poller;
    struct timespec ts = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    ppoll(NULL, 0, timeout_ns == INT64_MAX ? NULL : &ts, NULL);
    return 0;
}

static int
poll_fd(struct fern__poller *poller)
{
    (void)poller;
    return -ENOSYS;
}

static uint64_t
poll_count(const struct fern__poller *poller)
{
    (void)poller;
    return 0;
}

static const struct fern__poller_ops ops = {
        .name = "poll",
        .open = poll_open,
        .close = poll_close,
        .turn = poll_turn,
        .fd = poll_fd,
        .count = poll_count,
};

const struct fern__poller_ops *
fern__poller_default(void)
{
    return &ops;
}
