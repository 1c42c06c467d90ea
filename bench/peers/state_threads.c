/* SPDX-License-Identifier: MIT */
/*
 * State Threads: cooperative threads in C, one OS thread, no guard pages. It has no call that
 * yields, so a message back and forth is its nearest to a switch.
 */
#include "state_threads.h"

#include "../bench.h"

#include <errno.h>
#include <st.h>
#include <stdlib.h>
#include <unistd.h>

#define SPAWNS   INT64_C(1000000)
#define BATCH    100000
#define MESSAGES INT64_C(5000000)
#define SLEEPERS 1000000

static st_cond_t turn[2];
static st_utime_t deadline_us;
static size_t parked;

static void *
nothing(void *unused)
{
    return unused;
}

static st_thread_t
spawn(void *(*run)(void *), void *argument)
{
    st_thread_t thread = st_thread_create(run, argument, 1, 0);
    if (!thread)
        bench_die("st_thread_create", errno);
    return thread;
}

static void
spawn_and_join(st_thread_t *threads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        threads[i] = spawn(nothing, NULL);
    for (size_t i = 0; i < count; i++)
        st_thread_join(threads[i], NULL);
    /* A joined thread gives its stack back when it next runs. */
    if (count > 1)
        st_usleep(0);
}

static void
measure_spawn(const char *argument)
{
    (void)argument;
    st_thread_t thread;
    int64_t start = bench_now_ns();
    for (int64_t i = 0; i < SPAWNS; i++)
        spawn_and_join(&thread, 1);
    bench_print("spawn", (double)(bench_now_ns() - start) / SPAWNS, "ns");
}

static void
measure_batch(const char *argument)
{
    (void)argument;
    static st_thread_t threads[BATCH];
    int64_t start = bench_now_ns();
    spawn_and_join(threads, BATCH);
    bench_print("spawn-batch-cold", (double)(bench_now_ns() - start) / BATCH, "ns");
    start = bench_now_ns();
    spawn_and_join(threads, BATCH);
    bench_print("spawn-batch", (double)(bench_now_ns() - start) / BATCH, "ns");
}

static void *
play(void *argument)
{
    int side = *(int *)argument;
    for (int64_t i = 0; i < MESSAGES / 2; i++) {
        st_cond_signal(turn[!side]);
        st_cond_wait(turn[side]);
    }
    st_cond_signal(turn[!side]);
    return NULL;
}

static void
measure_pingpong(const char *argument)
{
    (void)argument;
    static int sides[] = {0, 1};
    turn[0] = st_cond_new();
    turn[1] = st_cond_new();
    int64_t start = bench_now_ns();
    st_thread_t first = spawn(play, &sides[0]), second = spawn(play, &sides[1]);
    st_thread_join(first, NULL);
    st_thread_join(second, NULL);
    bench_print("pingpong", (double)(bench_now_ns() - start) / MESSAGES, "ns");
}

static void *
sleep_until_deadline(void *unused)
{
    parked++;
    /* It counts a sleep from when it last read the clock, not from now. */
    st_usleep(deadline_us - st_utime_last_clock());
    return unused;
}

static void
measure_parked(const char *prefix, size_t count, const char *argument)
{
    st_thread_t *threads = bench_allocate(count * sizeof(*threads));
    int64_t before = bench_memory_bytes(), start = bench_now_ns();
    int64_t deadline_ns = start + bench_seconds(argument);
    deadline_us = st_utime() + (st_utime_t)(bench_seconds(argument) / 1000);
    for (size_t i = 0; i < count; i++)
        threads[i] = spawn(sleep_until_deadline, NULL);
    /* Each of these lets all that are ready run, the first time all of them. */
    while (parked < count)
        st_usleep(1);
    int64_t created = bench_now_ns();
    int64_t memory = bench_memory_bytes() - before;
    if (created >= deadline_ns)
        exit(BENCH_TOO_LATE);
    for (size_t i = 0; i < count; i++)
        st_thread_join(threads[i], NULL);
    int64_t ended = bench_now_ns();
    bench_print_parked(prefix, count, memory, created - start, ended - deadline_ns);
}

