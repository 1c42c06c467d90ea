/* SPDX-License-Identifier: MIT */
/*
 * What core has to tell people.
 */
#include "core/report.h"

#include "debug/dump.h"
#include "debug/signal.h"

#include <unistd.h>

void
fern__report_attach(struct fern__hub *hub)
{
    fern__signal_attach(hub);
}

void
fern__report_detach(void)
{
    fern__signal_detach();
}

void
fern__report_wanted(struct fern__hub *hub)
{
    if (atomic_exchange(&hub->dump_wanted, false))
        fern__dump_aside(hub, STDERR_FILENO, FERN__DUMP_FULL, __builtin_return_address(0));
}

void
fern__report_deadlock(struct fern__hub *hub)
{
    fern__report("nothing can ever wake main: the call it waits in returns -EDEADLK. "
                 "Everybody who is there:");
    fern__dump_aside(hub, STDERR_FILENO, FERN__DUMP_FULL, __builtin_return_address(0));
}

void
fern__report_left(struct fern__hub *hub)
{
    fern__report("a thread has ended, and these of its greenlets would not:");
    fern__dump_aside(hub, STDERR_FILENO, FERN__DUMP_FULL, __builtin_return_address(0));
}
