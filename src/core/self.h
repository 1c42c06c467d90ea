/* SPDX-License-Identifier: MIT */
/*
 * What fern knows of the calling OS thread: the only thread-local of the library.
 *
 * Read it anew after every switch: the thread pointer itself may be another one by then.
 */
#ifndef FERN_CORE_SELF_H
#define FERN_CORE_SELF_H

struct fern__hub;

struct fern__self {
    struct fern__hub *hub; /* NULL until this thread needs one */
    void *locals;          /* values under keys: the thread's own, and main's */
};

extern __thread struct fern__self fern__self_slot
        __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* This thread's hub, or NULL. */
static inline struct fern__hub *
fern__self_hub(void)
{
    return fern__self_slot.hub;
}

#endif
