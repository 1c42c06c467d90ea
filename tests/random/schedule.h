/* SPDX-License-Identifier: MIT */
#ifndef FERN_TESTS_RANDOM_SCHEDULE_H
#define FERN_TESTS_RANDOM_SCHEDULE_H

/*
 * What all random programs have in common: the seed that everything is drawn from, the order of
 * those that are ready, and what becomes of a program that contradicts its model.
 *
 * A kind of random program supplies world_run() and world_run_and_leave(); schedules.c runs them.
 */

#include <stdbool.h>
#include <stdint.h>

#include <fern.h>

struct schedule {
    uint64_t seed;
    uint64_t random;
    bool permuted; /* the order of the ready ones is drawn too: no promises of order */
    bool tracing;
};

extern struct schedule schedule;

/* Called when the model is contradicted; does not return. Set by the program. */
extern void (*world_failed)(const char *text);

/* Run one schedule. Calls world_failed() with the reason if it contradicts the model. */
void world_run(uint64_t seed, bool with_io, bool tracing);

/* Run one on a thread of its own that ends in the middle of it: the end of its hub must end
 * everybody. */
void world_run_and_leave(uint64_t seed, bool with_io, bool tracing);

/* Begin to draw from a seed; the order of the ready ones too. */
void schedule_begin(uint64_t seed, bool tracing);

/* A number drawn from the schedule's seed, 0 to below - 1. */
unsigned draw(unsigned below);

static inline bool
chance(unsigned percent)
{
    return draw(100) < percent;
}

__attribute__((format(printf, 1, 2))) void tell(const char *format, ...);
__attribute__((noreturn, format(printf, 3, 4))) void contradict(
        const char *file, int line, const char *format, ...);

/* The model says that this is so. */
#define MUST(condition, ...)                                                               \
    do {                                                                                   \
        if (!(condition))                                                                  \
            contradict(__FILE__, __LINE__, __VA_ARGS__);                                   \
    } while (0)

#endif
