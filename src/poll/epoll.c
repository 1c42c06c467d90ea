/* SPDX-License-Identifier: MIT */
/*
 * The epoll poller.
 *
 * An fd is registered once, for everything and edge-triggered, and costs no call after that if
 * fern has opened it. Only a Unix stream is registered for OUT not before somebody waits for it:
 * there the peer's every read would be reported. For others each park begins with EPOLL_CTL_MOD,
 * which reports what is ready already, and finds out (ENOENT) that the number now means another
 * file.
 *
 * An event carries the fd and the word of its generation, so that what comes late, from a file
 * that lives on under another number, is passed over.
 */
#include "base/fetch.h"
#include "poll/backends.h"
#include "poll/fdtab.h"

#include <stdlib.h>

enum {
    EVENTS_MAX = 256,
    FETCH_RECORD = 16, /* events ahead */
    FETCH_WAITER = 8,
    NS_PER_MS = 1000000,
    NS_PER_SECOND = 1000000000,
};

struct epoll {
    struct fern__fds fds;
    int epfd;
    bool coarse; /* the kernel has no epoll_pwait2 */
    struct epoll_event events[EVENTS_MAX];
};

static struct epoll *
epoll_of(struct fern__fds *fds)
{
    return fern__container_of(fds, struct epoll, fds);
}

/* ---- registrations ---- */

static int
control(struct epoll *ep, int op, const struct fern__fd *rec)
{
    uint32_t out = rec->state & FERN__FD_LAZY_OUT ? 0 : EPOLLOUT;
    struct epoll_event event = {
            .events = EPOLLIN | EPOLLRDHUP | EPOLLPRI | (uint32_t)EPOLLET | out,
            .data.u64 = (uint64_t)rec->word << 32 | (uint32_t)rec->fd,
    };
    return fern__sys_epoll_ctl(ep->epfd, op, rec->fd, &event);
}

static void
set_registered(struct fern__fds *fds, struct fern__fd *rec, bool registered)
{
    if (registered == !!(rec->state & FERN__FD_REGISTERED))
        return;
    rec->state ^= FERN__FD_REGISTERED;
    fds->registered += registered ? 1 : (uint64_t)-1;
    fds->poller.busy = fds->registered > 0;
}

static __attribute__((noinline)) int
arm_slow(struct fern__fds *fds, struct fern__fd *rec, bool certain)
{
    struct epoll *ep = epoll_of(fds);
    int r = -ENOENT;
    if (rec->state & FERN__FD_REGISTERED) {
        r = control(ep, EPOLL_CTL_MOD, rec);
        if (r != -ENOENT || certain)
            return r;
    }
    r = control(ep, EPOLL_CTL_ADD, rec);
    if (r == -EEXIST)
        r = control(ep, EPOLL_CTL_MOD, rec);
    if (r == -EPERM)
        return 1;
    set_registered(fds, rec, r == 0);
    return r;
}

static int
epoll_arm(struct fern__fds *fds, struct fern__fd *rec, bool certain)
{
    if (fern__likely(fern__fd_believed(rec) && !certain))
        return 0;
    int r = arm_slow(fds, rec, certain);
    if (r == 0)
        rec->state &= (uint8_t)~FERN__FD_RENEW;
    return r;
}

static void
epoll_drop(struct fern__fds *fds, struct fern__fd *rec)
{
    control(epoll_of(fds), EPOLL_CTL_DEL, rec);
    set_registered(fds, rec, false);
}

static const struct fern__fds_ops fds_ops = {.arm = epoll_arm, .drop = epoll_drop};

/* ---- the poller ---- */

static void
epoll_close(struct fern__poller *poller)
{
    struct epoll *ep = epoll_of(fern__container_of(poller, struct fern__fds, poller));
    if (ep->epfd >= 0)
        fern__sys_close(ep->epfd);
    fern__fds_fini(&ep->fds);
    free(ep);
}

static int
epoll_open(struct fern__hub *hub, struct fern__poller **ret_poller)
{
    struct epoll *ep = calloc(1, sizeof(*ep));
    if (!ep)
        return -ENOMEM;
    fern__fds_init(&ep->fds, hub, &fern__poller_epoll, &fds_ops);
    ep->epfd = fern__sys_epoll_create(EPOLL_CLOEXEC);
    if (ep->epfd < 0) {
        int r = ep->epfd;
        epoll_close(&ep->fds.poller);
        return r;
    }
    *ret_poller = &ep->fds.poller;
    return 0;
}

