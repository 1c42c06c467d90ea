/* SPDX-License-Identifier: MIT */
/*
 * Which poller a hub gets: the one that FERN_POLLER names, else epoll.
 *
 * The virtual clock of sim must run before anything reads the time, so it is started when the
 * library is loaded.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "poll/backends.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static const struct fern__poller_ops *const pollers[] = {
        &fern__poller_epoll, /* the default */
        &fern__poller_poll,
        &fern__poller_select,
        &fern__poller_sim,
};

enum { POLLERS = sizeof pollers / sizeof pollers[0] };

static const struct fern__poller_ops *
find(const char *name)
{
    for (size_t i = 0; i < POLLERS; i++) {
        if (strcmp(name, pollers[i]->name) == 0)
            return pollers[i];
    }
    return NULL;
}

const struct fern__poller_ops *
fern__poller_default(void)
{
    const char *name = getenv("FERN_POLLER");
    if (!name || !*name)
        return pollers[0];
    const struct fern__poller_ops *ops = find(name);
    if (!ops)
        fern__report("FERN_POLLER=\"%s\": there is no such poller; valid are epoll, poll, "
                     "select, sim",
                name);
    return ops;
}

__attribute__((constructor)) static void
prepare(void)
{
    const char *name = getenv("FERN_POLLER");
    if (name && strcmp(name, fern__poller_sim.name) == 0)
        fern__clock_virtual_start();
    const char *faults = getenv("FERN_FAULT");
    if (faults)
        fern__fault_read(faults);
}
