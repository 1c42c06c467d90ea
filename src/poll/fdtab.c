/* SPDX-License-Identifier: MIT */
/*
 * The fd table: records, generations, waking.
 *
 * Invariants: a record is valid while its word is the complement of the process's word for that
 * number (so a zeroed one never is: no word has all bits set). Nobody waits on a stale record,
 * but for the time between another thread's close and this hub's next look. If `ready` says IN
 * and somebody waits for IN, then a waiter has been woken that has not run yet, and it passes on
 * what it leaves; likewise for OUT.
 *
 * Why readiness may be believed: an fd that fern opened is registered once, edge-triggered, and
 * every change to ready is an edge. FERN__FD_IN is cleared by -EAGAIN, and by a short read only
 * where a short read proves that nothing is left and where no hang-up, error or urgent mark has
 * been seen: data and end may come as one edge. For all other fds the registration is verified
 * before each park, which reports what is ready already.
 *
 * Unix streams stand between: a short read there is proof unless fds came with the bytes, for a
 * read ends behind those. To ask the kernel each time would cost a tenth of an echo (recvmsg, which
 * tells, as much as a read that finds nothing). So the short read is believed, and a park that
 * lasts some milliseconds is looked at once. If bytes are there then of which the next poll says
 * nothing, they were there before: short reads are not believed any more at that one.
 *
 * Called by io/ for its operations and by the pollers, which deliver events.
 */
#include "poll/fdtab.h"

#include "base/clock.h"
#include "core/pause.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORD_KIND_MASK = 0xff,
    WORD_STEP = 0x100,
    CHAIN_END = -1,
    SWEEP_MAX = 64, /* records that one turn looks at */
};

/* How long a park stands before it is looked at: of most, and of MARKED ones. */
static const int64_t SWEEP_NS[2] = {FERN_SECOND, 4 * FERN_MS};

_Atomic uint32_t fern__fd_words[FERN__FDS_MAX];

/* ---- what waits ---- */

static void
describe(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct fern__fd *rec = cell->object;
    const char *what =
            cell->greenlet->waiting == &fern__waitable_fd_in ? "readable" : "writable";
    snprintf(text, bytes, "fd %d to be %s", rec->fd, what);
}

const struct fern__waitable fern__waitable_fd_in = {
        .name = "fd", .outside = true, .describe = describe};
const struct fern__waitable fern__waitable_fd_out = {
        .name = "fd", .outside = true, .describe = describe};

/* ---- the table ---- */

void
fern__fds_init(struct fern__fds *fds, struct fern__hub *hub,
        const struct fern__poller_ops *poller_ops, const struct fern__fds_ops *ops)
{
    fds->poller.ops = poller_ops;
    fds->poller.hub = hub;
    fds->ops = ops;
    for (int i = 0; i < 2; i++)
        fds->chains[i] = (struct fern__fd_chain){CHAIN_END, CHAIN_END, INT64_MAX};
    fds->sweep_at = INT64_MAX;
    fds->found = CHAIN_END;
}

void
fern__fds_fini(struct fern__fds *fds)
{
    for (size_t i = 0; i < fds->chunk_count; i++)
        free(fds->chunks[i]);
    free(fds->chunks);
}

static int
make_chunk(struct fern__fds *fds, size_t chunk)
{
    if (chunk >= fds->chunk_count) {
        struct fern__fd **chunks = realloc(fds->chunks, (chunk + 1) * sizeof(*chunks));
        if (!chunks)
            return -ENOMEM;
        memset(chunks + fds->chunk_count, 0,
                (chunk + 1 - fds->chunk_count) * sizeof(*chunks));
        fds->chunks = chunks;
        fds->chunk_count = chunk + 1;
    }
    if (!fds->chunks[chunk]) {
        size_t bytes = FERN__FD_CHUNK * sizeof(struct fern__fd);
        struct fern__fd *recs = aligned_alloc(sizeof(struct fern__fd), bytes);
        if (!recs)
            return -ENOMEM;
        memset(recs, 0, bytes);
        fds->chunks[chunk] = recs;
    }
    return 0;
}

