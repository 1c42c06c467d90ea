/* SPDX-License-Identifier: MIT */
/*
 * Planned faults. A fixed table, searched only while something is planned; counters are atomic,
 * since several threads make system calls.
 */
#include "base/fault.h"

#include "base/check.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PLANS_MAX = 32, NAME_BYTES = 24 };

struct plan {
    char name[NAME_BYTES]; /* empty: any */
    _Atomic int64_t left;  /* calls until it strikes */
    int64_t nth;
    int error;
};

static struct plan plans[PLANS_MAX];
static _Atomic unsigned plan_count;
static _Atomic uint64_t calls;

bool fern__fault_armed;

int
fern__fault_plan(const char *name, uint64_t nth, int error)
{
    unsigned at = atomic_load(&plan_count);
    if (nth == 0 || nth > INT64_MAX || error <= 0 || (name && strlen(name) >= NAME_BYTES))
        return -EINVAL;
    if (at == PLANS_MAX)
        return -ENOSPC;
    strcpy(plans[at].name, name ? name : "");
    plans[at].error = error;
    plans[at].nth = (int64_t)nth;
    atomic_store(&plans[at].left, (int64_t)nth);
    atomic_store(&plan_count, at + 1);
    fern__fault_armed = true;
    return 0;
}

void
fern__fault_clear(void)
{
    fern__fault_armed = false;
    atomic_store(&plan_count, 0);
    atomic_store(&calls, 0);
}

int
fern__fault_hit(const char *name)
{
    atomic_fetch_add(&calls, 1);
    unsigned count = atomic_load(&plan_count);
    int error = 0;
    /* A call counts for every plan, also when an earlier one strikes. */
    for (unsigned i = 0; i < count; i++) {
        if (plans[i].name[0] && strcmp(plans[i].name, name) != 0)
            continue;
        if (atomic_fetch_sub(&plans[i].left, 1) == 1 && !error)
            error = plans[i].error;
    }
    return error;
}

uint64_t
fern__fault_calls(void)
{
    return atomic_load(&calls);
}

/* "ECONNRESET" or "104". @return 0 for neither */
static int
error_of(const char *text)
{
    enum { ERRNO_MAX = 134 };
    for (int e = 1; e < ERRNO_MAX; e++) {
        const char *name = strerrorname_np(e);
        if (name && strcmp(name, text) == 0)
            return e;
    }
    char *end;
    long e = strtol(text, &end, 10);
    return *end == 0 && e > 0 && e < ERRNO_MAX ? (int)e : 0;
}

/* One plan: name:nth:error. */
static int
read_one(char *text)
{
    char *name = strsep(&text, ":");
    char *nth_text = strsep(&text, ":");
    if (!nth_text || !text)
        return -EINVAL;
    char *end;
    uint64_t nth = strtoull(nth_text, &end, 10);
    int error = error_of(text);
    if (*end || !error)
        return -EINVAL;
    return fern__fault_plan(strcmp(name, "*") == 0 ? NULL : name, nth, error);
}

uint64_t
fern__fault_seen(const char *name)
{
    unsigned count = atomic_load(&plan_count);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(plans[i].name, name) == 0)
            return (uint64_t)(plans[i].nth - atomic_load(&plans[i].left));
    }
    return 0;
}

int
fern__fault_read(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    int r = 0;
    for (char *rest = copy, *one; r == 0 && (one = strsep(&rest, ","));) {
        if (*one)
            r = read_one(one);
    }
    free(copy);
    if (r < 0)
        fern__report(
                "FERN_FAULT=\"%s\": write name:n:ERROR, several with commas between, for "
                "example recv:3:ECONNRESET; * stands for every name",
                text);
    return r;
}
