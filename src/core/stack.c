/* SPDX-License-Identifier: MIT */
/*
 * Stacks: mapping, guarding, pooling, trimming.
 *
 * Guards are installed when a stack is used for the first time, since most that are reserved
 * never are. Their cost and their traps were measured: MADV_GUARD_INSTALL (Linux 6.13) costs
 * half a microsecond and no mapping; mprotect splits the mapping in two more, and the kernel
 * allows vm.max_map_count of them; where neither is left, the zone below a stack, which nothing
 * else uses, is looked at when its greenlet leaves the CPU.
 *
 * Not here: which greenlet has which stack (core/greenlet), what a fault on a guard says
 * (core/overflow).
 */
#include "core/stack.h"

#include "base/check.h"
#include "core/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef PIDFD_SELF
#define PIDFD_SELF -10001 /* the calling process, to Linux 6.14 and newer */
#endif
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

enum {
    STACK_BYTES = 64 * 1024,
    GUARD_BYTES = FERN__STACK_GUARD_BYTES,
    SLAB_STACKS_MIN = 16,
    SLAB_STACKS_MAX = 1024,
    COLOURS = 16, /* steps of 64 bytes within the first 1 KiB below the top */
    CANARY_WORDS = 8,
    GUARDS_AT_ONCE = 16,
    GUARDS_MANY = 512, /* the same for a program with many stacks */
    ZONE_PAGES_MAX = GUARD_BYTES / 4096,
};

static const size_t STACK_BYTES_MAX = (size_t)1 << 30;

/* Mappings that mprotect guards of the whole process have cost, and what they may cost. */
static atomic_long maps_used;
static atomic_long maps_allowed;
static atomic_bool canary_warned;

static size_t
page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t
round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

const char *
fern__guard_name(enum fern__guard guard)
{
    static const char *const names[] = {"advice", "mprotect", "canary"};
    return names[guard];
}

/* Whether the advice is not only accepted but done: a read of the page by the kernel must fail. */
static bool
advice_works(void)
{
    size_t page = page_bytes();
    char *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    bool works = false;
    int fds[2];
    if (madvise(p, page, MADV_GUARD_INSTALL) == 0 && pipe2(fds, O_CLOEXEC) == 0) {
        works = write(fds[1], p, 1) < 0 && errno == EFAULT;
        close(fds[0]);
        close(fds[1]);
    }
    munmap(p, page);
    return works;
}

/* Half of what the kernel allows a process in mappings; the rest is the program's. */
static long
maps_budget(void)
{
    long count = 65530;
    FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
    if (f) {
        if (fscanf(f, "%ld", &count) != 1)
            count = 65530;
        fclose(f);
    }
    const char *text = getenv("FERN_GUARD_MAPS");
    if (text)
        return strtol(text, NULL, 10);
    return count / 2;
}

static int
choose_guard(struct fern__stacks *s)
{
    const char *name = getenv("FERN_GUARD");
    atomic_store(&maps_allowed, maps_budget());
    if (name && *name) {
        for (int g = FERN__GUARD_ADVICE; g <= FERN__GUARD_CANARY; g++) {
            if (strcmp(name, fern__guard_name((enum fern__guard)g)) == 0) {
                s->guard = (enum fern__guard)g;
                if (g == FERN__GUARD_ADVICE && !advice_works())
                    s->guard = FERN__GUARD_MPROTECT;
                return 0;
            }
        }
        fern__report(
                "FERN_GUARD=%s is not known; it is one of: advice, mprotect, canary", name);
        return -EINVAL;
    }
    s->guard = advice_works() ? FERN__GUARD_ADVICE : FERN__GUARD_MPROTECT;
    return 0;
}

/* A number with an optional k or m. @return bytes; 0: not a size */
static size_t
parse_bytes(const char *text)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    unsigned shift = *end == 'k' || *end == 'K' ? 10 : *end == 'm' || *end == 'M' ? 20 : 0;
    if (end == text || errno || (shift && end[1]) || (!shift && *end) ||
            n > STACK_BYTES_MAX >> shift)
        return 0;
    return (size_t)n << shift;
}

/* The least a stack must have: a signal may be delivered on it. */
static size_t
stack_bytes_min(void)
{
    return round_up((size_t)getauxval(AT_MINSIGSTKSZ) + 16 * 1024, page_bytes());
}

int
fern__stacks_init(struct fern__stacks *s)
{
    *s = (struct fern__stacks){.stack_bytes = STACK_BYTES};
    const char *text = getenv("FERN_STACK");
    if (text && *text) {
        s->stack_bytes = parse_bytes(text);
        if (!s->stack_bytes) {
            fern__report(
                    "FERN_STACK=%s is not a size; write bytes, or 256k, or 1m, up to 1024m",
                    text);
            return -EINVAL;
        }
    }
    if (s->stack_bytes < stack_bytes_min())
        s->stack_bytes = stack_bytes_min();
    s->stack_bytes = round_up(s->stack_bytes, page_bytes());
    s->stride = s->stack_bytes + GUARD_BYTES;
    return choose_guard(s);
}

