/* SPDX-License-Identifier: MIT */
/*
 * Hubs and OS threads: how a hub ends with its thread, hubs side by side, and the use of a
 * greenlet from a thread that is not its own.
 */

#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "trace.h"

/* Runs a function on an OS thread of its own and waits for its end. */
static void
on_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, fn, arg), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
}

static void
tick(void *arg)
{
    trace("%s", (const char *)arg);
}

/* ---- the end of a thread ---- */

static void *
clean_up_once(void *unused)
{
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED);
    trace("cleaned");
    return unused;
}

static void
link_called(fern_greenlet *g, void *word)
{
    ASSERT_TRUE(fern_ready(g));
    trace("%s", (const char *)word);
}

static void *
leave_work_behind(void *unused)
{
    fern_greenlet *g = fern_spawn(clean_up_once, NULL);
    ASSERT_OK(fern_link(g, link_called, "linked", FERN_LINK_ANY));
    ASSERT_OK(fern_link(g, link_called, "spawned", FERN_LINK_SPAWN));
    ASSERT_OK(fern_yield());
    fern_greenlet_unref(g);
    FERN_SPAWN_OPTIONS(options);
    options.unstarted = true;
    options.free_arg = tick;
    ASSERT_NOT_NULL(fern_spawn_with(say, "freed", &options));
    return unused;
}

TEST(when_a_thread_ends_its_greenlets_are_killed_and_joined)
{
    on_thread(leave_work_behind, NULL);
    ASSERT_STR_HAS(trace_text, "cleaned");
    ASSERT_STR_HAS(trace_text, "linked");
    ASSERT_STR_HAS(trace_text, "freed");
}

static void *
yield_thrice(void *unused)
{
    for (int i = 0; i < 3; i++)
        ASSERT_OK(fern_yield());
    return unused;
}

static void *
park_and_tell(void *word)
{
    ASSERT_ERR(fern_park(FERN_FOREVER), -ECANCELED);
    return say(word);
}

static void *
leave_many(void *unused)
{
    static char *words[] = {"a", "b", "c", "d", "e"};
    fern_greenlet *gs[3];
    /* Blocks are used again in another order than that in which they were first. */
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(yield_thrice, NULL);
    ASSERT_OK(fern_join_all(gs, 3, FERN_FOREVER));
    for (int i = 0; i < 3; i++)
        fern_greenlet_unref(gs[i]);
    for (int i = 0; i < 5; i++)
        ASSERT_OK(fern_go(park_and_tell, words[i]));
    ASSERT_OK(fern_yield());
    return unused;
}

TEST(at_the_end_of_a_thread_its_greenlets_are_killed_in_the_order_of_their_spawns)
{
    on_thread(leave_many, NULL);
    ASSERT_STR_EQ(trace_text, "a b c d e");
}

static void *
spawn_while_dying(void *depth)
{
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED);
    trace("died");
    if (*(int *)depth) {
        --*(int *)depth;
        FERN_SPAWN_OPTIONS(options);
        options.detached = true;
        options.now = true;
        (void)fern_uncancel();
        ASSERT_NOT_NULL(fern_spawn_with(spawn_while_dying, depth, &options));
    }
    return NULL;
}

static void *
leave_a_family(void *depth)
{
    ASSERT_OK(fern_go(spawn_while_dying, depth));
    ASSERT_OK(fern_yield());
    return NULL;
}

TEST(those_spawned_by_the_dying_are_killed_too)
{
    int depth = 3;
    on_thread(leave_a_family, &depth);
    ASSERT_STR_EQ(trace_text, "died died died died");
}

static void *
exit_inside_a_scope(void *unused)
{
    fern_greenlet *g = fern_spawn(clean_up_once, NULL);
    fern_scope outer = FERN_SCOPE_INIT, inner = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&outer, fern_in(FERN_HOUR)));
    ASSERT_OK(fern_scope_start(&inner, fern_in(FERN_MINUTE)));
    ASSERT_OK(fern_yield());
    fern_greenlet_unref(g);
    pthread_exit(unused);
}

static void *
deep(void *arg)
{
    /* The frames with the scopes are far below those that run at the thread's end. */
    char room[8192];
    memset(room, 0x5a, sizeof room);
    __asm__ volatile("" : : "r"(room) : "memory");
    return exit_inside_a_scope(arg);
}

TEST(a_thread_may_end_inside_a_scope)
{
    on_thread(deep, NULL);
    ASSERT_STR_EQ(trace_text, "cleaned");
}

static void *
refuse_to_end(void *unused)
{
    fern_scope shield = FERN_SCOPE_INIT;
    ASSERT_OK(fern_shield_start(&shield));
    for (;;)
        (void)fern_sleep(FERN_HOUR);
    return unused;
}

