/* SPDX-License-Identifier: MIT */
/*
 * The core when memory runs out, at each allocation in turn; and when there is no poller.
 */

#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "shortage.h"
#include "trace.h"

/* ---- what a program does ---- */

static int freed;

static void
count_free(void *what)
{
    (void)what;
    freed++;
}

static void *
run_and_fail(void *unused)
{
    (void)unused;
    (void)fern_yield();
    return fern_fail(-EIO, "a failure with a text of %d words", 7);
}

static void
be_called(void *unused)
{
    (void)unused;
}

static void
be_linked(fern_greenlet *g, void *unused)
{
    ASSERT_TRUE(fern_ready(g));
    (void)unused;
}

static void
spawn_with_everything(void)
{
    FERN_SPAWN_OPTIONS(options);
    options.name = "everything";
    options.quiet = true;
    options.free_arg = count_free;
    options.stack_bytes = 300 * 1024;
    int before = freed;
    errno = 0;
    fern_greenlet *g = fern_spawn_with(run_and_fail, NULL, &options);
    if (!made(g)) {
        ASSERT_EQ(freed, before);
        return;
    }
    (void)fine(fern_link(g, be_linked, NULL, FERN_LINK_ANY));
    (void)fine(fern_link(g, be_linked, NULL, FERN_LINK_SPAWN));
    (void)fine(fern_set_switch_hooks(g, be_called, be_called, NULL));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_EQ(freed, before + 1);
    fern_outcome outcome;
    ASSERT_OK(fern_greenlet_outcome(g, &outcome));
    ASSERT_EQ(outcome.code, -EIO);
    (void)fine(fern_link(g, be_linked, NULL, FERN_LINK_SPAWN));
    fern_greenlet_unref(g);
}

static void
call_and_time(void)
{
    static fern_callback callback;
    static fern_timer timer;
    callback = FERN_CALLBACK_INIT;
    timer = FERN_TIMER_INIT;
    (void)fine(fern_call_soon(&callback, be_called, NULL));
    if (!fine(fern_timer_start(&timer, fern_in(0), FERN_HOUR, be_called, NULL)))
        ASSERT_FALSE(fern_timer_active(&timer));
    (void)fine(fern_sleep(1));
    (void)fern_timer_stop(&timer);
    (void)fern_callback_cancel(&callback);
}

static void
spawn_many_and_join(void)
{
    enum { MANY = 150 };
    fern_greenlet *gs[MANY];
    size_t n = 0;
    for (int i = 0; i < MANY; i++) {
        errno = 0;
        gs[n] = fern_spawn(say, "");
        n += made(gs[n]);
    }
    if (!fine(fern_join_all(gs, n, FERN_FOREVER)))
        ASSERT_OK(fern_join_all(gs, n, FERN_FOREVER));
    for (size_t i = 0; i < n; i++)
        fern_greenlet_unref(gs[i]);
}

static void
switch_raw(void)
{
    errno = 0;
    fern_greenlet *co = fern_raw_new(say, NULL);
    if (made(co)) {
        (void)fine(fern_raw_switch(co, "", NULL));
        fern_greenlet_unref(co);
    }
}

static void
open_scopes(void)
{
    fern_scope scope = FERN_SCOPE_INIT;
    if (fine(fern_scope_start(&scope, fern_in(FERN_HOUR)))) {
        (void)fine(fern_set_name(NULL, "named"));
        ASSERT_OK(fern_yield());
        ASSERT_OK(fern_scope_stop(&scope));
    }
}

/* One program; it begins without a hub, at each of its parts in turn. */
static void *
program(void *first)
{
    static void (*const parts[])(void) = {spawn_with_everything, call_and_time,
            spawn_many_and_join, switch_raw, open_scopes};
    enum { PARTS = sizeof parts / sizeof *parts };
    trace_text[0] = '\0';
    for (int i = 0; i < PARTS; i++)
        parts[(*(int *)first + i) % PARTS]();
    (void)fine(fern_go(say, "left behind"));
    return NULL;
}

TEST(every_allocation_may_fail_once_and_nothing_is_lost, .seconds = 120)
{
    for (int first = 0; first < 5; first++)
        ASSERT_GT(shortage_sweep(program, &first), 10);
}

TEST(a_hub_that_gets_no_poller_is_emfile_and_the_next_try_works)
{
    const char *poller = getenv("FERN_POLLER");
    if (poller && strcmp(poller, "epoll") != 0)
        SKIP("the poller %s opens nothing", poller);
    ASSERT_OK(fern__fault_plan("epoll_create1", 1, EMFILE));
    errno = 0;
    ASSERT_NULL(fern_spawn(say, "x"));
    ASSERT_EQ(errno, EMFILE);
    fern__fault_clear();
    ASSERT_OK(fern__fault_plan("epoll_create1", 1, ENFILE));
    ASSERT_TRUE(fern_go(say, "x") < 0);
    fern__fault_clear();
    ASSERT_OK(fern_go(say, "works"));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "works");
}
