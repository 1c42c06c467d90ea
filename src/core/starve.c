/* SPDX-License-Identifier: MIT */
/*
 * When nothing can ever wake main.
 *
 * The hub has no timer, no fd and nothing ready. What could still wake it is another OS thread,
 * so every thread of the process must be a hub that is stuck likewise. The threads are counted in
 * /proc; this is done at most once before each such sleep, and then ever more seldom.
 */
#include "core/starve.h"

#include "base/check.h"
#include "core/registry.h"
#include "core/report.h"
#include "core/wait.h"

#include <dirent.h>
#include <string.h>

static const int64_t RECHECK_MIN_NS = 100 * FERN_MS;
static const int64_t RECHECK_MAX_NS = 10 * FERN_SECOND;

/* How many OS threads the process has; -1 if that cannot be told. */
static long
threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    if (!dir)
        return -1;
    long n = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

bool
fern__starve(struct fern__hub *hub)
{
    atomic_store(&hub->stuck, true);
    bool alone = threads() == fern__registry_stuck();
    if (!alone || !fern__wait_is_open(hub->root)) {
        int64_t next = hub->recheck_ns * 2;
        hub->recheck_ns = next < RECHECK_MIN_NS   ? RECHECK_MIN_NS
                          : next > RECHECK_MAX_NS ? RECHECK_MAX_NS
                                                  : next;
        return false;
    }
    atomic_store(&hub->stuck, false);
    fern__report_deadlock(hub);
    if (fern__wait_claim(hub->root))
        fern__wait_grant(hub->root, -EDEADLK);
    return true;
}
