/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
/*
 * The engine of choice: io_uring, spoken to by system calls. Each request is a send linked to
 * the receive of its answer; one system call submits those of all connections whose answers
 * have come and waits for more. That keeps the generator lighter than any server under test.
 */
#include "../bench.h"
#include "load.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES_MAX 32768

/* The user data of a completion: the connection's number, or for a failed send this. */
#define SEND_DATA UINT64_MAX

struct ring {
    int fd;
    unsigned *sq_tail, *sq_array;
    unsigned *cq_head, *cq_tail;
    unsigned sq_mask, cq_mask;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
    unsigned unsubmitted;
};

static void *
map_part(int fd, size_t bytes, off_t part)
{
    void *mapped =
            mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, part);
    if (mapped == MAP_FAILED)
        bench_die("mmap of the io_uring", errno);
    return mapped;
}

static bool
ring_open(struct ring *ring, size_t connections)
{
    struct io_uring_params params = {
            .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    unsigned entries = 8;
    while (entries < 2 * connections && entries < ENTRIES_MAX)
        entries *= 2;
    if (entries < 2 * connections)
        return false;
    ring->fd = (int)syscall(__NR_io_uring_setup, entries, &params);
    if (ring->fd < 0)
        return false;

    char *sq = map_part(ring->fd,
            params.sq_off.array + params.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
    char *cq = map_part(ring->fd,
            params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
            IORING_OFF_CQ_RING);
    ring->sqes = map_part(
            ring->fd, params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
    ring->sq_tail = (unsigned *)(sq + params.sq_off.tail);
    ring->sq_array = (unsigned *)(sq + params.sq_off.array);
    ring->sq_mask = params.sq_entries - 1;
    ring->cq_head = (unsigned *)(cq + params.cq_off.head);
    ring->cq_tail = (unsigned *)(cq + params.cq_off.tail);
    ring->cq_mask = params.cq_entries - 1;
    ring->cqes = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
    return true;
}

static void
register_files(struct ring *ring, const struct load *load)
{
    int *fds = malloc(load->count * sizeof(*fds));
    if (!fds)
        bench_die("malloc", errno);
    for (size_t i = 0; i < load->count; i++)
        fds[i] = load->connections[i].fd;
    if (syscall(__NR_io_uring_register, ring->fd, IORING_REGISTER_FILES, fds,
                load->count) != 0)
        bench_die("IORING_REGISTER_FILES", errno);
    free(fds);
}

static struct io_uring_sqe *
ring_entry(struct ring *ring)
{
    unsigned tail = *ring->sq_tail, slot = tail & ring->sq_mask;
    struct io_uring_sqe *entry = &ring->sqes[slot];
    memset(entry, 0, sizeof(*entry));
    ring->sq_array[slot] = slot;
    __atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
    ring->unsubmitted++;
    return entry;
}

static void
receive(struct ring *ring, struct load *load, size_t number)
{
    struct load_connection *connection = &load->connections[number];
    struct io_uring_sqe *entry = ring_entry(ring);
    entry->opcode = IORING_OP_RECV;
    entry->flags = IOSQE_FIXED_FILE;
    entry->fd = (int)number;
    entry->addr = (uint64_t)(uintptr_t)(connection->answer + connection->received);
    entry->len = (uint32_t)(LOAD_MESSAGE_BYTES - connection->received);
    entry->user_data = number;
}

static void
ask(struct ring *ring, struct load *load, size_t number, int64_t now_ns)
{
    load->connections[number].sent_ns = now_ns;
    struct io_uring_sqe *entry = ring_entry(ring);
    entry->opcode = IORING_OP_SEND;
    entry->flags = IOSQE_FIXED_FILE | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    entry->fd = (int)number;
    entry->addr = (uint64_t)(uintptr_t)load->message;
    entry->len = LOAD_MESSAGE_BYTES;
    entry->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
    entry->user_data = SEND_DATA;
    receive(ring, load, number);
}

static void
take(struct ring *ring, struct load *load, const struct io_uring_cqe *completion,
        int64_t now_ns)
{
    if (completion->res <= 0 || completion->user_data == SEND_DATA)
        bench_die("a request failed", completion->res < 0 ? -completion->res : ECONNRESET);
    size_t number = completion->user_data;
    struct load_connection *connection = &load->connections[number];
    connection->received += (size_t)completion->res;
    if (connection->received < LOAD_MESSAGE_BYTES) {
        receive(ring, load, number);
        return;
    }
    load_answered(load, connection, now_ns);
    ask(ring, load, number, now_ns);
}

static void
submit_and_wait(struct ring *ring)
{
    long submitted = syscall(__NR_io_uring_enter, ring->fd, ring->unsubmitted, 1,
            IORING_ENTER_GETEVENTS, NULL, 0);
    if (submitted < 0 && errno != EINTR)
        bench_die("io_uring_enter", errno);
    if (submitted > 0)
        ring->unsubmitted -= (unsigned)submitted;
}

static bool
run(struct load *load)
{
    struct ring ring = {0};
    if (!ring_open(&ring, load->count))
        return false;
    register_files(&ring, load);
    int64_t now_ns = bench_now_ns();
    for (size_t i = 0; i < load->count; i++)
        ask(&ring, load, i, now_ns);
    while (load_goes_on(load, now_ns)) {
        submit_and_wait(&ring);
        now_ns = bench_now_ns();
        unsigned head = *ring.cq_head;
        unsigned tail = __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE);
        for (; head != tail; head++)
            take(&ring, load, &ring.cqes[head & ring.cq_mask], now_ns);
        __atomic_store_n(ring.cq_head, head, __ATOMIC_RELEASE);
    }
    close(ring.fd);
    return true;
}

const struct load_engine load_uring = {"io_uring", run};
