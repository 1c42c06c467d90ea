/* SPDX-License-Identifier: MIT */
/*
 * An fd as one of several things to wait for: readiness without a transfer. What decides is what
 * the kernel's poll says; an event only makes it be asked again.
 */
#include "poll/backends.h"
#include "poll/fdtab.h"

static int
number(const struct fern__choice *choice)
{
    return (int)(intptr_t)choice->object;
}

static int
fd_attempt(struct fern__hub *hub, struct fern__choice *choice)
{
    (void)hub;
    struct pollfd p = {.fd = number(choice), .events = (short)choice->watch.events};
    struct timespec none = {0, 0};
    int r;
    do {
        r = fern__sys_ppoll(&p, 1, &none);
    } while (r == -EINTR);
    if (r < 0)
        return r;
    if (r == 0)
        return -EAGAIN;
    return p.revents & POLLNVAL ? -EBADF : p.revents;
}

static int
fd_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    return fern__fd_watch(fern__fds_of(hub), hub->current, &choice->watch, number(choice),
            (short)choice->watch.events);
}

const struct fern__waitable fern__fd_choice = {.name = "fd",
        .outside = true,
        .attempt = fd_attempt,
        .ready = fd_attempt,
        .arm = fd_arm};
