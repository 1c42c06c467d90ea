/* SPDX-License-Identifier: MIT */
/*
 * C++: each greenlet has its own exceptions, in flight and caught; destructors run in a killed
 * one that returns; the macros compile.
 */
#include "harness.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <fern.h>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <vector>

namespace
{

/* Gives its greenlet's turn away when it goes out of scope, exceptions in flight or not. */
struct yields_at_end {
    int *ret_uncaught;

    ~yields_at_end()
    {
        *ret_uncaught = std::uncaught_exceptions();
        ASSERT_OK(fern_yield());
        ASSERT_EQ(std::uncaught_exceptions(), *ret_uncaught);
    }
};

struct counts_ends {
    int *counter;

    ~counts_ends()
    {
        ++*counter;
    }
};

__attribute__((noinline)) void
throw_from(int depth, const std::string &what)
{
    std::string keep(what);
    if (depth == 0)
        throw std::runtime_error(keep);
    throw_from(depth - 1, what);
    ASSERT_STR_EQ(keep.c_str(), what.c_str());
}

void *
throw_and_catch(void *what)
{
    try {
        throw_from(5, static_cast<const char *>(what));
    } catch (const std::exception &e) {
        ASSERT_STR_EQ(e.what(), static_cast<const char *>(what));
        return what;
    }
    return nullptr;
}

void
join(fern_greenlet *g)
{
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
}

TEST(an_exception_is_caught_in_the_greenlet_that_throws_it)
{
    fern_greenlet *g = fern_spawn(throw_and_catch, const_cast<char *>("one"));
    fern_outcome o;
    ASSERT_OK(fern_get(g, &o, FERN_FOREVER));
    ASSERT_STR_EQ(static_cast<const char *>(o.value), "one");
    fern_greenlet_unref(g);
}

/* Waits inside its handler, and then throws on what it has caught. */
void *
wait_in_handler(void *what)
{
    const char *text = static_cast<const char *>(what);
    try {
        try {
            throw_from(3, text);
        } catch (const std::exception &) {
            for (int i = 0; i < 3; i++)
                ASSERT_OK(fern_yield());
            ASSERT_TRUE(std::current_exception() != nullptr);
            throw;
        }
    } catch (const std::exception &e) {
        ASSERT_STR_EQ(e.what(), text);
    }
    ASSERT_TRUE(std::current_exception() == nullptr);
    return nullptr;
}

TEST(those_who_wait_in_a_handler_keep_what_they_have_caught)
{
    fern_greenlet *a = fern_spawn(wait_in_handler, const_cast<char *>("first"));
    fern_greenlet *b = fern_spawn(wait_in_handler, const_cast<char *>("second"));
    ASSERT_OK(fern_yield());
    fern_greenlet *c = fern_spawn(wait_in_handler, const_cast<char *>("third"));
    join(c);
    join(a);
    join(b);
}

TEST(main_in_a_handler_and_a_greenlet_that_throws_do_not_meet)
{
    try {
        throw_from(2, "main's");
    } catch (const std::exception &e) {
        join(fern_spawn(throw_and_catch, const_cast<char *>("the greenlet's")));
        fern_greenlet *waits = fern_spawn(wait_in_handler, const_cast<char *>("later"));
        ASSERT_OK(fern_yield());
        ASSERT_STR_EQ(e.what(), "main's");
        try {
            std::rethrow_exception(std::current_exception());
        } catch (const std::exception &again) {
            ASSERT_STR_EQ(again.what(), "main's");
        }
        join(waits);
    }
    ASSERT_TRUE(std::current_exception() == nullptr);
}

void *
unwind_with_a_wait(void *ret_uncaught)
{
    try {
        yields_at_end y{static_cast<int *>(ret_uncaught)};
        throw 7;
    } catch (int seven) {
        ASSERT_EQ(seven, 7);
    }
    ASSERT_EQ(std::uncaught_exceptions(), 0);
    return nullptr;
}

void *
see_uncaught(void *ret_uncaught)
{
    *static_cast<int *>(ret_uncaught) = std::uncaught_exceptions();
    return nullptr;
}

TEST(an_exception_in_flight_is_its_greenlets_alone)
{
    int inside = -1, elsewhere = -1;
    fern_greenlet *g = fern_spawn(unwind_with_a_wait, &inside);
    fern_greenlet *h = fern_spawn(see_uncaught, &elsewhere);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(std::uncaught_exceptions(), 0);
    ASSERT_EQ(inside, 1);
    ASSERT_EQ(elsewhere, 0);
    join(g);
    join(h);
}

TEST(a_greenlet_spawned_by_who_unwinds_begins_with_nothing_in_flight)
{
    struct spawns_at_end {
        int *ret_uncaught;

        ~spawns_at_end()
        {
            join(fern_spawn(see_uncaught, ret_uncaught));
        }
    };
    int seen = -1;
    try {
        spawns_at_end s{&seen};
        throw 1;
    } catch (int) {
    }
    ASSERT_EQ(seen, 0);
}

void *
fail_with_pointer(void *ret_pointer)
{
    try {
        throw_from(1, "carried");
    } catch (...) {
        *static_cast<std::exception_ptr *>(ret_pointer) = std::current_exception();
    }
    return nullptr;
}

TEST(an_exception_pointer_can_be_thrown_again_elsewhere)
{
    std::exception_ptr pointer;
    join(fern_spawn(fail_with_pointer, &pointer));
    std::string what;
    try {
        std::rethrow_exception(pointer);
    } catch (const std::exception &e) {
        what = e.what();
    }
    ASSERT_STR_EQ(what.c_str(), "carried");
}

void *
many_times(void *number)
{
    std::string text = std::to_string(*static_cast<int *>(number));
    for (int i = 0; i < 20; i++) {
        try {
            throw_from(i % 4, text);
        } catch (const std::exception &e) {
            ASSERT_OK(fern_yield());
            try {
                throw_from(1, "inner " + text);
            } catch (const std::exception &inner) {
                ASSERT_OK(fern_yield());
                ASSERT_STR_EQ(inner.what(), ("inner " + text).c_str());
            }
            ASSERT_STR_EQ(e.what(), text.c_str());
        }
    }
    return nullptr;
}

TEST(hundreds_throw_and_catch_in_turn, .seconds = 60)
{
    int n = harness_is_slow() ? 20 : 300;
    std::vector<fern_greenlet *> all;
    std::vector<int> numbers(n);
    for (int i = 0; i < n; i++) {
        numbers[i] = i;
        all.push_back(fern_spawn(many_times, &numbers[i]));
    }
    for (fern_greenlet *g : all)
        join(g);
}

void *
wait_with_a_guard(void *counter)
{
    counts_ends guard{static_cast<int *>(counter)};
    std::string heap(1000, 'x');
    return fern_sleep(FERN_MINUTE) < 0 ? nullptr : counter;
}

TEST(destructors_run_in_a_killed_greenlet_that_returns)
{
    int ended = 0;
    fern_greenlet *g = fern_spawn(wait_with_a_guard, &ended);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(ended, 0);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(ended, 1);
    fern_greenlet_unref(g);
}

/* A wait that fails may as well be thrown. */
void *
wait_and_throw(void *counter)
{
    try {
        counts_ends guard{static_cast<int *>(counter)};
        int r = fern_park(FERN_FOREVER);
        if (r < 0)
            throw r;
    } catch (int r) {
        ASSERT_ERR(r, -ECANCELED);
        ++*static_cast<int *>(counter);
    }
    return nullptr;
}

TEST(a_kill_can_be_made_an_exception)
{
    int count = 0;
    fern_greenlet *g = fern_spawn(wait_and_throw, &count);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(count, 2);
    fern_greenlet_unref(g);
}

void *
throw_out(void *)
{
    throw_from(2, "nobody catches this");
    return nullptr;
}

void
let_it_out(void *)
{
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    join(fern_spawn(throw_out, nullptr));
}

TEST(an_exception_that_leaves_a_greenlet_terminates_the_program)
{
    char err[4096];
    int status = harness_child(let_it_out, nullptr, err, sizeof err);
    ASSERT_TRUE(status != 0);
    ASSERT_STR_HAS(err, "nobody catches this");
}

/* ---- the macros ---- */

void
count_up(void *counter)
{
    ++*static_cast<int *>(counter);
}

void *
use_auto(void *counter)
{
    FERN_AUTO(count_up, counter);
    FERN_AUTO(count_up, counter);
    fern_exit(counter);
}

TEST(the_macros_are_cxx_too)
{
    int count = 0;
    FERN_SPAWN_OPTIONS(o);
    o.name = "a name";
    fern_greenlet *g = fern_spawn_with(use_auto, &count, &o);
    const fern_site *site = fern_greenlet_site(g);
    ASSERT_NOT_NULL(strstr(site->file, "cxx_test.cc"));
    ASSERT_STR_HAS(site->function, "the_macros_are_cxx_too");
    ASSERT_GT(site->line, 300);
    join(g);
    ASSERT_EQ(count, 2);
    ASSERT_OK(fern_go(use_auto, &count));
    FERN_JOIN_OPTIONS(j);
    j.count = 1;
    fern_greenlet *two[] = {
            fern_spawn(use_auto, &count), fern_spawn(wait_with_a_guard, &count)};
    ASSERT_OK(fern_join_all_with(two, 2, &j, FERN_FOREVER));
    ASSERT_OK(fern_kill(two[1], 0, FERN_FOREVER));
    ASSERT_EQ(count, 7);
    fern_greenlet_unref(two[0]);
    fern_greenlet_unref(two[1]);
    int r = 0;
    bool fired = false;
    FERN_SCOPE (scope, fern_in(FERN_MS)) {
        r = fern_park(FERN_FOREVER);
        fired = fern_scope_fired(&scope);
    }
    ASSERT_ERR(r, -ETIME);
    ASSERT_TRUE(fired);
    fern_scope plain = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&plain, FERN_FOREVER));
    fern_scope_stop(&plain);
}

} /* namespace */
