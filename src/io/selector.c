/* SPDX-License-Identifier: MIT */
/*
 * Selectors: fds that are registered once, over an epoll of their own.
 *
 * The epoll knows what is registered and what is ready, level-triggered; it is itself an fd that
 * becomes readable when one of them is ready, and that is what is waited for, on every poller. The
 * table only keeps the users' data.
 */
#include "io/op.h"

#include "core/sched.h"
#include "sync/object.h"

#include <fern/io.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_ON_STACK = 32 };

struct fern_selector {
    struct fern__sync sync; /* for its hub */
    int epfd;
    size_t room;
    void **data; /* by fd */
};

fern_selector *
fern_selector_new(void)
{
    fern_selector *s = calloc(1, sizeof *s);
    int epfd = s ? fern__sys_epoll_create(EPOLL_CLOEXEC) : -ENOMEM;
    if (epfd < 0) {
        free(s);
        errno = -epfd;
        return NULL;
    }
    fern__fd_opened(epfd, FERN__FD_FOREIGN);
    s->epfd = epfd;
    return s;
}

static int
make_room(fern_selector *s, int fd)
{
    if ((size_t)fd < s->room)
        return 0;
    size_t room = s->room ? s->room : 64;
    while (room <= (size_t)fd)
        room *= 2;
    void **data = realloc(s->data, room * sizeof *data);
    if (!data)
        return -ENOMEM;
    memset(data + s->room, 0, (room - s->room) * sizeof *data);
    s->data = data;
    s->room = room;
    return 0;
}

static int
control(fern_selector *s, int op, int fd, int events, void *data)
{
    FERN_CHECK(s, -EINVAL);
    int r = fern__sync_check(&s->sync);
    if (r < 0)
        return r;
    FERN_CHECK(fd >= 0, -EBADF);
    FERN_CHECK(!(events & ~(POLLIN | POLLOUT | POLLPRI | POLLRDHUP)), -EINVAL);
    struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};
    r = fern__sys_epoll_ctl(s->epfd, op, fd, &event);
    if (r < 0)
        return r;
    if (op != EPOLL_CTL_DEL || (size_t)fd < s->room)
        s->data[fd] = data;
    return 0;
}

int
fern_selector_register(fern_selector *s, int fd, int events, void *data)
{
    if (s && fd >= 0) {
        int r = fern__sync_check(&s->sync);
        if (r == 0)
            r = make_room(s, fd);
        if (r < 0)
            return r;
    }
    return control(s, EPOLL_CTL_ADD, fd, events, data);
}

int
fern_selector_modify(fern_selector *s, int fd, int events, void *data)
{
    return control(s, EPOLL_CTL_MOD, fd, events, data);
}

int
fern_selector_unregister(fern_selector *s, int fd)
{
    return control(s, EPOLL_CTL_DEL, fd, 0, NULL);
}

/* What is ready now. @return how many */
static int
take(fern_selector *s, fern_selected *ret_selected, size_t room)
{
    struct epoll_event events[EVENTS_ON_STACK];
    int n;
    do {
        n = fern__sys_epoll_pwait(
                s->epfd, events, room < EVENTS_ON_STACK ? (int)room : EVENTS_ON_STACK, 0);
    } while (n == -EINTR);
    for (int i = 0; i < n; i++) {
        int fd = events[i].data.fd;
        ret_selected[i] = (fern_selected){
                .fd = fd, .events = (int)events[i].events, .data = s->data[fd]};
    }
    return n;
}

int
fern_selector_select(
        fern_selector *s, fern_selected *ret_selected, size_t room, fern_time deadline)
{
    FERN_CHECK(s && ret_selected && room, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&s->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    while ((r = take(s, ret_selected, room)) == 0) {
        if (deadline.ns == 0)
            return -EAGAIN;
        r = fern_wait_fd(s->epfd, POLLIN, deadline);
        if (r < 0)
            return r;
    }
    if (r > 0 && deadline.ns)
        fern__sched_spend(hub);
    return r;
}

void
fern_selector_free(fern_selector *s)
{
    if (!s)
        return;
    (void)fern_close(s->epfd);
    free(s->data);
    free(s);
}
