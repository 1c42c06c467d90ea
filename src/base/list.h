/* SPDX-License-Identifier: MIT */
/*
 * Doubly linked intrusive lists with a head in the ring of nodes.
 *
 * A node that is on no list has next == NULL; so zeroed memory holds unlinked nodes. A head must
 * be initialised before its first use, except where a caller treats a zeroed head as empty
 * (fern__list_empty does).
 */
#ifndef FERN_BASE_LIST_H
#define FERN_BASE_LIST_H

#include "base/check.h"

#include <stdbool.h>

struct fern__list {
    struct fern__list *next;
    struct fern__list *prev;
};

static inline void
fern__list_init(struct fern__list *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool
fern__list_empty(const struct fern__list *head)
{
    return head->next == head || !head->next;
}

static inline bool
fern__list_linked(const struct fern__list *node)
{
    return node->next != NULL;
}

/* Link a node before another, which may be the head: then it becomes the last. */
static inline void
fern__list_insert_before(struct fern__list *at, struct fern__list *node)
{
    node->next = at;
    node->prev = at->prev;
    at->prev->next = node;
    at->prev = node;
}

/* Append to a list whose head may still be zero. */
static inline void
fern__list_append(struct fern__list *head, struct fern__list *node)
{
    if (!head->next)
        fern__list_init(head);
    fern__list_insert_before(head, node);
}

static inline void
fern__list_remove(struct fern__list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = NULL;
}

/* Take the first node off, or NULL. */
static inline struct fern__list *
fern__list_pop(struct fern__list *head)
{
    if (fern__list_empty(head))
        return NULL;
    struct fern__list *node = head->next;
    fern__list_remove(node);
    return node;
}

/* Move all nodes of one list to the end of another; `from` is left empty. */
static inline void
fern__list_splice(struct fern__list *to, struct fern__list *from)
{
    if (fern__list_empty(from))
        return;
    if (!to->next)
        fern__list_init(to);
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    fern__list_init(from);
}

#define FERN__LIST_FOREACH(node, head)                                                     \
    for (struct fern__list *node = (head)->next; node && node != (head); node = node->next)

/* The body may remove `node`, but no other. */
#define FERN__LIST_FOREACH_SAFE(node, after, head)                                         \
    for (struct fern__list *node = (head)->next, *after = node ? node->next : NULL;        \
            node && node != (head); node = after, after = node->next)

#endif
