/* SPDX-License-Identifier: MIT */
/*
 * How fern speaks to people: one line at a time, in one write, so that lines of several threads
 * do not mix. No stdio stream is touched: the program may be inside one.
 */
#include "base/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

static void
put_line(const char *format, va_list args)
{
    char line[LINE_MAX_BYTES];
    int saved = errno;
    size_t n = (size_t)snprintf(line, sizeof line, "fern: ");
    int more = vsnprintf(line + n, sizeof line - n - 1, format, args);
    if (more > 0)
        n += (size_t)more < sizeof line - n - 1 ? (size_t)more : sizeof line - n - 2;
    line[n++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written;
    errno = saved;
}

void
fern__report(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_line(format, args);
    va_end(args);
}

void
fern__die(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_line(format, args);
    va_end(args);
    fern__report("stopped at %s:%d", file, line);
    abort();
}
