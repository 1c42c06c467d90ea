/* SPDX-License-Identifier: MIT */
/*
 * Sets of values, each under a number: those of one greenlet, or of a tree of them.
 */
#ifndef FERN_CORE_VALUES_H
#define FERN_CORE_VALUES_H

#include <fern/greenlet.h>
#include <stdbool.h>
#include <stdint.h>

/* Its place changes when others are added or removed. */
struct fern__entry {
    uint64_t id;
    void *value;
    fern_free_fn *destroy;
    size_t *shared; /* by how many entries; NULL: by none other */
};

/* Zero is empty. */
struct fern__values {
    struct fern__entry *entries; /* in order of id */
    uint32_t count;
    uint32_t room;
    size_t refs; /* the owner's, who may share it */
};

/* @return NULL: there is none, or values is NULL */
struct fern__entry *fern__values_find(const struct fern__values *values, uint64_t id);

/* Add one that is not there. @param passes other sets may share it @return 0; -ENOMEM */
int fern__values_put(struct fern__values *values, uint64_t id, void *value,
        fern_free_fn *destroy, bool passes);

/* Add what another set has. @return 0; -ENOMEM */
int fern__values_share(struct fern__values *values, const struct fern__entry *other);

/* Put a value in the place of another, which is destroyed if nobody else has it. The set may be
 * changed by that. @return 0; -ENOMEM */
int fern__values_replace(struct fern__entry *entry, void *value);

/* Remove one, and destroy it if nobody else has it. */
void fern__values_remove(struct fern__values *values, struct fern__entry *entry);

/* Destroy all, the newest key's first. A destroy function may look at the others, and set some. */
void fern__values_end(struct fern__values *values);

/* Free the set and what is counted, without calling anything. */
void fern__values_drop(struct fern__values *values);

#endif
