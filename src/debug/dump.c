/* SPDX-License-Identifier: MIT */
/*
 * The dump: who is there, in what state, waiting for what, until when, and where.
 *
 * One form serves fern_dump, reports and the dump signal; a signal handler asks for a lean one,
 * which takes no lock and no memory. A greenlet's part is composed line by line and handed to a
 * sink: a stdio stream of the user's, or a descriptor, past stdio, since the program may be
 * inside it.
 */
#include "debug/dump.h"

#include "base/clock.h"
#include "core/aside.h"
#include "core/wait.h"
#include "debug/backtrace.h"
#include "debug/cycle.h"
#include "debug/symbol.h"

#include <errno.h>
#include <fern/debug.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* Of one of a circle a few will do; where fern is part of the program its own come first. */
enum { FRAMES_SHOWN = 64, CIRCLE_FRAMES = 3, LINE_BYTES = 512, BLOCK_BYTES = 2048 };

struct dump {
    struct fern__hub *hub;
    enum fern__dump_kind kind;
    const void *from; /* the running greenlet is seen from here on; NULL: cut nothing */
    int64_t now;
    int written;
    FILE *out; /* NULL: to fd */
    int fd;
    size_t filled;
    char block[BLOCK_BYTES];
    struct fern__symbols symbols;
    struct fern__census census; /* not in a lean one, nor if there is no memory */
};

/* ---- output ---- */

