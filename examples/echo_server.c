/* SPDX-License-Identifier: MIT */
/*
 * A server that sends back what it gets, each connection in a greenlet of its own.
 *
 *     echo_server [ADDRESS]        127.0.0.1:0 when not given; prints where it listens
 */
#include <fern.h>
#include <stdio.h>
#include <sys/resource.h>

static void *
echo(int fd, void *unused)
{
    char data[1024];
    ssize_t n;
    while ((n = fern_recv(fd, data, sizeof data, 0, FERN_FOREVER)) > 0) {
        if (fern_write_all(fd, data, (size_t)n, NULL, FERN_FOREVER) < 0)
            break;
    }
    return unused;
}

/* A connection is a descriptor: take as many as the system lets us have. */
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
    raise_limit();
    fern_server *server =
            fern_server_new(argc > 1 ? argv[1] : "127.0.0.1:0", echo, NULL, NULL);
    if (!server || fern_server_start(server) < 0) {
        fprintf(stderr, "cannot listen on %s\n", argc > 1 ? argv[1] : "127.0.0.1:0");
        return 1;
    }
    printf("listening on %s\n", fern_server_address(server));
    fflush(stdout);
    return fern_server_run(server, FERN_FOREVER) < 0;
}
