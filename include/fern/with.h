/* SPDX-License-Identifier: MIT */
/*
 * Enter and exit: pairs of functions around a block, and stacks of exits.
 *
 *     int r;
 *     FERN_WITH (r, db_begin, db_end, &db) {
 *         r = work(&db);
 *     }
 *
 * The exit runs on every way out of the block (its end, break, return, goto, fern_exit()) and in
 * a greenlet that was killed or has run out of time, too: kills and scopes are kept back while
 * it runs, so that it may wait. It is told how the block ended, and has the last word on it.
 */
#ifndef FERN_WITH_H
#define FERN_WITH_H

#include <fern/base.h>
#include <fern/greenlet.h>

FERN__BEGIN_DECLS

/** Enters something. @return >= 0; a negative code: it was not entered, and there is no exit */
typedef int fern_enter_fn(void *self);

/** Leaves it. @param code how the block ended @return what it ends with: code, or 0 to swallow it */
typedef int fern_exit_fn(void *self, int code);

/* ---- one ---- */

/** What FERN_WITH keeps in the caller's frame. Its fields are fern's. */
typedef struct fern_with {
    fern_auto fern__auto;
    fern_exit_fn *fern__exit;
    void *fern__self;
    int *fern__result;
} fern_with;

#ifdef __cplusplus
#define FERN__WITH_INIT (fern_with())
#define FERN_EXITS_INIT (fern_exits())
#else
#define FERN__WITH_INIT ((fern_with){{0, 0, 0, 0}, 0, 0, 0})
#define FERN_EXITS_INIT ((fern_exits){0, {0}})
#endif

/**
 * Enter something; FERN_WITH calls it.
 *
 * @param  with        idle, in the caller's frame
 * @param  ret_result  receives 0, or the code with which enter failed; later the exit is told what is here
 * @param  enter       NULL: there is nothing to do
 * @param  exit        not NULL
 * @param  self        passed to both
 * @return with; NULL if enter failed
 *
 * May switch: as enter does.  Thread: any.  Owner: keeps with, ret_result and self until fern_with_leave().
 */
FERN_API fern_with *fern_with_enter(fern_with *with, int *ret_result, fern_enter_fn *enter,
        fern_exit_fn *exit, void *self);

/**
 * Leave what was entered, if it was; FERN_WITH calls it when its block is left.
 *
 * @param  with  that of fern_with_enter()
 *
 * May switch: as exit does; kills and scopes around it are kept back.  Thread: that of fern_with_enter().  Owner: gives with back.
 */
FERN_API void fern_with_leave(fern_with *with);

/** A block between enter(self) and exit(self, result). It is skipped if enter fails. result is an
 * int variable declared before, which the block sets, and which tells afterwards what came of it. */
#define FERN_WITH(result, enter, exit, self)                                               \
    for (fern_with FERN__UNIQUE(fern__with)                                                \
                    __attribute__((cleanup(fern_with_leave))) = FERN__WITH_INIT,           \
                    *FERN__UNIQUE(fern__once) = fern_with_enter(&FERN__UNIQUE(fern__with), \
                            &(result), (enter), (exit), (self));                           \
            FERN__UNIQUE(fern__once); FERN__UNIQUE(fern__once) = NULL)

/* ---- as many as it takes ---- */

/** A stack of exits, in the caller's frame. Its fields are fern's; zero before first use. */
typedef struct fern_exits {
    void *fern__newest;
    uint64_t fern__reserved[3];
} fern_exits;

/**
 * Put an exit on a stack.
 *
 * @param  exits  a stack
 * @param  exit   called when the stack is run
 * @param  self   passed to it
 * @return 0; -EINVAL exits or exit is NULL; -ENOMEM
 *
 * May switch: no.  Thread: any, one at a time.  Owner: keeps self until exit has been called.
 */
FERN_API int fern_exits_push(fern_exits *exits, fern_exit_fn *exit, void *self);

/**
 * Enter something, and put its exit on a stack.
 *
 * @param  exits  a stack
 * @param  enter  called now
 * @param  exit   called when the stack is run, unless enter fails
 * @param  self   passed to both
 * @return what enter returned; -EINVAL a function or exits is NULL; -ENOMEM it was not entered
 *
 * May switch: as enter does.  Thread: any, one at a time.  Owner: keeps self until exit has been called.
 */
FERN_API int fern_exits_enter(
        fern_exits *exits, fern_enter_fn *enter, fern_exit_fn *exit, void *self);

/**
 * Move all exits to the top of another stack: what was set up well outlives the block.
 *
 * @param  exits  a stack, empty afterwards
 * @param  to     another
 * @return 0; -EINVAL one is NULL, or they are the same
 *
 * May switch: no.  Thread: any, one at a time.  Owner: to keeps what exits kept.
 */
FERN_API int fern_exits_move(fern_exits *exits, fern_exits *to);

/**
 * Call all exits of a stack, the newest first; each is told what the one before returned. It is
 * empty afterwards.
 *
 * @param  exits  a stack; NULL is allowed
 * @param  code   what the first is told
 * @return what the last returned; code if there is none
 *
 * May switch: as the exits do; kills and scopes around it are kept back.  Thread: any, one at a time.  Owner: gives back what exits kept.
 */
FERN_API int fern_exits_run(fern_exits *exits, int code);

/**
 * The exit of the block FERN_EXITS: fern_exits_run() for the stack that self is.
 *
 * @param  self  a stack
 * @param  code  as fern_exits_run()
 * @return as fern_exits_run()
 *
 * May switch: as fern_exits_run().  Thread: as fern_exits_run().  Owner: as fern_exits_run().
 */
FERN_API int fern_exits_leave(void *self, int code);

/** A block that runs a stack of exits when it is left, as FERN_WITH does one. The stack is a
 * variable declared before. */
#define FERN_EXITS(result, exits)                                                          \
    FERN_WITH(result, (fern_enter_fn *)0, fern_exits_leave, &(exits))

FERN__END_DECLS

#endif
