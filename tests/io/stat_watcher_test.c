/* SPDX-License-Identifier: MIT */
/* Watching a path: what is there, and what was. */

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace.h"

static char folder[] = "/tmp/fern_stat_XXXXXX";
static char path[64];
static fern_stat_watcher *watcher;

static void
begin(void)
{
    ASSERT_NOT_NULL(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    watcher = fern_stat_watcher_new(path, 10 * FERN_MS);
    ASSERT_NOT_NULL(watcher);
}

static void
end(void)
{
    fern_stat_watcher_free(watcher);
    unlink(path);
    ASSERT_OK(rmdir(folder));
}

static void
write_file(const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    ASSERT_OK(fd);
    ASSERT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ASSERT_OK(close(fd));
}

static void *
change_later(void *text)
{
    ASSERT_OK(fern_sleep(25 * FERN_MS));
    if (text)
        write_file(text);
    else
        ASSERT_OK(unlink(path));
    return NULL;
}

TEST(a_file_that_comes_grows_and_goes_is_noticed)
{
    struct stat now, before;
    begin();
    fern_greenlet *g = fern_spawn(change_later, "one");
    ASSERT_OK(fern_stat_watcher_wait(watcher, &now, &before, FERN_FOREVER));
    ASSERT_EQ(before.st_nlink, 0);
    ASSERT_EQ(now.st_nlink, 1);
    ASSERT_EQ(now.st_size, 3);
    FINISH(g);
    g = fern_spawn(change_later, "more");
    ASSERT_OK(fern_stat_watcher_wait(watcher, &now, &before, FERN_FOREVER));
    ASSERT_EQ(before.st_size, 3);
    ASSERT_EQ(now.st_size, 7);
    FINISH(g);
    g = fern_spawn(change_later, NULL);
    ASSERT_OK(fern_stat_watcher_wait(watcher, &now, NULL, FERN_FOREVER));
    ASSERT_EQ(now.st_nlink, 0);
    FINISH(g);
    end();
}

TEST(a_change_while_nobody_waits_is_noticed_afterwards_once)
{
    struct stat now;
    begin();
    ASSERT_ERR(fern_stat_watcher_wait(watcher, NULL, NULL, FERN_NOWAIT), -EAGAIN);
    write_file("one");
    ASSERT_OK(fern_stat_watcher_wait(watcher, &now, NULL, FERN_NOWAIT));
    ASSERT_EQ(now.st_size, 3);
    ASSERT_ERR(fern_stat_watcher_wait(watcher, NULL, NULL, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_stat_watcher_wait(watcher, NULL, NULL, fern_in(25 * FERN_MS)), -ETIME);
    ASSERT_ERR(fern_stat_watcher_wait(watcher, NULL, NULL, fern_in(0)), -ETIME);
    end();
}

static void *
wait_and_say(void *word)
{
    ASSERT_OK(fern_stat_watcher_wait(watcher, NULL, NULL, FERN_FOREVER));
    return say(word);
}

TEST(all_who_wait_hear_of_a_change)
{
    begin();
    fern_greenlet *a = fern_spawn(wait_and_say, "a"), *b = fern_spawn(wait_and_say, "b"),
                  *g = fern_spawn(change_later, "one");
    FINISH(g);
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "a b");
    end();
}

static void *
wait_until_killed(void *unused)
{
    ASSERT_ERR(fern_stat_watcher_wait(watcher, NULL, NULL, FERN_FOREVER), -ECANCELED);
    return unused;
}

static void *
wait_elsewhere(void *unused)
{
    ASSERT_ERR(fern_stat_watcher_wait(watcher, NULL, NULL, FERN_NOWAIT), -EXDEV);
    return unused;
}

TEST(a_wait_can_be_killed_and_misuse_answers_with_its_code)
{
    pthread_t thread;
    begin();
    fern_greenlet *g = fern_spawn(wait_until_killed, NULL);
    ASSERT_OK(fern_sleep(15 * FERN_MS));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_NULL(fern_stat_watcher_new(NULL, 0));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_NULL(fern_stat_watcher_new(path, -1));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_ERR(fern_stat_watcher_wait(NULL, NULL, NULL, FERN_NOWAIT), -EINVAL);
    fern_stat_watcher_free(NULL);
    ASSERT_EQ(pthread_create(&thread, NULL, wait_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    end();
}
