/* SPDX-License-Identifier: MIT */
/*
 * The runner on the Check library: it forks each test, watches its time limit and says how the
 * process ended. One case a test, so that each has its own limit.
 *
 * Called by: harness.c.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness_run.h"

START_TEST(call_body)
{
    harness_body();
}
END_TEST

bool
harness_run_one(const struct harness_test *test, char *ret_why)
{
    Suite *suite = suite_create(test->file);
    TCase *one = tcase_create(test->name);
    tcase_set_timeout(one, test->seconds ? test->seconds : HARNESS_SECONDS);
    tcase_add_test(one, call_body);
    suite_add_tcase(suite, one);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_SILENT);
    TestResult **failures = srunner_failures(runner);
    bool passed = srunner_ntests_run(runner) == 1 && srunner_ntests_failed(runner) == 0;
    if (!passed)
        snprintf(ret_why, HARNESS_TEXT, "%s: %s", test->file,
                failures ? tr_msg(failures[0]) : "Check did not run it");
    free(failures);
    srunner_free(runner);
    return passed;
}
