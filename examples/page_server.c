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

struct site {
    const char *folder;
    int64_t delay_ns;
};

/* Read a request: its first line is kept, the others up to the empty one are not looked at. */
static int
read_request(fern_stream *stream, char *first, size_t bytes, fern_time deadline)
{
    char header[1024];
    ssize_t n = fern_stream_read_line(stream, first, bytes, deadline);
    while (n >= 0) {
        n = fern_stream_read_line(stream, header, sizeof header, deadline);
        if (n == 0)
            return 0;
    }
    return (int)n;
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
send_page(fern_stream *stream, FILE *page, fern_time deadline)
{
    const char *head = page ? "200 OK\r\nContent-Type: text/plain" : "404 Not Found";
    int r = fern_stream_printf(stream, deadline, "HTTP/1.0 %s\r\n\r\n", head);
    char data[2048];
    size_t n;
    while (r == 0 && page && (n = fread(data, 1, sizeof data, page)) > 0)
        r = fern_stream_write(stream, data, n, NULL, deadline);
    return r;
}

static void *
answer(int fd, void *arg)
{
    const struct site *site = arg;
    fern_time deadline = fern_in(10 * FERN_SECOND);
    char request[1024];
    fern_stream *stream = fern_stream_open(fd);
    if (!stream)
        return fern_fail(-ENOMEM, "no memory for a stream");
    if (read_request(stream, request, sizeof request, deadline) == 0) {
        fern_sleep(site->delay_ns);
        FILE *page = open_page(site, request);
        if (send_page(stream, page, deadline) < 0)
            fprintf(stderr, "a client went away\n");
        if (page)
            fclose(page);
    }
    fern_stream_close(stream, deadline);
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
