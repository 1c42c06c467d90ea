/* SPDX-License-Identifier: MIT */
/*
 * An echo server, and a pool of clients that ask it all at once.
 */
#include <fern.h>
#include <stdio.h>
#include <string.h>

static fern_server *server;

static void *
echo(int fd, void *unused)
{
    char text[64];
    ssize_t n;
    while ((n = fern_recv(fd, text, sizeof text, 0, FERN_FOREVER)) > 0)
        if (fern_write_all(fd, text, (size_t)n, NULL, FERN_FOREVER) < 0)
            break;
    return unused;
}

static void *
fetch(void *url)
{
    char text[64] = "";
    int fd = fern_dial(fern_server_address(server), FERN_FOREVER);
    bool good = fern_write_all(fd, url, strlen(url), NULL, FERN_FOREVER) == 0 &&
                fern_recv(fd, text, sizeof text - 1, 0, FERN_FOREVER) > 0;
    fern_close(fd);
    return good && !strcmp(text, url) ? url : fern_fail(1, "no answer");
}

int
main(void)
{
    void *urls[] = {"/index", "/news", "/about"};
    fern_input input = fern_input_items(urls, 3);
    fern_outcome outcome;
    server = fern_server_new("127.0.0.1:0", echo, NULL, NULL);
    if (fern_server_start(server) < 0)
        return 1;
    fern_pool *pool = fern_pool_new(200);
    fern_pile *bodies = fern_pool_imap(pool, fetch, &input, 0, 0);
    while (fern_pile_next(bodies, &outcome, FERN_FOREVER) > 0)
        printf("got body of %s\n", outcome.code ? outcome.message : (char *)outcome.value);
    fern_pile_free(bodies);
    return fern_pool_free(pool) < 0;
}
