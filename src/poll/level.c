/* SPDX-License-Identifier: MIT */
/*
 * The list of wanted fds of the level-triggered pollers. A record in the list is marked
 * registered; its place is not known to it, so it leaves when the list is next collected.
 */
#include "poll/level.h"

#include <stdlib.h>

enum { NS_PER_SECOND = 1000000000, ROOM_MIN = 64 };

/* ---- registrations ---- */

static int
level_grow(struct fern__level *level)
{
    size_t room = level->room ? level->room * 2 : ROOM_MIN;
    struct pollfd *list = realloc(level->list, room * sizeof(*list));
    if (!list)
        return -ENOMEM;
    level->list = list;
    level->room = room;
    return 0;
}

static int
level_arm(struct fern__fds *fds, struct fern__fd *rec, bool certain)
{
    struct fern__level *level = fern__container_of(fds, struct fern__level, fds);
    (void)certain;
    if (rec->state & FERN__FD_REGISTERED)
        return 0;
    if (level->fd_limit && rec->fd >= level->fd_limit) {
        fern__report("fd %d: the %s poller holds fds below %d only; choose another with "
                     "FERN_POLLER",
                rec->fd, fds->poller.ops->name, level->fd_limit);
        return -EMFILE;
    }
    if (level->count == level->room) {
        int r = level_grow(level);
        if (r < 0)
            return r;
    }
    level->list[level->count++] = (struct pollfd){.fd = rec->fd};
    rec->state |= FERN__FD_REGISTERED;
    fds->registered++;
    fds->poller.busy = true;
    return 0;
}

static void
forget(struct fern__fds *fds, struct fern__fd *rec)
{
    rec->state &= (uint8_t)~FERN__FD_REGISTERED;
    fds->registered--;
}

/* Its place in the list stays, empty, until the list is collected. */
static void
level_drop(struct fern__fds *fds, struct fern__fd *rec)
{
    struct fern__level *level = fern__container_of(fds, struct fern__level, fds);
    for (size_t i = 0; i < level->count; i++) {
        if (level->list[i].fd == rec->fd)
            level->list[i].fd = -1;
    }
    forget(fds, rec);
}

const struct fern__fds_ops fern__level_ops = {.arm = level_arm, .drop = level_drop};

/* ---- opening ---- */

int
fern__level_open(struct fern__hub *hub, const struct fern__poller_ops *ops, size_t bytes,
        struct fern__poller **ret_poller)
{
    struct fern__level *level = calloc(1, bytes);
    if (!level)
        return -ENOMEM;
    fern__fds_init(&level->fds, hub, ops, &fern__level_ops);
    *ret_poller = &level->fds.poller;
    return 0;
}

void
fern__level_close(struct fern__poller *poller)
{
    struct fern__level *level = fern__level_of(poller);
    free(level->list);
    fern__fds_fini(&level->fds);
    free(level);
}

/* ---- turns ---- */

void
fern__level_collect(struct fern__level *level)
{
    size_t kept = 0;
    for (size_t i = 0; i < level->count; i++) {
        int fd = level->list[i].fd;
        if (fd < 0)
            continue;
        struct fern__fd *rec = fern__fd_at(&level->fds, fd);
        uint32_t events = fern__fd_interest(rec);
        if (events)
            level->list[kept++] = (struct pollfd){.fd = fd, .events = (short)events};
        else
            forget(&level->fds, rec);
    }
    level->count = kept;
    level->fds.poller.busy = kept > 0;
}

int
fern__level_deliver(struct fern__level *level)
{
    int n = 0;
    /* Waking runs nobody, so the list stays as it is; an fd that is gone is only marked. */
    for (size_t i = 0; i < level->count; i++) {
        struct pollfd *p = &level->list[i];
        if (p->fd < 0 || !p->revents)
            continue;
        n++;
        struct fern__fd *rec = fern__fd_at(&level->fds, p->fd);
        if (p->revents & POLLNVAL)
            fern__fd_gone(&level->fds, rec);
        else
            fern__fd_event(rec, (uint32_t)p->revents);
    }
    return n;
}

int
fern__level_poll(struct fern__level *level, int64_t timeout_ns)
{
    struct timespec ts = {timeout_ns / NS_PER_SECOND, timeout_ns % NS_PER_SECOND};
    fern__level_collect(level);
    int n = fern__sys_ppoll(
            level->list, level->count, timeout_ns == INT64_MAX ? NULL : &ts);
    return n > 0 ? fern__level_deliver(level) : 0;
}