/* ---- learning ---- */

int
fern__fd_look(int fd)
{
    struct stat st;
    int r = fern__sys_fstat(fd, &st);
    if (r < 0)
        return r;
    switch (st.st_mode & S_IFMT) {
    case S_IFSOCK:
        return FERN__FD_MSG;
    case S_IFREG:
    case S_IFDIR:
    case S_IFBLK:
        return FERN__FD_PLAIN;
    default:
        return FERN__FD_NOWAIT;
    }
}

static void
learn_own(struct fern__fd *rec, enum fern__fd_kind kind)
{
    bool unix_stream = kind == FERN__FD_UNIX;
    bool socket = kind == FERN__FD_TCP || kind == FERN__FD_SOCKET || unix_stream;
    bool simple = kind == FERN__FD_TCP || kind == FERN__FD_PIPE || unix_stream;
    rec->how = socket ? FERN__FD_MSG : FERN__FD_NOWAIT;
    rec->state = (uint8_t)(FERN__FD_OWN | (simple ? FERN__FD_SHORT : 0) |
                           (unix_stream ? FERN__FD_MARKED | FERN__FD_LAZY_OUT : 0));
}

/* Fill a record in from its word, or by looking. */
static int
learn(struct fern__fd *rec, int fd)
{
    uint32_t word = fern__fd_word(fd);
    enum fern__fd_kind kind = ~word & WORD_KIND_MASK;
    if (kind != FERN__FD_FOREIGN) {
        learn_own(rec, kind);
    } else {
        int how = fern__fd_look(fd);
        if (how < 0)
            return how;
        rec->how = (uint8_t)how;
        rec->state = 0;
    }
    rec->fd = fd;
    rec->word = word;
    rec->ready = FERN__FD_IN | FERN__FD_OUT;
    return 0;
}

static void
unregister(struct fern__fds *fds, struct fern__fd *rec)
{
    if (rec->state & FERN__FD_REGISTERED)
        fds->ops->drop(fds, rec);
}

struct fern__fd *
fern__fd_learn(struct fern__fds *fds, int fd, int *ret_error)
{
    int r = -EBADF;
    if (fd < 0)
        goto fail;
    if (fd >= FERN__FDS_MAX) {
        struct stat st;
        r = fern__sys_fstat(fd, &st);
        r = r < 0 ? r : -EMFILE;
        goto fail;
    }
    r = make_chunk(fds, (size_t)fd >> FERN__FD_CHUNK_SHIFT);
    if (r < 0)
        goto fail;
    struct fern__fd *rec = fern__fd_at(fds, fd);
    if (rec->word)
        fern__fd_gone(fds, rec);
    r = learn(rec, fd);
    if (r < 0)
        goto fail;
    return rec;
fail:
    *ret_error = r;
    return NULL;
}

int
fern__fd_doubt(struct fern__fds *fds, struct fern__fd *rec)
{
    int how = fern__fd_look(rec->fd);
    if (how < 0) {
        fern__fd_gone(fds, rec);
        return how;
    }
    unregister(fds, rec);
    rec->how = (uint8_t)how;
    rec->state = 0;
    rec->ready = FERN__FD_IN | FERN__FD_OUT;
    return 0;
}

/* ---- waiting ---- */

void
fern__fd_note_park(struct fern__fds *fds, struct fern__fd *rec)
{
    rec->state &= (uint8_t)~FERN__FD_AGED;
    if (fern__likely(rec->next_parked != 0))
        return;
    int which = rec->state & FERN__FD_MARKED ? 1 : 0;
    struct fern__fd_chain *chain = &fds->chains[which];
    rec->next_parked = chain->first;
    chain->first = rec->fd + 1;
    if (chain->at == INT64_MAX) {
        chain->at = fds->poller.hub->now + SWEEP_NS[which];
        if (fds->sweep_at > chain->at)
            fds->sweep_at = chain->at;
    }
}

