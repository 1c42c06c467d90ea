/* SPDX-License-Identifier: MIT */
/*
 * Stack overflow: always caught, always with a name, whatever guards the stacks.
 */
#include "harness.h"

#include "core/hub.h"

#include <errno.h>
#include <fern.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const modes[] = {"advice", "mprotect", "canary"};
enum { MODES = 3, CANARY = 2 };

static volatile int sink;

/* ---- three ways to run out of a stack ---- */

static __attribute__((noinline)) void
touch(volatile char *low)
{
    low[0] = 1;
    sink += low[0];
}

static void *
one_large_array(void *arg)
{
    volatile char array[100 * 1024];
    touch(array);
    return arg;
}

static __attribute__((noinline)) int
recurse(int depth)
{
    volatile char frame[400];
    touch(frame);
    return depth ? recurse(depth - 1) + frame[0] : 0;
}

static void *
deep_recursion(void *arg)
{
    sink = recurse(100 * 1024 / 400);
    return arg;
}

static void *
endless_recursion(void *arg)
{
    sink = recurse(INT32_MAX);
    return arg;
}

static __attribute__((noinline)) int
creep(int depth)
{
    volatile char frame[64];
    touch(frame);
    if (fern_yield() < 0)
        return 0;
    return depth ? creep(depth - 1) + frame[0] : 0;
}

static void *
slow_creep(void *arg)
{
    sink = creep(2000);
    return arg;
}

/* ---- a program that does it ---- */

struct program {
    const char *guard;
    fern_fn *fn;
    const char *stack;
    const char *maps;
    size_t stack_bytes;
    int others;
};

static void *
parker(void *arg)
{
    (void)!fern_park(FERN_FOREVER);
    return arg;
}

static void
overflow(void *arg)
{
    const struct program *p = arg;
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    setenv("FERN_GUARD", p->guard, 1);
    if (p->stack)
        setenv("FERN_STACK", p->stack, 1);
    if (p->maps)
        setenv("FERN_GUARD_MAPS", p->maps, 1);
    for (int i = 0; i < p->others; i++) {
        if (fern_go(parker, NULL) < 0)
            exit(3);
    }
    FERN_SPAWN_OPTIONS(o);
    o.name = "the greedy one";
    o.stack_bytes = p->stack_bytes;
    fern_greenlet *g = fern_spawn_with(p->fn, NULL, &o);
    if (!g || fern_join(g, FERN_FOREVER) < 0)
        exit(4);
    exit(0);
}

/* It died of the true signal; where a sanitizer handles that itself, it died. */
static void
assert_died(int status, const char *err)
{
    struct sigaction before;
    sigaction(SIGSEGV, NULL, &before);
    if (before.sa_handler == SIG_DFL &&
            !(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV))
        FAIL("status %#x: %s", (unsigned)status, err);
    if (status == 0)
        FAIL("nothing was caught: %s", err);
}

static void
assert_caught(struct program p)
{
    char err[8192];
    int status = harness_child(overflow, &p, err, sizeof err);
    assert_died(status, err);
    ASSERT_STR_HAS(err, "fern: stack overflow in greenlet #");
    ASSERT_STR_HAS(err, "\"the greedy one\" spawned at ");
    ASSERT_STR_HAS(err, "overflow_test.c:");
}

TEST(one_large_array_is_caught)
{
    for (int i = 0; i < MODES; i++)
        assert_caught((struct program){.guard = modes[i], .fn = one_large_array});
}

TEST(a_deep_recursion_is_caught)
{
    for (int i = 0; i < MODES; i++)
        assert_caught((struct program){.guard = modes[i], .fn = deep_recursion});
}

TEST(an_endless_recursion_is_caught)
{
    for (int i = 0; i < MODES; i++)
        assert_caught((struct program){.guard = modes[i], .fn = endless_recursion});
}

TEST(a_slow_creep_is_caught)
{
    for (int i = 0; i < MODES; i++)
        assert_caught(
                (struct program){.guard = modes[i], .fn = slow_creep, .stack = "40k"});
}

TEST(one_among_many_is_caught, .seconds = 60)
{
    int others = harness_is_slow() ? 100 : 20000;
    for (int i = 0; i < MODES; i++)
        assert_caught((struct program){
                .guard = modes[i], .fn = one_large_array, .others = others});
}