static void
measure_parked_100k(const char *argument)
{
    measure_parked("parked-100k", 100000, argument);
}

static void
measure_parked_1m(const char *argument)
{
    measure_parked("parked-1m", 1000000, argument);
}

static void *
sleep_random(void *duration_us)
{
    st_usleep((st_utime_t)(uintptr_t)duration_us);
    return NULL;
}

static void
sleep_all(const char *measure, st_thread_t *threads)
{
    uint64_t state = 42;
    int64_t start = bench_cpu_ns();
    for (size_t i = 0; i < SLEEPERS; i++)
        threads[i] =
                spawn(sleep_random, (void *)(uintptr_t)(bench_random(&state) % 1000000));
    for (size_t i = 0; i < SLEEPERS; i++)
        st_thread_join(threads[i], NULL);
    st_usleep(0);
    bench_print(measure, (double)(bench_cpu_ns() - start) / 1e9, "s");
}

static void
measure_sleepers(const char *argument)
{
    (void)argument;
    st_thread_t *threads = bench_allocate(SLEEPERS * sizeof(*threads));
    sleep_all("sleepers-1m", threads);
    sleep_all("sleepers-1m-warm", threads);
}

static void
measure_sleeps(const char *measure, int64_t duration_ns, size_t count)
{
    double *late_us = bench_allocate(count * sizeof(*late_us));
    for (size_t i = 0; i < count; i++) {
        int64_t start = bench_now_ns();
        st_usleep((st_utime_t)(duration_ns / 1000));
        late_us[i] = (double)(bench_now_ns() - start - duration_ns) / 1e3;
    }
    bench_print(measure, bench_median(late_us, count), "us");
}

static void
measure_100us(const char *argument)
{
    (void)argument;
    measure_sleeps("sleep-100us", 100 * BENCH_US, 300);
}

static void
measure_1ms(const char *argument)
{
    (void)argument;
    measure_sleeps("sleep-1ms", BENCH_MS, 300);
}

static void *
answer(void *connection)
{
    char buffer[4096];
    ssize_t received;
    while ((received = st_read(connection, buffer, sizeof(buffer), ST_UTIME_NO_TIMEOUT)) >
            0) {
        if (st_write(connection, buffer, (size_t)received, ST_UTIME_NO_TIMEOUT) != received)
            break;
    }
    st_netfd_close(connection);
    return NULL;
}

static void
serve(const char *path)
{
    int fd = bench_listen(path);
    st_netfd_t listener = st_netfd_open_socket(fd);
    if (!listener)
        bench_die("st_netfd_open_socket", errno);
    bench_listen_ready(fd);
    /* Ended by SIGTERM. */
    for (;;) {
        st_netfd_t connection = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT);
        if (!connection || !st_thread_create(answer, connection, 0, 0))
            bench_die("st_accept or st_thread_create", errno);
    }
}

static void
measure_queue_mutex(const char *argument)
{
    const int64_t locks = 50000000;
    st_mutex_t mutex = st_mutex_new();
    (void)argument;
    int64_t start = bench_now_ns();
    for (int64_t i = 0; i < locks; i++) {
        if (st_mutex_lock(mutex) < 0 || st_mutex_unlock(mutex) < 0)
            bench_die("a mutex", errno);
    }
    bench_print("queue-mutex", (double)(bench_now_ns() - start) / (double)locks, "ns");
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {
            {"spawn", measure_spawn},
            {"spawn-batch", measure_batch},
            {"pingpong", measure_pingpong},
            {"parked-100k", measure_parked_100k},
            {"parked-1m", measure_parked_1m},
            {"sleepers-1m", measure_sleepers},
            {"sleep-100us", measure_100us},
            {"sleep-1ms", measure_1ms},
            {"queue-pingpong", measure_queue_pingpong},
            {"queue-buffered", measure_queue_buffered},
            {"queue-mutex", measure_queue_mutex},
            {"echo", serve},
            {NULL, NULL},
    };
    bench_fds_raise(4096); /* State Threads sizes its tables by the limit at st_init. */
    st_set_eventsys(ST_EVENTSYS_ALT);
    if (st_init() != 0)
        bench_die("st_init", errno);
    return bench_main(argc, argv, measures);
}
