/* SPDX-License-Identifier: MIT */
/*
 * The sim poller: real fds, virtual time.
 *
 * A turn looks at the real fds first. If none is ready and a timer is armed, the clock jumps to
 * it; without a timer the turn waits in real time. Bytes that this program has just sent to
 * itself over a network take the kernel a moment to deliver: while somebody waits for such a
 * socket, that moment is granted in real time before each jump; and likewise to foreign threads
 * while they are all that could wake main.
 */
#include "poll/backends.h"
#include "poll/level.h"

#include "base/clock.h"

enum { GRACE_NS = 2000000 };

static void
sim_close(struct fern__poller *poller)
{
    fern__level_close(poller);
}

static int
sim_open(struct fern__hub *hub, struct fern__poller **ret_poller)
{
    return fern__level_open(hub, &fern__poller_sim, sizeof(struct fern__level), ret_poller);
}

/* Whether somebody waits for what may be on its way through the kernel: pipes and Unix streams
 * deliver at once. */
static bool
may_be_under_way(struct fern__level *level)
{
    for (size_t i = 0; i < level->count; i++) {
        int fd = level->list[i].fd;
        if (fd >= 0 && fern__fd_at(&level->fds, fd)->how == FERN__FD_MSG &&
                fern__fd_kind_of(fd) != FERN__FD_UNIX)
            return true;
    }
    return false;
}

static int
sim_turn(struct fern__poller *poller, int64_t timeout_ns)
{
    struct fern__level *level = fern__level_of(poller);
    int64_t next = timeout_ns > 0 ? fern__wheel_next(&poller->hub->wheel) : 0;
    if (next == INT64_MAX)
        return fern__level_poll(level, timeout_ns);
    /* All that could wake main is a foreign thread, or a daemon's timer. */
    bool foreign = timeout_ns > 0 && atomic_load(&poller->hub->stuck);
    if (poller->busy || foreign) {
        int64_t grace = foreign || (timeout_ns && may_be_under_way(level)) ? GRACE_NS : 0;
        int n = fern__level_poll(level, grace);
        if (n > 0)
            return n;
    }
    if (timeout_ns > 0)
        fern__clock_advance(next);
    return 0;
}

static int
sim_fd(struct fern__poller *poller)
{
    (void)poller;
    return -ENOSYS;
}

static int64_t
sim_due(const struct fern__poller *poller)
{
    (void)poller;
    return INT64_MAX;
}

static uint64_t
sim_count(const struct fern__poller *poller)
{
    return fern__container_of(poller, struct fern__level, fds.poller)->fds.registered;
}

const struct fern__poller_ops fern__poller_sim = {
        .name = "sim",
        .open = sim_open,
        .close = sim_close,
        .turn = sim_turn,
        .fd = sim_fd,
        .due = sim_due,
        .count = sim_count,
        .choice = &fern__fd_choice,
};
