/* SPDX-License-Identifier: MIT */
/*
 * A hub: one OS thread's scheduler, timers and poller.
 *
 * Made when first needed (fern__hub_need), ended with its thread. Everything in it belongs to
 * that thread.
 */
#ifndef FERN_CORE_HUB_H
#define FERN_CORE_HUB_H

#include "base/ring.h"
#include "base/wheel.h"
#include "core/greenlet.h"
#include "core/poller.h"
#include "core/self.h"
#include "core/stack.h"

#include <errno.h>
#include <fern/loop.h>

/* Tags of timers, in the order in which a turn serves them: time-outs last, so that what
 * completes at the same moment wins. */
enum fern__timer_kind {
    FERN__TIMER_SLEEP,   /* of a greenlet whose own deadline is the completion */
    FERN__TIMER_TIMEOUT, /* of a greenlet's deadline or scope */
    FERN__TIMER_START,   /* of a greenlet's delayed start */
    FERN__TIMER_USER,    /* fern_timer */
    FERN__TIMER_TRIM,    /* the hub's own, gives idle stacks' memory back */
};

/* The C++ runtime's exception state of a thread, as the Itanium C++ ABI lays it out. */
struct fern__cxx_globals {
    void *caught;
    unsigned uncaught;
};

struct fern__call;

struct fern__hub {
    /* What every switch touches. */
    fern_greenlet *current;
    uint64_t serial; /* of this hub alone: what outlives it knows it by this; not 0 */
    struct fern__ring ready;
    uint32_t turn_at;  /* a turn is due when the ring's head has come here */
    uint32_t fetch_at; /* and here the next ones are to be fetched */
    bool observed;     /* sanitizer, C++, hooks, canary, seed...: take the slower way */
    bool permuted;     /* pick ready ones in a seeded order */
    bool ordered;      /* but the next one in its order */
    int *errno_at;

    /* Fairness: core/fair.c. */
    int32_t ops_left;      /* operations until whoever makes the next one yields */
    int32_t ops_unclocked; /* operations until the clock is looked at */
    int64_t now;           /* the clock at the last turn */
    int64_t turned_at;     /* as now, when the last turn ended */
    int32_t pace;          /* switches between two turns, as time allows */
    uint32_t turned_head;  /* where the head was at the last turn */
    bool spinning;         /* recent idle gaps were short */
    struct fern_hub_options options;

    fern_greenlet **free; /* free blocks, the last one given back first */
    size_t free_count;
    size_t free_room; /* at least as many as there are blocks */
    size_t blocks; /* in use and free: each has a stack and a place in the ready queue kept */
    size_t room;   /* how many there may be before more must be kept */
    size_t calls; /* places in the ready queue that are kept for calls */
    size_t ended; /* of all that were made, but for the stale ones */
    size_t stale; /* ended before they ran, still in the ready queue */
    struct fern__stacks stacks;
    struct fern__wheel wheel;
    struct fern__poller *poller;
    struct fern__list idlers;
    struct fern__list drainers;
    size_t wakers; /* armed timers and outside waits of others than daemons */

    fern_greenlet *root;
    fern_greenlet *runner;   /* who waits in fern_loop_run() or fern_loop_run_until() */
    fern_greenlet *caller;   /* runs callbacks */
    struct fern__call *call; /* the one it runs next */
    fern_greenlet nobody;    /* current between a greenlet's end and the next one */
    void *corpse_stack;      /* of an odd size, left for good; to be closed */
    struct fern__cxx_globals *cxx;
    struct fern__tool dying;  /* what the tools know of the one that ends on this stack */
    struct fern__tool corpse; /* and of the one before, whose stack has been left */
    struct fern__wheel_node trim;

    struct fern_hooks hooks;
    bool watch_spawns; /* a hook wants to hear of them, or values pass on */
    bool stop_wanted;  /* fern_loop_stop() came before somebody ran it */
    bool inherits;     /* there may be values that pass to spawned greenlets */
    fern_error_fn *error_hook;
    void *error_arg;
    uint32_t fpu_users;  /* live greenlets that keep control words */
    uint32_t hook_users; /* live greenlets with switch hooks */
    uint32_t mxcsr;      /* the control words that the others share */
    uint16_t fpucw;
    bool tooled;             /* a sanitizer wants to hear of switches */
    atomic_bool polling;     /* inside the poller: read by signal handlers */
    atomic_bool dump_wanted; /* a signal has asked for a dump */
    atomic_bool stuck;       /* sleeps with nothing of its own that could wake it */
    int64_t recheck_ns; /* how soon to ask again whether foreign threads are still there */

    uint64_t id_first; /* the one before the hub's first */
    uint64_t id_last;
    uint64_t seed; /* state of the generator for permuted order; 0: the order is kept */
    uint64_t luck; /* the same for draws that a program asks for */
    struct fern__herd *herds;
    struct fern_hub_stats stats;
    void *altstack;
    int64_t cxx_looked; /* when the C++ runtime was looked for, and how many libraries */
    unsigned long long cxx_adds; /* had been loaded then */
    struct fern__hub *next;      /* of all hubs of the process */
    uint32_t magic;
};

enum { FERN__HUB_MAGIC = 0x62756866 };

/* This thread's hub, made if there is none. @return NULL with errno ENOMEM, EMFILE or EINVAL */
struct fern__hub *fern__hub_make(void);

static inline struct fern__hub *
fern__hub_need(void)
{
    struct fern__hub *hub = fern__self_hub();
    return fern__likely(hub != NULL) ? hub : fern__hub_make();
}

/* Why fern__hub_need() gave none, as a negative code. */
static inline int
fern__hub_error(void)
{
    int code = errno;
    return code > 0 ? -code : -ENOMEM;
}

/* Work out anew whether switches must take the slower way. */
void fern__hub_observe(struct fern__hub *hub);

/* Make room for one more block, or for one more call. @return 0; -ENOMEM */
int fern__hub_make_room(struct fern__hub *hub);
int fern__hub_make_call_room(struct fern__hub *hub);

/* Kill everybody but main, and wait until they have ended and no call is pending. @return 0;
 * as fern_join() */
int fern__hub_end_greenlets(struct fern__hub *hub, fern_time end);

/* See to it that stacks which stay idle give their memory back some time. */
void fern__hub_plan_trim(struct fern__hub *hub);

/* Give back the memory of stacks that have been idle since the last time. */
void fern__hub_trim(struct fern__hub *hub);

#endif
