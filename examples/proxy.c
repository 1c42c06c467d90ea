/* SPDX-License-Identifier: MIT */
/*
 * A proxy: what comes in goes out on the other side, each direction in a greenlet of its own.
 *
 *     proxy LISTEN TARGET      for example 127.0.0.1:8080 127.0.0.1:80
 *     proxy                    shows itself at work between a server and a client of its own
 */
#include <fern.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct pair {
    int from;
    int to;
};

/* One direction, until the end of what comes, which is passed on too. */
static void *
pump(void *arg)
{
    struct pair *pair = arg;
    char data[4096];
    ssize_t n;
    while ((n = fern_recv(pair->from, data, sizeof data, 0, FERN_FOREVER)) > 0) {
        if (fern_write_all(pair->to, data, (size_t)n, NULL, FERN_FOREVER) < 0)
            break;
    }
    fern_shutdown(pair->to, SHUT_WR);
    return NULL;
}

static void *
forward(int client, void *target)
{
    int server = fern_dial(target, fern_in(5 * FERN_SECOND));
    if (server < 0)
        return fern_fail(server, "cannot connect to %s", (const char *)target);
    struct pair there = {client, server}, back = {server, client};
    fern_greenlet *answers = fern_spawn(pump, &back);
    FERN_AUTO(fern_greenlet_unref, answers);
    pump(&there);
    /* Killed meanwhile, it must not leave before the one that uses its variables. */
    int r = fern_join(answers, FERN_FOREVER);
    if (r < 0) {
        FERN_SHIELD (shield)
            r = fern_kill(answers, 0, FERN_FOREVER);
    }
    fern_close(server);
    return r < 0 ? fern_fail(r, "the other direction goes on") : NULL;
}

/* ---- a server and a client to stand between ---- */

static void *
count_bytes(int fd, void *unused)
{
    char data[4096], text[32];
    size_t bytes = 0;
    ssize_t n;
    while ((n = fern_recv(fd, data, sizeof data, 0, FERN_FOREVER)) > 0)
        bytes += (size_t)n;
    int length = snprintf(text, sizeof text, "%zu bytes came", bytes);
    if (fern_write_all(fd, text, (size_t)length, NULL, FERN_FOREVER) < 0)
        return NULL;
    return unused;
}

static int
show(void)
{
    static const char block[1000];
    char answer[32] = "";
    fern_server *server = fern_server_new("127.0.0.1:0", count_bytes, NULL, NULL);
    if (!server || fern_server_start(server) < 0)
        return 1;
    void *target = (void *)(uintptr_t)fern_server_address(server);
    fern_server *proxy = fern_server_new("127.0.0.1:0", forward, target, NULL);
    if (!proxy || fern_server_start(proxy) < 0)
        return 1;
    int fd = fern_dial(fern_server_address(proxy), FERN_FOREVER), r = 0;
    for (int i = 0; i < 1000 && r == 0; i++)
        r = fern_write_all(fd, block, sizeof block, NULL, FERN_FOREVER);
    fern_shutdown(fd, SHUT_WR);
    ssize_t n = fern_recv(fd, answer, sizeof answer - 1, 0, FERN_FOREVER);
    printf("through the proxy: %s\n", n > 0 ? answer : "nothing");
    fern_close(fd);
    printf("cut short: %d\n", fern_server_stop(proxy, fern_in(FERN_SECOND)));
    fern_server_free(proxy);
    fern_server_free(server);
    return r < 0;
}

int
main(int argc, char **argv)
{
    if (argc != 3)
        return show();
    fern_server *proxy = fern_server_new(argv[1], forward, argv[2], NULL);
    return !proxy || fern_server_run(proxy, FERN_FOREVER) < 0;
}
