/* SPDX-License-Identifier: MIT */
/*
 * What core has to tell people.
 */
#include "core/report.h"

#include "core/aside.h"
#include "debug/dump.h"
#include "debug/signal.h"
#include "debug/symbol.h"

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
    const void *from = __builtin_return_address(0);
    fern__report("nothing can ever wake main: the call it waits in returns -EDEADLK.");
    fern__dump_aside(hub, STDERR_FILENO, FERN__DUMP_CYCLES, from);
    fern__report("everybody who is there:");
    fern__dump_aside(hub, STDERR_FILENO, FERN__DUMP_FULL, from);
}

/* ---- locks ---- */

struct order_request {
    const fern_greenlet *g;
    const struct fern__order_report *report;
};

static void
tell_place(struct fern__symbols *symbols, const char *what, const void *lock,
        const void *place)
{
    char at[256];
    fern__symbol_write(fern__symbol_find(symbols, place), at, sizeof at);
    fern__report("    %s %p at %s", what, lock, at);
}

static void
tell_order(void *arg)
{
    const struct order_request *request = arg;
    const struct fern__order_report *r = request->report;
    char label[160];
    fern__greenlet_label(request->g, label, sizeof label);
    struct fern__symbols symbols;
    fern__symbols_init(&symbols, false);
    fern__report("locks against their order, by %s:", label);
    tell_place(&symbols, "it holds", r->held, r->held_place);
    tell_place(&symbols, "and wants", r->wanted, r->wanted_place);
    if (r->before_place) {
        fern__report("  but the other order was seen, directly or by way of others:");
        tell_place(&symbols, "the way from", r->wanted, r->before_place);
        tell_place(&symbols, "to", r->held, r->after_place);
    } else {
        fern__report("  but several must be taken in order of address");
    }
    fern__symbols_fini(&symbols);
}

void
fern__report_order(const fern_greenlet *g, const struct fern__order_report *report)
{
    struct order_request request = {g, report};
    if (fern__aside(tell_order, &request) < 0)
        fern__report("locks against their order (no memory to tell which)");
}

void
fern__report_left(struct fern__hub *hub)
{
    fern__report("a thread has ended, and these of its greenlets would not:");
    fern__dump_aside(hub, STDERR_FILENO, FERN__DUMP_FULL, __builtin_return_address(0));
}
