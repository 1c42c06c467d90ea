/* SPDX-License-Identifier: MIT */
/*
 * Who lives, by id: for reports that come upon ids.
 */
#ifndef FERN_DEBUG_CENSUS_H
#define FERN_DEBUG_CENSUS_H

#include "core/hub.h"

struct fern__resident {
    uint64_t id;
    fern_greenlet *g;
};

/* All zero is one that was not taken. */
struct fern__census {
    struct fern__resident *all; /* by id */
    size_t n;
    size_t bytes;
};

/* List the greenlets of a hub that have not ended. @return 0; -ENOMEM */
int fern__census_take(struct fern__census *census, struct fern__hub *hub);

/* @return a number below n; n: nobody who lives has this id */
size_t fern__census_find(const struct fern__census *census, uint64_t id);

void fern__census_fini(struct fern__census *census);

#endif
