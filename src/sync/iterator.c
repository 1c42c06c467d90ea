/* SPDX-License-Identifier: MIT */
/*
 * Iterators: calls through the table.
 */
#include "base/check.h"

#include <errno.h>
#include <fern/iterator.h>

int
fern_next(fern_iterator *iterator, void *ret_item, fern_time deadline)
{
    FERN_CHECK(iterator && iterator->ops, -EINVAL);
    return iterator->ops->next(iterator->self, ret_item, deadline);
}

int
fern_iterator_close(fern_iterator *iterator, fern_time deadline)
{
    FERN_CHECK(iterator && iterator->ops, -EINVAL);
    return iterator->ops->close ? iterator->ops->close(iterator->self, deadline) : 0;
}
