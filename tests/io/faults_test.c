/* SPDX-License-Identifier: MIT */
/*
 * Every system call and every allocation fails once, in turn, while a program does a little of
 * everything. Whatever happens, nobody crashes, nobody waits for ever, and no fd, no memory and
 * no greenlet is left behind.
 *
 * The program is linked with --wrap, so that each allocation of fern comes here; system calls of
 * I/O and pollers come by the seam that FERN_FAULT uses. Each run has a thread, and so a hub, of
 * its own: its making and its end are swept too.
 */
#include "io/ends.h"

#include "base/fault.h"
#include "core/tool.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *p, size_t bytes);
void *__real_aligned_alloc(size_t align, size_t bytes);
void __real_free(void *p);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *p, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
void __wrap_free(void *p);

static atomic_long blocks; /* of the heap, in use */

/* A sanitizer that cannot be told of a greenlet ends the program: there, memory does not fail. */
static bool
must_fail(const char *name)
{
    if (fern__tool_present())
        return false;
    bool fails = fern__fault_armed && fern__fault_hit(name);
    if (fails)
        errno = ENOMEM;
    return fails;
}

static void *
counted(void *p)
{
    atomic_fetch_add(&blocks, p != NULL);
    return p;
}

void *
__wrap_malloc(size_t bytes)
{
    return must_fail("malloc") ? NULL : counted(__real_malloc(bytes));
}

void *
__wrap_calloc(size_t n, size_t bytes)
{
    return must_fail("calloc") ? NULL : counted(__real_calloc(n, bytes));
}

void *
__wrap_realloc(void *p, size_t bytes)
{
    if (must_fail("realloc"))
        return NULL;
    void *bigger = __real_realloc(p, bytes);
    return p ? bigger : counted(bigger);
}

void *
__wrap_aligned_alloc(size_t align, size_t bytes)
{
    return must_fail("aligned_alloc") ? NULL : counted(__real_aligned_alloc(align, bytes));
}

void
__wrap_free(void *p)
{
    atomic_fetch_sub(&blocks, p != NULL);
    __real_free(p);
}

/* ---- what the program does ---- */

/* A fault can leave somebody waiting for what was never sent; then this time is up. */
static fern_time
soon(void)
{
    return fern_in(50 * FERN_MS);
}

static void
close_all(const int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        if (fds[i] >= 0)
            fern_close(fds[i]);
    }
}

static void *
echo_a_while(void *arg)
{
    char buf[4096];
    ssize_t n;
    while ((n = fern_read(as_fd(arg), buf, sizeof buf, soon())) > 0) {
        if (fern_write_all(as_fd(arg), buf, (size_t)n, NULL, soon()) < 0)
            break;
    }
    return NULL;
}

/* Join for good: a greenlet here ends by itself. */
static void
finish(fern_greenlet *g)
{
    while (g && fern_join(g, FERN_FOREVER) < 0)
        ;
    fern_greenlet_unref(g);
}

/* Send a block to an echo and hear it again. */
static bool
talk(int ends[2])
{
    enum { BLOCK = 200000 };
    bool good = false;
    fern_greenlet *g = fern_spawn(echo_a_while, as_arg(ends[1]));
    char *block = __real_calloc(1, BLOCK);
    char c = 'x';
    if (g && fern_write_all(ends[0], "hello", 5, NULL, soon()) == 0 &&
            fern_read(ends[0], block, 5, soon()) == 5 &&
            fern_wait_fd(ends[0], POLLOUT, soon()) > 0 &&
            fern_write_all(ends[0], block, 4000, NULL, soon()) == 0) {
        ssize_t n = 0, got = 0;
        while (got < 4000 && (n = fern_read(ends[0], block, BLOCK, soon())) > 0)
            got += n;
        good = got == 4000;
    }
    if (good)
        good = fern_read(ends[0], &c, 1, fern_in(1)) == -ETIME;
    fern_shutdown(ends[0], SHUT_WR);
    finish(g);
    __real_free(block);
    return good;
}

static bool
do_pair(void)
{
    int ends[2];
    if (fern_socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return false;
    bool good = talk(ends);
    close_all(ends, 2);
    return good;
}

static void *
dial(void *arg)
{
    return (void *)(intptr_t)fern_dial_at(arg, soon());
}

static bool
do_tcp(void)
{
    fern_address at;
    int fds[] = {fern_listen("127.0.0.1:0", 8), -1, -1};
    bool good = false;
    if (fds[0] >= 0 && fern_local_address(fds[0], &at) == 0) {
        fern_greenlet *g = fern_spawn(dial, &at);
        fds[1] = g ? fern_accept(fds[0], NULL, soon()) : -1;
        fern_outcome outcome;
        if (g && fern_get(g, &outcome, FERN_FOREVER) == 0)
            fds[2] = (int)(intptr_t)outcome.value;
        finish(g);
        good = fds[1] >= 0 && fds[2] >= 0 && talk(&fds[1]);
    }
    close_all(fds, 3);
    return good;
}

static bool
do_pipe(void)
{
    int ends[2];
    char buf[8];
    if (fern_pipe(ends, 0) < 0)
        return false;
    int copy = fern_dup(ends[1]);
    bool good = copy >= 0 && fern_read(ends[0], buf, 8, fern_in(1)) == -ETIME &&
                fern_write(ends[1], "abc", 3, soon()) == 3 &&
                fern_write(copy, "def", 3, soon()) == 3 &&
                fern_read(ends[0], buf, 8, soon()) == 6;
    fern_close(ends[0]);
    good &= fern_write(copy, "x", 1, soon()) == -EPIPE;
    int rest[] = {ends[1], copy};
    close_all(rest, 2);
    return good;
}

/* Strangers' fds: each way not to block. */
static bool
do_strangers(void)
{
    int ends[4] = {-1, -1, -1, -1};
    char buf[8];
    ASSERT_OK(pipe2(ends, O_CLOEXEC));
    ASSERT_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends + 2));
    bool good = true;
    for (int i = 0; good && i < 4; i += 2)
        good = fern_read(ends[i], buf, 8, fern_in(1)) == -ETIME &&
               fern_write(ends[i + 1], "abc", 3, soon()) == 3 &&
               fern_read(ends[i], buf, 8, soon()) == 3;
    close_all(ends, 4);
    return good;
}

