/* SPDX-License-Identifier: MIT */
/*
 * Fairness and idling.
 *
 * Between two turns there are at most switches_max switches, and about slice_ns of time. Reading
 * the clock at every switch would cost more than the switch, so time is kept in two ways. An
 * operation that succeeds at once counts, and every OPS_PER_CLOCK of them, over all greenlets, the
 * clock is read: when the slice is over the next switch takes a turn. And the number of switches
 * follows the pace last seen: it shrinks at once when a turn came too late, and doubles when it
 * came early. So only a sudden change from short to long computations is seen one turn late.
 *
 * Waiting: waking a halted CPU takes about 20 us. While the last gap was short, the hub polls for a
 * while before it sleeps. It does so only if the gap ended with few events: with many connections
 * a gap is a small part of the work between two, and spinning through it would cost more than it
 * saves. With one CPU a spin would keep away what is waited for.
 */
#include "core/fair.h"

#include "base/clock.h"
#include "core/pause.h"
#include "core/report.h"
#include "core/sched.h"

#include <unistd.h>

enum {
    OPS_PER_CLOCK = 16,
    SWITCHES_MAX = 128,
    BUDGET_OPS = 128,
    SPIN_NS = 50000,
    SPIN_EVENTS = 4,
    NEAR_NS = 3000,
    GAPS_SHORT = 4, /* a gap below so many spins is worth one: most of it was waking up */
    STACKS_IDLE_MAX = 1024,
    SLICE_NS = 1000000,
};

/* A turn is due when so many places of the ready queue have come up since the last one. */
static void
set_turn(struct fern__hub *hub, int64_t pace)
{
    hub->pace = (int32_t)pace;
    hub->turned_head = hub->ready.head;
    hub->turn_at = hub->ready.head + (fern__fair_watched(hub) ? 0 : (uint32_t)pace);
}

void
fern__fair_init(struct fern__hub *hub)
{
    hub->options = (struct fern_hub_options){
            .size = sizeof hub->options,
            .switches_max = SWITCHES_MAX,
            .slice_ns = SLICE_NS,
            .budget_ops = BUDGET_OPS,
            .spin_ns = sysconf(_SC_NPROCESSORS_ONLN) > 1 && !fern__clock_is_virtual()
                               ? SPIN_NS
                               : -1,
            .stacks_idle_max = STACKS_IDLE_MAX,
    };
    set_turn(hub, 1);
    hub->ops_left = BUDGET_OPS;
    hub->ops_unclocked = OPS_PER_CLOCK;
    hub->now = hub->turned_at = fern__clock_now();
}

void
fern__fair_pace(struct fern__hub *hub)
{
    int64_t took = hub->now - hub->turned_at, slice = hub->options.slice_ns;
    int64_t made = (int32_t)(hub->ready.head - hub->turned_head);
    int64_t pace = hub->pace;
    hub->stats.switches += (uint64_t)(made > 0 ? made : 0);
    if (took > slice)
        pace = (made > 0 ? made : 1) * slice / took;
    else if (took < slice / 2)
        pace *= 2;
    if (pace < 1)
        pace = 1;
    if (pace > (int64_t)hub->options.switches_max)
        pace = hub->options.switches_max;
    hub->turned_at = hub->now;
    set_turn(hub, pace);
}

bool
fern__fair_turn_due(const struct fern__hub *hub)
{
    if (fern__fair_watched(hub))
        return (int32_t)(hub->ready.head - hub->turned_head) >= hub->pace;
    return (int32_t)(hub->turn_at - hub->ready.head) <= 0;
}

void
fern__fair_hurry(struct fern__hub *hub)
{
    int32_t made = (int32_t)(hub->ready.head - hub->turned_head);
    hub->pace = made < 1 ? made : 1; /* below one if somebody was put before the first */
    hub->turn_at = hub->ready.head;
}

void
fern__fair_delay(struct fern__hub *hub)
{
    int32_t made = (int32_t)(hub->ready.head - hub->turned_head);
    if (hub->pace < made + 2)
        hub->pace = made + 2;
    if (!fern__fair_watched(hub) && (int32_t)(hub->turn_at - hub->ready.head) < 2)
        hub->turn_at = hub->ready.head + 2;
}

uint64_t
fern__fair_switches(const struct fern__hub *hub)
{
    int32_t made = (int32_t)(hub->ready.head - hub->turned_head);
    return hub->stats.switches + (uint64_t)(made > 0 ? made : 0);
}

void
fern__sched_spend_slow(struct fern__hub *hub)
{
    if (hub->ops_unclocked <= 0) {
        hub->ops_unclocked = OPS_PER_CLOCK;
        if (fern__clock_now() - hub->turned_at >= hub->options.slice_ns) {
            fern__fair_hurry(hub);
            hub->ops_left = 0;
        }
    }
    if (hub->ops_left > 0 || hub->current->interrupt == -EDEADLK)
        return;
    hub->ops_left = (int32_t)hub->options.budget_ops;
    fern__pause_yield(hub, hub->current);
}

/* Poll without sleeping for as long as a spin may last. @return how many events came */
static int
spin(struct fern__hub *hub, int64_t started, int64_t timeout_ns)
{
    int64_t limit = hub->options.spin_ns < timeout_ns ? hub->options.spin_ns : timeout_ns;
    int events;
    do {
        events = hub->poller->ops->turn(hub->poller, 0);
    } while (events == 0 && fern__clock_now() - started < limit);
    return events;
}

static int
sleep_in_poller(struct fern__hub *hub, int64_t timeout_ns)
{
    hub->stats.polls_blocking++;
    atomic_store_explicit(&hub->polling, true, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    /* From here on a signal handler writes the dump by itself; before, it only asked for it. */
    if (fern__unlikely(atomic_load_explicit(&hub->dump_wanted, memory_order_relaxed)))
        fern__report_wanted(hub);
    int events = hub->poller->ops->turn(hub->poller, timeout_ns);
    atomic_store_explicit(&hub->polling, false, memory_order_relaxed);
    return events;
}

/* A timer is due sooner than a sleep could begin and end: look on until then. */
static void
await_timer(struct fern__hub *hub, int64_t timeout_ns)
{
    int64_t until = fern__clock_now() + timeout_ns;
    do {
        if (hub->poller->busy && hub->poller->ops->turn(hub->poller, 0) > 0)
            return;
    } while (fern__clock_now() < until);
}

void
fern__fair_wait(struct fern__hub *hub, int64_t timeout_ns)
{
    if (timeout_ns < NEAR_NS && !fern__clock_is_virtual()) {
        await_timer(hub, timeout_ns);
        return;
    }
    /* Virtual time stands still while one looks on. */
    if (hub->options.spin_ns < 0 || !hub->poller->busy || fern__clock_is_virtual()) {
        sleep_in_poller(hub, timeout_ns);
        return;
    }
    int64_t started = fern__clock_now();
    int events = hub->spinning ? spin(hub, started, timeout_ns) : 0;
    if (!events) {
        int64_t spent =
                hub->spinning && timeout_ns != INT64_MAX ? fern__clock_now() - started : 0;
        events = sleep_in_poller(hub, timeout_ns > spent ? timeout_ns - spent : 0);
    }
    int64_t gap = fern__clock_now() - started;
    hub->spinning =
            events > 0 && events <= SPIN_EVENTS && gap < GAPS_SHORT * hub->options.spin_ns;
}
