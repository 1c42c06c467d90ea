/* SPDX-License-Identifier: MIT */
/* The ready queue's ring: order, growth wherever it begins, numbers that count up and wrap. */

#include "harness.h"

#include <errno.h>
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
    ASSERT_OK(fern__ring_grow(&ring, 50));
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < round % 50; i++)
            fern__ring_push(&ring, item(in++));
        while (fern__ring_count(&ring))
            ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), out++);
    }
    ASSERT_EQ(in, out);
    fern__ring_fini(&ring);
}

TEST(growing_gives_the_room_that_was_asked_for)
{
    struct fern__ring ring = {0};
    ASSERT_EQ(fern__ring_room(&ring), 0);
    for (size_t needed = 1; needed < 100000; needed += needed / 3 + 1) {
        ASSERT_OK(fern__ring_grow(&ring, needed));
        ASSERT_GE(fern__ring_room(&ring), needed);
    }
    size_t room = fern__ring_room(&ring);
    ASSERT_ERR(fern__ring_grow(&ring, (size_t)1 << 32), -EOVERFLOW);
    ASSERT_EQ(fern__ring_room(&ring), room);
    fern__ring_fini(&ring);
}

TEST(growing_keeps_order_and_numbers_wherever_the_ring_begins)
{
    for (uint32_t offset = 0; offset < 64; offset++) {
        struct fern__ring ring = {.head = UINT32_MAX - offset, .tail = UINT32_MAX - offset};
        ASSERT_OK(fern__ring_grow(&ring, 1));
        uint32_t first = ring.tail;
        uint32_t room = (uint32_t)fern__ring_room(&ring);
        for (uintptr_t i = 0; i < room; i++)
            fern__ring_push(&ring, item(i));
        ASSERT_OK(fern__ring_grow(&ring, room + 1));
        fern__ring_push(&ring, item(room));
        fern__ring_replace(&ring, first + 1, item(1000));
        for (uintptr_t i = 0; i <= room; i++)
            ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), i == 1 ? 1000 : i);
        fern__ring_fini(&ring);
    }
}

TEST(what_is_pushed_to_the_front_comes_out_first)
{
    struct fern__ring ring = {0};
    ASSERT_OK(fern__ring_grow(&ring, 2));
    fern__ring_push(&ring, item(1));
    fern__ring_push_front(&ring, item(2));
    ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), 2);
    ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), 1);
    fern__ring_fini(&ring);
}

TEST(peek_and_swap_look_behind_the_oldest)
{
    struct fern__ring ring = {0};
    ASSERT_OK(fern__ring_grow(&ring, 3));
    for (uintptr_t i = 0; i < 3; i++)
        fern__ring_push(&ring, item(i));
    ASSERT_EQ((uintptr_t)fern__ring_peek(&ring, 2), 2);
    fern__ring_swap(&ring, 2);
    ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), 2);
    ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), 1);
    ASSERT_EQ((uintptr_t)fern__ring_pop(&ring), 0);
    fern__ring_fini(&ring);
}
