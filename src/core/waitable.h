/* SPDX-License-Identifier: MIT */
/*
 * What can be waited for, as far as core knows it: a const table that each waitable noun supplies
 * in its own room. The dump asks it what a cell waits for.
 */
#ifndef FERN_CORE_WAITABLE_H
#define FERN_CORE_WAITABLE_H

#include <stdbool.h>
#include <stddef.h>

struct fern__cell;

struct fern__waitable {
    const char *name; /* "sleep", "join", "fd", ... */
    bool outside;     /* what wakes it may come from outside the program */

    /* Write what the cell waits for, e.g. "fd 7 (in)", as snprintf. May be called from a signal
     * handler: no lock, no allocation. NULL: the name says it all. */
    void (*describe)(const struct fern__cell *cell, char *text, size_t bytes);
};

#endif
