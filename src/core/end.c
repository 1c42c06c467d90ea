/* SPDX-License-Identifier: MIT */
/*
 * How a greenlet ends itself: failure, exit, and the cleanups that an exit runs.
 */
#include "core/block.h"
#include "core/hub.h"
#include "core/sched.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MESSAGE_MAX_BYTES = 4096 };

static char *
format_message(const char *format, va_list args)
{
    char *text = NULL;
    if (!format || vasprintf(&text, format, args) < 0)
        return NULL;
    if (text)
        for (int i = 0; text[i]; i++)
            if (i == MESSAGE_MAX_BYTES - 1)
                text[i + 1] = '\0';
    return text;
}

void *
fern_fail(int code, const char *format, ...)
{
    struct fern__hub *hub = fern__self_hub();
    va_list args;
    va_start(args, format);
    char *message = format_message(format, args);
    va_end(args);
    if (!hub || hub->current->flags & (FERN__ROOT | FERN__CALLER)) {
        fern__report("%s failed with code %d%s%s",
                hub && hub->current->flags & FERN__CALLER ? "a callback" : "main", code,
                message ? ": " : "", message ? message : "");
        free(message);
        return NULL;
    }
    fern_greenlet *g = hub->current;
    free(g->message);
    g->message = message;
    g->fail_code = code ? code : -1;
    fern__greenlet_mark(g, FERN__FAILED);
    g->dirty |= FERN__DIRTY_REST;
    return NULL;
}

void
fern_auto_add(fern_auto *a, void (*fn)(void *), void *arg)
{
    struct fern__hub *hub = fern__self_hub();
    fern_greenlet *g = hub ? hub->current : NULL;
    *a = (fern_auto){.fern__fn = fn, .fern__arg = arg, .fern__greenlet = g};
    if (g) {
        a->fern__next = g->autos;
        g->autos = a;
        g->dirty |= FERN__DIRTY_REST;
    }
}

void
fern_auto_run(fern_auto *a)
{
    if (!a->fern__fn)
        return;
    fern_greenlet *g = a->fern__greenlet;
    if (g && g->autos == a)
        g->autos = a->fern__next;
    void (*fn)(void *) = a->fern__fn;
    a->fern__fn = NULL;
    fn(a->fern__arg);
}

void
fern_exit(void *value)
{
    struct fern__hub *hub = fern__self_hub();
    if (gettid() != getpid() && (!hub || hub->current->flags & FERN__ROOT))
        pthread_exit(value);
    if (!hub || hub->current->flags & FERN__ROOT)
        exit(0);
    fern_greenlet *g = hub->current;
    if (g->interrupt == -EDEADLK)
        fern__die(__FILE__, __LINE__,
                "fern_exit() in a callback, or in what an end calls: these must return");
    while (g->autos)
        fern_auto_run(g->autos);
    void *stack_top = g->stack_top;
    bool odd = g->flags & FERN__ODD_STACK;
    fern__greenlet_finish(hub, g, value);
    fern__sched_leave_dead(hub, stack_top, odd);
}
