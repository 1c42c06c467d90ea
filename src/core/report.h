/* SPDX-License-Identifier: MIT */
/*
 * What core has to tell people and leaves to debug/: a link-time arrow upwards. debug/ defines
 * these.
 */
#ifndef FERN_CORE_REPORT_H
#define FERN_CORE_REPORT_H

#include "core/hub.h"

/* A hub was made, and this thread's hub ends: see to the dump signal. */
void fern__report_attach(struct fern__hub *hub);
void fern__report_detach(void);

/* `dump_wanted` of the hub was seen: write the dump that a signal has asked for. */
void fern__report_wanted(struct fern__hub *hub);

/* Nothing can ever wake main: list everybody, what they wait for and where, to stderr. */
void fern__report_deadlock(struct fern__hub *hub);

/* A greenlet would take a lock in an order that contradicts another. */
struct fern__order_report {
    const void *held; /* the lock it holds, and the one it wants */
    const void *wanted;
    const void *held_place;
    const void *wanted_place;
    const void *
            before_place; /* where the other order was seen; NULL: that of addresses counts */
    const void *after_place;
};

/* Tell it, with both places, to stderr. */
void fern__report_order(const fern_greenlet *g, const struct fern__order_report *report);

/* The thread ends and these are left: list them to stderr. */
void fern__report_left(struct fern__hub *hub);

#endif
