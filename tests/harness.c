/* SPDX-License-Identifier: MIT */
/*
 * Runs the tests of one program and prints the results as TAP.
 *
 * Constructors made by TEST fill the list before main, in the order of the file. Every test
 * runs in a child process made by the runner (harness_check.c or harness_fork.c). What the
 * child has to say (a failed assertion, a reason to skip) goes through one shared page rather
 * than through the runner: an assertion may fail on a greenlet's stack or on another thread,
 * where only writing to memory and ending the process are sure to work.
 *
 * Called by: main of every test program.
 */

#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness_run.h"

enum verdict { VERDICT_NONE, VERDICT_FAILED, VERDICT_SKIPPED };

/* Shared between the parent and the running test; the test writes, the parent reads later. */
struct page {
    enum verdict verdict;
    uint64_t seed; /* of a test of many; 0: it is of one */
    char text[HARNESS_TEXT];
};

static struct harness_test *first_test;
static struct harness_test **last_link = &first_test;
static struct page *page;
static FILE *results;

static const struct harness_test *current;

void
harness_add(struct harness_test *test)
{
    *last_link = test;
    last_link = &test->next;
}

static bool
is_forking(void)
{
    const char *fork_mode = getenv("CK_FORK");
    return !fork_mode || strcmp(fork_mode, "no") != 0;
}

__attribute__((noreturn, format(printf, 3, 0))) static void
end_test(enum verdict verdict, int status, const char *format, va_list args)
{
    vsnprintf(page->text, sizeof page->text, format, args);
    page->verdict = verdict;
    fflush(NULL);
    if (!is_forking()) {
        fprintf(stderr, "%s: %s\n", current->name, page->text);
        abort();
    }
    _exit(status);
}

__attribute__((noreturn, format(printf, 1, 2))) static void
end_failed(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    end_test(VERDICT_FAILED, 1, format, args);
}

void
harness_fail(const char *file, int line, const char *format, ...)
{
    char text[HARNESS_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    /* The compiler was started in the build directory; show the path from the root. */
    while (strncmp(file, "../", 3) == 0)
        file += 3;
    end_failed("%s:%d: %s", file, line, text);
}

void
harness_skip(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    end_test(VERDICT_SKIPPED, 0, format, args);
}

/* xorshift64: Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8(14), 2003. */
static uint64_t random_state = 1;

uint64_t
harness_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

uint32_t
harness_draw(uint32_t below)
{
    return (uint32_t)(harness_random() >> 32) % below;
}

void
harness_each_seed(uint64_t count, void (*run)(void))
{
    const char *only = getenv("FERN_TEST_SEED");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + (only ? 1 : count); seed++) {
        page->seed = seed;
        random_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
        run();
    }
    page->seed = 0;
}

bool
harness_runs_under(const char *tool)
{
    const char *under = getenv("FERN_TEST_UNDER");
    return under && strstr(under, tool);
}

int
harness_other_threads(void)
{
    int threads = 0;
    DIR *dir = opendir("/proc/self/task");
    if (!dir)
        FAIL("/proc/self/task: %s", strerror(errno));
    for (struct dirent *entry; (entry = readdir(dir));)
        threads += entry->d_name[0] != '.';
    closedir(dir);
    return threads - 1;
}

bool
harness_time_is_virtual(void)
{
    const char *poller = getenv("FERN_POLLER");
    return poller && strcmp(poller, "sim") == 0;
}

bool
harness_is_slow(void)
{
    const char *under = getenv("FERN_TEST_UNDER");
    return under && *under;
}

void
harness_ok(const char *file, int line, const char *expr, long long value)
{
    if (value < 0)
        harness_fail(
                file, line, "%s failed: %lld (%s)", expr, value, strerror((int)-value));
}

void
harness_err(const char *file, int line, const char *expr, long long value, long long wanted)
{
    if (value != wanted)
        harness_fail(file, line, "%s gave %lld (%s), not %lld (%s)", expr, value,
                value < 0 ? strerror((int)-value) : "no error", wanted,
                strerror((int)-wanted));
}

void
harness_str_eq(const char *file, int line, const char *expr, const char *a, const char *b)
{
    if (!a || !b || strcmp(a, b) != 0)
        harness_fail(file, line, "%s: \"%s\" against \"%s\"", expr, a ? a : "(null)",
                b ? b : "(null)");
}

