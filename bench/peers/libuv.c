/* SPDX-License-Identifier: MIT */
/*
 * libuv: an event loop with callbacks, so it has nothing to switch between. Its echo server and
 * its timers are compared.
 */
#include "../bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define SLEEPERS 1000000
#define SLEEPS   300

static uv_loop_t *loop;

static void
check(const char *what, int result)
{
    if (result < 0)
        bench_die(what, -result);
}

static void
timer_ended(uv_timer_t *timer)
{
    (void)timer;
}

static void
sleep_all(const char *measure, uv_timer_t *timers)
{
    uint64_t state = 42;
    int64_t start = bench_cpu_ns();
    for (size_t i = 0; i < SLEEPERS; i++) {
        check("uv_timer_init", uv_timer_init(loop, &timers[i]));
        uv_timer_start(&timers[i], timer_ended, bench_random(&state) % 1000, 0);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < SLEEPERS; i++)
        uv_close((uv_handle_t *)&timers[i], NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    bench_print(measure, (double)(bench_cpu_ns() - start) / 1e9, "s");
}

static void
measure_sleepers(const char *argument)
{
    (void)argument;
    uv_timer_t *timers = malloc(SLEEPERS * sizeof(*timers));
    if (!timers)
        bench_die("malloc", 0);
    sleep_all("sleepers-1m", timers);
    sleep_all("sleepers-1m-warm", timers);
}

static void
measure_1ms(const char *argument)
{
    (void)argument;
    static double late_us[SLEEPS];
    uv_timer_t timer;
    check("uv_timer_init", uv_timer_init(loop, &timer));
    for (size_t i = 0; i < SLEEPS; i++) {
        uv_update_time(loop);
        int64_t start = bench_now_ns();
        uv_timer_start(&timer, timer_ended, 1, 0);
        uv_run(loop, UV_RUN_DEFAULT);
        late_us[i] = (double)(bench_now_ns() - start - BENCH_MS) / 1e3;
    }
    bench_print("sleep-1ms", bench_median(late_us, SLEEPS), "us");
}

static void
lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char bytes[4096];
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(bytes, sizeof(bytes));
}

static void
closed(uv_handle_t *handle)
{
    free(handle);
}

static void
received(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    if (count == 0)
        return;
    uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)count);
    /* A message of 64 bytes always finds room: the client sends no second one before. */
    if (count < 0 || uv_try_write(stream, &answer, 1) != count)
        uv_close((uv_handle_t *)stream, closed);
}

static void
accept_one(uv_stream_t *listener, int status)
{
    check("listen", status);
    uv_handle_t *handle = malloc(uv_handle_size(listener->type));
    if (!handle)
        bench_die("malloc", 0);
    if (listener->type == UV_TCP)
        check("uv_tcp_init", uv_tcp_init(loop, (uv_tcp_t *)handle));
    else
        check("uv_pipe_init", uv_pipe_init(loop, (uv_pipe_t *)handle, 0));
    check("uv_accept", uv_accept(listener, (uv_stream_t *)handle));
    check("uv_read_start", uv_read_start((uv_stream_t *)handle, lend_buffer, received));
}

static void
serve(const char *path)
{
    static union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } listener;
    int fd = bench_listen(path);
    if (path) {
        check("uv_pipe_init", uv_pipe_init(loop, &listener.pipe, 0));
        check("uv_pipe_open", uv_pipe_open(&listener.pipe, fd));
    } else {
        check("uv_tcp_init", uv_tcp_init(loop, &listener.tcp));
        check("uv_tcp_open", uv_tcp_open(&listener.tcp, fd));
    }
    check("uv_listen", uv_listen(&listener.stream, 4096, accept_one));
    bench_listen_ready(fd);
    uv_run(loop, UV_RUN_DEFAULT);
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {
            {"sleepers-1m", measure_sleepers},
            {"sleep-1ms", measure_1ms},
            {"echo", serve},
            {NULL, NULL},
    };
    loop = uv_default_loop();
    return bench_main(argc, argv, measures);
}
