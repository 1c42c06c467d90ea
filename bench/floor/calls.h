/* SPDX-License-Identifier: MIT */
#ifndef FLOOR_CALLS_H
#define FLOOR_CALLS_H

/*
 * Functions of a shared library that do next to nothing.
 */

#include <stdint.h>

int calls_first(void *object, int64_t deadline);
int calls_second(void *object);

/* A ring without any check: it is never full nor empty, has one type, and belongs to anybody. */
int calls_put(void *ring, const void *item, int64_t deadline);
int calls_get(void *ring, void *ret_item, int64_t deadline);

#endif
