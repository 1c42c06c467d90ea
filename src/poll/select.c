/* SPDX-License-Identifier: MIT */
/*
 * The select poller: for the oldest of systems, and for tests. It holds fds below FD_SETSIZE only.
 */
#include "poll/backends.h"
#include "poll/level.h"

#include <sys/select.h>

enum {
    NS_PER_SECOND = 1000000000,
    LOOK_NS = 10000000, /* how often to ask poll about hang-ups */
};

struct select {
    struct fern__level level;
    fd_set in;
    fd_set out;
    fd_set except;
    bool hang_ups; /* somebody waits for nothing but a hang-up or an error */
};

static struct select *
select_of(struct fern__poller *poller)
{
    return fern__container_of(poller, struct select, level.fds.poller);
}

static void
select_close(struct fern__poller *poller)
{
    fern__level_close(poller);
}

static int
select_open(struct fern__hub *hub, struct fern__poller **ret_poller)
{
    int r = fern__level_open(hub, &fern__poller_select, sizeof(struct select), ret_poller);
    if (r == 0)
        select_of(*ret_poller)->level.fd_limit = FD_SETSIZE;
    return r;
}

/* @return one more than the highest fd */
static int
fill_sets(struct select *s)
{
    int limit = 0;
    FD_ZERO(&s->in);
    FD_ZERO(&s->out);
    FD_ZERO(&s->except);
    s->hang_ups = false;
    for (size_t i = 0; i < s->level.count; i++) {
        const struct pollfd *p = &s->level.list[i];
        if (p->events & (POLLIN | POLLRDHUP))
            FD_SET(p->fd, &s->in);
        if (p->events & POLLOUT)
            FD_SET(p->fd, &s->out);
        if (p->events & POLLPRI)
            FD_SET(p->fd, &s->except);
        s->hang_ups |= !(p->events & (POLLIN | POLLRDHUP | POLLOUT | POLLPRI));
        limit = p->fd >= limit ? p->fd + 1 : limit;
    }
    return limit;
}

/* An fd that was closed behind fern's back is found by poll, which can tell which it is.
 * select does not tell hang-ups and errors from readiness, so whoever waits looks for itself; who
 * waits for those alone is served by a look at poll now and then. */
static void
read_sets(struct select *s)
{
    for (size_t i = 0; i < s->level.count; i++) {
        struct pollfd *p = &s->level.list[i];
        int revents = 0;
        if (FD_ISSET(p->fd, &s->in))
            revents |= POLLIN | (p->events & POLLRDHUP);
        if (FD_ISSET(p->fd, &s->out))
            revents |= POLLOUT;
        if (FD_ISSET(p->fd, &s->except))
            revents |= POLLPRI;
        p->revents = (short)revents;
    }
}

static int
select_turn(struct fern__poller *poller, int64_t timeout_ns)
{
    struct select *s = select_of(poller);
    fern__level_collect(&s->level);
    int limit = fill_sets(s);
    if (s->hang_ups && timeout_ns > LOOK_NS)
        timeout_ns = LOOK_NS;
    struct timespec ts = {timeout_ns / NS_PER_SECOND, timeout_ns % NS_PER_SECOND};
    int n = fern__sys_pselect(
            limit, &s->in, &s->out, &s->except, timeout_ns == INT64_MAX ? NULL : &ts);
    if (n == -EBADF || (n == 0 && s->hang_ups))
        return fern__level_poll(&s->level, 0);
    if (n <= 0)
        return 0;
    read_sets(s);
    return fern__level_deliver(&s->level);
}

static int
select_fd(struct fern__poller *poller)
{
    (void)poller;
    return -ENOSYS;
}

static int64_t
select_due(const struct fern__poller *poller)
{
    (void)poller;
    return INT64_MAX;
}

static uint64_t
select_count(const struct fern__poller *poller)
{
    return fern__container_of(poller, struct fern__level, fds.poller)->fds.registered;
}

const struct fern__poller_ops fern__poller_select = {
        .name = "select",
        .open = select_open,
        .close = select_close,
        .turn = select_turn,
        .fd = select_fd,
        .due = select_due,
        .count = select_count,
        .choice = &fern__fd_choice,
};
