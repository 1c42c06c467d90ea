/* SPDX-License-Identifier: MIT */
/*
 * The dump.
 */
#include "core/hub.h"

#include <errno.h>
#include <fern/debug.h>

struct output {
    FILE *out;
    int written;
};

static bool
write_one(fern_greenlet *g, void *arg)
{
    struct output *o = arg;
    char label[160];
    fern__greenlet_label(g, label, sizeof label);
    fprintf(o->out, "%s\n", label);
    o->written++;
    return true;
}

int
fern_dump(FILE *out)
{
    struct output o = {out ? out : stderr, 0};
    struct fern__hub *hub = fern__self_hub();
    if (hub)
        fern__greenlet_each(hub, write_one, &o);
    return ferror(o.out) ? -EIO : o.written;
}

int
fern_backtrace(const fern_greenlet *g, void **ret_frames, size_t max)
{
    FERN_CHECK(ret_frames && max && max <= 1024, -EINVAL);
    FERN_CHECK(!g || fern__greenlet_here(g), -EXDEV);
    return 0;
}
