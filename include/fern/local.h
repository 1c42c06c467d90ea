/* SPDX-License-Identifier: MIT */
/*
 * Values of a greenlet's own, under keys that all greenlets share.
 *
 *     static fern_key request;
 *     fern_key_create(&request, free, 0);             (once)
 *     fern_key_set(request, strdup("GET /"));         (in each greenlet)
 *     puts(fern_key_get(request));
 *
 * Main has its own values, and so has a thread that has no greenlets. When a greenlet ends its
 * values are given to their keys' destroy functions, the one of the newest key first. A key may
 * hand its values on to the greenlets that are spawned (FERN_KEY_INHERIT), or have one value for
 * a whole family of them (FERN_KEY_TREE).
 */
#ifndef FERN_LOCAL_H
#define FERN_LOCAL_H

#include <fern/base.h>
#include <fern/greenlet.h>

FERN__BEGIN_DECLS

/** A key. Its field is fern's; zero is no key. Never used again once deleted. */
typedef struct fern_key {
    uint64_t fern__id;
} fern_key;

/** Flags of fern_key_create(). */
enum {
    FERN_KEY_INHERIT = 1, /**< a spawned greenlet begins with its spawner's value */
    FERN_KEY_TREE = 2, /**< a greenlet that main spawned and all that descend from it share
                               one value, whoever sets it; main has its own */
};

enum { FERN_KEYS_MAX = 1024 /**< keys of a process at one time */ };

/**
 * Make a key. It has no value anywhere yet.
 *
 * @param  ret_key  receives the key
 * @param  destroy  called with each value that is not NULL when it is replaced, its key is
 *                  deleted, or the last greenlet that has it ends; must not wait; NULL for none
 * @param  flags    0, FERN_KEY_INHERIT or FERN_KEY_TREE. These count for greenlets spawned after
 *                  this call, on other threads after their first use of the key
 * @return 0; -EINVAL ret_key is NULL, or flags are unknown or both; -ENOSPC there are FERN_KEYS_MAX
 *
 * May switch: no.  Thread: any; for all.  Owner: fern_key_delete() gives the key back.
 */
FERN_API int fern_key_create(fern_key *ret_key, fern_free_fn *destroy, int flags);

/**
 * Delete a key. The values that this thread's greenlets have are destroyed here and now; those of
 * other threads cannot be had any more and are destroyed when their greenlets end.
 *
 * @param  key  a key
 * @return 0; -EINVAL it is no key, or was deleted
 *
 * May switch: no.  Thread: any.  Owner: gives all values back.
 */
FERN_API int fern_key_delete(fern_key key);

/**
 * The current greenlet's value.
 *
 * @param  key  a key
 * @return the value; NULL if none was set, or it is no key
 *
 * May switch: no.  Thread: any; it needs no hub.  Owner: as it was set.
 */
FERN_API void *fern_key_get(fern_key key);

/**
 * Set the current greenlet's value. The one it had is destroyed.
 *
 * @param  key    a key
 * @param  value  anything; NULL: none
 * @return 0; -EINVAL it is no key; -ENOMEM
 *
 * May switch: no.  Thread: any; it needs no hub.  Owner: keeps value until destroy is called.
 */
FERN_API int fern_key_set(fern_key key, void *value);

/** Told of a value; returns false to hear of no more. */
typedef bool fern_key_each_fn(fern_key key, void *value, void *arg);

/**
 * Call a function for each value that a greenlet has, its tree's included, in order of the keys'
 * creation within each kind.
 *
 * @param  g    a greenlet; NULL is the current one, or a thread's own values
 * @param  fn   called with each; must set none
 * @param  arg  passed to it
 * @return how many values it was called with; -EINVAL fn is NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: g's hub only.  Owner: borrows g.
 */
FERN_API int fern_key_each(const fern_greenlet *g, fern_key_each_fn *fn, void *arg);

FERN__END_DECLS

#endif
