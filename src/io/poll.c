/* SPDX-License-Identifier: MIT */
/*
 * Waiting for fds without a transfer: fern_wait_fd, fern_poll, fern_select_fds.
 *
 * The truth is always what the kernel's poll says. If it says nothing, a watch is put at each
 * fd's record; the first event ends the park, and the kernel is asked again.
 */
#include "io/op.h"

#include "core/sched.h"

#include <fern/io.h>
#include <stdio.h>
#include <stdlib.h>

enum { WATCHES_ON_STACK = 8, FEW = 16 };

struct watching {
    struct fern__op op;
    struct pollfd *fds;
    size_t count;
    struct fern__watch *watches;
};

static void
describe(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct watching *w = cell->object;
    if (w->count == 1)
        snprintf(text, bytes, "fd %d, events 0x%x", w->fds[0].fd,
                (unsigned)w->fds[0].events);
    else
        snprintf(text, bytes, "%zu fds", w->count);
}

static const struct fern__waitable waitable_poll = {
        .name = "poll", .outside = true, .describe = describe};

/* Without an fd, only a timer or a kill can end it. */
static const struct fern__waitable waitable_nothing = {.name = "poll of no fd"};

/* ---- watching ---- */

/* Ask the kernel. @return how many are ready */
static int
ask(struct watching *w)
{
    struct timespec none = {0, 0};
    int r;
    do {
        r = fern__sys_ppoll(w->fds, w->count, &none);
    } while (r == -EINTR);
    return r;
}

static void
unwatch(struct watching *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (fern__list_linked(&w->watches[i].cell.node))
            fern__wait_remove(&w->watches[i].cell);
    }
}

/* Whether an fd was closed, after the wake-up perhaps: its number may be another file's now. */
static bool
any_closed(const struct watching *w)
{
    for (size_t i = 0; i < w->count; i++) {
        int fd = w->fds[i].fd;
        if (fd >= 0 && w->watches[i].word != fern__fd_word(fd))
            return true;
    }
    return false;
}

/* One park. @return 0 ask again */
static int
park(struct watching *w)
{
    int r = w->op.g->interrupt;
    for (size_t i = 0; i < w->count; i++)
        w->watches[i] = (struct fern__watch){0};
    bool any = false;
    for (size_t i = 0; r == 0 && i < w->count; i++) {
        if (w->fds[i].fd < 0)
            continue;
        any = true;
        r = fern__fd_watch(
                w->op.fds, w->op.g, &w->watches[i], w->fds[i].fd, w->fds[i].events);
    }
    if (r == 0) {
        fern__wait_begin(w->op.g, any ? &waitable_poll : &waitable_nothing, w);
        r = fern__park(w->op.hub, w->op.g, w->op.deadline);
        if (r == 0 && any_closed(w))
            r = -EBADF;
    }
    unwatch(w);
    return r > 0 ? 0 : r;
}

static int
wait_for_any(struct watching *w)
{
    struct fern__watch few[WATCHES_ON_STACK];
    w->watches = few;
    if (w->count > WATCHES_ON_STACK) {
        w->watches = malloc(w->count * sizeof(*w->watches));
        if (!w->watches)
            return -ENOMEM;
    }
    int r;
    do {
        r = park(w);
        if (r == 0 && w->count)
            r = ask(w);
    } while (r == 0);
    if (w->watches != few)
        free(w->watches);
    return r;
}

int
fern_poll(struct pollfd *fds, size_t count, fern_time deadline)
{
    FERN_CHECK(fds || count == 0, -EINVAL);
    struct watching w = {.fds = fds, .count = count, .op.deadline = deadline};
    int r = fern__wait_enter(&w.op.hub, &w.op.g, deadline);
    if (r < 0)
        return r;
    w.op.fds = fern__fds_of(w.op.hub);
    r = count ? ask(&w) : 0;
    if (r == 0 && deadline.ns == 0)
        return -EAGAIN;
    if (r == 0)
        return wait_for_any(&w);
    if (r > 0 && deadline.ns)
        fern__sched_spend(w.op.hub);
    return r;
}

int
fern_wait_fd(int fd, int events, fern_time deadline)
{
    FERN_CHECK(fd >= 0, -EBADF);
    FERN_CHECK(!(events & ~(POLLIN | POLLOUT | POLLPRI | POLLRDHUP)), -EINVAL);
    struct pollfd p = {.fd = fd, .events = (short)events};
    int r = fern_poll(&p, 1, deadline);
    if (r < 0)
        return r;
    return p.revents & POLLNVAL ? -EBADF : p.revents;
}

/* ---- select ---- */

/* What poll's answers mean to select. */
enum {
    IN = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
    OUT = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
    EXCEPT = POLLPRI,
};

static int
wanted(int fd, const fd_set *in, const fd_set *out, const fd_set *except)
{
    return (in && FD_ISSET(fd, in) ? POLLIN : 0) |
           (out && FD_ISSET(fd, out) ? POLLOUT : 0) |
           (except && FD_ISSET(fd, except) ? POLLPRI : 0);
}

/* Keep the fds of a set that are ready. @return how many */
static int
keep(fd_set *set, const struct pollfd *fds, size_t count, int event, int mask)
{
    int n = 0;
    for (size_t i = 0; set && i < count; i++) {
        if (!(fds[i].events & event))
            continue;
        if (fds[i].revents & mask)
            n++;
        else
            FD_CLR(fds[i].fd, set);
    }
    return n;
}

static int
select_among(struct pollfd *fds, int limit, fd_set *const *sets, fern_time deadline)
{
    size_t count = 0;
    for (int fd = 0; fd < limit; fd++) {
        int events = wanted(fd, sets[0], sets[1], sets[2]);
        if (events)
            fds[count++] = (struct pollfd){.fd = fd, .events = (short)events};
    }
    int r;
    int ready;
    do { /* a hang-up that nobody asked for in that way is no reason to return */
        r = fern_poll(fds, count, deadline);
        if (r < 0)
            return r;
        ready = 0;
        for (size_t i = 0; i < count; i++) {
            if (fds[i].revents & POLLNVAL)
                return -EBADF;
            int e = fds[i].events, got = fds[i].revents;
            ready += (e & POLLIN && got & IN) || (e & POLLOUT && got & OUT) ||
                     (e & POLLPRI && got & EXCEPT);
            if (!ready && got)
                fds[i].fd = ~fds[i].fd;
        }
    } while (!ready);
    for (size_t i = 0; i < count; i++)
        fds[i].fd = fds[i].fd < 0 ? ~fds[i].fd : fds[i].fd;
    return keep(sets[0], fds, count, POLLIN, IN) + keep(sets[1], fds, count, POLLOUT, OUT) +
           keep(sets[2], fds, count, POLLPRI, EXCEPT);
}

int
fern_select_fds(int limit, fd_set *in, fd_set *out, fd_set *except, fern_time deadline)
{
    FERN_CHECK(limit >= 0 && limit <= FD_SETSIZE, -EINVAL);
    fd_set *const sets[] = {in, out, except};
    struct pollfd few[FEW], *fds = few;
    if (limit > FEW) {
        fds = malloc((size_t)limit * sizeof(*fds));
        if (!fds)
            return -ENOMEM;
    }
    int r = select_among(fds, limit, sets, deadline);
    if (fds != few)
        free(fds);
    return r;
}
