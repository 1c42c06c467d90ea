/* SPDX-License-Identifier: MIT */
/*
 * Telling tools about stacks: AddressSanitizer, ThreadSanitizer, LeakSanitizer, valgrind.
 *
 * One ordinary build of fern serves them all: the sanitizers' functions are weak symbols that an
 * instrumented program brings along, and valgrind's requests are instructions that do nothing
 * elsewhere. A hub under a sanitizer is `observed` and takes the slower way through a switch.
 */
#ifndef FERN_CORE_TOOL_H
#define FERN_CORE_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the tools keep of a stack that is not running. */
struct fern__tool {
    void *tsan_fiber;
    void *asan_fake_stack;
    size_t fake_bytes; /* of which so many are shown to LeakSanitizer */
    const void *low;
    size_t bytes;
};

/* Whether a sanitizer that wants to hear of switches is in this process. */
bool fern__tool_present(void);

/* A stack [low, low + bytes) was mapped, or is about to be unmapped. */
void fern__tool_stack_new(void *low, size_t bytes);
void fern__tool_stack_gone(void *low, size_t bytes);

/* The thread goes to the stack [low, low + bytes) for a while, by a call. @return what tells of
 * its end */
uintptr_t fern__tool_aside(void *low, size_t bytes);
void fern__tool_aside_end(uintptr_t id);

/* A mapping that may hold the only pointers to memory of the heap, and its end. */
void fern__tool_region_new(const void *low, size_t bytes);
void fern__tool_region_gone(const void *low, size_t bytes);

/* The thread's own stack. */
void fern__tool_adopt_thread(struct fern__tool *tool);

/* A greenlet got the stack [low, low + bytes). */
void fern__tool_born(
        struct fern__tool *tool, const void *low, size_t bytes, const char *name);

/* A greenlet has ended and its stack is free: called from another stack. */
void fern__tool_dead(struct fern__tool *tool);

/* Around a switch. `from` is NULL if it never comes back. */
void fern__tool_leave(struct fern__tool *from, struct fern__tool *to);
void fern__tool_arrive(struct fern__tool *self);

#endif