TEST(it_is_said_how_large_the_stack_is_and_how_to_raise_it)
{
    char err[4096];
    struct program p = {.guard = "mprotect", .fn = endless_recursion};
    harness_child(overflow, &p, err, sizeof err);
    ASSERT_STR_HAS(err, "its stack of 64 KiB is full");
    ASSERT_STR_HAS(err, "fern_spawn_options.stack_bytes");
    ASSERT_STR_HAS(err, "FERN_STACK=256k");
    p.stack_bytes = 160 * 1024;
    harness_child(overflow, &p, err, sizeof err);
    ASSERT_STR_HAS(err, "its stack of 160 KiB is full");
    p = (struct program){.guard = "mprotect", .fn = endless_recursion, .stack = "128k"};
    harness_child(overflow, &p, err, sizeof err);
    ASSERT_STR_HAS(err, "its stack of 128 KiB is full");
}

TEST(what_it_said_helps)
{
    for (int i = 0; i < MODES; i++) {
        char err[4096];
        struct program p = {
                .guard = modes[i], .fn = one_large_array, .stack_bytes = 160 << 10};
        ASSERT_EQ(harness_child(overflow, &p, err, sizeof err), 0);
        ASSERT_STR_EQ(err, "");
        p = (struct program){.guard = modes[i], .fn = one_large_array, .stack = "256k"};
        ASSERT_EQ(harness_child(overflow, &p, err, sizeof err), 0);
        ASSERT_STR_EQ(err, "");
    }
}

static int
count(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

TEST(when_mappings_run_out_one_warning_names_the_sysctl_and_canaries_watch)
{
    char err[8192];
    struct program p = {
            .guard = "mprotect", .fn = one_large_array, .maps = "20", .others = 40};
    assert_died(harness_child(overflow, &p, err, sizeof err), err);
    ASSERT_EQ(count(err, "vm.max_map_count"), 1);
    ASSERT_EQ(count(err, "stack overflow in greenlet"), 1);
    p.fn = slow_creep;
    p.stack = "40k";
    assert_died(harness_child(overflow, &p, err, sizeof err), err);
    ASSERT_EQ(count(err, "stack overflow in greenlet"), 1);
}

static void
name_a_guard(void *name)
{
    setenv("FERN_GUARD", name, 1);
    exit(fern_self() ? 1 : errno == EINVAL ? 0 : 2);
}

TEST(a_guard_that_does_not_exist_is_answered_with_the_list)
{
    char err[1024];
    ASSERT_EQ(harness_child(name_a_guard, (char[]){"wall"}, err, sizeof err), 0);
    ASSERT_STR_HAS(
            err, "FERN_GUARD=wall is not known; it is one of: advice, mprotect, canary");
}

/* ---- on other threads ---- */

static void *
thread_main(void *arg)
{
    overflow(arg);
    return NULL;
}

static void
overflow_on_a_thread(void *arg)
{
    if (!fern_self())
        exit(5);
    pthread_t thread;
    pthread_create(&thread, NULL, thread_main, arg);
    pthread_join(thread, NULL);
}

TEST(an_overflow_on_another_thread_is_caught)
{
    for (int i = 0; i < MODES; i++) {
        char err[4096];
        struct program p = {.guard = modes[i], .fn = one_large_array};
        assert_died(harness_child(overflow_on_a_thread, &p, err, sizeof err), err);
        ASSERT_STR_HAS(err, "\"the greedy one\" spawned at ");
    }
}

/* ---- faults that are not ours ---- */

static void *
fault(void *address)
{
    *(volatile int *)address = 1;
    return NULL;
}

static void
fault_at_null(void *arg)
{
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    fern_greenlet *g = fern_spawn(fault, arg);
    if (fern_join(g, FERN_FOREVER) < 0)
        exit(4);
}

TEST(a_fault_of_the_programs_own_dies_as_ever_and_nothing_is_said)
{
    char err[8192];
    assert_died(harness_child(fault_at_null, NULL, err, sizeof err), err);
    ASSERT_EQ(count(err, "fern:"), 0);
}

static void *where = (void *)16;

__attribute__((noreturn)) static void
say_and_exit(const char *text)
{
    _exit(write(STDERR_FILENO, text, strlen(text)) > 0 ? 0 : 1);
}

static void
with_info(int signal, siginfo_t *info, void *context)
{
    bool right = signal == SIGSEGV && info->si_addr == where && context;
    say_and_exit(right ? "handled with address" : "handled wrongly");
}

static void
plain(int signal)
{
    say_and_exit(signal == SIGSEGV ? "handled plainly" : "handled wrongly");
}

static void
fault_with_info(void *arg)
{
    struct sigaction action = {.sa_sigaction = with_info, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    fault_at_null(arg);
}

static void
fault_with_plain(void *arg)
{
    signal(SIGSEGV, plain);
    fault_at_null(arg);
}

TEST(a_fault_of_the_programs_own_goes_to_who_handled_it_before)
{
    char err[4096];
    ASSERT_TRUE(WIFEXITED(harness_child(fault_with_info, where, err, sizeof err)));
    ASSERT_STR_HAS(err, "handled with address");
    ASSERT_TRUE(WIFEXITED(harness_child(fault_with_plain, where, err, sizeof err)));
    ASSERT_STR_HAS(err, "handled plainly");
    ASSERT_EQ(count(err, "fern:"), 0);
}

static void
overflow_with_plain(void *arg)
{
    signal(SIGSEGV, plain);
    overflow(arg);
}

TEST(after_the_report_an_overflow_goes_there_too)
{
    char err[4096];
    struct program p = {.guard = "mprotect", .fn = one_large_array};
    ASSERT_TRUE(WIFEXITED(harness_child(overflow_with_plain, &p, err, sizeof err)));
    ASSERT_STR_HAS(err, "handled plainly");
    ASSERT_STR_HAS(err, "fern: stack overflow in greenlet #");
}

static void
be_sent_the_signal(void *ignore)
{
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGSEGV, ignore ? SIG_IGN : SIG_DFL);
    if (!fern_self())
        exit(4);
    kill(getpid(), SIGSEGV);
}

TEST(a_signal_that_somebody_sends_has_the_effect_it_had)
{
    char err[4096];
    ASSERT_EQ(harness_child(be_sent_the_signal, err, err, sizeof err), 0);
    int status = harness_child(be_sent_the_signal, NULL, err, sizeof err);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGSEGV);
    ASSERT_EQ(count(err, "fern:"), 0);
}

