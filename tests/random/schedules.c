/* SPDX-License-Identifier: MIT */
/*
 * Runs random schedules, many in a process, and says which seed contradicts the model.
 *
 *     random_schedules --count 1000000            a million, from seed 1 on
 *     random_schedules --seed 4711 --count 1 --trace
 *     random_schedules --io ...                   with sockets in them
 *     random_schedules --leave ...                on threads that end in the middle
 *     random_schedules --real ...                 in real time, on the poller of FERN_POLLER;
 *                                                 such a run cannot be repeated exactly
 *
 * The schedules run in a child process, so that one that crashes or hangs is told by its seed
 * too. The exit status is 0 when all schedules held.
 */
#include "schedule.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { HANG_SECONDS = 15 };

struct plan {
    uint64_t seed;
    uint64_t count;
    bool io;
    bool leave;
    bool real;
    bool trace;
};

/* Where the child is; shared with the parent. */
static _Atomic uint64_t *at;

static void
say_and_exit(const char *text)
{
    printf("FAILED: %s\n", text);
    fflush(stdout);
    _exit(1);
}

static void
run_all(const struct plan *plan)
{
    world_failed = say_and_exit;
    for (uint64_t i = 0; i < plan->count; i++) {
        atomic_store(at, plan->seed + i);
        if (plan->leave)
            world_run_and_leave(plan->seed + i, plan->io, plan->trace);
        else
            world_run(plan->seed + i, plan->io, plan->trace);
    }
    _exit(0);
}

/* Whether the child has ended; waits a moment. */
static bool
has_ended(pid_t pid, int *ret_status)
{
    struct timespec moment = {0, 5000000};
    if (waitpid(pid, ret_status, WNOHANG) == pid)
        return true;
    nanosleep(&moment, NULL);
    return false;
}

/* Wait for the child as long as it gets on. @return its status, or -1 if it hung */
static int
watch(pid_t pid)
{
    int status;
    time_t since = time(NULL);
    uint64_t seen = 0;
    while (!has_ended(pid, &status)) {
        uint64_t now_at = atomic_load(at);
        if (now_at != seen) {
            seen = now_at;
            since = time(NULL);
        } else if (time(NULL) - since > HANG_SECONDS) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return -1;
        }
    }
    return status;
}

static bool
read_arguments(int argc, char **argv, struct plan *ret_plan)
{
    *ret_plan = (struct plan){.seed = 1, .count = 1000000};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && argv[i + 1])
            ret_plan->seed = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--count") == 0 && argv[i + 1])
            ret_plan->count = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--io") == 0)
            ret_plan->io = true;
        else if (strcmp(argv[i], "--leave") == 0)
            ret_plan->leave = true;
        else if (strcmp(argv[i], "--real") == 0)
            ret_plan->real = true;
        else if (strcmp(argv[i], "--trace") == 0)
            ret_plan->trace = true;
        else
            return false;
    }
    return true;
}

int
main(int argc, char **argv)
{
    struct plan plan;
    if (!read_arguments(argc, argv, &plan)) {
        fprintf(stderr,
                "usage: %s [--seed N] [--count N] [--io] [--leave] [--real] [--trace]\n",
                argv[0]);
        return 2;
    }
    if (!plan.real) {
        setenv("FERN_POLLER", "sim", 1);
        fern__clock_virtual_start(); /* nobody has looked at the clock yet */
    }
    at = mmap(NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return 2;
    pid_t pid = fork();
    if (pid == 0)
        run_all(&plan);
    int status = watch(pid);
    unsigned long long seed = atomic_load(at);
    if (status == 0) {
        printf("%llu schedules held, from seed %llu on\n", (unsigned long long)plan.count,
                (unsigned long long)plan.seed);
        return 0;
    }
    if (status == -1)
        printf("FAILED: seed %llu hangs\n", seed);
    else if (WIFSIGNALED(status))
        printf("FAILED: seed %llu ends by signal %d\n", seed, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 1)
        printf("FAILED: seed %llu ends with status %d\n", seed, WEXITSTATUS(status));
    printf("again: %s --seed %llu --count 1%s%s --trace\n", argv[0], seed,
            plan.io ? " --io" : "",
            plan.leave  ? " --leave"
            : plan.real ? " --real"
                        : "");
    return 1;
}
