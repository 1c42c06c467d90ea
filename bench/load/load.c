/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
/*
 * The load generator. It connects, keeps one message in flight on each connection, and over a
 * window after a warm-up reports the server's CPU per request, requests per second, and
 * latency percentiles. The server's CPU is read from the kernel's CPU clock of its process,
 * which is the sum over its threads, exact at the time of reading.
 */
#include "load.h"

#include "../bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 30

struct options {
    const char *name;
    const char *path; /* Unix socket, or NULL for TCP */
    int port;
    pid_t server;
    size_t connections;
    double warm_s, window_s;
    bool epoll;
    bool verbose;
};

static int64_t
clock_read(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        bench_die("CPU clock of the server", errno);
    return now.tv_sec * BENCH_S + now.tv_nsec;
}

void
load_answered(struct load *load, struct load_connection *connection, int64_t now_ns)
{
    if (memcmp(connection->answer, load->message, LOAD_MESSAGE_BYTES) != 0)
        bench_die("an answer differs from its request", 0);
    connection->received = 0;
    if (!load->opened_ns)
        return;
    load->requests++;
    histogram_add(&load->latency_ns, (uint64_t)(now_ns - connection->sent_ns));
}

bool
load_goes_on(struct load *load, int64_t now_ns)
{
    if (!load->opened_ns && now_ns >= load->warm_ns) {
        load->server_cpu_ns = -clock_read(load->server_clock);
        load->client_cpu_ns = -bench_cpu_ns();
        load->opened_ns = now_ns;
    } else if (load->opened_ns && now_ns - load->opened_ns >= load->window_ns) {
        load->server_cpu_ns += clock_read(load->server_clock);
        load->client_cpu_ns += bench_cpu_ns();
        load->closed_ns = now_ns;
        return false;
    }
    return true;
}

static int
connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        bench_die("the path of the socket is too long", 0);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        bench_die("connect", errno);
    return fd;
}

static int
connect_tcp(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        bench_die("connect", errno);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void
load_connect(struct load *load, const struct options *options)
{
    bench_fds_raise(options->connections + 64);
    load->count = options->connections;
    load->connections = calloc(load->count, sizeof(*load->connections));
    if (!load->connections)
        bench_die("calloc", errno);
    for (size_t i = 0; i < load->count; i++) {
        load->connections[i].fd =
                options->path ? connect_unix(options->path) : connect_tcp(options->port);
    }
    memset(load->message, 'x', sizeof(load->message));
}

static void
load_report(const struct load *load, const struct options *options)
{
    double seconds = (double)(load->closed_ns - load->opened_ns) / 1e9;
    double requests = (double)load->requests;
    char name[128];
    if (load->requests == 0)
        bench_die("no request was answered within the window", 0);
    bench_print(options->name, (double)load->server_cpu_ns / 1e3 / requests, "us");
    snprintf(name, sizeof(name), "%s-rps", options->name);
    bench_print(name, requests / seconds, "1/s");
    snprintf(name, sizeof(name), "%s-p50", options->name);
    bench_print(name, (double)histogram_percentile(&load->latency_ns, 0.50) / 1e3, "us");
    snprintf(name, sizeof(name), "%s-p99", options->name);
    bench_print(name, (double)histogram_percentile(&load->latency_ns, 0.99) / 1e3, "us");
    if (options->verbose) {
        fprintf(stderr, "server busy %.0f %%, client busy %.0f %%, %llu requests\n",
                (double)load->server_cpu_ns / 1e7 / seconds,
                (double)load->client_cpu_ns / 1e7 / seconds,
                (unsigned long long)load->requests);
    }
}

static const char usage[] =
        "usage: load --name NAME --server PID (--port PORT | --path PATH)\n"
        "            [--connections N] [--warm SECONDS] [--window SECONDS] [--epoll] "
        "[--verbose]\n";

static void
parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
            {"name", required_argument, NULL, 'n'},
            {"server", required_argument, NULL, 's'},
            {"port", required_argument, NULL, 'p'},
            {"path", required_argument, NULL, 'u'},
            {"connections", required_argument, NULL, 'c'},
            {"warm", required_argument, NULL, 'a'},
            {"window", required_argument, NULL, 'w'},
            {"epoll", no_argument, NULL, 'e'},
            {"verbose", no_argument, NULL, 'v'},
            {NULL, 0, NULL, 0},
    };
    int found;
    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (found) {
        case 'n':
            options->name = optarg;
            break;
        case 's':
            options->server = atoi(optarg);
            break;
        case 'p':
            options->port = atoi(optarg);
            break;
        case 'u':
            options->path = optarg;
            break;
        case 'c':
            options->connections = strtoul(optarg, NULL, 10);
            break;
        case 'a':
            options->warm_s = atof(optarg);
            break;
        case 'w':
            options->window_s = atof(optarg);
            break;
        case 'e':
            options->epoll = true;
            break;
        case 'v':
            options->verbose = true;
            break;
        default:
            bench_die(usage, 0);
        }
    }
    if (!options->name || !options->server || (!options->port && !options->path) ||
            options->connections == 0)
        bench_die(usage, 0);
}

int
main(int argc, char **argv)
{
    struct options options = {.connections = 1, .warm_s = 0.2, .window_s = 1};
    static struct load load;
    parse_options(argc, argv, &options);
    int error = clock_getcpuclockid(options.server, &load.server_clock);
    if (error)
        bench_die("CPU clock of the server", error);

    /* A server that stops answering must not hold the benchmark up for ever. */
    alarm((unsigned)(options.warm_s + options.window_s) + PATIENCE_S);
    load_connect(&load, &options);
    load.warm_ns = bench_now_ns() + (int64_t)(options.warm_s * 1e9);
    load.window_ns = (int64_t)(options.window_s * 1e9);
    if (options.epoll || !load_uring.run(&load))
        load_epoll.run(&load);
    load_report(&load, &options);
    return 0;
}