/* The kernel cannot tell when this will be ready, and so calls it ready always: it is no file that
 * fern opened, whatever was believed. Then it is asked by poll, which says so too, and used
 * plainly, as a file. If even that gives -EAGAIN others run before it is tried again, as long as
 * the deadline allows. */
static int
take_as_ready(
        struct fern__fds *fds, fern_greenlet *g, struct fern__fd *rec, fern_time deadline)
{
    if (rec->how == FERN__FD_POLLED) {
        if (deadline.ns != INT64_MAX && fern__clock_now() >= deadline.ns)
            return -ETIME;
        fern__pause_yield(fds->poller.hub, g);
    }
    rec->how = FERN__FD_POLLED;
    rec->state &= (uint8_t)~FERN__FD_OWN;
    return 0;
}

int
fern__fd_wait(struct fern__fds *fds, fern_greenlet *g, struct fern__fd *rec, unsigned dir,
        bool again, fern_time deadline)
{
    if (fern__unlikely(g->interrupt))
        return g->interrupt;
    uint32_t word = rec->word;
    int r = fern__fd_arm(fds, rec, dir == FERN__FD_OUT);
    if (fern__unlikely(r != 0)) {
        return r < 0 ? r : take_as_ready(fds, g, rec, deadline);
    }
    fern__fd_note_park(fds, rec);
    fern__wait_begin(
            g, dir == FERN__FD_IN ? &fern__waitable_fd_in : &fern__waitable_fd_out, rec);
    struct fern__list *queue = &rec->waiters[dir - 1];
    if (again && !fern__list_empty(queue))
        fern__list_insert_before(queue->next, &g->cell.node);
    else
        fern__wait_add(queue, &g->cell);
    r = fern__park(fds->poller.hub, g, deadline);
    /* It may have been closed after it became ready and before this greenlet ran. */
    if (fern__unlikely(word != rec->word || word != fern__fd_word(rec->fd)))
        return r < 0 ? r : -EBADF;
    return r;
}

/* What a record calls the events of poll. */
static uint32_t
plain_events(short events)
{
    return (uint16_t)events | (events & (POLLRDNORM | POLLRDBAND) ? POLLIN : 0u) |
           (events & (POLLWRNORM | POLLWRBAND) ? POLLOUT : 0u);
}

int
fern__fd_watch(struct fern__fds *fds, fern_greenlet *g, struct fern__watch *watch, int fd,
        short events)
{
    int r;
    struct fern__fd *rec = fern__fd_get(fds, fd, &r);
    if (!rec)
        return r;
    watch->events = plain_events(events);
    watch->word = rec->word;
    r = fern__fd_arm(fds, rec, watch->events & POLLOUT);
    if (r != 0)
        return r;
    watch->cell.greenlet = g;
    watch->cell.object = rec;
    fern__wait_add(&rec->watchers, &watch->cell);
    fern__fd_note_park(fds, rec);
    return 0;
}

void
fern__fd_serve(struct fern__fd *rec, unsigned dir)
{
    for (struct fern__cell *cell; (cell = fern__wait_first(&rec->waiters[dir - 1]));) {
        if (fern__wake(cell, 0))
            return;
    }
}

static void
tell_watchers(struct fern__fd *rec, uint32_t events, int result)
{
    FERN__LIST_FOREACH_SAFE (node, after, &rec->watchers) {
        struct fern__watch *watch = fern__container_of(node, struct fern__watch, cell.node);
        if (events & (watch->events | POLLERR | POLLHUP | POLLNVAL))
            fern__wake(&watch->cell, result);
    }
}

