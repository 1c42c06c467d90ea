/* SPDX-License-Identifier: MIT */
/*
 * Results: assigned once, read by everybody.
 */
#include "core/link.h"
#include "sync/event.h"

#include <fern/event.h>
#include <stdlib.h>

enum state { EMPTY, VALUE, ERROR };

struct result {
    struct fern__sync sync;
    void *value;
    const char *message;
    int32_t code;
    uint8_t state;
    uint8_t unused8[3];
    uint32_t linked; /* greenlets whose end is to be taken over */
    uint32_t woken;  /* waiters that have not run yet, and will read it */
    uint64_t reserved[3];
};

_Static_assert(sizeof(struct result) == sizeof(fern_result), "one is the other");

static struct result *
result_of(const fern_result *result)
{
    return (struct result *)(uintptr_t)result;
}

static int
result_attempt(struct fern__hub *hub, struct fern__choice *choice)
{
    struct result *res = choice->object;
    int r = fern__sync_bind(&res->sync, hub);
    if (r < 0)
        return r;
    return res->state == EMPTY ? -EAGAIN : 0;
}

static int
result_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    struct result *res = choice->object;
    fern__sync_arm(choice, hub, &res->sync.waiters);
    return 0;
}

const struct fern__waitable fern__waitable_result = {.name = "result",
        .attempt = result_attempt,
        .ready = result_attempt,
        .arm = result_arm};

static int
assign(struct result *res, enum state state, void *value, int code, const char *message)
{
    FERN_CHECK(res, -EINVAL);
    int r = fern__sync_check(&res->sync);
    if (r < 0)
        return r;
    FERN_CHECK(res->state == EMPTY, -EALREADY);
    res->value = value;
    res->code = code;
    res->message = message;
    res->state = (uint8_t)state;
    for (struct fern__cell *cell; (cell = fern__sync_claim(&res->sync.waiters));) {
        res->woken += cell == &cell->greenlet->cell; /* a select does not read it */
        fern__sync_grant(cell, 0);
    }
    return 0;
}

int
fern_result_set(fern_result *result, void *value)
{
    return assign(result_of(result), VALUE, value, 0, NULL);
}

int
fern_result_set_error(fern_result *result, int code, const char *message)
{
    FERN_CHECK(code != 0, -EINVAL);
    return assign(result_of(result), ERROR, NULL, code, message);
}

/* ---- links ---- */

static void
take_over(fern_greenlet *g, void *arg)
{
    struct result *res = arg;
    fern_outcome outcome;
    res->linked--;
    if (res->state != EMPTY || fern_greenlet_outcome(g, &outcome) < 0)
        return;
    bool failed = outcome.code != 0;
    (void)assign(res, failed ? ERROR : VALUE, outcome.value, outcome.code, outcome.message);
}

int
fern_result_link(fern_result *result, fern_greenlet *greenlet)
{
    FERN_CHECK(result && greenlet, -EINVAL);
    struct result *res = result_of(result);
    int r = fern__sync_bind(&res->sync, fern__greenlet_hub(greenlet));
    if (r == 0)
        r = fern__sync_check(&res->sync);
    if (r < 0)
        return r;
    FERN_CHECK(res->state == EMPTY, -EALREADY);
    r = fern_link(greenlet, take_over, res, 0);
    if (r == 0)
        res->linked++;
    return r;
}

/* ---- asking ---- */

int
fern_result_wait(fern_result *result, fern_time deadline)
{
    FERN_CHECK(result, -EINVAL);
    struct result *res = result_of(result);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&res->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    if (res->state != EMPTY)
        return 0;
    if (deadline.ns == 0)
        return -EAGAIN;
    r = fern__sync_wait(hub, g, &res->sync, &fern__waitable_result, NULL, deadline);
    if (r == 0)
        res->woken--;
    return r;
}

int
fern_result_get(fern_result *result, fern_outcome *ret_outcome, fern_time deadline)
{
    FERN_CHECK(ret_outcome, -EINVAL);
    int r = fern_result_wait(result, deadline);
    if (r < 0)
        return r;
    const struct result *res = result_of(result);
    *ret_outcome =
            (fern_outcome){.code = res->code, .value = res->value, .message = res->message};
    return 0;
}

bool
fern_result_ready(const fern_result *result)
{
    return result && result_of(result)->state != EMPTY;
}

int
fern_result_reset(fern_result *result)
{
    FERN_CHECK(result, -EINVAL);
    struct result *res = result_of(result);
    int r = fern__sync_may_end(&res->sync);
    if (r < 0)
        return r;
    FERN_CHECK(!res->linked && !res->woken, -EBUSY);
    *res = (struct result){0};
    return 0;
}
