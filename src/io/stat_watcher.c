/* SPDX-License-Identifier: MIT */
/*
 * Watching a path for changes, by looking.
 *
 * The kernel's own notices are bound to file systems and to inodes, miss what other machines do to a
 * shared one, and are limited in number; a look every so often is right everywhere, and costs nothing
 * while nobody waits. `changes` lets all who wait hear of a change that one of them has found.
 */
#include "core/wait.h"

#include "base/sys.h"
#include "sync/object.h"

#include <fern/greenlet.h>
#include <fern/io.h>
#include <stdlib.h>
#include <string.h>

struct fern_stat_watcher {
    struct fern__sync sync; /* for its hub */
    int64_t interval_ns;
    uint64_t changes;
    struct stat now;
    struct stat before;
    char path[];
};

static void
look(const fern_stat_watcher *w, struct stat *ret_stat)
{
    if (fern__sys_fstatat(AT_FDCWD, w->path, ret_stat, 0) < 0)
        *ret_stat = (struct stat){0};
}

fern_stat_watcher *
fern_stat_watcher_new(const char *path, int64_t interval_ns)
{
    bool good = path && interval_ns >= 0;
    fern_stat_watcher *w = good ? calloc(1, sizeof *w + strlen(path) + 1) : NULL;
    if (!w) {
        errno = good ? ENOMEM : EINVAL;
        return NULL;
    }
    strcpy(w->path, path);
    w->interval_ns = interval_ns ? interval_ns : FERN_SECOND;
    look(w, &w->now);
    w->before = w->now;
    return w;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
           a->st_nlink == b->st_nlink && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
           a->st_rdev == b->st_rdev && a->st_size == b->st_size &&
           same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

/* Look whether it has changed. */
static void
look_again(fern_stat_watcher *w)
{
    struct stat now;
    look(w, &now);
    if (same(&now, &w->now))
        return;
    w->before = w->now;
    w->now = now;
    w->changes++;
}

static int
wait_for_change(fern_stat_watcher *w, uint64_t seen, fern_time deadline)
{
    bool last = false;
    for (;;) { /* ends with a change, or when the sleep fails */
        if (w->changes == seen)
            look_again(w);
        if (w->changes != seen)
            return 0;
        if (deadline.ns == 0)
            return -EAGAIN;
        if (last)
            return -ETIME;
        fern_time next = fern_in(w->interval_ns);
        last = next.ns >= deadline.ns;
        int r = fern_sleep_until(last ? deadline : next);
        if (r < 0)
            return r;
    }
}

int
fern_stat_watcher_wait(fern_stat_watcher *w, struct stat *ret_now, struct stat *ret_before,
        fern_time deadline)
{
    FERN_CHECK(w, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&w->sync, &hub, &g, deadline);
    if (r == 0)
        r = wait_for_change(w, w->changes, deadline);
    if (r < 0)
        return r;
    if (ret_now)
        *ret_now = w->now;
    if (ret_before)
        *ret_before = w->before;
    return 0;
}

void
fern_stat_watcher_free(fern_stat_watcher *w)
{
    free(w);
}
