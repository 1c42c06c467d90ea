/* SPDX-License-Identifier: MIT */
/*
 * What core asks of a poller.
 *
 * A poller is a const table of operations; poll/ supplies one for each backend and chooses among
 * them. Its state begins with struct fern__poller, so that core can find the table.
 */
#ifndef FERN_CORE_POLLER_H
#define FERN_CORE_POLLER_H

#include <stdbool.h>
#include <stdint.h>

struct fern__hub;
struct fern__poller;
struct fern__waitable;

struct fern__poller_ops {
    const char *name;

    /* @return 0 and the poller; -EMFILE, -ENFILE, -ENOMEM */
    int (*open)(struct fern__hub *hub, struct fern__poller **ret_poller);

    void (*close)(struct fern__poller *poller);

    /* Wait up to timeout_ns (0: only look; INT64_MAX: no limit) for fds, and wake their waiters in
     * the kernel's order. Returns early on a signal. @return how many events were seen */
    int (*turn)(struct fern__poller *poller, int64_t timeout_ns);

    /* A descriptor that is readable when turn has work, or -ENOSYS. */
    int (*fd)(struct fern__poller *poller);

    /* When turn has work of its own, whether an event has come or not; INT64_MAX: none. */
    int64_t (*due)(const struct fern__poller *poller);

    /* How many fds are registered. */
    uint64_t (*count)(const struct fern__poller *poller);

    /* Events at an fd as one of several things to wait for: object is the fd's number, the
     * watch's `events` what is wanted; the result is what poll() says of it. */
    const struct fern__waitable *choice;
};

struct fern__poller {
    const struct fern__poller_ops *ops;
    struct fern__hub *hub;
    bool busy; /* has something to look at: without, turn(0) need not be called */
};

/* The table that FERN_POLLER names, or the default; NULL with a report if the name is unknown.
 * Defined in poll/. */
const struct fern__poller_ops *fern__poller_default(void);

#endif