/* An error, a hang-up, an end or an urgent mark. */
static __attribute__((noinline)) void
odd_event(struct fern__fd *rec, uint32_t events)
{
    rec->state &= (uint8_t)~FERN__FD_SHORT;
    if (events & (POLLERR | POLLHUP))
        rec->ready |= FERN__FD_IN | FERN__FD_OUT;
    if (events & (POLLRDHUP | POLLPRI)) /* whoever waits for an urgent byte reads too */
        rec->ready |= FERN__FD_IN;
}

void
fern__fd_event(struct fern__fd *rec, uint32_t events)
{
    if (fern__unlikely(events & (POLLERR | POLLHUP | POLLRDHUP | POLLPRI)))
        odd_event(rec, events);
    rec->ready |= (uint8_t)((events & POLLIN ? FERN__FD_IN : 0) |
                            (events & POLLOUT ? FERN__FD_OUT : 0));
    fern__fd_pass(rec, FERN__FD_IN);
    fern__fd_pass(rec, FERN__FD_OUT);
    if (fern__unlikely(!fern__list_empty(&rec->watchers)))
        tell_watchers(rec, events, 0);
}

uint32_t
fern__fd_interest(const struct fern__fd *rec)
{
    uint32_t events = 0;
    if (!fern__list_empty(&rec->waiters[FERN__FD_IN - 1]))
        events |= POLLIN;
    if (!fern__list_empty(&rec->waiters[FERN__FD_OUT - 1]))
        events |= POLLOUT;
    FERN__LIST_FOREACH (node, &rec->watchers)
        events |= fern__container_of(node, struct fern__watch, cell.node)->events |
                  POLLERR | POLLHUP;
    return events;
}

/* ---- opening and closing ---- */

static void
wake_all(struct fern__fd *rec, int result)
{
    for (int i = 0; i < 2; i++) {
        for (struct fern__cell *cell; (cell = fern__wait_first(&rec->waiters[i]));)
            fern__wake(cell, result);
    }
    tell_watchers(rec, POLLNVAL, result);
}

void
fern__fd_gone(struct fern__fds *fds, struct fern__fd *rec)
{
    unregister(fds, rec);
    rec->word = 0;
    wake_all(rec, -EBADF);
}

/* The record on this thread's hub, stale or not; or NULL. */
static struct fern__fd *
local(int fd, struct fern__fds **ret_fds)
{
    struct fern__hub *hub = fern__self_hub();
    if (!hub)
        return NULL;
    struct fern__fds *fds = *ret_fds = fern__fds_of(hub);
    size_t chunk = (size_t)fd >> FERN__FD_CHUNK_SHIFT;
    if (chunk >= fds->chunk_count || !fds->chunks[chunk])
        return NULL;
    struct fern__fd *rec = fern__fd_at(fds, fd);
    return rec->word ? rec : NULL;
}

/* The next generation of a number. */
static void
turn_over(int fd, enum fern__fd_kind kind)
{
    uint32_t old = atomic_load_explicit(&fern__fd_words[fd], memory_order_relaxed), new;
    do {
        new = ((old & ~(uint32_t)WORD_KIND_MASK) + WORD_STEP) | (uint32_t)kind;
    } while (!atomic_compare_exchange_weak(&fern__fd_words[fd], &old, new));
}

static void
change(int fd, enum fern__fd_kind kind)
{
    if (fd < 0 || fd >= FERN__FDS_MAX)
        return;
    struct fern__fds *fds;
    struct fern__fd *rec = local(fd, &fds);
    if (rec)
        fern__fd_gone(fds, rec);
    turn_over(fd, kind);
}

void
fern__fd_opened(int fd, enum fern__fd_kind kind)
{
    change(fd, kind);
}

void
fern__fd_closing(int fd)
{
    change(fd, FERN__FD_FOREIGN);
}

