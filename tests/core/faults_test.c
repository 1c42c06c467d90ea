/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out: every allocation and mapping of the core fails once, in turn. Whatever
 * was asked for is then refused with a documented code, nothing is lost, and nobody crashes.
 *
 * The program is linked with --wrap, so that each call of an allocator by fern comes here.
 * Each run has a thread, and so a hub, of its own: its making and its end are swept too.
 */

#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "core/tool.h"
#include "trace.h"

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *p, size_t bytes);
void __real_free(void *p);
void *__real_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *p, size_t bytes);
int __real_vasprintf(char **ret_text, const char *format, va_list args);
int __real___vasprintf_chk(char **ret_text, int flag, const char *format, va_list args);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *p, size_t bytes);
void __wrap_free(void *p);
void *__wrap_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *p, size_t bytes);
int __wrap_vasprintf(char **ret_text, const char *format, va_list args);
int __wrap___vasprintf_chk(char **ret_text, int flag, const char *format, va_list args);

/* The call that fails, counted down; <= 0: none does, any more. */
static atomic_long countdown;
static atomic_long blocks; /* of the heap, in use */
static atomic_long mapped; /* bytes */

static bool
must_fail(void)
{
    return atomic_load(&countdown) > 0 && atomic_fetch_sub(&countdown, 1) == 1;
}

void *
__wrap_malloc(size_t bytes)
{
    void *p = must_fail() ? NULL : __real_malloc(bytes);
    atomic_fetch_add(&blocks, p != NULL);
    return p;
}

void *
__wrap_calloc(size_t n, size_t bytes)
{
    void *p = must_fail() ? NULL : __real_calloc(n, bytes);
    atomic_fetch_add(&blocks, p != NULL);
    return p;
}

void *
__wrap_realloc(void *p, size_t bytes)
{
    void *bigger = must_fail() ? NULL : __real_realloc(p, bytes);
    atomic_fetch_add(&blocks, !p && bigger);
    return bigger;
}

void
__wrap_free(void *p)
{
    atomic_fetch_sub(&blocks, p != NULL);
    __real_free(p);
}

int
__wrap_vasprintf(char **ret_text, const char *format, va_list args)
{
    int n = must_fail() ? -1 : __real_vasprintf(ret_text, format, args);
    atomic_fetch_add(&blocks, n >= 0);
    return n;
}

/* Where the compiler fortifies by default, as on Ubuntu. */
int
__wrap___vasprintf_chk(char **ret_text, int flag, const char *format, va_list args)
{
    int n = must_fail() ? -1 : __real___vasprintf_chk(ret_text, flag, format, args);
    atomic_fetch_add(&blocks, n >= 0);
    return n;
}

void *
__wrap_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
    void *p = MAP_FAILED;
    if (must_fail())
        errno = ENOMEM;
    else
        p = __real_mmap64(at, bytes, prot, flags, fd, offset);
    if (p != MAP_FAILED)
        atomic_fetch_add(&mapped, (long)bytes);
    return p;
}

int
__wrap_munmap(void *p, size_t bytes)
{
    atomic_fetch_sub(&mapped, (long)bytes);
    return __real_munmap(p, bytes);
}

/* ---- what a program does ---- */

/* It worked, or there was no memory. */
static bool
fine(int r)
{
    ASSERT_TRUE(r >= 0 || r == -ENOMEM);
    return r >= 0;
}

static bool
made(const void *p)
{
    ASSERT_TRUE(p || errno == ENOMEM);
    return p != NULL;
}

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

/* Whether the n-th allocation of the program was its last; lets it fail. */
static bool
run_with_fault(int first, long n)
{
    long blocks_before = atomic_load(&blocks), mapped_before = atomic_load(&mapped);
    pthread_t thread;
    atomic_store(&countdown, n);
    ASSERT_EQ(pthread_create(&thread, NULL, program, &first), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    bool passed_untouched = atomic_exchange(&countdown, 0) > 0;
    if (atomic_load(&blocks) != blocks_before || atomic_load(&mapped) != mapped_before)
        FAIL("%ld blocks and %ld bytes lost by the fault in allocation %ld of part %d",
                atomic_load(&blocks) - blocks_before, atomic_load(&mapped) - mapped_before,
                n, first);
    return passed_untouched;
}

TEST(every_allocation_may_fail_once_and_nothing_is_lost, .seconds = 120)
{
    if (fern__tool_present())
        SKIP("what a sanitizer keeps of a greenlet is taken when it runs, and must be had");
    (void)run_with_fault(0, 0); /* what stays for the whole process is made here */
    for (int first = 0; first < 5; first++) {
        long n = 1;
        while (!run_with_fault(first, n))
            n++;
        ASSERT_GT(n, 10);
    }
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
