/* SPDX-License-Identifier: MIT */
/*
 * fern: green threads for C.
 *
 * Code is written straight down, as if every call blocked; thousands or millions of greenlets
 * share one OS thread, and a call that would block parks its greenlet instead of the thread.
 * There is nothing to initialise, and main() is itself a greenlet.
 *
 *     static void *hello(void *who)
 *     {
 *         fern_sleep(10 * FERN_MS);
 *         return who;
 *     }
 *     fern_greenlet *g = fern_spawn(hello, "world");
 *     fern_join(g, FERN_FOREVER);
 *
 * Read in this order: time.h, greenlet.h, scope.h, with.h, local.h, event.h, lock.h,
 * semaphore.h, barrier.h, queue.h, wait.h, future.h, pool.h, dag.h, stock.h,
 * iterator.h, generator.h, actor.h, io.h, socket.h, stream.h, server.h, loop.h, debug.h.
 */
#ifndef FERN_H
#define FERN_H

#include <fern/actor.h>
#include <fern/barrier.h>
#include <fern/dag.h>
#include <fern/debug.h>
#include <fern/event.h>
#include <fern/future.h>
#include <fern/generator.h>
#include <fern/greenlet.h>
#include <fern/io.h>
#include <fern/iterator.h>
#include <fern/local.h>
#include <fern/lock.h>
#include <fern/loop.h>
#include <fern/pool.h>
#include <fern/queue.h>
#include <fern/scope.h>
#include <fern/semaphore.h>
#include <fern/server.h>
#include <fern/socket.h>
#include <fern/stock.h>
#include <fern/stream.h>
#include <fern/time.h>
#include <fern/wait.h>
#include <fern/with.h>

#endif
