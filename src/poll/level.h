/* SPDX-License-Identifier: MIT */
/*
 * What the level-triggered pollers share: the list of fds that somebody waits for.
 *
 * An fd enters the list when a waiter parks, and leaves it at the next turn that finds nobody
 * waiting. So nothing that is ready and unwanted is ever asked for, and a turn cannot spin.
 */
#ifndef FERN_POLL_LEVEL_H
#define FERN_POLL_LEVEL_H

#include "poll/fdtab.h"

struct fern__level {
    struct fern__fds fds;
    int fd_limit; /* numbers from here on are refused; 0: no limit */
    size_t count;
    size_t room;
    struct pollfd *list; /* .fd in order of parking; .events at the last turn */
};

extern const struct fern__fds_ops fern__level_ops;

static inline struct fern__level *
fern__level_of(struct fern__poller *poller)
{
    return fern__container_of(poller, struct fern__level, fds.poller);
}

/* Open a poller of `bytes` that begins with struct fern__level. @return 0; -ENOMEM */
int fern__level_open(struct fern__hub *hub, const struct fern__poller_ops *ops,
        size_t bytes, struct fern__poller **ret_poller);
void fern__level_close(struct fern__poller *poller);

/* Drop from the list what nobody waits for, and set .events of the rest. */
void fern__level_collect(struct fern__level *level);

/* Deliver .revents. @return how many there were */
int fern__level_deliver(struct fern__level *level);

/* ppoll over the list. @return how many events were delivered */
int fern__level_poll(struct fern__level *level, int64_t timeout_ns);

#endif
