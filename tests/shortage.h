/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out: every allocation and mapping by fern fails once, in turn. Whatever was
 * asked for is then refused with a documented code, nothing is lost, and nobody crashes.
 *
 * A program that uses this is linked with --wrap, so that each call of an allocator by fern comes
 * here. Each run has a thread, and so a hub, of its own: its making and its end are swept too.
 */
#ifndef FERN_TESTS_SHORTAGE_H
#define FERN_TESTS_SHORTAGE_H

#include <stdbool.h>

/* Whether a call worked; else there was no memory. */
bool fine(int r);

/* Whether something was made; else there was no memory, which errno says. */
bool made(const void *p);

/* Run a program again and again, each time another allocation fails. Skips the test where that
 * cannot be done. @return how many allocations the program makes */
long shortage_sweep(void *(*program)(void *arg), void *arg);

#endif
