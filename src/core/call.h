/* SPDX-License-Identifier: MIT */
/*
 * Callbacks: functions that the hub calls on a greenlet of its own, in the order of the ready
 * queue. They must not wait.
 */
#ifndef FERN_CORE_CALL_H
#define FERN_CORE_CALL_H

#include "core/sched.h"

/* What fern_callback is inside. */
struct fern__call {
    fern_callback_fn *fn;
    void *arg;
    struct fern__hub *hub;
    uint32_t place; /* its number in the ring while it is pending */
    uint8_t pending;
    uint8_t keeps_place; /* its owner, not the call, holds the reservation in the ring */
    uint16_t unused;
    uint64_t reserved[2];
};

_Static_assert(sizeof(struct fern__call) == sizeof(fern_callback), "one is the other");

/* Make sure that one more call can be pending. @return 0; -ENOMEM */
int fern__call_reserve(struct fern__hub *hub);

/* An item of the ready queue that is a call has come up. @return the item that will make it */
uintptr_t fern__call_item(struct fern__hub *hub, uintptr_t item);

/* Append a call that is not pending and for which a place is reserved. */
void fern__call_push(struct fern__hub *hub, struct fern__call *call);

/* Take a pending call out of the ready queue; the others keep their order. Its reservation goes
 * to the empty place, which gives it back when it comes up. */
void fern__call_remove(struct fern__hub *hub, struct fern__call *call);

#endif
