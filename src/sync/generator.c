/* SPDX-License-Identifier: MIT */
/*
 * Generators.
 *
 *     NEW --first item asked for--> RUNNING --yield--> SUSPENDED --next item asked for--> RUNNING
 *      |                               |                   |
 *      +--------- close, throw --------+------ end --------+----close: RUNNING----> DONE
 *
 * Who asks stands in `sync.waiters`, at most one. The CPU goes from who asks to the generator's
 * greenlet and back past the ready queue, as in a call; only when the greenlet waits for
 * something else do others run. An item stays in the giver's frame until it is fetched: mostly
 * at once, later if who asked for it has gone.
 *
 * Two references: the user's and the greenlet's.
 */
#include "core/block.h"
#include "core/sched.h"
#include "core/spawn.h"
#include "sync/object.h"

#include <fern/generator.h>
#include <stdlib.h>
#include <string.h>

enum state {
    NEW,
    RUNNING,
    SUSPENDED,
    DONE,
};

struct fern_generator {
    struct fern__sync sync; /* waiters: who asked for the next item */
    fern_greenlet *body;    /* from the first item to the end, referenced */
    fern_fn *fn;
    void *arg;
    size_t item_size;
    const void *item; /* given, and not fetched */
    void *sent;
    int thrown;
    int end_code; /* of the end, for the first who asks after it */
    fern_outcome outcome;
    uint8_t state;
    bool given;   /* an item of any size, and not fetched */
    bool closing; /* no more are wanted */
    uint32_t refs;
};

static void
generator_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const fern_generator *gen = cell->object;
    if (gen->body)
        fern__owners_add(owners, gen->body->id);
}

static const struct fern__waitable waitable_item = {
        .name = "a generator's item", .owners = generator_owners};
static const struct fern__waitable waitable_asked = {.name = "being asked for an item"};

static void
drop(fern_generator *gen)
{
    if (--gen->refs)
        return;
    free((char *)(uintptr_t)gen->outcome.message);
    free(gen);
}

/* ---- the greenlet's side ---- */

static void *
generator_main(void *arg)
{
    fern_generator *gen = arg;
    return gen->fn(gen->arg);
}

/* The generator whose greenlet is the current one, or NULL. */
static fern_generator *
current_generator(void)
{
    struct fern__hub *hub = fern__self_hub();
    const fern_greenlet *g = hub ? hub->current : NULL;
    bool is = g && g->fn == generator_main && g->life == FERN__LIFE_LIVE;
    return is ? g->arg : NULL;
}

/* Hand a result to who asked, if somebody still does, who runs next. @return whether so */
static bool
answer(fern_generator *gen, const void *item, int result)
{
    struct fern__cell *cell = fern__sync_claim(&gen->sync.waiters);
    if (!cell)
        return false;
    void *to = fern__wait_item(cell);
    if (to && result > 0)
        memcpy(to, item, gen->item_size);
    cell->greenlet->result = result;
    fern__sched_next(fern__greenlet_hub(cell->greenlet), (uintptr_t)cell->greenlet);
    return true;
}

/* Called when the greenlet has ended, on whichever way. */
static void
ended(void *arg)
{
    fern_generator *gen = arg;
    fern_greenlet *body = gen->body;
    (void)fern_greenlet_outcome(body, &gen->outcome);
    const fern_outcome *o = &gen->outcome;
    int code = gen->closing ? 0 : o->cancelled ? -ESRCH : o->code > 0 ? -o->code : o->code;
    if (o->code)
        gen->outcome.value = NULL;
    gen->outcome.message = o->message ? strdup(o->message) : NULL;
    gen->state = DONE;
    gen->body = NULL;
    if (!answer(gen, NULL, code))
        gen->end_code = code;
    fern__greenlet_release(body);
    drop(gen);
}

/* Whether the suspended greenlet has been woken to go on. Scopes of its own that pass meanwhile
 * wake it, too, but nobody has asked for anything: it meets them when it goes on. */
static bool
goes_on(const fern_generator *gen, const fern_greenlet *g)
{
    return gen->state == RUNNING || (g->kills && g->interrupt);
}

static void
suspend(struct fern__hub *hub, fern_generator *gen)
{
    fern_greenlet *g = hub->current;
    gen->state = SUSPENDED;
    do {
        fern__wait_begin(g, &waitable_asked, gen);
        fern__sched_leave(hub, g);
    } while (!goes_on(gen, g));
    gen->state = RUNNING;
    gen->given = false;
}

