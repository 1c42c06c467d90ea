/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing what is no socket: pipes, files, devices; with and without what newer
 * kernels offer.
 */
#include "io/ends.h"

#include "base/fault.h"

#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

/* ---- pipes ---- */

TEST(a_pipe_carries_bytes_and_ends)
{
    int ends[2];
    ASSERT_OK(fern_pipe(ends, 0));
    fern_greenlet *g = fern_spawn(read_once, as_arg(ends[0]));
    let_them_wait();
    say(ends[1], "abc");
    ASSERT_EQ(value_of(g), 3);
    ASSERT_OK(fern_close(ends[1]));
    hear(ends[0], "");
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_ERR(fern_pipe(NULL, 0), -EINVAL);
    ASSERT_ERR(fern_pipe(ends, O_APPEND), -EINVAL);
}

enum { MUCH = 1 << 20 };

static void *
send_much(void *arg)
{
    unsigned char *bytes = malloc(MUCH);
    for (size_t i = 0; i < MUCH; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    ASSERT_OK(fern_write_all(as_fd(arg), bytes, MUCH, NULL, FERN_FOREVER));
    free(bytes);
    return NULL;
}

static void
pass_much(int from, int to)
{
    unsigned char buf[10000];
    fern_greenlet *g = fern_spawn(send_much, as_arg(to));
    for (size_t at = 0; at < MUCH;) {
        ssize_t n = fern_read(from, buf, sizeof buf, FERN_FOREVER);
        ASSERT_GT(n, 0);
        for (ssize_t i = 0; i < n; i++, at++)
            ASSERT_EQ(buf[i], (unsigned char)(at * 2654435761u >> 13));
    }
    ASSERT_EQ(value_of(g), 0);
}

TEST(a_pipe_of_ferns_loses_nothing)
{
    int ends[2];
    ASSERT_OK(fern_pipe(ends, 0));
    pass_much(ends[0], ends[1]);
    close_pair(ends);
}

static void
pass_much_through_a_pipe_of_others(void)
{
    int ends[2];
    ASSERT_OK(pipe2(ends, O_CLOEXEC));
    pass_much(ends[0], ends[1]);
    ASSERT_EQ(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    ASSERT_EQ(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    close_pair(ends);
}

TEST(a_pipe_of_others_loses_nothing_and_is_left_as_it_was)
{
    pass_much_through_a_pipe_of_others();
}

TEST(a_pipe_is_asked_by_poll_where_the_kernel_cannot_read_without_waiting)
{
    ASSERT_OK(fern__fault_plan("preadv2", 1, EOPNOTSUPP));
    pass_much_through_a_pipe_of_others();
    fern__fault_clear();
}

TEST(a_pipe_is_written_page_by_page_where_the_kernel_cannot_write_without_waiting)
{
    ASSERT_OK(fern__fault_plan("pwritev2", 1, EOPNOTSUPP));
    ASSERT_OK(fern__fault_plan("pwritev2", 2, EOPNOTSUPP));
    pass_much_through_a_pipe_of_others();
    fern__fault_clear();
}

TEST(pieces_go_through_a_pipe_in_order)
{
    int ends[2];
    ASSERT_OK(pipe2(ends, O_CLOEXEC));
    char a[2], b[8] = "";
    struct iovec out[] = {{"", 0}, {"abc", 3}, {"defg", 4}}, in[] = {{a, 2}, {b, 7}};
    /* An emulator or an older kernel has it written piece by piece. */
    ssize_t n = fern_writev(ends[1], out, 3, FERN_FOREVER);
    if (n == 3)
        n += fern_writev(ends[1], out + 2, 1, FERN_FOREVER);
    ASSERT_EQ(n, 7);
    ASSERT_EQ(fern_readv(ends[0], in, 2, FERN_FOREVER), 7);
    ASSERT_STR_EQ(b, "cdefg");
    ASSERT_OK(fern__fault_plan("pwritev2", 1, EOPNOTSUPP));
    ASSERT_OK(fern__fault_plan("pwritev2", 2, EOPNOTSUPP));
    ASSERT_EQ(fern_writev(ends[1], out, 3, FERN_FOREVER), 3);
    fern__fault_clear();
    hear(ends[0], "abc");
    close_pair(ends);
}

/* ---- SIGPIPE ---- */

static void
write_where_nobody_reads(int expected_calls)
{
    for (int own = 0; own < 2; own++) {
        int ends[2];
        ASSERT_OK(own ? fern_pipe(ends, 0) : pipe2(ends, O_CLOEXEC));
        ASSERT_OK(fern_close(ends[0]));
        for (int i = 0; i < expected_calls; i++)
            ASSERT_ERR(fern_write(ends[1], "abc", 3, FERN_FOREVER), -EPIPE);
        ASSERT_OK(fern_close(ends[1]));
    }
    sigset_t pending;
    ASSERT_OK(sigpending(&pending));
    ASSERT_FALSE(sigismember(&pending, SIGPIPE));
}

TEST(writing_to_a_pipe_that_nobody_reads_gives_epipe_and_no_signal)
{
    write_where_nobody_reads(2);
}

TEST(older_kernels_raise_no_sigpipe_either)
{
    ASSERT_OK(fern__fault_plan("pwritev2", 1, EOPNOTSUPP));
    write_where_nobody_reads(2);
    fern__fault_clear();
}

TEST(a_sigpipe_that_was_pending_before_stays_pending)
{
    int ends[2];
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    ASSERT_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    ASSERT_OK(raise(SIGPIPE));
    ASSERT_OK(fern__fault_plan("pwritev2", 1, EOPNOTSUPP));
    ASSERT_OK(fern_pipe(ends, 0));
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_ERR(fern_write(ends[1], "abc", 3, FERN_FOREVER), -EPIPE);
    fern__fault_clear();
    ASSERT_OK(sigpending(&pending));
    ASSERT_TRUE(sigismember(&pending, SIGPIPE));
    ASSERT_OK(fern_close(ends[1]));
}

/* ---- files ---- */

static int
scratch_file(void)
{
    char path[] = "/tmp/fern-bytes-XXXXXX";
    int fd = mkstemp(path);
    ASSERT_OK(fd);
    ASSERT_OK(unlink(path));
    return fd;
}

TEST(a_file_is_read_and_written_in_order_and_at_places)
{
    int fd = scratch_file();
    char buf[16] = "", a[2], b[3] = "";
    say(fd, "hello world");
    ASSERT_EQ(fern_pread(fd, buf, 5, 6, FERN_FOREVER), 5);
    ASSERT_STR_EQ(buf, "world");
    ASSERT_EQ(fern_pwrite(fd, "W", 1, 6, FERN_FOREVER), 1);
    ASSERT_EQ(lseek(fd, 0, SEEK_SET), 0);
    hear(fd, "hello World");
    hear(fd, "");
    struct iovec out[] = {{"12", 2}, {"34", 2}}, in[] = {{a, 2}, {b, 2}};
    ASSERT_EQ(fern_pwritev(fd, out, 2, 11, FERN_FOREVER), 4);
    ASSERT_EQ(fern_preadv(fd, in, 2, 11, FERN_FOREVER), 4);
    ASSERT_STR_EQ(b, "34");
    ASSERT_EQ(fern_pread(fd, buf, 5, 100, FERN_FOREVER), 0);
    ASSERT_OK(fern_close(fd));
}

TEST(places_are_checked_and_a_pipe_has_none)
{
    int ends[2], fd = scratch_file();
    char c = 0;
    ASSERT_OK(fern_pipe(ends, 0));
    ASSERT_ERR(fern_pread(ends[0], &c, 1, 0, FERN_FOREVER), -ESPIPE);
    ASSERT_ERR(fern_pwrite(ends[1], &c, 1, 0, FERN_FOREVER), -ESPIPE);
    ASSERT_ERR(fern_pread(fd, &c, 1, -1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pwrite(fd, NULL, 1, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pread(fd, NULL, 1, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_preadv(fd, NULL, 1, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pwritev(fd, NULL, -1, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pread(-1, &c, 1, 0, FERN_FOREVER), -EBADF);
    close_pair(ends);
    ASSERT_OK(fern_close(fd));
}

static void *
write_when_killed(void *arg)
{
    int r = fern_sleep(FERN_SECOND);
    ssize_t n = fern_pwrite(as_fd(arg), "x", 1, 0, FERN_FOREVER);
    return (void *)(intptr_t)(r == -ECANCELED && n == -ECANCELED);
}

TEST(a_killed_greenlet_writes_nothing_more)
{
    int fd = scratch_file();
    fern_greenlet *g = fern_spawn(write_when_killed, as_arg(fd));
    let_them_wait();
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(value_of(g), 1);
    struct stat st;
    ASSERT_OK(fstat(fd, &st));
    ASSERT_EQ(st.st_size, 0);
    ASSERT_OK(fern_close(fd));
}

/* ---- other things ---- */

TEST(devices_that_are_always_ready_are_used_plainly)
{
    char buf[8] = "xxxxxxx";
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), zero = open("/dev/zero", O_RDONLY);
    ASSERT_EQ(fern_read(null, buf, 8, FERN_FOREVER), 0);
    say(null, "gone");
    ASSERT_EQ(fern_read(zero, buf, 8, FERN_FOREVER), 8);
    ASSERT_MEM_EQ(buf, "\0\0\0\0\0\0\0", 8);
    ASSERT_OK(fern_close(null));
    ASSERT_OK(fern_close(zero));
}

TEST(a_directory_gives_eisdir)
{
    char c;
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_ERR(fern_read(fd, &c, 1, FERN_FOREVER), -EISDIR);
    ASSERT_OK(fern_close(fd));
}

static void *
read_counter(void *arg)
{
    uint64_t value;
    ASSERT_EQ(fern_read(as_fd(arg), &value, sizeof value, FERN_FOREVER), sizeof value);
    return (void *)(intptr_t)value;
}

TEST(a_counter_of_the_kernel_is_waited_for)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    ASSERT_OK(fd);
    for (uint64_t i = 5; i < 10; i++) {
        fern_greenlet *g = fern_spawn(read_counter, as_arg(fd));
        let_them_wait();
        ASSERT_EQ(fern_write(fd, &i, sizeof i, FERN_FOREVER), sizeof i);
        ASSERT_EQ(value_of(g), i);
    }
    ASSERT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ASSERT_OK(fern_close(fd));
}

TEST(a_named_pipe_is_waited_for)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/fern-fifo-%d", (int)getpid());
    ASSERT_OK(mkfifo(path, 0600));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ASSERT_OK(unlink(path));
    ASSERT_OK(fd);
    fern_greenlet *g = fern_spawn(read_once, as_arg(fd));
    let_them_wait();
    say(fd, "abc");
    ASSERT_EQ(value_of(g), 3);
    ASSERT_OK(fern_close(fd));
}

/* ---- interruptions ---- */

TEST(a_call_that_a_signal_interrupts_is_made_again)
{
    int ends[2];
    unix_pair(ends);
    ASSERT_OK(fern__fault_plan("sendto", 1, EINTR));
    ASSERT_OK(fern__fault_plan("recvfrom", 1, EINTR));
    say(ends[0], "abc");
    hear(ends[1], "abc");
    fern__fault_clear();
    close_pair(ends);
}
