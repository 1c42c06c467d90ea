/* SPDX-License-Identifier: MIT */
/*
 * Where a thread was when a signal interrupted it, from the third argument of the handler.
 */
#ifndef FERN_CORE_ARCH_FAULT_H
#define FERN_CORE_ARCH_FAULT_H

#include <stdint.h>
#include <ucontext.h>

struct fern__fault {
    uintptr_t pc; /* both 0 on other machines */
    uintptr_t sp;
};

static inline struct fern__fault
fern__fault_place(const void *context)
{
    const ucontext_t *u = context;
#if defined(__x86_64__)
    return (struct fern__fault){(uintptr_t)u->uc_mcontext.gregs[REG_RIP],
            (uintptr_t)u->uc_mcontext.gregs[REG_RSP]};
#elif defined(__aarch64__)
    return (struct fern__fault){(uintptr_t)u->uc_mcontext.pc, (uintptr_t)u->uc_mcontext.sp};
#else
    (void)u;
    return (struct fern__fault){0, 0};
#endif
}

#endif