static void *
leave_one_that_stays(void *unused)
{
    FERN_SPAWN_OPTIONS(options);
    options.name = "stubborn";
    options.detached = true;
    ASSERT_NOT_NULL(fern_spawn_with(refuse_to_end, NULL, &options));
    ASSERT_OK(fern_yield());
    return unused;
}

static void
end_thread_with_one_that_stays(void *unused)
{
    on_thread(leave_one_that_stays, unused);
}

TEST(one_that_will_not_end_is_dropped_with_a_report_after_a_second)
{
    char text[4096];
    int status = harness_child(end_thread_with_one_that_stays, NULL, text, sizeof text);
    ASSERT_EQ(status, 0);
    ASSERT_STR_HAS(text, "stubborn");
}

static void *
leave_the_thread(void *unused)
{
    pthread_exit(unused);
}

static void *
run_one_that_leaves(void *unused)
{
    fern_greenlet *g = fern_spawn(leave_the_thread, NULL);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    return unused;
}

static void
end_thread_from_a_greenlet(void *unused)
{
    on_thread(run_one_that_leaves, unused);
}

TEST(pthread_exit_on_a_greenlets_stack_dies_with_a_message)
{
    if (harness_runs_under("tsan"))
        SKIP("ThreadSanitizer itself stops it");
    char text[4096];
    int status = harness_child(end_thread_from_a_greenlet, NULL, text, sizeof text);
    if (strstr(text, "ThreadSanitizer"))
        SKIP("the thread sanitizer dies of it first");
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGABRT);
    ASSERT_STR_HAS(text, "pthread_exit() on a greenlet's stack");
}

static void *
use_a_hub_and_leave(void *unused)
{
    fern_greenlet *g = fern_spawn(say, "x");
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_NULL(fern__test_leaks());
    return unused;
}

TEST(hubs_come_and_go_with_their_threads)
{
    for (int i = 0; i < 20; i++)
        on_thread(use_a_hub_and_leave, NULL);
    fern_hub_stats stats;
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_EQ(stats.greenlets, 0);
}

static void
count_up(void *number)
{
    ++*(int *)number;
}

static void *
run_a_hub_for_a_while(void *ret_id)
{
    *(uint64_t *)ret_id = fern_id(NULL);
    int calls = 0;
    for (int i = 0; i < 50; i++) {
        fern_timer timer = FERN_TIMER_INIT;
        fern_callback callback = FERN_CALLBACK_INIT;
        fern_greenlet *gs[10];
        ASSERT_OK(fern_timer_start(&timer, fern_in(0), 0, count_up, &calls));
        ASSERT_OK(fern_call_soon(&callback, count_up, &calls));
        for (int k = 0; k < 10; k++)
            gs[k] = fern_spawn(yield_thrice, NULL);
        ASSERT_OK(fern_join_all(gs, 10, FERN_FOREVER));
        for (int k = 0; k < 10; k++) {
            ASSERT_GT(fern_id(gs[k]), fern_id(NULL));
            fern_greenlet_unref(gs[k]);
        }
        ASSERT_OK(fern_sleep(FERN_US));
        ASSERT_EQ(calls, 2 * (i + 1));
    }
    ASSERT_NULL(fern__test_leaks());
    return NULL;
}

TEST(hubs_of_several_threads_run_side_by_side)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    uint64_t ids[THREADS + 1];
    for (int i = 0; i < THREADS; i++)
        ASSERT_EQ(pthread_create(&threads[i], NULL, run_a_hub_for_a_while, &ids[i]), 0);
    (void)run_a_hub_for_a_while(&ids[THREADS]);
    for (int i = 0; i < THREADS; i++)
        ASSERT_EQ(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i <= THREADS; i++)
        for (int j = 0; j < i; j++)
            ASSERT_NE(ids[i], ids[j]);
}

/* Runs when the thread has ended and its hub may be gone. */
static void
use_a_hub_once_more(void *unused)
{
    (void)use_a_hub_and_leave(unused);
    trace("again");
}

static pthread_key_t key;

static void *
leave_a_destructor(void *unused)
{
    (void)use_a_hub_and_leave(unused);
    ASSERT_EQ(pthread_key_create(&key, use_a_hub_once_more), 0); /* behind fern's own */
    ASSERT_EQ(pthread_setspecific(key, &key), 0);
    return NULL;
}

TEST(a_new_hub_works_where_one_has_ended)
{
    on_thread(leave_a_destructor, NULL);
    ASSERT_STR_EQ(trace_text, "x x again");
}

static fern_timer left_timer;

