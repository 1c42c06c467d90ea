/* SPDX-License-Identifier: MIT */
/* The clock, real and virtual, and sums of times that do not wrap around. */

#include "harness.h"

#include "base/clock.h"

TEST(the_real_clock_never_goes_back)
{
    int64_t before = fern__clock_now();
    for (int i = 0; i < 1000; i++) {
        int64_t now = fern__clock_now();
        ASSERT_GE(now, before);
        before = now;
    }
}

TEST(virtual_time_stands_still_until_it_is_moved)
{
    fern__clock_virtual_start();
    ASSERT_TRUE(fern__clock_is_virtual());
    int64_t start = fern__clock_now();
    ASSERT_GT(start, 0);
    ASSERT_EQ(fern__clock_now(), start);
    fern__clock_advance(start + 12345);
    ASSERT_EQ(fern__clock_now(), start + 12345);
    fern__clock_advance(start);
    ASSERT_EQ(fern__clock_now(), start + 12345);
}

TEST(sums_that_are_too_large_stop_at_the_end)
{
    ASSERT_EQ(fern__add_saturating(INT64_MAX - 1, 1), INT64_MAX);
    ASSERT_EQ(fern__add_saturating(INT64_MAX, 1), INT64_MAX);
    ASSERT_EQ(fern__add_saturating(INT64_MIN, -1), INT64_MIN);
    ASSERT_EQ(fern__add_saturating(INT64_MAX, -1), INT64_MAX - 1);
}