static int
wait_coarsely(struct epoll *ep, int64_t timeout_ns)
{
    int64_t ms = timeout_ns / NS_PER_MS + (timeout_ns % NS_PER_MS != 0);
    int timeout = timeout_ns == INT64_MAX ? -1 : ms > INT32_MAX ? INT32_MAX : (int)ms;
    return fern__sys_epoll_pwait(ep->epfd, ep->events, EVENTS_MAX, timeout);
}

static int
wait_for_events(struct epoll *ep, int64_t timeout_ns)
{
    struct timespec ts = {timeout_ns / NS_PER_SECOND, timeout_ns % NS_PER_SECOND};
    if (fern__likely(!ep->coarse)) {
        int n = fern__sys_epoll_pwait2(
                ep->epfd, ep->events, EVENTS_MAX, timeout_ns == INT64_MAX ? NULL : &ts);
        if (fern__likely(n != -ENOSYS))
            return n;
        ep->coarse = true;
    }
    return wait_coarsely(ep, timeout_ns);
}

/* The wait goes on no longer than until records are to be swept. */
static int64_t
cut_to_sweep(const struct fern__fds *fds, int64_t timeout_ns)
{
    if (fern__fds_found(fds))
        return 0;
    int64_t left = fds->sweep_at - fds->poller.hub->now;
    return left < 0 ? 0 : left < timeout_ns ? left : timeout_ns;
}

static struct fern__fd *
record_of(struct fern__fds *fds, const struct epoll_event *event)
{
    return fern__fd_at(fds, (int)(uint32_t)event->data.u64);
}

/* Fetch the record of a coming event, and the cell of who waits there. */
static inline void
fetch(struct fern__fds *fds, const struct epoll_event *events, int at, int count)
{
    if (at + FETCH_RECORD < count)
        fern__fetch(record_of(fds, &events[at + FETCH_RECORD]));
    if (at + FETCH_WAITER < count)
        fern__fetch(record_of(fds, &events[at + FETCH_WAITER])->waiters[0].next);
}

static int
epoll_turn(struct fern__poller *poller, int64_t timeout_ns)
{
    struct fern__fds *fds = fern__container_of(poller, struct fern__fds, poller);
    struct epoll *ep = epoll_of(fds);
    if (fern__likely(fds->sweep_at != INT64_MAX)) {
        if (poller->hub->now >= fds->sweep_at)
            fern__fds_sweep(fds, poller->hub->now);
        timeout_ns = cut_to_sweep(fds, timeout_ns);
    }
    int n = wait_for_events(ep, timeout_ns);
    if (fern__unlikely(n == -EBADF || n == -EINVAL))
        fern__die(__FILE__, __LINE__,
                "fd %d, which is fern's own epoll descriptor, has been closed by the "
                "program",
                ep->epfd);
    for (int i = 0; i < n; i++) {
        fetch(fds, ep->events, i, n);
        uint64_t data = ep->events[i].data.u64;
        struct fern__fd *rec = record_of(fds, &ep->events[i]);
        if (fern__unlikely(rec->word != data >> 32))
            continue;
        fern__fd_event(rec, ep->events[i].events);
    }
    if (fern__unlikely(fern__fds_found(fds)))
        fern__fds_settle(fds, n < EVENTS_MAX);
    return n > 0 ? n : 0;
}

static int
epoll_fd(struct fern__poller *poller)
{
    return epoll_of(fern__container_of(poller, struct fern__fds, poller))->epfd;
}

static int64_t
epoll_due(const struct fern__poller *poller)
{
    return fern__container_of(poller, struct fern__fds, poller)->sweep_at;
}

static uint64_t
epoll_count(const struct fern__poller *poller)
{
    return fern__container_of(poller, struct fern__fds, poller)->registered;
}

const struct fern__poller_ops fern__poller_epoll = {
        .name = "epoll",
        .open = epoll_open,
        .close = epoll_close,
        .turn = epoll_turn,
        .fd = epoll_fd,
        .due = epoll_due,
        .count = epoll_count,
        .choice = &fern__fd_choice,
};