void
harness_str_has(
        const char *file, int line, const char *expr, const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        harness_fail(file, line, "%s: \"%s\" is not in \"%s\"", expr, part,
                text ? text : "(null)");
}

void
harness_mem_eq(const char *file, int line, const char *expr, const void *a, const void *b,
        size_t size)
{
    const unsigned char *left = a;
    const unsigned char *right = b;
    for (size_t i = 0; i < size; i++)
        if (left[i] != right[i])
            harness_fail(file, line, "%s: byte %zu is 0x%02x against 0x%02x", expr, i,
                    left[i], right[i]);
}

/* Reads until the other end closes; keeps what fits and throws the rest away. */
static void
drain(int fd, char *ret_text, size_t size)
{
    size_t length = 0;
    /* Ends when the child and all it started have closed the pipe. */
    for (;;) {
        char scrap[4096];
        ssize_t n = read(fd, scrap, sizeof scrap);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        size_t room = size - 1 - length;
        size_t taken = (size_t)n < room ? (size_t)n : room;
        memcpy(ret_text + length, scrap, taken);
        length += taken;
    }
    ret_text[length] = 0;
}

int
harness_child(void (*body)(void *arg), void *arg, char *ret_err, size_t size)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        FAIL("pipe2: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        FAIL("fork: %s", strerror(errno));
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        body(arg);
        exit(0);
    }
    close(ends[1]);
    drain(ends[0], ret_err, size);
    close(ends[0]);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            FAIL("waitpid: %s", strerror(errno));
    return status;
}

void
harness_body(void)
{
    current->run();
    const char *leaks = fern__test_leaks ? fern__test_leaks() : NULL;
    if (leaks)
        harness_fail(current->file, 0, "left behind: %s", leaks);
}

/* One result; each further line of the message becomes a comment of its own. */
static void
print_result(int number, const char *name, bool passed, char *text)
{
    char *rest = text;
    char *line = strsep(&rest, "\n");
    if (passed && page->verdict == VERDICT_SKIPPED)
        fprintf(results, "ok %d - %s # SKIP %s\n", number, name, line);
    else if (passed)
        fprintf(results, "ok %d - %s\n", number, name);
    else
        fprintf(results, "not ok %d - %s\n# %s\n", number, name, line);
    while (!passed && (line = strsep(&rest, "\n")))
        fprintf(results, "# %s\n", line);
    if (!passed && page->seed)
        fprintf(results, "# again: FERN_TEST_SEED=%llu, %s\n",
                (unsigned long long)page->seed, name);
    fflush(results);
}

static bool
run_test(struct harness_test *test, int number)
{
    char why[HARNESS_TEXT] = "";
    memset(page, 0, sizeof *page);
    current = test;
    bool passed = harness_run_one(test, why);
    if (page->verdict == VERDICT_FAILED)
        passed = false;
    print_result(number, test->name, passed, page->verdict ? page->text : why);
    return passed;
}

static bool
is_wanted(const char *name, char **words)
{
    if (!*words)
        return true;
    for (; *words; words++)
        if (strstr(name, *words))
            return true;
    return false;
}

static void
list_tests(void)
{
    for (struct harness_test *test = first_test; test; test = test->next)
        puts(test->name);
}

/* From here on descriptor 1 is stderr; only `results` still reaches the real stdout. */
static void
open_results(void)
{
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 200);
    results = fd < 0 ? NULL : fdopen(fd, "w");
    page = mmap(
            NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!results || page == MAP_FAILED || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        perror("harness");
        exit(2);
    }
}

int
main(int argc, char **argv)
{
    (void)argc;
    if (argv[1] && strcmp(argv[1], "--list") == 0) {
        list_tests();
        return 0;
    }
    open_results();
    int count = 0;
    for (struct harness_test *test = first_test; test; test = test->next)
        count += is_wanted(test->name, argv + 1);
    fprintf(results, "1..%d\n", count);
    fflush(results);
    int number = 0;
    int failed = 0;
    for (struct harness_test *test = first_test; test; test = test->next)
        if (is_wanted(test->name, argv + 1))
            failed += !run_test(test, ++number);
    fprintf(results, "# %d passed, %d failed\n", count - failed, failed);
    fclose(results);
    return failed != 0 || count == 0;
}
