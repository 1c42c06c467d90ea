/* SPDX-License-Identifier: MIT */
/*
 * A greenlet's control block, and its life.
 *
 * The block is 256 bytes, four cache lines by use: what a spawn and a run without a park touch;
 * what a switch touches; what a wait touches; the rest. A free block is zero from the second line
 * on but for `magic` and leftovers nobody reads: spawning writes one line.
 *
 * Lifetime: one reference belongs to the run (from spawn to the end, or while the block stands in
 * the ready queue), others to handles. All of it belongs to the hub's thread.
 */
#ifndef FERN_CORE_GREENLET_H
#define FERN_CORE_GREENLET_H

#include "base/list.h"
#include "base/wheel.h"
#include "core/arch/switch.h"
#include "core/self.h"
#include "core/tool.h"
#include "core/waitable.h"

#include <fern/greenlet.h>
#include <fern/scope.h>
#include <stdatomic.h>

struct fern__hub;

/* Where a greenlet is in its life. core/greenlet.c has the diagram. */
enum fern__life {
    FERN__LIFE_FREE, /* on the free list */
    FERN__LIFE_NEW,
    FERN__LIFE_SPAWNED, /* in the ready queue, or its delayed start is armed; has no stack */
    FERN__LIFE_LIVE,    /* has run and has not ended */
    FERN__LIFE_DONE,
};

enum fern__greenlet_flag {
    FERN__DAEMON = 1 << 0,
    FERN__RAW = 1 << 1,
    FERN__ROOT = 1 << 2,       /* the thread's own stack */
    FERN__CALLER = 1 << 3,     /* the hub's own greenlet: runs callbacks, must not wait */
    FERN__QUIET = 1 << 4,      /* its failure is expected */
    FERN__FAILED = 1 << 5,     /* fern_fail was called */
    FERN__KILLED = 1 << 6,     /* was killed, and ended so or may yet */
    FERN__LINKED = 1 << 7,     /* `ended` has links or joiners */
    FERN__UNPARKED = 1 << 8,   /* an unpark came before its park */
    FERN__FPU = 1 << 9,        /* keeps floating-point control words */
    FERN__HOOKED = 1 << 10,    /* has switch hooks */
    FERN__CHILD = 1 << 11,     /* must not start once its spawner has ended */
    FERN__PARENT = 1 << 12,    /* may have such children */
    FERN__ODD_STACK = 1 << 13, /* has a stack of a size of its own */
    FERN__REFUSES = 1 << 14,   /* its waiting calls are refused for the moment */
    FERN__CXX = 1 << 15,       /* its C++ exception state is in the frame it left from */
};

/* A greenlet that is spawned, runs and ends without a mark here touches one cache line. */
enum {
    FERN__DIRTY_FLAGS = 1, /* a flag is or was set */
    FERN__DIRTY_REST = 2,  /* something else beyond the first line */
    FERN__DIRTY_ENDED = 4, /* only the flag FERN__LINKED: somebody waits for its end */
};

/* A greenlet's place in one queue of waiters. */
struct fern__cell {
    struct fern__list node;
    fern_greenlet *greenlet; /* NULL: a link, which is not a waiter */
    void *object;            /* what it waits for, by its waitable */
};

/* States of the winner word. */
enum {
    FERN__WAIT_NONE = 0, /* not waiting, or somebody has won */
    FERN__WAIT_OPEN = 1,
};

/* What few greenlets have. */
struct fern__extra {
    char name[32];
    fern_free_fn *free_arg;
    void *free_what;
    void *user_data;
    void (*hook_out)(void *);
    void (*hook_in)(void *);
    void *hook_arg;
    fern_greenlet *raw_parent;
    void *held;         /* locks that it holds and are tracked: sync/order.c */
    size_t stack_bytes; /* 0: the default */
    uint32_t mxcsr;     /* kept floating-point control words */
    uint16_t fpucw;
    struct fern__tool tool;
};

struct fern_greenlet {
    /* Birth and end. */
    fern_fn *fn;
    void *arg; /* once DONE: the outcome's value */
    const fern_site *site;
    uint64_t id;
    uint64_t parent_id;
    int64_t born_ns;
    void *stack_top;
    uint32_t refs;
    uint8_t life;
    uint8_t dirty; /* FERN__DIRTY_*: what its end and its freeing must see to */
    uint16_t unused16;

    /* Switching. */
    struct fern__context ctx;
    const struct fern__waitable *waiting; /* what it is parked on */
    fern_scope *scopes;                   /* open ones, innermost first */
    atomic_uint winner;
    int32_t result;    /* of the wait, written by the winner */
    int32_t interrupt; /* 0, or the code with which its calls fail now */
    uint16_t flags;    /* set by fern__greenlet_mark */
    uint16_t spare16;
    void *item; /* of the wait: where what is handed over comes from or goes to */

