/* SPDX-License-Identifier: MIT */
#ifndef FLOOR_ECHO_H
#define FLOOR_ECHO_H

/*
 * What the raw echo servers share. The epoll loops themselves differ only in how they are told
 * of data.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ECHO_BUFFER_BYTES 4096
#define ECHO_EVENTS       256

/* Accept all that wait at `listener`, each non-blocking, and add each to `epoll` for `events`. */
void echo_accept_all(int epoll, int listener, uint32_t events);

/* Send all of `bytes`, waiting for room if there is none. */
bool echo_send(int fd, const char *bytes, size_t count);

#endif