void
fern__fd_shut(struct fern__fds *fds, int fd, unsigned dirs)
{
    int ignored;
    struct fern__fd *rec = fern__fd_get(fds, fd, &ignored);
    if (!rec)
        return;
    rec->state &= (uint8_t)~FERN__FD_SHORT;
    rec->ready |= (uint8_t)dirs;
    for (unsigned dir = FERN__FD_IN; dir <= FERN__FD_OUT; dir++) {
        struct fern__cell *cell;
        while (dirs & dir && (cell = fern__wait_first(&rec->waiters[dir - 1])))
            fern__wake(cell, 0);
    }
}

/* ---- sweeping ---- */

/* Verify one that has waited since before the last sweep. */
static void
verify(struct fern__fds *fds, struct fern__fd *rec)
{
    /* Another thread has closed it, and the number may be another's by now. */
    if (rec->word != fern__fd_word(rec->fd)) {
        fern__fd_gone(fds, rec);
        return;
    }
    bool own = rec->state & FERN__FD_OWN;
    int r = fds->ops->arm(fds, rec, true);
    if (r >= 0)
        return;
    if (r == -ENOENT && own && fern__fd_doubt(fds, rec) == 0) {
        fern__fd_pass(rec, FERN__FD_IN);
        fern__fd_pass(rec, FERN__FD_OUT);
        tell_watchers(rec, POLLERR, 0);
    } else if (rec->word) {
        fern__fd_gone(fds, rec);
    }
}

/* Whether bytes are there for somebody who waits for them. */
static bool
has_bytes(const struct fern__fd *rec)
{
    return rec->state & FERN__FD_MARKED && !(rec->ready & FERN__FD_IN) &&
           rec->word == fern__fd_word(rec->fd) && fern__fd_interest(rec) & POLLIN &&
           fern__sys_pending(rec->fd) > 0;
}

static void
look_at_aged(struct fern__fds *fds, struct fern__fd *rec)
{
    if (has_bytes(rec)) {
        rec->next_parked = fds->found;
        fds->found = rec->fd + 1;
    } else {
        verify(fds, rec);
    }
}

static void
sweep_chain(struct fern__fds *fds, struct fern__fd_chain *chain)
{
    if (chain->rest == CHAIN_END) {
        chain->rest = chain->first;
        chain->first = CHAIN_END;
        chain->at = INT64_MAX;
    }
    for (int i = 0; i < SWEEP_MAX && chain->rest != CHAIN_END; i++) {
        struct fern__fd *rec = fern__fd_at(fds, chain->rest - 1);
        chain->rest = rec->next_parked;
        rec->next_parked = 0;
        if (!rec->word || fern__fd_interest(rec) == 0)
            continue;
        if (rec->state & FERN__FD_AGED) {
            look_at_aged(fds, rec);
        } else {
            fern__fd_note_park(fds, rec);
            rec->state |= FERN__FD_AGED;
        }
    }
}

void
fern__fds_sweep(struct fern__fds *fds, int64_t now)
{
    int64_t next = INT64_MAX;
    for (int i = 0; i < 2; i++) {
        struct fern__fd_chain *chain = &fds->chains[i];
        if (chain->rest != CHAIN_END || chain->at <= now)
            sweep_chain(fds, chain);
        int64_t at = chain->rest != CHAIN_END ? now : chain->at;
        next = at < next ? at : next;
    }
    fds->sweep_at = next;
}

void
fern__fds_settle(struct fern__fds *fds, bool complete)
{
    while (fds->found != CHAIN_END) {
        struct fern__fd *rec = fern__fd_at(fds, fds->found - 1);
        fds->found = rec->next_parked;
        rec->next_parked = 0;
        if (!rec->word || rec->ready & FERN__FD_IN)
            continue; /* they have come just now */
        if (complete) {
            rec->state &= (uint8_t) ~(FERN__FD_SHORT | FERN__FD_MARKED);
            fern__fd_event(rec, POLLIN);
        } else {
            fern__fd_note_park(fds, rec);
        }
    }
}
