/* SPDX-License-Identifier: MIT */
/*
 * A server of pages: it answers GET with the files of a folder, and takes its time over each, as
 * a page that asks a database would. The handler is written as if there were one client.
 *
 *     page_server ADDRESS FOLDER DELAY_MS
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct site {
    const char *folder;
    int64_t delay_ns;
};

/* Read up to the empty line that ends a request. */
static int
read_request(int fd, char *text, size_t bytes, fern_time deadline)
{
    size_t have = 0;
    while (have < bytes - 1) {
        ssize_t n = fern_recv(fd, text + have, bytes - 1 - have, 0, deadline);
        if (n <= 0)
            return n < 0 ? (int)n : -EPIPE;
        have += (size_t)n;
        text[have] = '\0';
        if (strstr(text, "\r\n\r\n"))
            return 0;
    }
    return -EMSGSIZE;
}

/* Open what "GET /name HTTP/1.1" asks for. */
static FILE *
open_page(const struct site *site, const char *request)
{
    char name[128], path[1024];
    if (sscanf(request, "GET /%127[^ /]", name) != 1 || name[0] == '.')
        return NULL;
    snprintf(path, sizeof path, "%s/%s", site->folder, name);
    return fopen(path, "r");
}

static int
send_page(int fd, FILE *page, fern_time deadline)
{
    char data[4096];
    size_t n;
    int r = 0;
    while (r == 0 && (n = fread(data, 1, sizeof data, page)) > 0)
        r = fern_write_all(fd, data, n, NULL, deadline);
    return r;
}

static void *
answer(int fd, void *arg)
{
    const struct site *site = arg;
    fern_time deadline = fern_in(10 * FERN_SECOND);
    char request[2048];
    int r = read_request(fd, request, sizeof request, deadline);
    if (r < 0)
        return NULL; /* a client that went away is no failure of ours */
    fern_sleep(site->delay_ns);
    FILE *page = open_page(site, request);
    const char *head = page ? "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"
                            : "HTTP/1.0 404 Not Found\r\n\r\n";
    r = fern_write_all(fd, head, strlen(head), NULL, deadline);
    if (page) {
        if (r == 0)
            (void)send_page(fd, page, deadline);
        fclose(page);
    }
    return NULL;
}

int
main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s ADDRESS FOLDER DELAY_MS\n", argv[0]);
        return 2;
    }
    struct site site = {argv[2], atoi(argv[3]) * FERN_MS};
    fern_server *server = fern_server_new(argv[1], answer, &site, NULL);
    if (!server || fern_server_start(server) < 0) {
        fprintf(stderr, "cannot listen on %s\n", argv[1]);
        return 1;
    }
    printf("listening on %s\n", fern_server_address(server));
    fflush(stdout);
    return fern_server_run(server, FERN_FOREVER) < 0;
}