static void *
leave_a_timer(void *unused)
{
    ASSERT_OK(fern_timer_start(&left_timer, fern_in(FERN_HOUR), FERN_HOUR, tick, "never"));
    ASSERT_TRUE(fern_timer_active(&left_timer));
    return unused;
}

TEST(a_timer_whose_hub_has_ended_is_idle_and_can_be_started_on_another)
{
    on_thread(leave_a_timer, NULL);
    ASSERT_FALSE(fern_timer_active(&left_timer));
    ASSERT_OK(fern_timer_start(&left_timer, fern_in(0), 0, tick, "here"));
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_STR_EQ(trace_text, "here");
}

/* ---- from another thread ---- */

struct foreign {
    fern_greenlet *g;
    fern_scope *scope;
    fern_timer *timer;
    fern_callback *callback;
};

static void *
use_foreign_greenlet(void *arg)
{
    struct foreign *f = arg;
    fern_outcome outcome;
    fern_greenlet *two[] = {f->g, f->g};
    ASSERT_ERR(fern_join(f->g, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_get(f->g, &outcome, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_join_all(two, 2, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_kill(f->g, 0, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_kill_all(two, 2, 0, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_kill_id(fern_id(f->g), 0), -ESRCH);
    ASSERT_ERR(fern_cancel_start(f->g), -EXDEV);
    ASSERT_ERR(fern_start(f->g), -EXDEV);
    ASSERT_ERR(fern_unpark(f->g), -EXDEV);
    ASSERT_ERR(fern_set_daemon(f->g, true), -EXDEV);
    ASSERT_ERR(fern_link(f->g, link_called, NULL, 0), -EXDEV);
    ASSERT_ERR(fern_unlink(f->g, link_called, NULL), -EXDEV);
    ASSERT_ERR(fern_unlink_all(f->g), -EXDEV);
    ASSERT_ERR(fern_set_switch_hooks(f->g, NULL, NULL, NULL), -EXDEV);
    ASSERT_ERR(fern_raw_switch(f->g, NULL, NULL), -EXDEV);
    ASSERT_ERR(fern_raw_throw(f->g, -1, NULL), -EXDEV);
    errno = 0;
    ASSERT_NULL(fern_raw_new(say, f->g));
    ASSERT_EQ(errno, EXDEV);
    return NULL;
}

static void *
use_foreign_objects(void *arg)
{
    struct foreign *f = arg;
    ASSERT_ERR(fern_scope_stop(f->scope), -EPERM);
    ASSERT_ERR(fern_scope_reschedule(f->scope, FERN_FOREVER), -EPERM);
    ASSERT_ERR(fern_scope_cancel(f->scope, 0), -EXDEV);
    ASSERT_ERR(fern_timer_stop(f->timer), -EXDEV);
    ASSERT_ERR(fern_timer_set_daemon(f->timer, true), -EXDEV);
    ASSERT_ERR(fern_timer_start(f->timer, fern_in(0), 0, tick, NULL), -EXDEV);
    ASSERT_ERR(fern_callback_cancel(f->callback), -EXDEV);
    ASSERT_ERR(fern_call_soon(f->callback, tick, NULL), -EALREADY);
    return NULL;
}

TEST(a_foreign_threads_use_of_a_greenlet_is_exdev)
{
    struct foreign f = {.g = fern_spawn(say, "x")};
    on_thread(use_foreign_greenlet, &f);
    FINISH(f.g);
}

TEST(a_foreign_threads_use_of_scopes_timers_and_callbacks_is_answered)
{
    fern_scope scope = FERN_SCOPE_INIT;
    fern_timer timer = FERN_TIMER_INIT;
    fern_callback callback = FERN_CALLBACK_INIT;
    struct foreign f = {.scope = &scope, .timer = &timer, .callback = &callback};
    ASSERT_OK(fern_scope_start(&scope, FERN_FOREVER));
    ASSERT_OK(fern_timer_start(&timer, fern_in(FERN_HOUR), 0, tick, NULL));
    ASSERT_OK(fern_call_soon(&callback, tick, "called"));
    on_thread(use_foreign_objects, &f);
    ASSERT_OK(fern_scope_stop(&scope));
    ASSERT_EQ(fern_timer_stop(&timer), 1);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "called");
}

static void *
unref_foreign(void *g)
{
    fern_greenlet_unref(g);
    return NULL;
}

static void
unref_on_a_thread(void *unused)
{
    (void)unused;
    on_thread(unref_foreign, fern_spawn(say, "x"));
}

TEST(an_unref_on_a_foreign_thread_is_reported_and_lost)
{
    char text[1024];
    ASSERT_EQ(harness_child(unref_on_a_thread, NULL, text, sizeof text), 0);
    ASSERT_STR_HAS(
            text, "fern_greenlet_unref() of greenlet #2 on a thread that is not its own");
}
