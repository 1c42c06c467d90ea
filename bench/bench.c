/* SPDX-License-Identifier: MIT */
/*
 * The ground under the benchmark programs, see bench.h. Nothing in here runs inside a measured
 * stretch but bench_now_ns and bench_random.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 4096

int
bench_main(int argc, char **argv, const bench_measure *measures)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (const bench_measure *measure = measures; measure->name; measure++) {
        if (strcmp(measure->name, name) == 0) {
            measure->run(argc > 2 ? argv[2] : NULL);
            return 0;
        }
    }
    fprintf(stderr, "%s: no measure '%s'; there are:", argv[0], name);
    for (const bench_measure *measure = measures; measure->name; measure++)
        fprintf(stderr, " %s", measure->name);
    fprintf(stderr, "\n");
    return 2;
}

void
bench_print(const char *measure, double value, const char *unit)
{
    printf("%s %.9g %s\n", measure, value, unit);
    fflush(stdout);
}

void
bench_print_parked(const char *prefix, size_t count, int64_t memory_bytes,
        int64_t create_ns, int64_t wake_ns)
{
    char name[64];
    snprintf(name, sizeof(name), "%s-bytes", prefix);
    bench_print(name, (double)memory_bytes / (double)count, "B");
    snprintf(name, sizeof(name), "%s-create", prefix);
    bench_print(name, (double)create_ns / 1e9, "s");
    snprintf(name, sizeof(name), "%s-wake", prefix);
    bench_print(name, (double)wake_ns / 1e9, "s");
}

void
bench_die(const char *what, int error)
{
    if (error)
        fprintf(stderr, "%s: %s\n", what, strerror(error));
    else
        fprintf(stderr, "%s\n", what);
    exit(1);
}

static int64_t
clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * BENCH_S + now.tv_nsec;
}

int64_t
bench_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t
bench_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t
bench_memory_bytes(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    if (!status)
        bench_die("/proc/self/status", errno);
    char line[256];
    int64_t total_kib = 0;
    long long kib;
    while (fgets(line, sizeof(line), status)) {
        if (sscanf(line, "VmRSS: %lld", &kib) == 1 ||
                sscanf(line, "VmPTE: %lld", &kib) == 1)
            total_kib += kib;
    }
    fclose(status);
    return total_kib * 1024;
}

void *
bench_allocate(size_t bytes)
{
    void *memory = malloc(bytes);
    if (!memory)
        bench_die("malloc", errno);
    memset(memory, 0xff, bytes);
    return memory;
}

int64_t
bench_seconds(const char *argument)
{
    double seconds = argument ? atof(argument) : 0;
    if (seconds <= 0)
        bench_die("this measure needs an argument, a number of seconds", 0);
    return (int64_t)(seconds * 1e9);
}

uint64_t
bench_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

void
bench_shuffle(uint32_t *order, size_t count)
{
    uint64_t state = 42;
    for (size_t i = 0; i < count; i++) {
        size_t j = (bench_random(&state) >> 16) % (i + 1);
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double
bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void
bench_fds_raise(uint64_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        bench_die("getrlimit", errno);
    if (limit.rlim_cur >= count)
        return;
    limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < count)
        fprintf(stderr, "only %llu open files are allowed, %llu were asked for\n",
                (unsigned long long)limit.rlim_cur, (unsigned long long)count);
}

static int
listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        bench_die("the path of the socket is too long", 0);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        bench_die(path, errno);
    return fd;
}

static int
listen_tcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        bench_die("bind to 127.0.0.1", errno);
    return fd;
}

int
bench_listen(const char *path)
{
    bench_fds_raise(1024);
    int fd = path ? listen_unix(path) : listen_tcp();
    if (listen(fd, BACKLOG) != 0)
        bench_die("listen", errno);
    return fd;
}

void
bench_listen_ready(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        bench_die("getsockname", errno);
    printf("ready %d\n", address.sin_family == AF_INET ? ntohs(address.sin_port) : 0);
    fflush(stdout);
}
