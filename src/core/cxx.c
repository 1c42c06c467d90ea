/* SPDX-License-Identifier: MIT */
/*
 * Finding the C++ runtime.
 *
 * __cxa_get_globals is part of the Itanium C++ ABI (section 2.2.2) and gives the thread's
 * exception state: the chain of caught exceptions and the count of uncaught ones. fern does not
 * depend on the runtime, so it asks the loader for the function: when the hub is made, and again
 * when the loader has opened more libraries (it counts them). Asking for the count costs 10 ns and
 * is done in turns of the hub, at most every 100 us: opening a C++ runtime takes longer, so the
 * first turn after it finds it.
 */
#include "core/cxx.h"

#include "core/aside.h"

#include <dlfcn.h>
#include <link.h>

static int
read_adds(struct dl_phdr_info *info, size_t bytes, void *adds)
{
    (void)bytes;
    *(unsigned long long *)adds = info->dlpi_adds;
    return 1;
}

/* The function in the global scope, or in a runtime that was loaded out of it; and what it says
 * for this thread. All this needs several KiB of stack. */
static void
look_up(void *ret_globals)
{
    static const char *const runtimes[] = {
            "libstdc++.so.6", "libc++abi.so.1", "libc++.so.1"};
    void *fn = dlsym(RTLD_DEFAULT, "__cxa_get_globals");
    for (size_t i = 0; !fn && i < sizeof runtimes / sizeof *runtimes; i++) {
        void *library = dlopen(runtimes[i], RTLD_LAZY | RTLD_NOLOAD);
        if (!library)
            continue;
        fn = dlsym(library, "__cxa_get_globals");
        dlclose(library); /* somebody else holds it open */
    }
    if (fn)
        *(struct fern__cxx_globals **)ret_globals =
                ((struct fern__cxx_globals * (*)(void))(uintptr_t)fn)();
}

void
fern__cxx_find(struct fern__hub *hub)
{
    unsigned long long adds = 0;
    dl_iterate_phdr(read_adds, &adds);
    if (adds == hub->cxx_adds || fern__aside(look_up, &hub->cxx) < 0)
        return;
    hub->cxx_adds = adds;
    fern__hub_observe(hub);
}
