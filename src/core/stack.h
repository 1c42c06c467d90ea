/* SPDX-License-Identifier: MIT */
/*
 * Stacks: slabs of them, guarded, pooled.
 *
 * A slab is one mapping of many strides; a stride is a guard below a stack. The guard is as large
 * as the stack by default (64 KiB), since a guard of one page is jumped by one local array. A
 * stack is handled by its top, the highest address that may be used; tops are coloured, so that
 * stacks do not all fall on the same cache sets.
 *
 * Every stack that a hub's greenlets may need at once is mapped when they are spawned
 * (fern__stacks_reserve), not when they first run: a greenlet that has been spawned can run.
 * Mapping touches no memory.
 */
#ifndef FERN_CORE_STACK_H
#define FERN_CORE_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum fern__guard {
    FERN__GUARD_ADVICE, /* MADV_GUARD_INSTALL: no further mapping, survives MADV_DONTNEED */
    FERN__GUARD_MPROTECT, /* two mappings a stack */
    FERN__GUARD_CANARY,   /* nothing faults: the zone below the stack is looked at */
};

struct fern__slab {
    struct fern__slab *older;
    struct fern__slab *newer;
    char *base;
    size_t stacks;
    size_t used;    /* the first so many have been handed out */
    size_t guarded; /* the first so many are guarded */
    size_t stride;
    size_t stack_bytes;
};

struct fern__stacks {
    void **pool; /* tops of idle stacks, warmest last */
    size_t pooled;
    size_t pool_room;
    size_t trimmed; /* the coldest so many of the pool have given their memory back */
    size_t lowest;  /* the fewest that were pooled since the last trim */
    size_t total;   /* stacks in all slabs; pool_room >= total */
    size_t taken;   /* default-sized ones in use */
    size_t stack_bytes;
    size_t stride;
    enum fern__guard guard;
    struct iovec
            *many; /* room for the guards of GUARDS_MANY stacks; NULL until they are many */
    struct fern__slab *slabs;   /* default-sized ones, newest first */
    struct fern__slab *filling; /* the oldest of them that is not used up */
    struct fern__slab *single;  /* slabs of one stack of an odd size, in use */
};

/* Read the environment (FERN_STACK, FERN_GUARD), probe the guards. @return 0; -EINVAL with a
 * report of what is wrong in the environment */
int fern__stacks_init(struct fern__stacks *s);

/* Unmap everything. */
void fern__stacks_fini(struct fern__stacks *s);

/* See to it that `needed` stacks of default size can be taken. @return 0; -ENOMEM */
int fern__stacks_reserve(struct fern__stacks *s, size_t needed);

/* A stack that has never been used, guarded. */
void *fern__stack_take_fresh(struct fern__stacks *s);

/* A default-sized stack's top. Never fails for what was reserved. */
static inline void *
fern__stack_take(struct fern__stacks *s)
{
    s->taken++;
    if (!s->pooled)
        return fern__stack_take_fresh(s);
    size_t at = --s->pooled;
    if (at < s->lowest) {
        s->lowest = at;
        if (s->trimmed > at)
            s->trimmed = at;
    }
    return s->pool[at];
}

/* Give it back; it may be the one that is running, until the next take. */
static inline void
fern__stack_give(struct fern__stacks *s, void *top)
{
    s->pool[s->pooled++] = top;
    s->taken--;
}

/* A stack of a size of its own. @return its top; NULL: no memory */
void *fern__stack_open(struct fern__stacks *s, size_t bytes);

/* Unmap it; it must not be running. */
void fern__stack_close(struct fern__stacks *s, void *top);

/* Give back the memory of the stacks that have lain in the pool since the last trim, but for the
 * `keep` warmest. */
void fern__stacks_trim(struct fern__stacks *s, size_t keep);

/* The lowest address of the stack with this top. */
char *fern__stack_low(const struct fern__stacks *s, const void *top);

/* The slab that holds an address, or NULL. Takes no lock: for signal handlers. */
const struct fern__slab *fern__stack_slab_of(
        const struct fern__stacks *s, const void *address);

/* In canary mode: whether a stack whose sp stands at `sp` has run out of its bounds. `ended` looks
 * at the whole zone below it, by a system call. */
bool fern__stack_overrun(
        const struct fern__stacks *s, const void *top, const void *sp, bool ended);

/* Bytes between a stack's low end and the end of its guard. */
enum { FERN__STACK_GUARD_BYTES = 64 * 1024 };

const char *fern__guard_name(enum fern__guard guard);

#endif
