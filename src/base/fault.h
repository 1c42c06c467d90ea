/* SPDX-License-Identifier: MIT */
/*
 * Faults on purpose: the n-th call of a system call's name fails with a given error.
 *
 * FERN_FAULT="recv:3:ECONNRESET,epoll_ctl:1:ENOMEM" plans them for a whole program; tests plan
 * them call by call. While none is planned the cost is one branch that is never taken.
 */
#ifndef FERN_BASE_FAULT_H
#define FERN_BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* Whether any fault is planned or calls are being counted. */
extern bool fern__fault_armed;

/* Plan that the nth call from now on of `name` (NULL: of any system call) fails with `error`, a
 * positive errno. @return 0; -ENOSPC too many plans; -EINVAL */
int fern__fault_plan(const char *name, uint64_t nth, int error);

/* Forget all plans, and count calls from zero. */
void fern__fault_clear(void);

/* Count a call. @return 0, or the errno with which it must fail */
int fern__fault_hit(const char *name);

/* How many calls have been counted since the last fern__fault_clear(). */
uint64_t fern__fault_calls(void);

/* How many calls have been counted against the first plan made for this name. */
uint64_t fern__fault_seen(const char *name);

/* Read plans as FERN_FAULT holds them. @return 0; -EINVAL with a report of what is wrong */
int fern__fault_read(const char *text);

#endif
