/* SPDX-License-Identifier: MIT */
/* Intrusive lists, with heads that are initialised and heads that are still zero. */

#include "harness.h"

#include "base/list.h"

struct thing {
    int number;
    struct fern__list link;
};

static struct thing *
thing_of(struct fern__list *link)
{
    return fern__container_of(link, struct thing, link);
}

/* The numbers on the list, one decimal digit each. */
static int
digits(struct fern__list *head)
{
    int all = 0;
    FERN__LIST_FOREACH (node, head)
        all = all * 10 + thing_of(node)->number;
    return all;
}

TEST(a_zeroed_head_is_an_empty_list)
{
    struct fern__list head = {0};
    ASSERT_TRUE(fern__list_empty(&head));
    ASSERT_NULL(fern__list_pop(&head));
    ASSERT_EQ(digits(&head), 0);
}

TEST(nodes_stay_in_the_order_of_their_appends)
{
    struct fern__list head = {0};
    struct thing things[] = {{.number = 1}, {.number = 2}, {.number = 3}};
    for (int i = 0; i < 3; i++)
        fern__list_append(&head, &things[i].link);
    ASSERT_EQ(digits(&head), 123);
    fern__list_remove(&things[1].link);
    ASSERT_FALSE(fern__list_linked(&things[1].link));
    ASSERT_EQ(digits(&head), 13);
    fern__list_insert_before(&things[0].link, &things[1].link);
    ASSERT_EQ(digits(&head), 213);
    ASSERT_EQ(thing_of(fern__list_pop(&head))->number, 2);
    ASSERT_EQ(digits(&head), 13);
}

TEST(a_splice_moves_all_to_the_end_and_leaves_nothing)
{
    struct fern__list to = {0}, from = {0};
    struct thing things[] = {{.number = 1}, {.number = 2}, {.number = 3}, {.number = 4}};
    fern__list_splice(&to, &from);
    ASSERT_TRUE(fern__list_empty(&to));
    fern__list_append(&from, &things[0].link);
    fern__list_append(&from, &things[1].link);
    fern__list_splice(&to, &from);
    fern__list_append(&from, &things[2].link);
    fern__list_append(&from, &things[3].link);
    fern__list_splice(&to, &from);
    ASSERT_EQ(digits(&to), 1234);
    ASSERT_TRUE(fern__list_empty(&from));
}

TEST(the_safe_walk_bears_the_removal_of_each_node)
{
    struct fern__list head = {0};
    struct thing things[] = {{.number = 1}, {.number = 2}, {.number = 3}};
    for (int i = 0; i < 3; i++)
        fern__list_append(&head, &things[i].link);
    int all = 0;
    FERN__LIST_FOREACH_SAFE (node, after, &head) {
        all = all * 10 + thing_of(node)->number;
        fern__list_remove(node);
    }
    ASSERT_EQ(all, 123);
    ASSERT_TRUE(fern__list_empty(&head));
}
