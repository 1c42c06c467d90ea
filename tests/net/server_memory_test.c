/* SPDX-License-Identifier: MIT */
/*
 * Servers when memory runs out: every allocation in turn fails, in a program whose malloc is its
 * own. Time is virtual.
 */
#include "harness.h"

#include <errno.h>
#include <fern.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#ifndef OWN_MALLOC
#define OWN_MALLOC 1
#endif

static bool armed;
static long left;        /* allocations until one fails */
static long live_blocks; /* allocated and not freed */

#if OWN_MALLOC
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void __libc_free(void *block);

static bool
strikes(void)
{
    if (!armed || --left != 0)
        return false;
    errno = ENOMEM;
    return true;
}

static void *
counted(void *block)
{
    live_blocks += block != NULL;
    return block;
}

void *
malloc(size_t bytes)
{
    return strikes() ? NULL : counted(__libc_malloc(bytes));
}

void *
calloc(size_t count, size_t bytes)
{
    return strikes() ? NULL : counted(__libc_calloc(count, bytes));
}

void *
realloc(void *block, size_t bytes)
{
    if (strikes())
        return NULL;
    void *moved = __libc_realloc(block, bytes);
    if (!block)
        counted(moved);
    return moved;
}

void
free(void *block)
{
    live_blocks -= block != NULL;
    __libc_free(block);
}
#endif

static void *
greet(int fd, void *unused)
{
    return fern_write_all(fd, "h", 1, NULL, FERN_FOREVER) == 0 ? unused : NULL;
}

static void *
send_back(fern_datagram *d, void *unused)
{
    ssize_t n = fern_sendto(d->fd, d->data, d->bytes, 0, &d->from, FERN_FOREVER);
    return n < 0 ? NULL : unused;
}

/* A connection is answered, by and by. @return 0, or the code of what failed */
static int
use_connections(fern_server *server)
{
    char byte;
    int fd = fern_dial(fern_server_address(server), fern_in(FERN_SECOND));
    if (fd < 0)
        return fd;
    ssize_t n = fern_recv(fd, &byte, 1, 0, fern_in(5 * FERN_SECOND));
    (void)fern_close(fd);
    return n == 1 ? 0 : -ECONNRESET;
}

static int
use_datagrams(fern_server *server)
{
    fern_address to;
    char byte = 'd';
    int fd = fern_socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0)
        return fd;
    ssize_t n = fern_server_get_address(server, &to);
    if (n == 0)
        n = fern_sendto(fd, &byte, 1, 0, &to, fern_in(FERN_SECOND));
    if (n == 1)
        n = fern_recv(fd, &byte, 1, 0, fern_in(5 * FERN_SECOND));
    (void)fern_close(fd);
    return n == 1 ? 0 : -EIO;
}

/* A server's life from new to free. */
static int
whole_life(bool datagrams)
{
    fern_server *server =
            datagrams ? fern_server_new_datagram("127.0.0.1:0", send_back, NULL, NULL)
                      : fern_server_new("127.0.0.1:0", greet, NULL, NULL);
    if (!server)
        return -errno;
    int r = fern_server_start(server);
    if (r == 0)
        r = datagrams ? use_datagrams(server) : use_connections(server);
    (void)fern_server_stop(server, fern_in(FERN_SECOND));
    fern_server_free(server);
    fern_sleep(FERN_SECOND);
    return r;
}

static int
lowest_free(void)
{
    int fd = dup(0);
    ASSERT_OK(fd);
    close(fd);
    return fd;
}

/* Let the n-th allocation fail, for every n that is reached. @return how many there were */
static int
sweep(bool datagrams)
{
    long blocks = live_blocks;
    int free_before = lowest_free(), n = 0;
    do {
        left = ++n;
        armed = true;
        int r = whole_life(datagrams);
        armed = false;
        ASSERT_TRUE(r == 0 || left <= 0);
        ASSERT_EQ(lowest_free(), free_before);
        ASSERT_EQ(live_blocks, blocks);
    } while (left <= 0);
    ASSERT_OK(whole_life(datagrams));
    return n - 1;
}

TEST(an_allocation_that_fails_for_connections_leaves_nothing_behind)
{
    if (!OWN_MALLOC || harness_runs_under("valgrind"))
        SKIP("malloc belongs to the tool");
    ASSERT_OK(whole_life(false));
    ASSERT_GE(sweep(false), 3); /* server, handling, greenlet's extra */
}

TEST(an_allocation_that_fails_for_datagrams_leaves_nothing_behind)
{
    if (!OWN_MALLOC || harness_runs_under("valgrind"))
        SKIP("malloc belongs to the tool");
    ASSERT_OK(whole_life(true));
    ASSERT_GE(sweep(true), 4); /* and the room to receive into */
}
