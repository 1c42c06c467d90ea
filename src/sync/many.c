/* SPDX-License-Identifier: MIT */
/*
 * Waiting for many things: all at once, or one after the other.
 */
#include "sync/crowd.h"

#include <stdlib.h>

int
fern_wait(fern_case *cases, size_t count, size_t wanted, size_t *ret_order,
        fern_time deadline)
{
    FERN_CHECK((cases || count == 0) && count <= INT32_MAX && wanted <= count, -EINVAL);
    struct fern__crowd crowd = {.cases = cases, .count = count};
    fern_greenlet *g;
    int r = fern__wait_enter(&crowd.hub, &g, deadline);
    if (r < 0)
        return r;
    struct fern__crowd_room room;
    r = fern__crowd_open(&crowd, &room);
    if (r < 0)
        return r;
    r = fern__crowd_wait(&crowd, wanted ? wanted : count, deadline);
    if (r == -EAGAIN || (r == -ETIME && !g->interrupt))
        r = 0;
    size_t ready = wanted && crowd.ready > wanted ? wanted : crowd.ready;
    for (size_t i = 0; ret_order && r == 0 && i < ready; i++)
        ret_order[i] = crowd.order[i];
    fern__crowd_close(&crowd, &room);
    return r < 0 ? r : (int)ready;
}

struct fern_iwait {
    struct fern__crowd crowd;
    size_t told;
};

fern_iwait *
fern_iwait_new(fern_case *cases, size_t count)
{
    struct fern__hub *hub = NULL;
    fern_iwait *it = NULL;
    int r = (cases || count == 0) && count <= INT32_MAX ? 0 : -EINVAL;
    if (r == 0 && !(hub = fern__hub_need()))
        r = fern__hub_error();
    if (r == 0 && !(it = calloc(1, sizeof *it)))
        r = -ENOMEM;
    if (r == 0) {
        it->crowd = (struct fern__crowd){.hub = hub, .cases = cases, .count = count};
        r = fern__crowd_open(&it->crowd, NULL);
    }
    if (r == 0)
        return it;
    free(it);
    errno = -r;
    return NULL;
}

int
fern_iwait_next(fern_iwait *it, size_t *ret_index, fern_time deadline)
{
    FERN_CHECK(it && ret_index, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, deadline);
    if (r < 0)
        return r;
    FERN_CHECK(it->crowd.hub == hub, -EXDEV);
    FERN_CHECK(!it->crowd.waiter, -EBUSY);
    if (it->told == it->crowd.count)
        return 0;
    r = fern__crowd_wait(&it->crowd, it->told + 1, deadline);
    if (r < 0)
        return r;
    *ret_index = it->crowd.order[it->told++];
    return 1;
}

void
fern_iwait_free(fern_iwait *it)
{
    if (!it)
        return;
    fern__crowd_close(&it->crowd, NULL);
    free(it);
}
