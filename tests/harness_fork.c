/* SPDX-License-Identifier: MIT */
/*
 * The runner that needs nothing but libc: for a target for which Check is not at hand. It heeds
 * the same variables as Check (CK_FORK, CK_TIMEOUT_MULTIPLIER).
 *
 * Called by: harness.c.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness_run.h"

static int
limit_of(const struct harness_test *test)
{
    const char *text = getenv("CK_TIMEOUT_MULTIPLIER");
    int factor = text ? atoi(text) : 1;
    return (test->seconds ? test->seconds : HARNESS_SECONDS) * (factor > 0 ? factor : 1);
}

static long long
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* SIGCHLD is blocked and so stays pending: the child's end cannot be missed. */
static bool
wait_until(pid_t pid, long long end_ms, const sigset_t *child_ended, int *ret_status)
{
    /* Ends when the child has ended or the limit has passed. */
    for (;;) {
        if (waitpid(pid, ret_status, WNOHANG) == pid)
            return true;
        long long left = end_ms - now_ms();
        if (left <= 0)
            return false;
        struct timespec slice = {left / 1000, left % 1000 * 1000000};
        sigtimedwait(child_ended, NULL, &slice);
    }
}

static bool
describe(int status, const char *file, char *ret_why)
{
    if (WIFSIGNALED(status))
        snprintf(ret_why, HARNESS_TEXT, "%s: ended by signal %d (%s)", file,
                WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
        snprintf(ret_why, HARNESS_TEXT, "%s: ended with status %d", file,
                WEXITSTATUS(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static pid_t
start(const sigset_t *before)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        sigprocmask(SIG_SETMASK, before, NULL);
        harness_body();
        exit(0);
    }
    return pid;
}

bool
harness_run_one(const struct harness_test *test, char *ret_why)
{
    const char *fork_mode = getenv("CK_FORK");
    if (fork_mode && strcmp(fork_mode, "no") == 0) {
        harness_body();
        return true;
    }
    sigset_t child_ended, before;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ended, &before);
    pid_t pid = start(&before);
    bool passed = false;
    int status = 0;
    int seconds = limit_of(test);
    if (pid < 0) {
        snprintf(ret_why, HARNESS_TEXT, "%s: fork: %s", test->file, strerror(errno));
    } else if (wait_until(pid, now_ms() + seconds * 1000LL, &child_ended, &status)) {
        passed = describe(status, test->file, ret_why);
    } else {
        snprintf(
                ret_why, HARNESS_TEXT, "%s: still running after %d s", test->file, seconds);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    /* What the test started and left running goes with it. */
    if (pid > 0)
        kill(-pid, SIGKILL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return passed;
}
