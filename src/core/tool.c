/* SPDX-License-Identifier: MIT */
/*
 * Annotations for sanitizers and valgrind.
 *
 * LeakSanitizer does not look at the stacks of parked greenlets by itself, so each stack is
 * registered as a root, without its guard: reading a guard would crash it. ThreadSanitizer sees
 * each greenlet as a fiber. Nothing here is instrumented: an annotation must not be interrupted
 * by the tool it talks to.
 */
#include "core/tool.h"

#include <pthread.h>
#include <stdint.h>

#define QUIET __attribute__((no_sanitize("thread", "address", "undefined")))

extern void __sanitizer_start_switch_fiber(void **save, const void *low, size_t bytes)
        __attribute__((weak));
extern void __sanitizer_finish_switch_fiber(void *save, const void **low, size_t *bytes)
        __attribute__((weak));
extern void *__tsan_get_current_fiber(void) __attribute__((weak));
extern void *__tsan_create_fiber(unsigned flags) __attribute__((weak));
extern void __tsan_destroy_fiber(void *fiber) __attribute__((weak));
extern void __tsan_switch_to_fiber(void *fiber, unsigned flags) __attribute__((weak));
extern void __tsan_set_fiber_name(void *fiber, const char *name) __attribute__((weak));
extern void __lsan_register_root_region(const void *p, size_t bytes) __attribute__((weak));
extern void __lsan_unregister_root_region(const void *p, size_t bytes)
        __attribute__((weak));
extern void __asan_unpoison_memory_region(const volatile void *p, size_t bytes)
        __attribute__((weak));

bool
fern__tool_present(void)
{
    return __sanitizer_start_switch_fiber || __tsan_switch_to_fiber;
}

/* A client request of valgrind: its documented instruction sequence, which computes nothing
 * outside of it. */
static QUIET uintptr_t
valgrind_request(uintptr_t code, uintptr_t a, uintptr_t b)
{
    volatile uintptr_t args[6] = {code, a, b, 0, 0, 0};
    uintptr_t result = 0;
#if defined(__x86_64__)
    __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\t"
                     "rolq $61, %%rdi\n\trolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "=d"(result)
                     : "a"(&args[0]), "0"(result)
                     : "cc", "memory");
#elif defined(__aarch64__)
    register uintptr_t r __asm__("x3") = result;
    register volatile uintptr_t *p __asm__("x4") = args;
    __asm__ volatile("ror x12, x12, #3\n\tror x12, x12, #13\n\t"
                     "ror x12, x12, #51\n\tror x12, x12, #61\n\t"
                     "orr x10, x10, x10"
                     : "+r"(r)
                     : "r"(p)
                     : "cc", "memory");
    result = r;
#endif
    return result;
}

enum { VALGRIND_STACK_REGISTER = 0x1501, VALGRIND_STACK_DEREGISTER = 0x1502 };

uintptr_t
fern__tool_aside(void *low, size_t bytes)
{
    return valgrind_request(
            VALGRIND_STACK_REGISTER, (uintptr_t)low, (uintptr_t)low + bytes);
}

void
fern__tool_aside_end(uintptr_t id)
{
    valgrind_request(VALGRIND_STACK_DEREGISTER, id, 0);
}

void
fern__tool_region_new(const void *low, size_t bytes)
{
    if (__lsan_register_root_region)
        __lsan_register_root_region(low, bytes);
}

void
fern__tool_region_gone(const void *low, size_t bytes)
{
    if (__lsan_unregister_root_region)
        __lsan_unregister_root_region(low, bytes);
}

void
fern__tool_stack_new(void *low, size_t bytes)
{
    valgrind_request(VALGRIND_STACK_REGISTER, (uintptr_t)low, (uintptr_t)low + bytes);
    fern__tool_region_new(low, bytes);
}

void
fern__tool_stack_gone(void *low, size_t bytes)
{
    fern__tool_region_gone(low, bytes);
    if (__asan_unpoison_memory_region)
        __asan_unpoison_memory_region(low, bytes);
}

QUIET void
fern__tool_adopt_thread(struct fern__tool *tool)
{
    if (__tsan_get_current_fiber)
        tool->tsan_fiber = __tsan_get_current_fiber();
    pthread_attr_t attr;
    if (pthread_getattr_np(pthread_self(), &attr) != 0)
        return;
    void *low;
    size_t bytes;
    if (pthread_attr_getstack(&attr, &low, &bytes) == 0) {
        tool->low = low;
        tool->bytes = bytes;
    }
    pthread_attr_destroy(&attr);
}

QUIET void
fern__tool_born(struct fern__tool *tool, const void *low, size_t bytes, const char *name)
{
    tool->low = low;
    tool->bytes = bytes;
    tool->asan_fake_stack = NULL;
    if (__asan_unpoison_memory_region)
        __asan_unpoison_memory_region(low, bytes);
    if (__tsan_create_fiber) {
        tool->tsan_fiber = __tsan_create_fiber(0);
        if (name && *name)
            __tsan_set_fiber_name(tool->tsan_fiber, name);
    }
}

/* Where AddressSanitizer looks for uses after return, locals live in a fake stack of its own for
 * each greenlet, which LeakSanitizer does not know of while it is parked. Its size is not to be
 * had, but it is made by a rule: a page, two flags for each 64 bytes of a stack, and frames of 11
 * sizes, of a stack's size each; stacks count as a power of two from 2^16 to 2^20. */
static QUIET void
show_fake_stack(struct fern__tool *tool)
{
    unsigned shift = 16;
    while (shift < 20 && (size_t)1 << shift < tool->bytes)
        shift++;
    tool->fake_bytes = 4096 + ((size_t)1 << (shift - 5)) + ((size_t)11 << shift);
    fern__tool_region_new(tool->asan_fake_stack, tool->fake_bytes);
}

static QUIET void
hide_fake_stack(struct fern__tool *tool)
{
    if (tool->fake_bytes)
        fern__tool_region_gone(tool->asan_fake_stack, tool->fake_bytes);
    tool->fake_bytes = 0;
}

QUIET void
fern__tool_dead(struct fern__tool *tool)
{
    if (__tsan_destroy_fiber && tool->tsan_fiber)
        __tsan_destroy_fiber(tool->tsan_fiber);
    tool->tsan_fiber = NULL;
    hide_fake_stack(tool);
    tool->bytes = 0;
}

QUIET void
fern__tool_leave(struct fern__tool *from, struct fern__tool *to)
{
    if (__sanitizer_start_switch_fiber)
        __sanitizer_start_switch_fiber(
                from ? &from->asan_fake_stack : NULL, to->low, to->bytes);
    if (from && from->asan_fake_stack && !from->fake_bytes)
        show_fake_stack(from);
    if (__tsan_switch_to_fiber)
        __tsan_switch_to_fiber(to->tsan_fiber, 0);
}

QUIET void
fern__tool_arrive(struct fern__tool *self)
{
    if (__sanitizer_finish_switch_fiber)
        __sanitizer_finish_switch_fiber(self->asan_fake_stack, NULL, NULL);
}
