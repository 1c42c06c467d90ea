/* SPDX-License-Identifier: MIT */
/*
 * Finding the C++ runtime.
 *
 * __cxa_get_globals is part of the Itanium C++ ABI (section 2.2.2) and gives the thread's
 * exception state: the chain of caught exceptions and the count of uncaught ones. fern does not
 * depend on the runtime, so it asks the loader for the function: when the hub is made, and again
 * when the loader has opened more libraries (it counts them).
 */
#include "core/cxx.h"

#include <dlfcn.h>
#include <link.h>

static int
read_adds(struct dl_phdr_info *info, size_t bytes, void *adds)
{
    (void)bytes;
    *(unsigned long long *)adds = info->dlpi_adds;
    return 1;
}

/* The function in the global scope, or in a runtime that was loaded out of it. */
static void *
lookup(void)
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
    return fn;
}

void
fern__cxx_find(struct fern__hub *hub)
{
    if (hub->cxx)
        return;
    unsigned long long adds = 0;
    dl_iterate_phdr(read_adds, &adds);
    if (adds == hub->cxx_adds)
        return;
    hub->cxx_adds = adds;
    void *fn = lookup();
    if (fn)
        hub->cxx = ((struct fern__cxx_globals * (*)(void))(uintptr_t)fn)();
}