static bool
do_stream(void)
{
    int ends[2];
    char line[32];
    if (fern_socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return false;
    fern_stream *out = fern_stream_open(ends[0]), *in = fern_stream_open(ends[1]);
    bool good = in && out && fern_stream_cork(out) == 0 &&
                fern_stream_printf(out, soon(), "%s %d\n", "line", 1) == 0 &&
                fern_stream_write(out, "exact", 5, NULL, soon()) == 0 &&
                fern_stream_uncork(out, soon()) == 0 &&
                fern_stream_read_line(in, line, 32, soon()) == 6 &&
                fern_stream_read_exactly(in, line, 5, soon()) == 0 &&
                fern_stream_read_line(in, line, 32, fern_in(1)) == -ETIME;
    if (!out)
        fern_close(ends[0]);
    if (!in)
        fern_close(ends[1]);
    fern_stream_close(out, soon());
    fern_stream_close(in, soon());
    return good;
}

static bool
do_poll(void)
{
    enum { PAIRS = 10 };
    int ends[2 * PAIRS], made = 0;
    struct pollfd fds[PAIRS];
    while (made < PAIRS && fern_pipe(ends + 2 * made, 0) == 0) {
        fds[made] = (struct pollfd){.fd = ends[2 * made], .events = POLLIN};
        made++;
    }
    fd_set in;
    FD_ZERO(&in);
    bool good = made == PAIRS && fern_poll(fds, PAIRS, fern_in(1)) == -ETIME;
    if (good) {
        FD_SET(ends[2 * PAIRS - 2], &in);
        good = fern_select_fds(ends[2 * PAIRS - 2] + 1, &in, NULL, NULL, fern_in(1)) ==
                       -ETIME &&
               fern_write(ends[1], "x", 1, soon()) == 1 &&
               fern_poll(fds, PAIRS, soon()) == 1;
    }
    close_all(ends, 2 * made);
    return good;
}

static bool (*const acts[])(void) = {
        do_pair, do_tcp, do_pipe, do_strangers, do_stream, do_poll};

enum { ACTS = sizeof acts / sizeof acts[0] };

/* ---- the sweep ---- */

struct run {
    int act;
    bool good;
};

static void *
run_act(void *arg)
{
    struct run *run = arg;
    run->good = acts[run->act]();
    return NULL;
}

static int
count_fds(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    ASSERT_NOT_NULL(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static bool
run_once(int act)
{
    struct run run = {.act = act};
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, run_act, &run), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    return run.good;
}

/* Fail the nth call of all, for n = 1, 2, ..., until the run passes untouched. */
static void
sweep(int act, int error)
{
    enum { CALLS_MAX = 2000 };
    for (uint64_t n = 1;; n++) {
        int fds = count_fds();
        long used = atomic_load(&blocks);
        ASSERT_LT(n, CALLS_MAX);
        ASSERT_OK(fern__fault_plan(NULL, n, error));
        bool good = run_once(act);
        uint64_t calls = fern__fault_calls();
        fern__fault_clear();
        if (count_fds() != fds || atomic_load(&blocks) != used)
            FAIL("act %d, call %llu, errno %d: %d fds and %ld blocks are left", act,
                    (unsigned long long)n, error, count_fds() - fds,
                    atomic_load(&blocks) - used);
        if (calls < n) {
            ASSERT_TRUE(good);
            ASSERT_GT(n, 3);
            return;
        }
    }
}

static void
sweep_all(int error)
{
    for (int act = 0; act < ACTS; act++) {
        ASSERT_TRUE(run_once(act));
        sweep(act, error);
    }
}

TEST(memory_that_runs_out_at_any_call_leaves_nothing_behind, .seconds = 60)
{
    sweep_all(ENOMEM);
}

TEST(an_io_error_at_any_call_leaves_nothing_behind, .seconds = 60)
{
    sweep_all(EIO);
}

TEST(a_table_of_fds_that_is_full_at_any_call_leaves_nothing_behind, .seconds = 60)
{
    sweep_all(EMFILE);
}

TEST(an_interruption_at_any_call_leaves_nothing_behind, .seconds = 60)
{
    sweep_all(EINTR);
}

TEST(a_call_that_seems_to_have_to_wait_leaves_nothing_behind, .seconds = 60)
{
    sweep_all(EAGAIN);
}
