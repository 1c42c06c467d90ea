/* SPDX-License-Identifier: MIT */
/*
 * A server that greets who connects, and counts.
 */
#include <fern.h>
#include <stdio.h>

static void *
greet(int fd, void *unused)
{
    fern_stream *stream = fern_stream_open(fd);
    if (!stream)
        return unused;
    int r = fern_stream_printf(stream, FERN_FOREVER, "Hello from a telnet!\n");
    for (int i = 0; i < 5 && r >= 0; i++)
        r = (int)fern_stream_printf(stream, FERN_FOREVER, "%d\n", i);
    (void)fern_stream_close(stream, FERN_FOREVER);
    return unused;
}

int
main(void)
{
    char line[64];
    fern_server *server = fern_server_new("127.0.0.1:0", greet, NULL, NULL);
    if (!server || fern_server_start(server) < 0)
        return 1;
    fern_stream *telnet =
            fern_stream_open(fern_dial(fern_server_address(server), FERN_FOREVER));
    while (telnet && fern_stream_read_line(telnet, line, sizeof line, FERN_FOREVER) > 0)
        puts(line);
    (void)fern_stream_close(telnet, FERN_FOREVER);
    fern_server_free(server);
    return 0;
}
