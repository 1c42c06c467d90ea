/* SPDX-License-Identifier: MIT */
/*
 * Timers of greenlets, and the hub's turn at all timers.
 *
 * One timer per greenlet holds the nearest of its call's deadline and its open scopes. It is
 * armed when the greenlet leaves the CPU; while a scope is open it may stay armed in between,
 * and it is disarmed when a scope changes, since then it may be wrong.
 */
#ifndef FERN_CORE_TIMER_H
#define FERN_CORE_TIMER_H

#include "core/hub.h"

/* Arm for a park with this deadline and the open scopes. */
void fern__timer_arm_park(fern_greenlet *g, int64_t deadline_ns);

/* Arm for the open scopes only: a greenlet that yields. */
void fern__timer_arm_yield(fern_greenlet *g);

/* Arm for a delayed start. */
void fern__timer_arm_start(fern_greenlet *g, int64_t at_ns);

void fern__timer_disarm(fern_greenlet *g);

/* Fire what is due: completions first, time-outs last, each by (deadline, insertion). */
void fern__timers_run(struct fern__hub *hub, int64_t now);

/* Forget all timers, so that their users may start them on another hub: this one ends. */
void fern__timers_drop(struct fern__hub *hub);

#endif
