/* SPDX-License-Identifier: MIT */
/*
 * A program under a sanitizer, against the ordinary library: nothing false is reported, and what
 * is wrong is found.
 *
 *     sanitized clean       exceptions, longjmp, ends and switches at depth; pointers that only
 *                           parked greenlets hold are no leaks
 *     sanitized overrun     a greenlet writes beyond its local array
 *     sanitized after       a greenlet uses a local array of a function that has returned
 *     sanitized race        a named greenlet and another thread write the same variable
 */
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fern.h>
#include <pthread.h>
#include <stdexcept>

namespace
{

int caught, jumped, kept;

[[noreturn]] void
fail(const char *what)
{
    std::fprintf(stderr, "sanitized: %s\n", what);
    std::_Exit(3);
}

void
check(bool good, const char *what)
{
    if (!good)
        fail(what);
}

__attribute__((noinline)) int
deep(int n)
{
    volatile char frame[64];
    std::memset(const_cast<char *>(frame), n, sizeof frame);
    if (n == 0) {
        check(fern_yield() == 0, "yield");
        return frame[3];
    }
    return deep(n - 1) + frame[5];
}

void *
throws(void *)
{
    for (int i = 0; i < 20; i++) {
        try {
            deep(10);
            throw std::runtime_error("thrown");
        } catch (const std::exception &) {
            deep(3);
            caught++;
        }
    }
    return nullptr;
}

void *
jumps(void *)
{
    for (int i = 0; i < 20; i++) {
        std::jmp_buf back;
        if (setjmp(back) == 0) {
            deep(5);
            std::longjmp(back, 1);
        }
        jumped++;
        deep(5);
    }
    return nullptr;
}

void *
keeps(void *)
{
    char local[256];
    for (int i = 0; i < 50; i++) {
        std::memset(local, i, sizeof local);
        check(fern_yield() == 0, "yield");
        for (char c : local)
            check(c == i, "a local array has changed");
    }
    kept++;
    return nullptr;
}

void *
exits(void *)
{
    deep(4);
    fern_exit(nullptr);
}

void *
holds(void *)
{
    char *volatile held = static_cast<char *>(std::malloc(100));
    check(held != nullptr, "malloc");
    (void)!fern_park(FERN_FOREVER);
    std::free(held);
    return nullptr;
}

void
run_all(fern_fn *const *fns, size_t n)
{
    fern_greenlet *gs[100];
    for (size_t i = 0; i < 100; i++)
        gs[i] = fern_spawn(fns[i % n], nullptr);
    check(fern_join_all(gs, 100, FERN_FOREVER) == 0, "join");
    for (fern_greenlet *g : gs)
        fern_greenlet_unref(g);
}

void
clean()
{
    fern_fn *const fns[] = {throws, jumps, keeps, exits};
    for (int round = 0; round < 3; round++)
        run_all(fns, 4);
    FERN_SPAWN_OPTIONS(o);
    o.stack_bytes = 300000;
    fern_greenlet *g = fern_spawn_with(throws, nullptr, &o);
    check(fern_join(g, FERN_FOREVER) == 0, "join");
    fern_greenlet_unref(g);
    check(caught == 76 * 20 && jumped == 75 * 20 && kept == 75, "the counts");
    for (int i = 0; i < 20; i++)
        check(fern_go(holds, nullptr) == 0, "go");
    check(fern_yield() == 0, "yield");
}

volatile size_t beyond = 64;

void *
overruns(void *)
{
    volatile char local[64];
    volatile char *volatile start = local; /* else another sanitizer knows the bounds */
    check(fern_yield() == 0, "yield");
    start[beyond] = 1;
    check(start[beyond] == 1, "the byte beyond");
    return nullptr;
}

char *volatile stale;

__attribute__((noinline)) void
leave_behind()
{
    char local[64];
    stale = local;
    deep(1);
}

void *
uses_after_return(void *)
{
    leave_behind();
    stale[0] = 1;
    return nullptr;
}

int contested;
volatile bool written;

void *
writes(void *)
{
    contested++;
    __atomic_store_n(&written, true, __ATOMIC_RELAXED);
    check(fern_sleep(50 * FERN_MS) == 0, "sleep");
    return nullptr;
}

void *
writes_too(void *arg)
{
    while (!__atomic_load_n(&written, __ATOMIC_RELAXED))
        ;
    contested++;
    return arg;
}

void
race()
{
    pthread_t thread;
    check(pthread_create(&thread, nullptr, writes_too, nullptr) == 0, "thread");
    FERN_SPAWN_OPTIONS(o);
    o.name = "the writer";
    fern_greenlet *g = fern_spawn_with(writes, nullptr, &o);
    check(fern_join(g, FERN_FOREVER) == 0, "join");
    fern_greenlet_unref(g);
    pthread_join(thread, nullptr);
}

void
run_one(fern_fn *fn)
{
    fern_greenlet *g = fern_spawn(fn, nullptr);
    check(fern_join(g, FERN_FOREVER) == 0, "join");
    fern_greenlet_unref(g);
}

} /* namespace */

int
main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (std::strcmp(what, "clean") == 0)
        clean();
    else if (std::strcmp(what, "overrun") == 0)
        run_one(overruns);
    else if (std::strcmp(what, "after") == 0)
        run_one(uses_after_return);
    else if (std::strcmp(what, "race") == 0)
        race();
    else
        fail("what?");
    std::printf("done\n");
}
