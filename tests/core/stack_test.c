/* SPDX-License-Identifier: MIT */
/*
 * Stacks: bound late, handed on warm, pooled, and given back when idle; and their size from the
 * environment. Time is virtual: stacks are idle for seconds.
 */

#include "harness.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/tool.h"
#include "trace.h"

static uint64_t
stacks_in_use(void)
{
    fern_hub_stats stats;
    ASSERT_OK(fern_hub_get_stats(&stats));
    return stats.stacks;
}

static void *
tell_frame(void *ret_frame)
{
    *(void **)ret_frame = __builtin_frame_address(0);
    return NULL;
}

TEST(greenlets_that_do_not_park_run_one_after_another_on_one_warm_stack)
{
    enum { MANY = 50 };
    void *frames[MANY];
    for (int i = 0; i < MANY; i++)
        ASSERT_OK(fern_go(tell_frame, &frames[i]));
    ASSERT_EQ(stacks_in_use(), 0);
    ASSERT_OK(fern_yield());
    fern_hub_stats stats;
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_EQ(stats.stacks, 0);
    for (int i = 1; i < MANY; i++)
        ASSERT_TRUE(frames[i] == frames[0]);
    ASSERT_OK(fern_go(tell_frame, &frames[1]));
    ASSERT_OK(fern_yield());
    ASSERT_TRUE(frames[1] == frames[0]);
}

static void *
touch_and_park(void *ret_frame)
{
    char much[24 * 1024];
    memset(much, 1, sizeof much);
    __asm__ volatile("" : : "r"(much) : "memory"); /* it is wanted, in one piece */
    *(void **)ret_frame = (void *)(uintptr_t)&much[sizeof much / 2];
    ASSERT_OK(fern_park(FERN_FOREVER));
    __asm__ volatile("" : : "r"(much) : "memory");
    return much[1024] == 1 ? "whole" : NULL;
}

enum { CROWD = 120, KEPT = 8, PAGE = 4096 };

static void *crowd_frames[CROWD];

static void
run_crowd(void)
{
    fern_greenlet *gs[CROWD];
    for (int i = 0; i < CROWD; i++)
        gs[i] = fern_spawn(touch_and_park, &crowd_frames[i]);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(stacks_in_use(), CROWD);
    for (int i = 0; i < CROWD; i++)
        ASSERT_OK(fern_unpark(gs[i]));
    for (int i = 0; i < CROWD; i++) {
        fern_outcome outcome;
        ASSERT_OK(fern_get(gs[i], &outcome, FERN_FOREVER));
        ASSERT_STR_EQ(outcome.value, "whole");
        fern_greenlet_unref(gs[i]);
    }
    ASSERT_EQ(stacks_in_use(), 0);
}

/* How many stacks of the crowd still have the page in the middle of the array that was touched. */
static int
still_resident(void)
{
    int count = 0;
    for (int i = 0; i < CROWD; i++) {
        uintptr_t at = (uintptr_t)crowd_frames[i] / PAGE * PAGE;
        unsigned char resident = 0;
        ASSERT_EQ(mincore((void *)at, PAGE, &resident), 0);
        count += resident & 1;
    }
    return count;
}

TEST(each_parked_greenlet_has_a_stack_of_its_own)
{
    run_crowd();
    for (int i = 0; i < CROWD; i++)
        for (int j = 0; j < i; j++) {
            intptr_t apart = (intptr_t)crowd_frames[i] - (intptr_t)crowd_frames[j];
            ASSERT_TRUE(apart > 64 * 1024 || apart < -64 * 1024);
        }
}

TEST(stacks_that_stay_idle_give_their_memory_back_but_for_the_warmest)
{
    if (sysconf(_SC_PAGESIZE) != PAGE)
        SKIP("pages are not of 4 KiB");
    fern_hub_options options = {.size = sizeof options, .stacks_idle_max = KEPT};
    ASSERT_OK(fern_hub_set_options(&options));
    run_crowd();
    ASSERT_EQ(still_resident(), CROWD);
    ASSERT_OK(fern_sleep(FERN_SECOND));
    ASSERT_EQ(still_resident(), CROWD);
    /* They must have been idle for a whole period. */
    for (int i = 0; i < 20; i++)
        ASSERT_OK(fern_sleep(FERN_SECOND));
    ASSERT_LE(still_resident(), KEPT + 1);
    fern_hub_stats stats;
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_GE(stats.stacks_idle, CROWD);
    ASSERT_EQ(stats.timers, 0);
    /* What was given back can be used again. */
    run_crowd();
    ASSERT_EQ(still_resident(), CROWD);
}

TEST(a_trim_never_keeps_main_waiting_for_nothing)
{
    if (fern__tool_present() || harness_runs_under("emulator"))
        SKIP("the thread of a sanitizer or an emulator does");
    fern_hub_options options = {.size = sizeof options, .stacks_idle_max = KEPT};
    ASSERT_OK(fern_hub_set_options(&options));
    run_crowd();
    int r = fern_park(FERN_FOREVER);
    if (r != -EDEADLK)
        FAIL("main was woken with %d", r);
}

/* ---- the environment ---- */

static void
spawn_with_stack_of(void *text)
{
    setenv("FERN_STACK", text, 1);
    errno = 0;
    fern_greenlet *g = fern_spawn(say, "x");
    if (!g)
        fprintf(stderr, "errno %d\n", errno);
    else
        FINISH(g);
}

TEST(a_stack_size_that_is_none_is_answered)
{
    static char *wrong[] = {"big", "12q", "-", "64kk", "2000000m", "0"};
    for (int i = 0; i < 6; i++) {
        char text[1024], wanted[64];
        ASSERT_EQ(harness_child(spawn_with_stack_of, wrong[i], text, sizeof text), 0);
        snprintf(wanted, sizeof wanted, "FERN_STACK=%s is not a size", wrong[i]);
        ASSERT_STR_HAS(text, wanted);
        ASSERT_STR_HAS(text, "errno 22");
    }
}

static void *
use_much(void *bytes)
{
    size_t n = *(size_t *)bytes;
    volatile char *deep = __builtin_alloca(n);
    for (size_t i = 0; i < n; i += 512)
        deep[i] = 1;
    return bytes;
}

static void
use_stack_of_a_megabyte(void *unused)
{
    (void)unused;
    size_t n = 900 * 1024;
    setenv("FERN_STACK", "1m", 1);
    FINISH(fern_spawn(use_much, &n));
    fprintf(stderr, "done\n");
}

TEST(all_stacks_can_be_made_larger)
{
    char text[1024];
    ASSERT_EQ(harness_child(use_stack_of_a_megabyte, NULL, text, sizeof text), 0);
    ASSERT_STR_EQ(text, "done\n");
}

static void *
sleep_a_little(void *unused)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    return unused;
}

static void
use_the_smallest_stack(void *unused)
{
    setenv("FERN_STACK", "1", 1);
    FINISH(fern_spawn(sleep_a_little, unused));
    fprintf(stderr, "done\n");
}

TEST(the_smallest_stack_is_enough_to_park_on)
{
    if (fern__tool_present())
        SKIP("sanitized frames are larger");
    char text[1024];
    ASSERT_EQ(harness_child(use_the_smallest_stack, NULL, text, sizeof text), 0);
    ASSERT_STR_EQ(text, "done\n");
}