int
fern_generator_yield(const void *item, void **ret_sent)
{
    fern_generator *gen = current_generator();
    FERN_CHECK(gen, -EPERM);
    FERN_CHECK(item || !gen->item_size, -EINVAL);
    if (gen->closing)
        return -ECANCELED;
    if (gen->body->interrupt)
        return gen->body->interrupt;
    gen->sent = NULL;
    gen->thrown = 0;
    gen->item = item;
    gen->given = !answer(gen, item, 1);
    suspend(fern__greenlet_hub(gen->body), gen);
    if (gen->closing || (gen->body->kills && gen->body->interrupt))
        return -ECANCELED;
    if (ret_sent && !gen->thrown)
        *ret_sent = gen->sent;
    return gen->thrown;
}

/* ---- the asker's side ---- */

static int
make_body(struct fern__hub *hub, fern_generator *gen)
{
    fern_greenlet *g = fern__spawn_make(hub, generator_main, gen);
    if (!g)
        return -ENOMEM;
    if (!fern__greenlet_extra(g)) {
        fern__greenlet_release(g);
        return -ENOMEM;
    }
    fern__greenlet_mark(g, FERN__QUIET); /* who asks is told */
    g->extra->free_arg = ended;
    g->extra->free_what = gen;
    g->refs++;
    g->life = FERN__LIFE_SPAWNED;
    gen->body = g;
    gen->refs++;
    return 0;
}

/* Have the generator's greenlet run next. @return 0; -ENOMEM */
static int
resume(struct fern__hub *hub, fern_generator *gen)
{
    uintptr_t item;
    if (gen->state == NEW) {
        int r = make_body(hub, gen);
        if (r < 0)
            return r;
        item = fern__unrun(gen->body);
    } else {
        if (!fern__wait_claim(gen->body))
            return 0; /* it has been woken, for nothing, and will go on when it comes up */
        item = (uintptr_t)gen->body;
    }
    fern__sched_next(hub, item);
    return 0;
}

struct request {
    void *value;
    int code;
    void *ret_item;
};

/* What can be answered without running anything. @return 1, 0, a code; -EINPROGRESS it cannot */
static int
answer_at_once(fern_generator *gen, const struct request *request)
{
    bool plain = !request->value && !request->code;
    if (gen->state == DONE) {
        int r = gen->end_code;
        gen->end_code = 0;
        return r;
    }
    if (gen->state == NEW && request->code) {
        gen->state = DONE;
        gen->outcome.code = request->code;
        return request->code;
    }
    if (gen->state == NEW && request->value)
        return -EINVAL;
    if (gen->state == RUNNING || gen->given)
        FERN_CHECK(plain, -EBUSY);
    if (!gen->given)
        return -EINPROGRESS;
    gen->given = false;
    if (request->ret_item)
        memcpy(request->ret_item, gen->item, gen->item_size);
    return 1;
}

