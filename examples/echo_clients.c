/* SPDX-License-Identifier: MIT */
/*
 * Many connections to an echo server, each a greenlet in plain blocking style. First each sends
 * one message a second; then each sends the next as soon as it has the last one back.
 *
 *     echo_clients ADDRESS COUNT SECONDS
 *
 * Prints one line a step, for people and for programs. When all are connected it waits for a line
 * on its stdin, so that somebody can look at the server meanwhile.
 */
#include <errno.h>
#include <fern.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
    MESSAGE_BYTES = 64,
    DIALLERS = 100,       /* connections that are being made at a time */
    STEPS_PER_DOUBLE = 32 /* of the histogram: 2 % apart */
};

/* Latencies: counts of ranges whose width grows with the value. */
static uint64_t histogram[64 * STEPS_PER_DOUBLE];
static uint64_t answers;

static const char *address;
static int wanted, opened, broken, started;
static int *fds;
static fern_time ends;   /* of the present phase */
static int64_t every_ns; /* between two messages of a connection; 0: without a pause */

static size_t
range_of(uint64_t ns)
{
    int bits = 63 - __builtin_clzll(ns | STEPS_PER_DOUBLE);
    size_t step = (size_t)(ns >> (bits - 5)) & (STEPS_PER_DOUBLE - 1);
    return (size_t)bits * STEPS_PER_DOUBLE + step;
}

static double
range_ms(size_t range)
{
    uint64_t base = UINT64_C(1) << (range / STEPS_PER_DOUBLE);
    uint64_t step = base / STEPS_PER_DOUBLE;
    return (double)(base + step * (range % STEPS_PER_DOUBLE)) / 1e6;
}

static double
percentile_ms(double percent)
{
    uint64_t wanted_rank = (uint64_t)((double)answers * percent / 100), seen = 0;
    for (size_t i = 0; i < sizeof histogram / sizeof *histogram; i++) {
        seen += histogram[i];
        if (seen > wanted_rank || (seen == answers && answers))
            return range_ms(i);
    }
    return 0;
}

/* Connects its share, one after another. */
static void *
dial(void *unused)
{
    while (started < wanted) {
        int place = started++, on = 1;
        int fd = fern_dial(address, fern_in(30 * FERN_SECOND));
        if (fd < 0)
            return fern_fail(fd, "connection %d to %s", place, address);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        fds[place] = fd;
        opened++;
    }
    return unused;
}

/* One message there and back. */
static int
exchange(int fd)
{
    char out[MESSAGE_BYTES], in[MESSAGE_BYTES];
    memset(out, 'a' + fd % 26, sizeof out);
    int r = fern_write_all(fd, out, sizeof out, NULL, FERN_FOREVER);
    for (size_t have = 0; r == 0 && have < sizeof in;) {
        ssize_t n = fern_recv(fd, in + have, sizeof in - have, 0, FERN_FOREVER);
        if (n <= 0)
            return n < 0 ? (int)n : -EPIPE;
        have += (size_t)n;
    }
    return r < 0 ? r : memcmp(in, out, sizeof in) == 0 ? 0 : -EBADMSG;
}

static void *
talk(void *arg)
{
    int place = (int)(intptr_t)arg;
    if (every_ns) /* spread over the first interval */
        fern_sleep(every_ns * place / wanted);
    for (fern_time next = fern_now(); fern_time_diff(ends, fern_now()) > 0;) {
        fern_time sent = fern_now();
        if (exchange(fds[place]) < 0) {
            broken++;
            break;
        }
        histogram[range_of((uint64_t)fern_time_diff(fern_now(), sent))]++;
        answers++;
        next = fern_time_add(next, every_ns);
        if (every_ns)
            fern_sleep_until(next);
    }
    return NULL;
}

static int
connect_all(void)
{
    fern_greenlet *diallers[DIALLERS];
    for (int i = 0; i < DIALLERS; i++)
        diallers[i] = fern_spawn(dial, NULL);
    for (;;) {
        int r = fern_join_all(diallers, DIALLERS, fern_in(100 * FERN_MS));
        printf("open %d\n", opened);
        fflush(stdout);
        if (r != -ETIME)
            return r < 0 || opened < wanted ? -1 : 0;
    }
}

static int
run_phase(const char *name, int64_t interval_ns, int seconds)
{
    fern_greenlet **all = calloc((size_t)wanted, sizeof *all);
    memset(histogram, 0, sizeof histogram);
    answers = 0;
    every_ns = interval_ns;
    ends = fern_in(seconds * FERN_SECOND);
    for (int i = 0; i < wanted; i++)
        all[i] = fern_spawn(talk, (void *)(intptr_t)i);
    for (;;) {
        int r = fern_join_all(all, (size_t)wanted, fern_in(250 * FERN_MS));
        printf("%s %llu\n", name, (unsigned long long)answers);
        fflush(stdout);
        if (r == 0)
            break;
    }
    printf("%s-rate %.0f p50 %.3f p90 %.3f p99 %.3f p99.9 %.3f\n", name,
            (double)answers / seconds, percentile_ms(50), percentile_ms(90),
            percentile_ms(99), percentile_ms(99.9));
    for (int i = 0; i < wanted; i++)
        fern_greenlet_unref(all[i]);
    free(all);
    return broken ? -1 : 0;
}

static void
raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int
main(int argc, char **argv)
{
    wanted = argc == 4 ? atoi(argv[2]) : 0;
    if (wanted < 1) {
        fprintf(stderr, "usage: %s ADDRESS COUNT SECONDS\n", argv[0]);
        return 2;
    }
    address = argv[1];
    fds = calloc((size_t)wanted, sizeof *fds);
    raise_limit();
    if (!fds || connect_all() < 0)
        return 1;
    puts("opened");
    fflush(stdout);
    (void)getchar();
    int seconds = atoi(argv[3]);
    if (run_phase("paced", FERN_SECOND, seconds) < 0 || run_phase("flat", 0, seconds) < 0)
        return 1;
    puts("done");
    return 0;
}
