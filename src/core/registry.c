/* SPDX-License-Identifier: MIT */
/*
 * All hubs of the process, under one lock that is held for a few instructions.
 */
#include "core/registry.h"

#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fern__hub *hubs;
static uint64_t serial_last;
static _Atomic uint64_t ranges;

void
fern__registry_add(struct fern__hub *hub)
{
    pthread_mutex_lock(&lock);
    hub->serial = ++serial_last;
    hub->next = hubs;
    hubs = hub;
    pthread_mutex_unlock(&lock);
}

void
fern__registry_remove(struct fern__hub *hub)
{
    pthread_mutex_lock(&lock);
    for (struct fern__hub **at = &hubs; *at; at = &(*at)->next) {
        if (*at == hub) {
            *at = hub->next;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
}

bool
fern__registry_has(uint64_t serial)
{
    pthread_mutex_lock(&lock);
    const struct fern__hub *at = hubs;
    while (at && at->serial != serial)
        at = at->next;
    pthread_mutex_unlock(&lock);
    return at != NULL;
}

long
fern__registry_stuck(void)
{
    pthread_mutex_lock(&lock);
    long n = 0;
    for (struct fern__hub *hub = hubs; hub; hub = hub->next)
        n += atomic_load(&hub->stuck);
    pthread_mutex_unlock(&lock);
    return n;
}

uint64_t
fern__registry_ids(void)
{
    if (gettid() == getpid())
        return 0;
    return (atomic_fetch_add(&ranges, 1) + 1) << 40;
}