static int
step(fern_generator *gen, const struct request *request, fern_time deadline)
{
    FERN_CHECK(gen, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&gen->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    FERN_CHECK(!fern__sync_awaited(&gen->sync) && gen->body != g, -EBUSY);
    r = answer_at_once(gen, request);
    if (r != -EINPROGRESS)
        return r;
    if (deadline.ns == 0)
        return -EAGAIN;
    if (gen->state != RUNNING) {
        gen->sent = request->value;
        gen->thrown = request->code;
        r = resume(hub, gen);
        if (r < 0)
            return r;
        gen->state = RUNNING;
    }
    return fern__sync_wait(hub, g, &gen->sync, &waitable_item, request->ret_item, deadline);
}

int
fern_generator_next(fern_generator *generator, void *ret_item, fern_time deadline)
{
    return step(generator, &(struct request){.ret_item = ret_item}, deadline);
}

int
fern_generator_send(
        fern_generator *generator, void *value, void *ret_item, fern_time deadline)
{
    struct request request = {.value = value, .ret_item = ret_item};
    return step(generator, &request, deadline);
}

int
fern_generator_throw(
        fern_generator *generator, int code, void *ret_item, fern_time deadline)
{
    FERN_CHECK(code < 0, -EINVAL);
    struct request request = {.code = code, .ret_item = ret_item};
    return step(generator, &request, deadline);
}

/* ---- life ---- */

fern_generator *
fern_generator_new(fern_fn *fn, void *arg, size_t item_size)
{
    if (!fn) {
        errno = EINVAL;
        return NULL;
    }
    fern_generator *gen = calloc(1, sizeof *gen);
    if (!gen)
        return NULL;
    fern__list_init(&gen->sync.waiters);
    gen->fn = fn;
    gen->arg = arg;
    gen->item_size = item_size;
    gen->refs = 1;
    return gen;
}

/* See to it that the function ends. */
static void
begin_close(fern_generator *gen)
{
    bool first = !gen->closing;
    gen->closing = true;
    gen->end_code = 0;
    if (gen->state == NEW)
        gen->state = DONE;
    if (!first || gen->state == DONE)
        return;
    if (gen->state == SUSPENDED) {
        gen->state = RUNNING;
        if (fern__wait_claim(gen->body))
            fern__wait_grant(gen->body, 0);
    } else if (gen->body != fern__self_hub()->current) {
        fern__greenlet_kill(gen->body, 0);
    }
}

int
fern_generator_close(fern_generator *generator, fern_time deadline)
{
    FERN_CHECK(generator, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&generator->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    FERN_CHECK(!fern__sync_awaited(&generator->sync) && generator->body != g, -EBUSY);
    begin_close(generator);
    fern_greenlet *body = fern_greenlet_ref(generator->body);
    if (!body)
        return 0;
    r = fern_join(body, deadline);
    fern_greenlet_unref(body);
    return r;
}

void
fern_generator_free(fern_generator *generator)
{
    if (!generator)
        return;
    if (generator->body && fern__sync_check(&generator->sync) < 0) {
        fern__report(
                "fern_generator_free() on a thread that is not the generator's own: it "
                "is lost");
        return;
    }
    begin_close(generator);
    drop(generator);
}

int
fern_generator_outcome(const fern_generator *generator, fern_outcome *ret_outcome)
{
    FERN_CHECK(generator && ret_outcome, -EINVAL);
    int r = fern__sync_check((struct fern__sync *)(uintptr_t)&generator->sync);
    if (r < 0)
        return r;
    FERN_CHECK(generator->state == DONE, -EINPROGRESS);
    *ret_outcome = generator->outcome;
    return 0;
}

/* ---- as an iterator ---- */

static int
iterator_next(void *self, void *ret_item, fern_time deadline)
{
    return fern_generator_next(self, ret_item, deadline);
}

static int
iterator_close(void *self, fern_time deadline)
{
    return fern_generator_close(self, deadline);
}

static const fern_iterator_ops generator_ops = {
        .next = iterator_next, .close = iterator_close};

fern_iterator
fern_generator_iterator(fern_generator *generator)
{
    return (fern_iterator){&generator_ops, generator, generator->item_size};
}

/* The inner iterator's next item, with what came from outside. @return as fern_next() */
static int
inner_step(fern_iterator *inner, const struct request *request)
{
    if (inner->ops == &generator_ops)
        return step(inner->self, request, FERN_FOREVER);
    if (!request->code)
        return fern_next(inner, request->ret_item, FERN_FOREVER);
    int r = fern_iterator_close(inner, FERN_FOREVER);
    return r < 0 ? r : request->code;
}

/* Nobody wants more. @return -ECANCELED */
static int
close_inner(fern_iterator *inner)
{
    fern_scope shield = FERN_SCOPE_INIT;
    (void)fern_shield_start(&shield);
    int r = fern_iterator_close(inner, FERN_FOREVER);
    (void)fern_shield_stop(&shield);
    return r < 0 ? r : -ECANCELED;
}

static int
delegate(fern_generator *gen, fern_iterator *inner, void *buffer)
{
    struct request request = {.ret_item = buffer};
    for (;;) { /* ends with the inner iterator's end, or with the outer one's */
        int r = inner_step(inner, &request);
        if (r <= 0)
            return r;
        r = fern_generator_yield(buffer, &request.value);
        if (gen->closing || gen->body->interrupt == -ECANCELED)
            return close_inner(inner);
        if (r == -EPERM || r == -EINVAL)
            return r;
        request.code = r;
        if (r)
            request.value = NULL;
    }
}

int
fern_generator_delegate(fern_iterator *inner)
{
    fern_generator *gen = current_generator();
    FERN_CHECK(gen, -EPERM);
    FERN_CHECK(inner && inner->ops && inner->item_size == gen->item_size, -EINVAL);
    void *buffer = malloc(gen->item_size ? gen->item_size : 1);
    if (!buffer)
        return -ENOMEM;
    int r = delegate(gen, inner, buffer);
    free(buffer);
    return r;
}
