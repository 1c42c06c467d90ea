/* SPDX-License-Identifier: MIT */
#ifndef LOAD_H
#define LOAD_H

/*
 * One load: a number of connections, each with one message of 64 bytes in flight, and a window
 * of time over which requests, latencies and the server's CPU are counted. Two engines can
 * drive it: uring.c and epoll.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "histogram.h"

#define LOAD_MESSAGE_BYTES 64

struct load_connection {
    int fd;
    int64_t sent_ns;
    size_t received; /* bytes of the answer in flight */
    char answer[LOAD_MESSAGE_BYTES];
};

struct load {
    struct load_connection *connections;
    size_t count;
    char message[LOAD_MESSAGE_BYTES];

    clockid_t server_clock; /* CPU time of all threads of the server */
    int64_t warm_ns, window_ns;

    /* Set when the window opens and read when it closes. */
    int64_t opened_ns, closed_ns;
    int64_t server_cpu_ns, client_cpu_ns;
    uint64_t requests;
    struct histogram latency_ns;
};

struct load_engine {
    const char *name;
    bool (*run)(struct load *load); /* false: this kernel does not offer it */
};

extern const struct load_engine load_uring, load_epoll;

/* Count an answer that is complete, and check that it is what was sent. */
void load_answered(struct load *load, struct load_connection *connection, int64_t now_ns);

/* Open and close the window; false once it is closed. Called once for each batch of answers. */
bool load_goes_on(struct load *load, int64_t now_ns);

#endif
