/* SPDX-License-Identifier: MIT */
/*
 * Enter and exit.
 *
 * An exit runs inside a shield. It is registered like FERN_AUTO's cleanups, so that fern_exit()
 * runs it in its turn among them.
 */
#include "base/check.h"

#include <errno.h>
#include <fern/scope.h>
#include <fern/with.h>
#include <stdlib.h>

struct pushed {
    struct pushed *older;
    fern_exit_fn *exit;
    void *self;
};

_Static_assert(sizeof(fern_with) == 56, "it stands in users' frames");
_Static_assert(sizeof(fern_exits) == 32, "it stands in users' frames");

static int
shielded_exit(fern_exit_fn *exit, void *self, int code)
{
    fern_scope shield = FERN_SCOPE_INIT;
    bool open = fern_shield_start(&shield) == 0;
    code = exit(self, code);
    if (open)
        (void)fern_shield_stop(&shield);
    return code;
}

static void
leave(void *arg)
{
    fern_with *with = arg;
    *with->fern__result =
            shielded_exit(with->fern__exit, with->fern__self, *with->fern__result);
}

fern_with *
fern_with_enter(fern_with *with, int *ret_result, fern_enter_fn *enter, fern_exit_fn *exit,
        void *self)
{
    int r = enter ? enter(self) : 0;
    *ret_result = r < 0 ? r : 0;
    if (r < 0)
        return NULL;
    *with = (fern_with){.fern__exit = exit, .fern__self = self, .fern__result = ret_result};
    fern_auto_add(&with->fern__auto, leave, with);
    return with;
}

void
fern_with_leave(fern_with *with)
{
    if (with->fern__exit)
        fern_auto_run(&with->fern__auto);
}

static struct pushed *
pushed_new(fern_exit_fn *exit, void *self)
{
    struct pushed *pushed = malloc(sizeof *pushed);
    if (pushed)
        *pushed = (struct pushed){.exit = exit, .self = self};
    return pushed;
}

static void
link_newest(fern_exits *exits, struct pushed *pushed)
{
    pushed->older = exits->fern__newest;
    exits->fern__newest = pushed;
}

int
fern_exits_push(fern_exits *exits, fern_exit_fn *exit, void *self)
{
    FERN_CHECK(exits && exit, -EINVAL);
    struct pushed *pushed = pushed_new(exit, self);
    if (!pushed)
        return -ENOMEM;
    link_newest(exits, pushed);
    return 0;
}

int
fern_exits_enter(fern_exits *exits, fern_enter_fn *enter, fern_exit_fn *exit, void *self)
{
    FERN_CHECK(exits && enter && exit, -EINVAL);
    struct pushed *pushed = pushed_new(exit, self); /* what is entered can be left */
    if (!pushed)
        return -ENOMEM;
    int r = enter(self);
    if (r < 0)
        free(pushed);
    else
        link_newest(exits, pushed);
    return r;
}

int
fern_exits_move(fern_exits *exits, fern_exits *to)
{
    FERN_CHECK(exits && to && exits != to, -EINVAL);
    struct pushed *oldest = exits->fern__newest;
    if (!oldest)
        return 0;
    while (oldest->older)
        oldest = oldest->older;
    oldest->older = to->fern__newest;
    to->fern__newest = exits->fern__newest;
    exits->fern__newest = NULL;
    return 0;
}

int
fern_exits_run(fern_exits *exits, int code)
{
    struct pushed *pushed;
    while (exits && (pushed = exits->fern__newest)) {
        exits->fern__newest = pushed->older;
        struct pushed one = *pushed;
        free(pushed);
        code = shielded_exit(one.exit, one.self, code);
    }
    return code;
}

int
fern_exits_leave(void *self, int code)
{
    return fern_exits_run(self, code);
}
