/* SPDX-License-Identifier: MIT */
/* An fd as one of several things to wait for, on every poller. */

#include "harness.h"

#include <errno.h>
#include <poll.h>

#include "trace.h"

static fern_event events[1];

static void *
write_later(void *fd)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_EQ(fern_write((int)(intptr_t)fd, "x", 1, FERN_FOREVER), 1);
    return NULL;
}

TEST(an_fd_can_be_a_case_and_tells_its_events)
{
    int ends[2];
    char c;
    ASSERT_OK(fern_pipe(ends, 0));
    fern_case cases[] = {fern_case_event(&events[0]), fern_case_fd(ends[0], POLLIN)};
    ASSERT_ERR(fern_select(cases, 2, 0, FERN_NOWAIT), -EAGAIN);
    fern_greenlet *g = fern_spawn(write_later, (void *)(intptr_t)ends[1]);
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result & POLLIN, POLLIN);
    FINISH(g);
    ASSERT_EQ(fern_read(ends[0], &c, 1, FERN_NOWAIT), 1);
    ASSERT_OK(fern_close(ends[1]));
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result & POLLHUP, POLLHUP);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, -EBADF);
}
