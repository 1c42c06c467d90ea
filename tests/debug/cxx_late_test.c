/* SPDX-License-Identifier: MIT */
/*
 * A C++ runtime that comes after the hub: a program in C opens a library in C++.
 */
#include "harness.h"

#include <dlfcn.h>
#include <errno.h>
#include <fern.h>

typedef int plugin_fn(int mine, int (*wait)(void));

static plugin_fn *throw_and_wait;

static int
wait_a_turn(void)
{
    return fern_yield();
}

static void *
use_plugin(void *mine)
{
    /* Parked before the plugin is there: nothing of C++ is in this frame then. */
    ASSERT_OK(fern_park(FERN_FOREVER));
    return (void *)(intptr_t)throw_and_wait((int)(intptr_t)mine, wait_a_turn);
}

TEST(a_runtime_that_is_loaded_late_is_noticed)
{
    enum { N = 20 };
    fern_greenlet *gs[N];
    for (int i = 0; i < N; i++)
        gs[i] = fern_spawn(use_plugin, (void *)(intptr_t)(100 * i));
    ASSERT_OK(fern_yield());
    void *library = dlopen(CXX_PLUGIN, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        FAIL("%s", dlerror());
    throw_and_wait = (plugin_fn *)(uintptr_t)dlsym(library, "plugin_throw_and_wait");
    ASSERT_NOT_NULL((void *)(uintptr_t)throw_and_wait);
    ASSERT_OK(fern_sleep(FERN_MS));
    for (int i = 0; i < N; i++)
        ASSERT_OK(fern_unpark(gs[i]));
    ASSERT_EQ(throw_and_wait(-7, wait_a_turn), 0);
    for (int i = 0; i < N; i++) {
        fern_outcome o;
        ASSERT_OK(fern_get(gs[i], &o, FERN_FOREVER));
        ASSERT_EQ((intptr_t)o.value, 0);
        fern_greenlet_unref(gs[i]);
    }
}
