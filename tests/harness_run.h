/* SPDX-License-Identifier: MIT */
#ifndef FERN_TESTS_HARNESS_RUN_H
#define FERN_TESTS_HARNESS_RUN_H

/*
 * What harness.c asks of a runner: harness_check.c (the Check library) or harness_fork.c
 * (nothing but libc, for a target that has no Check). The build links one of them.
 */

#include "harness.h"

enum { HARNESS_TEXT = 1024 };

/**
 * Run one test by calling harness_body in a process of its own.
 *
 * @param  test     its time limit is test->seconds times CK_TIMEOUT_MULTIPLIER
 * @param  ret_why  receives how the process ended when it did not pass; HARNESS_TEXT bytes
 * @return true when the process ended by itself with status 0
 */
bool harness_run_one(const struct harness_test *test, char *ret_why);

/**
 * The running test and its leak check; returns only when both are good.
 */
void harness_body(void);

#endif
