/* SPDX-License-Identifier: MIT */
#ifndef FERN_TESTS_IO_ENDS_H
#define FERN_TESTS_IO_ENDS_H

/*
 * Two ends of a connection, and what else tests of I/O share.
 */

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <fern.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void *
as_arg(int fd)
{
    return (void *)(intptr_t)fd;
}

static inline int
as_fd(void *arg)
{
    return (int)(intptr_t)arg;
}

/* A listener on a free port of loopback, and where it is. */
static inline int
listen_anywhere(fern_address *ret_at)
{
    int listener = fern_listen("127.0.0.1:0", 0);
    ASSERT_OK(listener);
    ASSERT_OK(fern_local_address(listener, ret_at));
    return listener;
}

/* Both ends of a TCP connection over loopback. */
static inline void
tcp_pair(int ends[2])
{
    fern_address at;
    int listener = listen_anywhere(&at);
    ends[0] = fern_dial_at(&at, FERN_FOREVER);
    ASSERT_OK(ends[0]);
    ends[1] = fern_accept(listener, NULL, FERN_FOREVER);
    ASSERT_OK(ends[1]);
    ASSERT_OK(fern_close(listener));
}

static inline void
unix_pair(int ends[2])
{
    ASSERT_OK(fern_socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static inline void
close_pair(int ends[2])
{
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}

/* Send a text whole. */
static inline void
say(int fd, const char *text)
{
    ASSERT_EQ(fern_write(fd, text, strlen(text), FERN_FOREVER), strlen(text));
}

/* Read once, which must give exactly this text. */
static inline void
hear(int fd, const char *text)
{
    char buf[256] = "";
    ssize_t n = fern_read(fd, buf, sizeof buf - 1, FERN_FOREVER);
    ASSERT_OK(n);
    buf[n] = 0;
    ASSERT_STR_EQ(buf, text);
}

/* One read of up to 255 bytes, as a greenlet's function: its value is what the call returned. */
static inline void *
read_once(void *arg)
{
    char buf[256];
    return (void *)(intptr_t)fern_read(as_fd(arg), buf, sizeof buf - 1, FERN_FOREVER);
}

/* Wait for a greenlet and give its value. */
static inline intptr_t
value_of(fern_greenlet *g)
{
    fern_outcome outcome;
    ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
    fern_greenlet_unref(g);
    return (intptr_t)outcome.value;
}

/* Let everybody else run until all of them wait. */
static inline void
let_them_wait(void)
{
    for (int i = 0; i < 5; i++)
        ASSERT_OK(fern_yield());
}

#endif
