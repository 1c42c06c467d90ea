/* SPDX-License-Identifier: MIT */
/* Selectors: fds registered once, asked for together. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace.h"

static fern_selector *selector;
static fern_selected found[300];

static void *
write_later(void *fd)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_EQ(fern_write((int)(intptr_t)fd, "x", 1, FERN_FOREVER), 1);
    return NULL;
}

TEST(a_selector_tells_which_of_its_fds_are_ready_and_their_data)
{
    int a[2], b[2];
    char c;
    ASSERT_OK(fern_pipe(a, 0));
    ASSERT_OK(fern_pipe(b, 0));
    selector = fern_selector_new();
    ASSERT_OK(fern_selector_register(selector, a[0], POLLIN, "a"));
    ASSERT_OK(fern_selector_register(selector, b[0], POLLIN, "b"));
    ASSERT_ERR(fern_selector_select(selector, found, 2, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_selector_select(selector, found, 2, soon(FERN_MS)), -ETIME);
    fern_greenlet *g = fern_spawn(write_later, (void *)(intptr_t)b[1]);
    ASSERT_EQ(fern_selector_select(selector, found, 2, FERN_FOREVER), 1);
    ASSERT_EQ(found[0].fd, b[0]);
    ASSERT_EQ(found[0].events, POLLIN);
    ASSERT_STR_EQ((char *)found[0].data, "b");
    FINISH(g);
    ASSERT_EQ(fern_selector_select(selector, found, 2, FERN_FOREVER), 1); /* it still is */
    ASSERT_EQ(fern_read(b[0], &c, 1, FERN_NOWAIT), 1);
    ASSERT_ERR(fern_selector_select(selector, found, 2, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_close(a[1]));
    ASSERT_EQ(fern_selector_select(selector, found, 2, FERN_FOREVER), 1);
    ASSERT_EQ(found[0].events & POLLHUP, POLLHUP);
    ASSERT_OK(fern_selector_unregister(selector, a[0]));
    ASSERT_ERR(fern_selector_select(selector, found, 2, FERN_NOWAIT), -EAGAIN);
    fern_selector_free(selector);
    ASSERT_OK(fern_close(a[0]));
    ASSERT_OK(fern_close(b[0]));
    ASSERT_OK(fern_close(b[1]));
}

TEST(what_an_fd_is_watched_for_can_be_changed)
{
    int ends[2];
    ASSERT_OK(fern_pipe(ends, 0));
    selector = fern_selector_new();
    ASSERT_OK(fern_selector_register(selector, ends[1], POLLIN, "none"));
    ASSERT_ERR(fern_selector_select(selector, found, 1, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_selector_modify(selector, ends[1], POLLOUT, "out"));
    ASSERT_EQ(fern_selector_select(selector, found, 1, FERN_FOREVER), 1);
    ASSERT_EQ(found[0].events, POLLOUT);
    ASSERT_STR_EQ((char *)found[0].data, "out");
    fern_selector_free(selector);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}

TEST(many_fds_are_told_of_as_room_allows)
{
    enum { N = 100 };
    int ends[N][2];
    size_t seen = 0;
    selector = fern_selector_new();
    for (int i = 0; i < N; i++) {
        ASSERT_OK(fern_pipe(ends[i], 0));
        ASSERT_OK(fern_selector_register(selector, ends[i][0], POLLIN, &ends[i]));
        ASSERT_EQ(fern_write(ends[i][1], "x", 1, FERN_NOWAIT), 1);
    }
    while (seen < N) {
        int n = fern_selector_select(selector, found, 7, FERN_FOREVER);
        ASSERT_TRUE(n > 0 && n <= 7);
        for (int i = 0; i < n; i++) {
            ASSERT_EQ(*(int *)found[i].data, found[i].fd);
            ASSERT_OK(fern_selector_unregister(selector, found[i].fd));
        }
        seen += (size_t)n;
    }
    ASSERT_ERR(fern_selector_select(selector, found, 7, FERN_NOWAIT), -EAGAIN);
    for (int i = 0; i < N; i++) {
        ASSERT_OK(fern_close(ends[i][0]));
        ASSERT_OK(fern_close(ends[i][1]));
    }
    fern_selector_free(selector);
}

static void *
select_forever(void *ret_code)
{
    *(int *)ret_code = fern_selector_select(selector, found, 1, FERN_FOREVER);
    return NULL;
}

TEST(who_waits_for_a_selector_hears_of_fds_that_are_registered_meanwhile)
{
    int ends[2], code = 0;
    ASSERT_OK(fern_pipe(ends, 0));
    selector = fern_selector_new();
    fern_greenlet *g = fern_spawn(select_forever, &code);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_selector_register(selector, ends[1], POLLOUT, NULL));
    FINISH(g);
    ASSERT_EQ(code, 1);
    ASSERT_OK(fern_selector_unregister(selector, ends[1]));
    g = fern_spawn(select_forever, &code);
    ASSERT_OK(fern_yield());
    fern_selector_free(selector);
    FINISH(g);
    ASSERT_EQ(code, -EBADF);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}

static void *
use_elsewhere(void *fd)
{
    ASSERT_ERR(fern_selector_register(selector, (int)(intptr_t)fd, POLLIN, NULL), -EXDEV);
    ASSERT_ERR(fern_selector_modify(selector, (int)(intptr_t)fd, POLLIN, NULL), -EXDEV);
    ASSERT_ERR(fern_selector_unregister(selector, (int)(intptr_t)fd), -EXDEV);
    ASSERT_ERR(fern_selector_select(selector, found, 1, FERN_NOWAIT), -EXDEV);
    return NULL;
}

TEST(misuse_of_a_selector_answers_with_its_code)
{
    int ends[2];
    pthread_t thread;
    char path[] = "/tmp/fern_selector_XXXXXX";
    int file = mkstemp(path);
    ASSERT_OK(unlink(path));
    ASSERT_OK(fern_pipe(ends, 0));
    selector = fern_selector_new();
    ASSERT_ERR(fern_selector_register(NULL, ends[0], POLLIN, NULL), -EINVAL);
    ASSERT_ERR(fern_selector_register(selector, ends[0], 0x40, NULL), -EINVAL);
    ASSERT_ERR(fern_selector_register(selector, -1, POLLIN, NULL), -EBADF);
    ASSERT_ERR(fern_selector_register(selector, 999, POLLIN, NULL), -EBADF);
    ASSERT_ERR(fern_selector_register(selector, file, POLLIN, NULL), -EPERM);
    ASSERT_OK(fern_selector_register(selector, ends[0], POLLIN, NULL));
    ASSERT_ERR(fern_selector_register(selector, ends[0], POLLIN, NULL), -EEXIST);
    ASSERT_ERR(fern_selector_modify(selector, ends[1], POLLIN, NULL), -ENOENT);
    ASSERT_ERR(fern_selector_unregister(selector, ends[1]), -ENOENT);
    ASSERT_ERR(fern_selector_select(selector, found, 0, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_selector_select(selector, NULL, 1, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_selector_select(NULL, found, 1, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_selector_select(selector, found, 1, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(pthread_create(&thread, NULL, use_elsewhere, (void *)(intptr_t)ends[1]), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    fern_selector_free(selector);
    fern_selector_free(NULL);
    ASSERT_OK(fern_close(file));
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}
