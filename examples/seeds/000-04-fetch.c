/* SPDX-License-Identifier: MIT */
/*
 * The time of day as JSON over HTTP, asked for one after another and then all at once. The server
 * is a greenlet beside the askers.
 */
#include <fern.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static fern_server *server;

static void *
tell_time(int fd, void *unused)
{
    char text[512];
    time_t now = time(NULL);
    if (fern_recv(fd, text, sizeof text, 0, FERN_FOREVER) <= 0)
        return unused;
    size_t bytes = strftime(text, sizeof text,
            "HTTP/1.0 200 OK\r\n\r\n{\"datetime\": \"%F %T\", \"tz\": \"UTC\"}\n",
            gmtime(&now));
    return fern_write_all(fd, text, bytes, NULL, FERN_FOREVER) == 0 ? unused : NULL;
}

static void *
fetch(void *pid)
{
    const char *request = "GET /time.json HTTP/1.0\r\n\r\n", *json;
    char text[512], datetime[32];
    size_t have = 0;
    ssize_t n = -1;
    int fd = fern_dial(fern_server_address(server), FERN_FOREVER);
    if (fern_write_all(fd, request, strlen(request), NULL, FERN_FOREVER) == 0)
        while ((n = fern_recv(fd, text + have, sizeof text - 1 - have, 0, FERN_FOREVER)) >
                0)
            have += (size_t)n;
    fern_close(fd);
    text[have] = '\0';
    json = n == 0 ? strstr(text, "\"datetime\":") : NULL;
    if (!json || sscanf(json, "\"datetime\": \"%31[^\"]", datetime) != 1)
        return fern_fail(1, "no time of day in \"%s\"", text);
    printf("Process %d: %s\n", (int)(intptr_t)pid, datetime);
    return NULL;
}

int
main(void)
{
    fern_greenlet *threads[9];
    server = fern_server_new("127.0.0.1:0", tell_time, NULL, NULL);
    if (fern_server_start(server) < 0)
        return 1;
    puts("Synchronous:");
    for (intptr_t i = 1; i < 10; i++)
        fetch((void *)i);
    puts("Asynchronous:");
    for (intptr_t i = 1; i < 10; i++)
        threads[i - 1] = fern_spawn(fetch, (void *)i);
    return fern_join_all(threads, 9, FERN_FOREVER) < 0;
}