static void *
map(size_t bytes)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    /* A huge page would make every stack cost 2 MiB. */
    madvise(p, bytes, MADV_NOHUGEPAGE);
    return p;
}

static struct fern__slab *
slab_new(size_t stacks, size_t stack_bytes)
{
    struct fern__slab *slab = malloc(sizeof *slab);
    if (!slab)
        return NULL;
    size_t stride = stack_bytes + GUARD_BYTES;
    char *base = map(stacks * stride);
    if (!base) {
        free(slab);
        return NULL;
    }
    *slab = (struct fern__slab){
            .base = base, .stacks = stacks, .stride = stride, .stack_bytes = stack_bytes};
    return slab;
}

static void
slab_free(struct fern__slab *slab)
{
    for (size_t i = 0; i < slab->used; i++)
        fern__tool_stack_gone(
                slab->base + i * slab->stride + GUARD_BYTES, slab->stack_bytes);
    munmap(slab->base, slab->stacks * slab->stride);
    free(slab);
}

void
fern__stacks_fini(struct fern__stacks *s)
{
    struct fern__slab *lists[] = {s->slabs, s->single};
    for (size_t i = 0; i < 2; i++) {
        for (struct fern__slab *slab = lists[i], *older; slab; slab = older) {
            older = slab->older;
            slab_free(slab);
        }
    }
    free(s->pool);
    free(s->many);
    *s = (struct fern__stacks){0};
}

static int
grow_pool(struct fern__stacks *s, size_t room)
{
    void **bigger = realloc(s->pool, room * sizeof *bigger);
    if (!bigger)
        return -ENOMEM;
    s->pool = bigger;
    s->pool_room = room;
    return 0;
}

int
fern__stacks_reserve(struct fern__stacks *s, size_t needed)
{
    while (s->total < needed) {
        size_t stacks = s->total < SLAB_STACKS_MIN ? SLAB_STACKS_MIN : s->total;
        if (stacks > SLAB_STACKS_MAX)
            stacks = SLAB_STACKS_MAX;
        if (s->total + stacks > s->pool_room && grow_pool(s, 2 * (s->total + stacks)) < 0)
            return -ENOMEM;
        if (s->total >= GUARDS_MANY && !s->many) /* without it, guards come by the few */
            s->many = calloc(GUARDS_MANY, sizeof *s->many);
        struct fern__slab *slab = slab_new(stacks, s->stack_bytes);
        if (!slab)
            return -ENOMEM;
        slab->older = s->slabs;
        if (s->slabs)
            s->slabs->newer = slab;
        else
            s->filling = slab;
        s->slabs = slab;
        s->total += stacks;
    }
    return 0;
}

static void
warn_canary(void)
{
    if (atomic_exchange(&canary_warned, true))
        return;
    fern__report(
            "no more mappings for guards below stacks (%ld used); stack overflows are now "
            "found late, by canaries; raise the sysctl vm.max_map_count, or use Linux 6.13 "
            "or newer, whose guards need no mappings",
            atomic_load(&maps_used));
}

/* Guard the low end of a stride in the best way that is left. `lowest` in its slab: without guards
 * in between, a recursion that runs through all the stacks below its own ends there. */
static void
install_guard(struct fern__stacks *s, char *stride, bool lowest)
{
    if (s->guard == FERN__GUARD_ADVICE) {
        if (madvise(stride, GUARD_BYTES, MADV_GUARD_INSTALL) == 0)
            return;
        s->guard = FERN__GUARD_MPROTECT;
    }
    if (s->guard == FERN__GUARD_MPROTECT) {
        if (atomic_fetch_add(&maps_used, 2) + 2 <= atomic_load(&maps_allowed) &&
                mprotect(stride, GUARD_BYTES, PROT_NONE) == 0)
            return;
        atomic_fetch_sub(&maps_used, 2);
        s->guard = FERN__GUARD_CANARY;
        warn_canary();
    }
    if (lowest)
        mprotect(stride, GUARD_BYTES, PROT_NONE);
}

/* Guard the next few stacks of a slab by one system call, which spares a quarter of the cost of
 * one for each. @return false: the kernel (before 6.14) cannot */
