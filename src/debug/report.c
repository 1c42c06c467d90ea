/* SPDX-License-Identifier: MIT */
/*
 * What core has to tell people.
 *
 * Reports are asked for on the stack of whoever parks, which may have no more than 2 KiB left:
 * so they are written on a stack of their own.
 */
#include "core/report.h"

#include "core/tool.h"
#include "debug/dump.h"
#include "debug/signal.h"
#include "debug/unwind.h"

#include <sys/mman.h>
#include <unistd.h>

enum { ROOM_BYTES = 256 * 1024 };

struct request {
    struct fern__hub *hub;
    const void *from;
};

static void
dump(void *arg)
{
    struct request *request = arg;
    fern__dump_fd(request->hub, STDERR_FILENO, FERN__DUMP_FULL, request->from);
}

/* List everybody; who runs, from the frame that returns to `from` outwards. */
static void
dump_aside(struct fern__hub *hub, const void *from)
{
    struct request request = {hub, from};
    char *low = mmap(NULL, ROOM_BYTES, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (low == MAP_FAILED) {
        fern__report("(no memory to list them)");
        return;
    }
    fern__tool_stack_new(low, ROOM_BYTES);
    fern__unwind_aside(low + ROOM_BYTES, dump, &request);
    fern__tool_stack_gone(low, ROOM_BYTES);
    munmap(low, ROOM_BYTES);
}

void
fern__report_attach(struct fern__hub *hub)
{
    fern__signal_attach(hub);
}

void
fern__report_detach(void)
{
    fern__signal_detach();
}

void
fern__report_wanted(struct fern__hub *hub)
{
    if (atomic_exchange(&hub->dump_wanted, false))
        dump_aside(hub, __builtin_return_address(0));
}

void
fern__report_deadlock(struct fern__hub *hub)
{
    fern__report("nothing can ever wake main: the call it waits in returns -EDEADLK. "
                 "Everybody who is there:");
    dump_aside(hub, __builtin_return_address(0));
}

void
fern__report_left(struct fern__hub *hub)
{
    fern__report("a thread has ended, and these of its greenlets would not:");
    dump_aside(hub, __builtin_return_address(0));
}
