/* SPDX-License-Identifier: MIT */
/*
 * Notices: a function that is called when a case is ready.
 *
 * A notice is a crowd of one that nobody waits for; when it is told, it sends a call to the ready
 * queue, whose place there it keeps from its making to its end. The crowd is open from the moment
 * it is asked for until the call is made.
 */
#include "core/call.h"
#include "sync/crowd.h"

#include <stdlib.h>

struct fern_notice {
    struct fern__crowd crowd;
    struct fern__call call;
    fern_case one;
    fern_callback_fn *fn;
    void *arg;
    bool open;
};

static void
close_crowd(fern_notice *notice)
{
    if (notice->open)
        fern__crowd_close(&notice->crowd, NULL);
    notice->open = false;
}

static bool
notice_told(const struct fern__crowd *crowd, size_t index)
{
    fern_notice *notice = fern__container_of(crowd, fern_notice, crowd);
    (void)index;
    fern__call_push(notice->call.hub, &notice->call);
    return true;
}

static void
notice_call(void *arg)
{
    fern_notice *notice = arg;
    close_crowd(notice);
    notice->fn(notice->arg);
}

/* Begin to watch; a call is not pending. */
static int
open_crowd(fern_notice *notice)
{
    notice->crowd = (struct fern__crowd){.hub = notice->call.hub,
            .cases = &notice->one,
            .count = 1,
            .wanted = 1,
            .stop = notice_told};
    int r = fern__crowd_open(&notice->crowd, NULL);
    notice->open = r == 0;
    return r;
}

/* @return 0; a code, and then nothing is kept */
static int
make(struct fern__hub *hub, const fern_case *c, fern_callback_fn *fn, void *arg,
        fern_notice **ret_notice)
{
    int r = fern__call_reserve(hub);
    if (r < 0)
        return r;
    fern_notice *notice = calloc(1, sizeof *notice);
    if (notice) {
        *notice = (fern_notice){.one = *c, .fn = fn, .arg = arg};
        notice->call = (struct fern__call){
                .fn = notice_call, .arg = notice, .hub = hub, .keeps_place = true};
        *ret_notice = notice;
    }
    r = notice ? open_crowd(notice) : -ENOMEM;
    if (r < 0) {
        hub->calls--;
        free(notice);
    }
    return r;
}

fern_notice *
fern_notice_new(const fern_case *c, fern_callback_fn *fn, void *arg)
{
    fern_notice *notice = NULL;
    /* A timer and an fd are told of by calls of their own. */
    bool valid = c && fn && c->kind != FERN_CASE_TIMER && c->kind != FERN_CASE_FD;
    struct fern__hub *hub = valid ? fern__hub_need() : NULL;
    int r = !valid ? -EINVAL : hub ? make(hub, c, fn, arg, &notice) : fern__hub_error();
    if (r == 0)
        return notice;
    errno = -r;
    return NULL;
}

int
fern_notice_renew(fern_notice *notice)
{
    FERN_CHECK(notice, -EINVAL);
    FERN_CHECK(notice->call.hub == fern__self_hub(), -EXDEV);
    FERN_CHECK(!notice->open, -EBUSY);
    return open_crowd(notice);
}

int
fern_notice_free(fern_notice *notice)
{
    if (!notice)
        return 0;
    FERN_CHECK(notice->call.hub == fern__self_hub(), -EXDEV);
    if (notice->call.pending)
        fern__call_remove(notice->call.hub, &notice->call); /* which gives the place back */
    else
        notice->call.hub->calls--;
    close_crowd(notice);
    free(notice);
    return 0;
}
