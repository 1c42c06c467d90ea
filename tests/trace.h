/* SPDX-License-Identifier: MIT */
#ifndef FERN_TESTS_TRACE_H
#define FERN_TESTS_TRACE_H

/*
 * What happened, in order, as one line of words: the tests of order compare it with what must
 * have happened.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <fern.h>

static char trace_text[4096];

/* Append a word. */
__attribute__((unused, format(printf, 1, 2))) static void
trace(const char *format, ...)
{
    size_t n = strlen(trace_text);
    if (n && n + 1 < sizeof trace_text)
        trace_text[n++] = ' ';
    va_list args;
    va_start(args, format);
    vsnprintf(trace_text + n, sizeof trace_text - n, format, args);
    va_end(args);
}

/* A greenlet that adds its argument, a word, to the trace. */
__attribute__((unused)) static void *
say(void *word)
{
    trace("%s", (const char *)word);
    return word;
}

/* A moment that passes soon, also for one that never lets virtual time move. */
__attribute__((unused)) static fern_time
soon(int64_t ns)
{
    return fern_in(strcmp(fern_hub_poller(), "sim") == 0 ? 0 : ns);
}

/* Join, which must succeed, and give the reference back. */
#define FINISH(g)                                                                          \
    do {                                                                                   \
        fern_greenlet *finished = (g);                                                     \
        ASSERT_OK(fern_join(finished, FERN_FOREVER));                                      \
        fern_greenlet_unref(finished);                                                     \
    } while (0)

#endif