static void
flush_block(struct dump *d)
{
    for (size_t at = 0; at < d->filled;) {
        ssize_t n = write(d->fd, d->block + at, d->filled - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    d->filled = 0;
}

static void
put(struct dump *d, const char *text, size_t n)
{
    if (d->out) {
        fwrite(text, 1, n, d->out);
        return;
    }
    if (d->filled + n > sizeof d->block)
        flush_block(d);
    for (size_t i = 0; i < n; i++)
        d->block[d->filled++] = text[i];
}

/* A line that is being composed; what does not fit is cut. */
struct line {
    char text[LINE_BYTES];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void
add(struct line *l, const char *format, ...)
{
    size_t room = sizeof l->text - 1 - l->n;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->text + l->n, room, format, args);
    va_end(args);
    if (n > 0)
        l->n += (size_t)n < room ? (size_t)n : room - 1;
}

static void
end_line(struct dump *d, struct line *l)
{
    l->text[l->n++] = '\n';
    put(d, l->text, l->n);
}

/* A length of time in the unit that suits it. */
static void
add_time(struct line *l, int64_t ns)
{
    static const struct {
        int64_t unit;
        const char *name;
    } units[] = {{FERN_SECOND, "s"}, {FERN_MS, "ms"}, {FERN_US, "us"}};
    size_t i = 0;
    while (i < 2 && ns < units[i].unit)
        i++;
    int64_t tenths = ns / (units[i].unit / 10);
    add(l, "%lld.%lld %s", (long long)(tenths / 10), (long long)(tenths % 10),
            units[i].name);
}

/* ---- one greenlet ---- */

static void
add_timer(struct dump *d, struct line *l, const fern_greenlet *g)
{
    if (g->life == FERN__LIFE_DONE)
        return;
    if (!fern__wheel_armed(&g->timer)) {
        if (fern__wait_is_open(g))
            add(l, ", no deadline");
        return;
    }
    unsigned kind = fern__wheel_kind(&g->timer);
    add(l, kind == FERN__TIMER_SLEEP    ? ", wakes "
            : kind == FERN__TIMER_START ? ", starts "
                                        : ", deadline ");
    int64_t left = g->timer.deadline - d->now;
    add(l, left < 0 ? "passed " : "in ");
    add_time(l, left < 0 ? -left : left);
    if (left < 0)
        add(l, " ago");
}

/* Writes of those whose doing is waited for who has ended. */
struct absence {
    struct fern__owners owners;
    const struct fern__census *census;
    struct line *line;
};

static void
add_absent(struct fern__owners *owners, uint64_t id, bool presumed)
{
    (void)presumed;
    struct absence *a = fern__container_of(owners, struct absence, owners);
    if (fern__census_find(a->census, id) == a->census->n)
        add(a->line, ", but #%llu has ended", (unsigned long long)id);
}

static void
add_wait(struct dump *d, struct line *l, const fern_greenlet *g)
{
    add(l, "parked in %s", g->waiting->name);
    char what[96] = "";
    if (g->waiting->describe)
        g->waiting->describe(&g->cell, what, sizeof what);
    if (*what)
        add(l, ": %s", what);
    struct absence absence = {{add_absent}, &d->census, l};
    if (d->census.n && g->waiting->owners)
        g->waiting->owners(&g->cell, &absence.owners);
}

static void
add_state(struct dump *d, struct line *l, fern_greenlet *g)
{
    fern_outcome outcome;
    switch (fern_greenlet_state(g)) {
    case FERN_STATE_NEW:
        add(l, "not started");
        break;
    case FERN_STATE_READY:
        if (g->flags & FERN__CALLER)
            add(l, "idle");
        else if (fern__wheel_armed(&g->timer) && g->life == FERN__LIFE_SPAWNED)
            add(l, "delayed");
        else
            add(l, "ready%s", g->life == FERN__LIFE_LIVE ? "" : ", has not run");
        break;
    case FERN_STATE_RUNNING:
        if (fern__wait_is_open(g))
            add_wait(d, l, g); /* the hub looks for work on its stack */
        else
            add(l, "running");
        break;
    case FERN_STATE_PARKED:
        add_wait(d, l, g);
        break;
    case FERN_STATE_DONE:
        (void)fern_greenlet_outcome(g, &outcome);
        add(l, "ended with code %d", outcome.code);
        break;
    }
}

/* How many of the innermost frames are the hub's work on a stack that is itself parked. */
static size_t
hubs_own(const fern_greenlet *g, void *const *frames, size_t n)
{
    for (size_t i = 0; fern__wait_is_open(g) && i < n; i++) {
        if (fern__backtrace_is_park(frames[i]))
            return i + 1;
    }
    return 0;
}

/* At most so many. Those inside of fern are left out up to the first that is not: what it waits
 * for says more. */
static void
put_frames(struct dump *d, fern_greenlet *g, size_t most)
{
    void *frames[FRAMES_SHOWN + FERN__BACKTRACE_EXTRA];
    size_t room = sizeof frames / sizeof *frames, n = 0;
    if (g == d->hub->current)
        n = fern__backtrace_running(d->from, frames, room);
    else if (g->life == FERN__LIFE_LIVE && d->kind != FERN__DUMP_UNSETTLED)
        n = fern__backtrace_parked(g, frames, room);
    bool inside = true;
    for (size_t i = hubs_own(g, frames, n); i < n && most > 0; i++) {
        const struct fern__symbol *symbol = fern__symbol_find(&d->symbols, frames[i]);
        inside = inside && symbol->ours;
        if (inside)
            continue;
        most--;
        struct line l = {.n = 0};
        add(&l, "    at ");
        int length = fern__symbol_write(symbol, l.text + l.n, sizeof l.text - 1 - l.n);
        l.n += (size_t)length < sizeof l.text - 1 - l.n ? (size_t)length
                                                        : sizeof l.text - 2 - l.n;
        end_line(d, &l);
    }
}

static bool
put_greenlet(fern_greenlet *g, void *arg)
{
    struct dump *d = arg;
    if (g->life == FERN__LIFE_DONE && !d->out)
        return true; /* only a reference is left of it */
    char label[160];
    fern__greenlet_label(g, label, sizeof label);
    struct line l = {.n = 0};
    add(&l, "%s", label);
    if (g->parent_id)
        add(&l, " by #%llu", (unsigned long long)g->parent_id);
    add(&l, g->flags & FERN__DAEMON ? ", daemon: " : ": ");
    add_state(d, &l, g);
    add_timer(d, &l, g);
    add(&l, ", ");
    add_time(&l, d->now > g->born_ns ? d->now - g->born_ns : 0);
    add(&l, " old");
    end_line(d, &l);
    put_frames(d, g, FRAMES_SHOWN);
    d->written++;
    if (!d->out)
        flush_block(d);
    return true;
}

static void
put_heading(struct dump *d, const struct fern__cycle *cycle)
{
    struct line l = {.n = 0};
    if (cycle->size == 1)
        add(&l, "fern: this one waits for itself:");
    else if (cycle->presumed)
        add(&l, "fern: these seem to wait for each other, each for the next one, if who "
                "put "
                "into a queue or got from it before is to do so again:");
    else
        add(&l, "fern: these wait for each other, each for the next one:");
    end_line(d, &l);
}

/* One of a circle: what it waits for, and where. */
static void
put_member(fern_greenlet *g, const struct fern__cycle *begins, void *arg)
{
    struct dump *d = arg;
    struct line l = {.n = 0};
    if (begins)
        put_heading(d, begins);
    char label[160];
    fern__greenlet_label(g, label, sizeof label);
    add(&l, "%s: ", label);
    add_wait(d, &l, g);
    end_line(d, &l);
    put_frames(d, g, CIRCLE_FRAMES);
}

/* ---- all of them ---- */

static void
put_header(struct dump *d)
{
    fern_hub_stats stats;
    struct line l = {.n = 0};
    if (fern_hub_get_stats(&stats) < 0)
        return;
    add(&l,
            "fern: thread %d: %llu greenlets, %llu stacks (%llu idle), %llu timers, "
            "%llu fds, poller %s, guard %s, %llu switches",
            (int)gettid(), (unsigned long long)stats.greenlets,
            (unsigned long long)stats.stacks, (unsigned long long)stats.stacks_idle,
            (unsigned long long)stats.timers, (unsigned long long)stats.fds,
            d->hub->poller->ops->name, fern__guard_name(d->hub->stacks.guard),
            (unsigned long long)stats.switches);
    end_line(d, &l);
}

static void
run(struct dump *d)
{
    d->now = fern__clock_now();
    bool lean = d->kind == FERN__DUMP_LEAN || d->kind == FERN__DUMP_UNSETTLED;
    fern__symbols_init(&d->symbols, lean);
    int r = lean ? 0 : fern__census_take(&d->census, d->hub);
    if (d->kind == FERN__DUMP_CYCLES) {
        if (r < 0 || fern__cycle_each(&d->census, put_member, d) < 0)
            fern__report("(no memory to look for those that wait for each other)");
    } else {
        put_header(d);
        fern__greenlet_each(d->hub, put_greenlet, d);
    }
    fern__census_fini(&d->census);
    fern__symbols_fini(&d->symbols);
}

struct request {
    struct fern__hub *hub;
    int fd;
    enum fern__dump_kind kind;
    const void *from;
};

static void
answer(void *arg)
{
    const struct request *r = arg;
    struct dump d = {.hub = r->hub, .kind = r->kind, .from = r->from, .fd = r->fd};
    int saved = errno;
    run(&d);
    flush_block(&d);
    errno = saved;
}

void
fern__dump_here(struct fern__hub *hub, int fd, enum fern__dump_kind kind, const void *from)
{
    struct request request = {hub, fd, kind, from};
    answer(&request);
}

void
fern__dump_aside(struct fern__hub *hub, int fd, enum fern__dump_kind kind, const void *from)
{
    struct request request = {hub, fd, kind, from};
    if (fern__aside(answer, &request) < 0)
        fern__report("(no memory to list the greenlets)");
}

int
fern_dump(FILE *out)
{
    struct fern__hub *hub = fern__self_hub();
    struct dump d = {
            .hub = hub, .out = out ? out : stderr, .from = __builtin_return_address(0)};
    if (hub)
        run(&d);
    return ferror(d.out) ? -EIO : d.written;
}
