/* SPDX-License-Identifier: MIT */
/*
 * The table of fern's measures.
 */
#include "fern_bench.h"

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {
            {"yield", measure_yield},
            {"yield-callers", measure_callers},
            {"yield-100k", measure_yield_100k},
            {"pingpong", measure_pingpong},
            {"spawn", measure_spawn},
            {"spawn-batch", measure_batch},
            {"parked-100k", measure_parked_100k},
            {"parked-1m", measure_parked_1m},
            {"sleepers-1m", measure_sleepers},
            {"sleep-100us", measure_sleep_100us},
            {"sleep-1ms", measure_sleep_1ms},
            {"scope", measure_scope},
            {"cancel", measure_cancel},
            {"queue-pingpong", measure_queue_pingpong},
            {"queue-rendezvous", measure_queue_rendezvous},
            {"queue-buffered", measure_queue_buffered},
            {"queue-select", measure_queue_select},
            {"queue-skynet", measure_skynet},
            {"queue-skynet-channel", measure_skynet_channel},
            {"pool-map", measure_pool_map},
            {"queue-mutex", measure_queue_mutex},
            {"queue-event", measure_queue_event},
            {"echo", serve_echo},
            {NULL, NULL},
    };
    return bench_main(argc, argv, measures);
}