/* ---- a neighbour's guard ---- */

static void *
parker_with_name(void *arg)
{
    (void)!fern_park(FERN_FOREVER);
    return arg;
}

static void
write_into_a_guard(void *guard)
{
    setenv("FERN_GUARD", guard, 1);
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    FERN_SPAWN_OPTIONS(o);
    o.name = "victim";
    fern_greenlet *victim = fern_spawn_with(parker_with_name, NULL, &o);
    if (fern_yield() < 0)
        exit(3);
    struct fern__hub *hub = fern__self_hub();
    char *low = fern__stack_low(&hub->stacks, victim->stack_top);
    o.name = "culprit";
    fern_greenlet *culprit = fern_spawn_with(fault, low - 4096, &o);
    if (fern_join(culprit, FERN_FOREVER) < 0)
        exit(4);
}

TEST(who_writes_into_anothers_guard_is_named)
{
    char err[4096];
    assert_died(harness_child(write_into_a_guard, "mprotect", err, sizeof err), err);
    ASSERT_STR_HAS(err, "fern: bad access at 0x");
    ASSERT_STR_HAS(err, "by greenlet #3 \"culprit\"");
    ASSERT_STR_HAS(err, "below the stack of greenlet #2 \"victim\"");
    ASSERT_EQ(count(err, "stack overflow"), 0);
}

/* ---- alternate stacks ---- */

TEST(a_thread_without_an_alternate_stack_gets_one)
{
    stack_t before, after;
    ASSERT_OK(sigaltstack(NULL, &before));
    if (!(before.ss_flags & SS_DISABLE))
        SKIP("a tool has given this thread one");
    ASSERT_NOT_NULL(fern_self());
    ASSERT_OK(sigaltstack(NULL, &after));
    ASSERT_FALSE(after.ss_flags & SS_DISABLE);
    ASSERT_GE(after.ss_size, 32768);
}

TEST(an_alternate_stack_of_the_programs_own_is_left_alone)
{
    static char own[65536];
    stack_t mine = {.ss_sp = own, .ss_size = sizeof own}, after;
    ASSERT_OK(sigaltstack(&mine, NULL));
    ASSERT_NOT_NULL(fern_self());
    ASSERT_OK(sigaltstack(NULL, &after));
    ASSERT_TRUE(after.ss_sp == own);
    mine.ss_flags = SS_DISABLE;
    ASSERT_OK(sigaltstack(&mine, NULL));
}
