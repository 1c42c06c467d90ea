/* SPDX-License-Identifier: MIT */
#ifndef STATE_THREADS_H
#define STATE_THREADS_H

/* The measures of State Threads that are not in state_threads.c. */

void measure_queue_pingpong(const char *argument);
void measure_queue_buffered(const char *argument);

#endif