    /* Waiting. */
    struct fern__cell cell;
    struct fern__wheel_node timer;

    /* The rest. */
    struct fern__list ended; /* cells of joiners and links, in order */
    char *message;
    struct fern__extra *extra;
    struct fern_auto *autos;
    void *locals;
    int32_t kill_code;
    int32_t fail_code;
    int32_t kills;
    uint32_t magic;
};

_Static_assert(sizeof(struct fern_greenlet) == 256, "a control block is four cache lines");
_Static_assert(offsetof(struct fern_greenlet, ctx) == 64, "the first line is birth's");
_Static_assert(
        offsetof(struct fern_greenlet, cell) == 128, "the second line is the switch's");

/* Blocks live in herds, mappings of a fixed size and alignment, so that a block finds its hub. */
enum { FERN__HERD_BYTES = 1 << 21, FERN__HERD_GROUP = 16 };

struct fern__herd {
    struct fern__hub *hub;
    struct fern__herd *older;
    size_t count; /* blocks that have been used */
    char unused[256 - 3 * sizeof(void *)];
    /* The first lines of the blocks would all fall on a quarter of the cache's sets: each group
     * is shifted by a line against the one before (measured: a batch of 100,000 spawns takes two
     * thirds of the time). */
    struct {
        fern_greenlet blocks[FERN__HERD_GROUP];
        char shift[64];
    } groups[];
};

enum {
    FERN__HERD_ROOM =
            FERN__HERD_GROUP *
            ((FERN__HERD_BYTES - 256) / (FERN__HERD_GROUP * sizeof(fern_greenlet) + 64)),
};

static inline fern_greenlet *
fern__herd_block(struct fern__herd *herd, size_t index)
{
    return &herd->groups[index / FERN__HERD_GROUP].blocks[index % FERN__HERD_GROUP];
}

static inline struct fern__hub *
fern__greenlet_hub(const fern_greenlet *g)
{
    uintptr_t herd = (uintptr_t)g & ~(uintptr_t)(FERN__HERD_BYTES - 1);
    return ((const struct fern__herd *)herd)->hub;
}

/* Whether this greenlet belongs to the calling thread's hub. */
static inline bool
fern__greenlet_here(const fern_greenlet *g)
{
    return fern__greenlet_hub(g) == fern__self_hub();
}

enum { FERN__GREENLET_MAGIC = 0x6e726566 };

/* Whether it is parked and may be woken. */
static inline bool
fern__wait_is_open(const fern_greenlet *g)
{
    return atomic_load_explicit(&g->winner, memory_order_relaxed) == FERN__WAIT_OPEN;
}

static inline void
fern__greenlet_mark(fern_greenlet *g, unsigned flags)
{
    g->flags |= (uint16_t)flags;
    g->dirty |= FERN__DIRTY_FLAGS;
}

/* A block that has not been used, zero and with an id; or NULL. */
fern_greenlet *fern__greenlet_alloc_new(struct fern__hub *hub);

/* Free a block with marks, or one that was never started, and drop the reference it held. */
void fern__greenlet_free_marked(struct fern__hub *hub, fern_greenlet *g);

/* Drop one reference; the last one frees it. */
void fern__greenlet_release(fern_greenlet *g);

/* The extra part, made when first needed; or NULL. */
struct fern__extra *fern__greenlet_extra(fern_greenlet *g);

/* The end of a greenlet that ran and has marks, or that somebody watches: record how it ended,
 * report a failure, serve joiners and links, drop the run's reference. */
void fern__greenlet_finish_marked(struct fern__hub *hub, fern_greenlet *g, void *value);

/* End one that has not run. Its place in the ready queue keeps the run's reference until it comes
 * up; a delayed or unstarted one has none there. */
void fern__greenlet_finish_unrun(fern_greenlet *g);

/* Kill without waiting. */
void fern__greenlet_kill(fern_greenlet *g, int code);

/* Take back one kill of a greenlet that has not ended. @return how many remain */
int fern__greenlet_uncancel(fern_greenlet *g);

/* Work out anew with which code its calls fail now. */
void fern__greenlet_set_interrupt(fern_greenlet *g);

/* "#7 "name" (file.c:12)" for reports. Safe in signal handlers. */
void fern__greenlet_label(const fern_greenlet *g, char *text, size_t bytes);

/* The greenlet with this id, ended ones included while they are referenced; or NULL. */
fern_greenlet *fern__greenlet_find(struct fern__hub *hub, uint64_t id);

/* Call a function for each block that is not free, in order of address; it returns false to
 * stop. Safe in signal handlers. */
void fern__greenlet_each(
        struct fern__hub *hub, bool (*fn)(fern_greenlet *g, void *arg), void *arg);

#endif
