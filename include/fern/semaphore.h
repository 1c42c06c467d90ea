/* SPDX-License-Identifier: MIT */
/*
 * Semaphores: a number of permits that are taken and given back, by anybody.
 *
 * A semaphore lives in the user's memory, does not move after its first use, and belongs to the
 * hub of that; from another thread it answers -EXDEV. By default it is fair: permits are handed to
 * who has waited longest, and who comes later waits behind, even if the permits that are there
 * would do for it and not for the first.
 *
 *     static fern_semaphore slots = FERN_SEMAPHORE_INIT(3);
 *     int r;
 *     FERN_WITH_SEMAPHORE (r, &slots, FERN_FOREVER)
 *         use_a_slot();
 */
#ifndef FERN_SEMAPHORE_H
#define FERN_SEMAPHORE_H

#include <fern/base.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** A semaphore. Fields are fern's; zero is one without permits and without a limit. */
typedef struct fern_semaphore {
    uint64_t fern__words[12];
} fern_semaphore;

/** Flags of a semaphore. */
enum {
    /** Permits are not handed over: a waiter is woken to try, and who comes first takes them.
     * Faster when permits are given back and taken again in one go, and not fair. */
    FERN_SEMAPHORE_BARGE = 1,
    /** It never runs out, and nothing waits: for code that takes a semaphore it may not need. */
    FERN_SEMAPHORE_UNLIMITED = 2,
};

/** What a semaphore is made with. Zero is the default everywhere but for `count`. */
typedef struct fern_semaphore_options {
    size_t size;   /**< sizeof(fern_semaphore_options), set by FERN_SEMAPHORE_OPTIONS */
    int64_t count; /**< permits that are there at first; not negative; 1 by default */
    int64_t limit; /**< how many there may be at most; 0: any number */
    int flags;     /**< FERN_SEMAPHORE_BARGE, FERN_SEMAPHORE_UNLIMITED */
} fern_semaphore_options;

#ifdef __cplusplus
#define FERN_SEMAPHORE_INIT(n) (fern_semaphore{{(uint64_t)(n)}})
#define FERN_SEMAPHORE_OPTIONS(name)                                                       \
    fern_semaphore_options name = fern_semaphore_options();                                \
    name.size = sizeof(fern_semaphore_options), name.count = 1
#else
/** A semaphore with n permits and without a limit; n is not negative. */
#define FERN_SEMAPHORE_INIT(n) ((fern_semaphore){{(uint64_t)(n)}})
/** Declare options with their size filled in; set what differs from the default after it. */
#define FERN_SEMAPHORE_OPTIONS(name)                                                       \
    fern_semaphore_options name = {.size = sizeof(fern_semaphore_options), .count = 1}
#endif

/**
 * Begin a semaphore with options; for a plain one FERN_SEMAPHORE_INIT will do.
 *
 * @param  semaphore  memory that is not in use
 * @param  options    made by FERN_SEMAPHORE_OPTIONS
 * @return 0; -EINVAL NULL, a count that is negative or above the limit, a flag that is not known
 *
 * May switch: no.  Thread: any.  Owner: semaphore stays the caller's; copies options.
 */
FERN_API int fern_semaphore_init(
        fern_semaphore *semaphore, const fern_semaphore_options *options);

/**
 * End the use of a semaphore; it keeps its permits, and belongs to no hub any more.
 *
 * @param  semaphore  a semaphore
 * @return 0; -EBUSY somebody waits for it; -EINVAL NULL; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: semaphore stays the caller's.
 */
FERN_API int fern_semaphore_fini(fern_semaphore *semaphore);

/**
 * Take permits, all at once or none, waiting until they are there.
 *
 * @param  semaphore  a semaphore
 * @param  n          how many, at least 1
 * @param  deadline   how long at most; FERN_NOWAIT only tries
 * @return 0; -EAGAIN they are not there, or others wait for them, and FERN_NOWAIT; -ETIME;
 *         -ECANCELED; -EDEADLK; -EINVAL NULL, n is less than 1 or more than the limit; -EXDEV
 *         another hub's; -ENOMEM, -EMFILE no hub could be made
 *
 * May switch: yes, unless they are there or FERN_NOWAIT.  Thread: its hub only.  Owner: borrows semaphore.
 */
FERN_API FERN_MUST_CHECK int fern_semaphore_acquire(
        fern_semaphore *semaphore, int64_t n, fern_time deadline);

/**
 * Give permits back, or add new ones.
 *
 * @param  semaphore  a semaphore
 * @param  n          how many, at least 1
 * @return 0; -EOVERFLOW there would be more than its limit, and nothing was changed; -EINVAL NULL,
 *         n is less than 1; -EXDEV another hub's
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows semaphore.
 */
FERN_API int fern_semaphore_release(fern_semaphore *semaphore, int64_t n);

/**
 * Give permits back, waiting while there is no room for them below the limit.
 *
 * @param  semaphore  a semaphore with a limit
 * @param  n          how many, at least 1
 * @param  deadline   how long at most; FERN_NOWAIT only tries
 * @return 0; -EAGAIN there is no room and FERN_NOWAIT; else as fern_semaphore_acquire()
 *
 * May switch: yes, unless there is room or FERN_NOWAIT.  Thread: its hub only.  Owner: borrows semaphore.
 */
FERN_API FERN_MUST_CHECK int fern_semaphore_refill(
        fern_semaphore *semaphore, int64_t n, fern_time deadline);

/**
 * Wait until a permit could be taken, and take none. It may be gone again when the call returns.
 *
 * @param  semaphore  a semaphore
 * @param  deadline   how long at most; FERN_NOWAIT only looks
 * @return as fern_semaphore_acquire()
 *
 * May switch: yes, unless one is there or FERN_NOWAIT.  Thread: its hub only.  Owner: borrows semaphore.
 */
FERN_API FERN_MUST_CHECK int fern_semaphore_wait(
        fern_semaphore *semaphore, fern_time deadline);

/**
 * How many permits are there.
 *
 * @param  semaphore  a semaphore; NULL is 0
 * @return the number; of one without end INT64_MAX
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows semaphore.
 */
FERN_API int64_t fern_semaphore_count(const fern_semaphore *semaphore);

/**
 * How many greenlets wait to take permits.
 *
 * @param  semaphore  a semaphore; NULL is 0
 * @return the number, counted anew by each call
 *
 * May switch: no.  Thread: its hub only.  Owner: borrows semaphore.
 */
FERN_API size_t fern_semaphore_waiting(const fern_semaphore *semaphore);

static inline fern_semaphore *
fern__semaphore_enter(fern_semaphore *semaphore, fern_time deadline, int *ret_code)
{
    *ret_code = fern_semaphore_acquire(semaphore, 1, deadline);
    return *ret_code < 0 ? NULL : semaphore;
}

static inline void
fern__semaphore_leave(fern_semaphore **held)
{
    if (*held)
        (void)fern_semaphore_release(*held, 1);
    *held = NULL;
}

/**
 * A block that has a permit, and gives it back on every way out. `r`, an int of the caller's,
 * receives what fern_semaphore_acquire() returns; when that is an error the block is not run.
 */
#define FERN_WITH_SEMAPHORE(r, semaphore, deadline)                                        \
    for (fern_semaphore * FERN__UNIQUE(fern__held)                                         \
                                  __attribute__((cleanup(fern__semaphore_leave))) =        \
                    fern__semaphore_enter((semaphore), (deadline), &(r));                  \
            FERN__UNIQUE(fern__held); fern__semaphore_leave(&FERN__UNIQUE(fern__held)))

FERN__END_DECLS

#endif
