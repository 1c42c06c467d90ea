/* SPDX-License-Identifier: MIT */
#include "shortage.h"

#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/tool.h"

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *p, size_t bytes);
void __real_free(void *p);
void *__real_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *p, size_t bytes);
int __real_vasprintf(char **ret_text, const char *format, va_list args);
int __real___vasprintf_chk(char **ret_text, int flag, const char *format, va_list args);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *p, size_t bytes);
void __wrap_free(void *p);
void *__wrap_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *p, size_t bytes);
char *__wrap_strdup(const char *text);
int __wrap_vasprintf(char **ret_text, const char *format, va_list args);
int __wrap___vasprintf_chk(char **ret_text, int flag, const char *format, va_list args);

/* The call that fails, counted down; <= 0: none does, any more. */
static atomic_long countdown;
static atomic_long blocks; /* of the heap, in use */
static atomic_long mapped; /* bytes */

static bool
must_fail(void)
{
    if (atomic_load(&countdown) <= 0 || atomic_fetch_sub(&countdown, 1) != 1)
        return false;
    errno = ENOMEM;
    return true;
}

void *
__wrap_malloc(size_t bytes)
{
    void *p = must_fail() ? NULL : __real_malloc(bytes);
    atomic_fetch_add(&blocks, p != NULL);
    return p;
}

void *
__wrap_calloc(size_t n, size_t bytes)
{
    void *p = must_fail() ? NULL : __real_calloc(n, bytes);
    atomic_fetch_add(&blocks, p != NULL);
    return p;
}

void *
__wrap_realloc(void *p, size_t bytes)
{
    void *bigger = must_fail() ? NULL : __real_realloc(p, bytes);
    atomic_fetch_add(&blocks, !p && bigger);
    return bigger;
}

void
__wrap_free(void *p)
{
    atomic_fetch_sub(&blocks, p != NULL);
    __real_free(p);
}

char *
__wrap_strdup(const char *text)
{
    char *copy = must_fail() ? NULL : __real_strdup(text);
    atomic_fetch_add(&blocks, copy != NULL);
    return copy;
}

int
__wrap_vasprintf(char **ret_text, const char *format, va_list args)
{
    int n = must_fail() ? -1 : __real_vasprintf(ret_text, format, args);
    atomic_fetch_add(&blocks, n >= 0);
    return n;
}

/* Where the compiler fortifies by default, as on Ubuntu. */
int
__wrap___vasprintf_chk(char **ret_text, int flag, const char *format, va_list args)
{
    int n = must_fail() ? -1 : __real___vasprintf_chk(ret_text, flag, format, args);
    atomic_fetch_add(&blocks, n >= 0);
    return n;
}

void *
__wrap_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
    void *p = must_fail() ? MAP_FAILED : __real_mmap64(at, bytes, prot, flags, fd, offset);
    if (p != MAP_FAILED)
        atomic_fetch_add(&mapped, (long)bytes);
    return p;
}

int
__wrap_munmap(void *p, size_t bytes)
{
    atomic_fetch_sub(&mapped, (long)bytes);
    return __real_munmap(p, bytes);
}

/* ---- outcomes ---- */

bool
fine(int r)
{
    ASSERT_TRUE(r >= 0 || r == -ENOMEM);
    return r >= 0;
}

bool
made(const void *p)
{
    ASSERT_TRUE(p || errno == ENOMEM);
    return p != NULL;
}

/* ---- sweeping ---- */

/* Let the n-th allocation of the program fail. @return whether it does not make so many */
static bool
run_with_fault(void *(*program)(void *), void *arg, long n)
{
    long blocks_before = atomic_load(&blocks), mapped_before = atomic_load(&mapped);
    pthread_t thread;
    atomic_store(&countdown, n);
    ASSERT_EQ(pthread_create(&thread, NULL, program, arg), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    bool passed_untouched = atomic_exchange(&countdown, 0) > 0;
    bool lost =
            atomic_load(&blocks) != blocks_before || atomic_load(&mapped) != mapped_before;
    if (n && lost)
        FAIL("%ld blocks and %ld bytes lost by the fault in allocation %ld",
                atomic_load(&blocks) - blocks_before, atomic_load(&mapped) - mapped_before,
                n);
    return passed_untouched;
}

long
shortage_sweep(void *(*program)(void *), void *arg)
{
    if (fern__tool_present())
        SKIP("what a sanitizer keeps of a greenlet is taken when it runs, and must be had");
    (void)run_with_fault(program, arg, 0); /* what stays for the process is made here */
    long n = 1;
    while (!run_with_fault(program, arg, n))
        n++;
    return n - 1;
}