static bool
install_guards(struct fern__stacks *s, struct fern__slab *slab)
{
    struct iovec few[GUARDS_AT_ONCE], *guards = s->many ? s->many : few;
    size_t n = slab->stacks - slab->guarded, most = s->many ? GUARDS_MANY : GUARDS_AT_ONCE;
    if (n > most)
        n = most;
    for (size_t i = 0; i < n; i++)
        guards[i] = (struct iovec){
                slab->base + (slab->guarded + i) * slab->stride, GUARD_BYTES};
    if (s->guard != FERN__GUARD_ADVICE ||
            syscall(SYS_process_madvise, PIDFD_SELF, guards, n, MADV_GUARD_INSTALL, 0) !=
                    (long)(n * GUARD_BYTES))
        return false;
    slab->guarded += n;
    return true;
}

void *
fern__stack_take_fresh(struct fern__stacks *s)
{
    while (s->filling->used == s->filling->stacks)
        s->filling = s->filling->newer;
    size_t index = s->filling->used++;
    char *stride = s->filling->base + index * s->stride;
    if (index >= s->filling->guarded && !install_guards(s, s->filling)) {
        install_guard(s, stride, index == 0);
        s->filling->guarded = index + 1;
    }
    fern__tool_stack_new(stride + GUARD_BYTES, s->stack_bytes);
    return stride + s->stride - index % COLOURS * 64;
}

void *
fern__stack_open(struct fern__stacks *s, size_t bytes)
{
    if (bytes > STACK_BYTES_MAX)
        return NULL;
    if (bytes < stack_bytes_min())
        bytes = stack_bytes_min();
    struct fern__slab *slab = slab_new(1, round_up(bytes, page_bytes()));
    if (!slab)
        return NULL;
    slab->used = 1;
    slab->older = s->single;
    if (s->single)
        s->single->newer = slab;
    s->single = slab;
    install_guard(s, slab->base, true);
    fern__tool_stack_new(slab->base + GUARD_BYTES, slab->stack_bytes);
    return slab->base + slab->stride;
}

void
fern__stack_close(struct fern__stacks *s, void *top)
{
    struct fern__slab *slab = s->single;
    while (slab->base + slab->stride != top)
        slab = slab->older;
    if (slab->newer)
        slab->newer->older = slab->older;
    else
        s->single = slab->older;
    if (slab->older)
        slab->older->newer = slab->newer;
    slab_free(slab);
}

void
fern__stacks_trim(struct fern__stacks *s, size_t keep)
{
    size_t cold = s->pooled > keep ? s->pooled - keep : 0;
    if (cold > s->lowest)
        cold = s->lowest;
    s->lowest = s->pooled;
    for (; s->trimmed < cold; s->trimmed++) {
        char *low = fern__stack_low(s, s->pool[s->trimmed]);
        madvise(low, s->stack_bytes, MADV_DONTNEED);
    }
}

static bool
within(const struct fern__slab *slab, const void *address)
{
    const char *a = address;
    return a >= slab->base && a < slab->base + slab->stacks * slab->stride;
}

const struct fern__slab *
fern__stack_slab_of(const struct fern__stacks *s, const void *address)
{
    for (const struct fern__slab *slab = s->single; slab; slab = slab->older) {
        if (within(slab, address))
            return slab;
    }
    for (const struct fern__slab *slab = s->slabs; slab; slab = slab->older) {
        if (within(slab, address))
            return slab;
    }
    return NULL;
}

char *
fern__stack_low(const struct fern__stacks *s, const void *top)
{
    for (const struct fern__slab *slab = s->single; slab; slab = slab->older) {
        if (slab->base + slab->stride == top)
            return slab->base + GUARD_BYTES;
    }
    /* Colours are less than a page, so the top lies in the highest page or is its end. */
    uintptr_t page = page_bytes();
    return (char *)(((uintptr_t)top + page - 1) / page * page - s->stack_bytes);
}

/* Whether a page of the zone below a stack has ever been written to; the kernel knows. */
static bool
zone_touched(const char *low)
{
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    uint64_t entries[ZONE_PAGES_MAX];
    size_t page = page_bytes(), pages = GUARD_BYTES / page;
    off_t at = (off_t)((uintptr_t)(low - GUARD_BYTES) / page * sizeof entries[0]);
    ssize_t n = pread(fd, entries, pages * sizeof entries[0], at);
    close(fd);
    for (ssize_t i = 0; i < n / (ssize_t)sizeof entries[0]; i++) {
        if (entries[i] >> 62) /* present or swapped */
            return true;
    }
    return false;
}

bool
fern__stack_overrun(
        const struct fern__stacks *s, const void *top, const void *sp, bool ended)
{
    const char *low = fern__stack_low(s, top);
    if ((const char *)sp < low)
        return true;
    const volatile uint64_t *words = (const volatile uint64_t *)(const void *)low;
    for (int i = 0; i < CANARY_WORDS; i++) {
        if (words[i])
            return true;
    }
    return ended && zone_touched(low);
}
