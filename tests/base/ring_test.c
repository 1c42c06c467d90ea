/* SPDX-License-Identifier: MIT */
/* The ready queue's ring: order, growth in the middle of a wrap, reservation. */

#include "harness.h"

#include <stdint.h>

#include "base/ring.h"

static void *
item(uintptr_t number)
{
    return (void *)number;
}

TEST(items_come_out_in_the_order_they_went_in)
{
    struct fern__ring ring = {0};
    uintptr_t in = 0, out = 0;
    for (int i = 0; i < 50; i++)
        ASSERT_OK(fern__ring_reserve(&ring));
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < round % 50; i++)
            fern__ring_push(&ring, item(in++));
        while (fern__ring_count(&ring))
            ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), out++);
    }
    ASSERT_EQ(in, out);
    fern__ring_fini(&ring);
}

TEST(growing_keeps_the_order_wherever_the_ring_begins)
{
    for (int offset = 0; offset < 64; offset++) {
        struct fern__ring ring = {0};
        for (int i = 0; i < 64; i++)
            ASSERT_OK(fern__ring_reserve(&ring));
        for (int i = 0; i < offset; i++) {
            fern__ring_push(&ring, NULL);
            ASSERT_NULL(fern__ring_pop(&ring));
        }
        for (uintptr_t i = 0; i < 64; i++)
            fern__ring_push(&ring, item(i));
        ASSERT_OK(fern__ring_reserve(&ring));
        fern__ring_push(&ring, item(64));
        for (uintptr_t i = 0; i <= 64; i++)
            ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), i);
        fern__ring_fini(&ring);
    }
}

TEST(a_place_given_back_is_taken_without_growing)
{
    struct fern__ring ring = {0};
    for (int i = 0; i < 64; i++)
        ASSERT_OK(fern__ring_reserve(&ring));
    uint32_t mask = ring.mask;
    for (int i = 0; i < 1000; i++) {
        fern__ring_unreserve(&ring);
        ASSERT_OK(fern__ring_reserve(&ring));
    }
    ASSERT_EQ(ring.mask, mask);
    fern__ring_fini(&ring);
}

TEST(peek_and_swap_look_behind_the_oldest)
{
    struct fern__ring ring = {0};
    for (uintptr_t i = 0; i < 3; i++) {
        ASSERT_OK(fern__ring_reserve(&ring));
        fern__ring_push(&ring, item(i));
    }
    ASSERT_EQ((uintptr_t)fern__ring_peek(&ring, 2), 2);
    fern__ring_swap(&ring, 2);
    ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), 2);
    ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), 1);
    ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), 0);
    fern__ring_fini(&ring);
}
