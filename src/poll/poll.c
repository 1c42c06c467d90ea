/* SPDX-License-Identifier: MIT */
/*
 * The poll poller: ppoll over the fds that somebody waits for.
 */
#include "poll/backends.h"
#include "poll/level.h"

static void
poll_close(struct fern__poller *poller)
{
    fern__level_close(poller);
}

static int
poll_open(struct fern__hub *hub, struct fern__poller **ret_poller)
{
    return fern__level_open(
            hub, &fern__poller_poll, sizeof(struct fern__level), ret_poller);
}

static int
poll_turn(struct fern__poller *poller, int64_t timeout_ns)
{
    return fern__level_poll(fern__level_of(poller), timeout_ns);
}

static int
poll_fd(struct fern__poller *poller)
{
    (void)poller;
    return -ENOSYS;
}

static int64_t
poll_due(const struct fern__poller *poller)
{
    (void)poller;
    return INT64_MAX;
}

static uint64_t
poll_count(const struct fern__poller *poller)
{
    return fern__container_of(poller, struct fern__level, fds.poller)->fds.registered;
}

const struct fern__poller_ops fern__poller_poll = {
        .name = "poll",
        .open = poll_open,
        .close = poll_close,
        .turn = poll_turn,
        .fd = poll_fd,
        .due = poll_due,
        .count = poll_count,
        .choice = &fern__fd_choice,
};
