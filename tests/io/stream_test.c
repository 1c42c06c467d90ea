/* SPDX-License-Identifier: MIT */
/* Buffered streams: what a call takes, what it leaves, whose turn it is. */
#include "io/ends.h"

#include <pthread.h>
#include <stdio.h>

/* A stream over one end of a pair; the other end is raw. */
static fern_stream *
stream_over_pair(int *ret_other)
{
    int ends[2];
    unix_pair(ends);
    fern_stream *s = fern_stream_open(ends[0]);
    ASSERT_NOT_NULL(s);
    ASSERT_EQ(fern_stream_fd(s), ends[0]);
    *ret_other = ends[1];
    return s;
}

static void
end_both(fern_stream *s, int other)
{
    ASSERT_OK(fern_stream_close(s, FERN_FOREVER));
    ASSERT_OK(fern_close(other));
}

static void
expect_line(fern_stream *s, const char *wanted)
{
    char line[64] = "?";
    ASSERT_EQ(fern_stream_read_line(s, line, sizeof line, FERN_FOREVER), strlen(wanted));
    ASSERT_STR_EQ(line, wanted);
}

/* ---- lines ---- */

TEST(lines_come_without_their_endings)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    say(other, "one\ntwo\r\n\nfour\rx\nlast");
    ASSERT_OK(fern_shutdown(other, SHUT_WR));
    expect_line(s, "one");
    expect_line(s, "two");
    expect_line(s, "");
    expect_line(s, "four\rx");
    ASSERT_FALSE(fern_stream_ended(s));
    expect_line(s, "last");
    ASSERT_TRUE(fern_stream_ended(s));
    char line[8];
    ASSERT_ERR(fern_stream_read_line(s, line, sizeof line, FERN_FOREVER), -ENODATA);
    end_both(s, other);
}

TEST(a_line_in_pieces_is_waited_for)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    char line[64];
    say(other, "hel");
    ASSERT_ERR(fern_stream_read_line(s, line, sizeof line, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_stream_buffered(s), 3);
    ASSERT_ERR(fern_stream_read_line(s, line, sizeof line, FERN_NOWAIT), -EAGAIN);
    say(other, "lo\nx");
    expect_line(s, "hello");
    ASSERT_EQ(fern_stream_buffered(s), 1);
    end_both(s, other);
}

TEST(a_line_that_is_too_long_stays_to_be_read)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    char line[6];
    say(other, "12345\r\n123456\n");
    ASSERT_EQ(fern_stream_read_line(s, line, sizeof line, FERN_FOREVER), 5);
    ASSERT_ERR(fern_stream_read_line(s, line, sizeof line, FERN_FOREVER), -EMSGSIZE);
    ASSERT_ERR(fern_stream_read_line(s, line, sizeof line, FERN_FOREVER), -EMSGSIZE);
    expect_line(s, "123456");
    end_both(s, other);
}

static void *
say_many_lines(void *arg)
{
    char line[32];
    for (int i = 0; i < 3000; i++) {
        int n = snprintf(line, sizeof line, "line %d\n", i);
        ASSERT_OK(fern_write_all(as_fd(arg), line, (size_t)n, NULL, FERN_FOREVER));
    }
    ASSERT_OK(fern_shutdown(as_fd(arg), SHUT_WR));
    return NULL;
}

TEST(many_lines_arrive_in_order)
{
    int other, count = 0;
    fern_stream *s = stream_over_pair(&other);
    fern_greenlet *g = fern_spawn(say_many_lines, as_arg(other));
    char line[32], wanted[32];
    while (fern_stream_read_line(s, line, sizeof line, FERN_FOREVER) >= 0) {
        snprintf(wanted, sizeof wanted, "line %d", count++);
        ASSERT_STR_EQ(line, wanted);
    }
    ASSERT_EQ(count, 3000);
    ASSERT_EQ(value_of(g), 0);
    end_both(s, other);
}

/* ---- marks ---- */

TEST(reading_until_a_mark_gives_the_mark_too)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    char buf[32];
    say(other, "head: 1\r\n\r");
    ASSERT_ERR(fern_stream_read_until(s, "\r\n\r\n", buf, 32, fern_in(FERN_MS)), -ETIME);
    say(other, "\nbody");
    ASSERT_EQ(fern_stream_read_until(s, "\r\n\r\n", buf, 11, FERN_FOREVER), 11);
    ASSERT_MEM_EQ(buf, "head: 1\r\n\r\n", 11);
    ASSERT_ERR(fern_stream_read_until(s, "\n", buf, 4, FERN_FOREVER), -EMSGSIZE);
    ASSERT_OK(fern_shutdown(other, SHUT_WR));
    ASSERT_ERR(fern_stream_read_until(s, "\n", buf, 32, FERN_FOREVER), -ENODATA);
    ASSERT_EQ(fern_stream_read(s, buf, 32, FERN_FOREVER), 4);
    ASSERT_EQ(fern_stream_read(s, buf, 32, FERN_FOREVER), 0);
    end_both(s, other);
}

/* ---- exactly ---- */

TEST(reading_exactly_waits_for_all_and_takes_nothing_before)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    char buf[16] = "";
    say(other, "abc");
    ASSERT_ERR(fern_stream_read_exactly(s, buf, 5, fern_in(FERN_MS)), -ETIME);
    ASSERT_STR_EQ(buf, "");
    say(other, "defg");
    ASSERT_OK(fern_stream_read_exactly(s, buf, 5, FERN_FOREVER));
    ASSERT_STR_EQ(buf, "abcde");
    ASSERT_OK(fern_stream_read_exactly(s, NULL, 0, FERN_FOREVER));
    ASSERT_OK(fern_shutdown(other, SHUT_WR));
    ASSERT_ERR(fern_stream_read_exactly(s, buf, 5, FERN_FOREVER), -ENODATA);
    ASSERT_OK(fern_stream_read_exactly(s, buf, 2, FERN_FOREVER));
    ASSERT_MEM_EQ(buf, "fg", 2);
    ASSERT_TRUE(fern_stream_ended(s));
    end_both(s, other);
}

enum { BLOCK = 300000 };

static void *
send_block(void *arg)
{
    char *block = malloc(BLOCK);
    for (int i = 0; i < BLOCK; i++)
        block[i] = (char)(i * 7);
    ASSERT_OK(fern_write_all(as_fd(arg), block, BLOCK, NULL, FERN_FOREVER));
    free(block);
    return NULL;
}

TEST(a_block_larger_than_any_buffer_is_read_exactly)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    fern_greenlet *g = fern_spawn(send_block, as_arg(other));
    char *block = malloc(BLOCK);
    ASSERT_OK(fern_stream_read_exactly(s, block, 1, FERN_FOREVER));
    ASSERT_OK(fern_stream_read_exactly(s, block + 1, BLOCK - 1, FERN_FOREVER));
    for (int i = 0; i < BLOCK; i++)
        ASSERT_EQ(block[i], (char)(i * 7));
    free(block);
    ASSERT_EQ(value_of(g), 0);
    end_both(s, other);
}

/* ---- writing ---- */

TEST(a_write_goes_out_at_once_unless_the_stream_is_corked)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    ASSERT_OK(fern_stream_write(s, "now", 3, NULL, FERN_FOREVER));
    hear(other, "now");
    ASSERT_OK(fern_stream_cork(s));
    ASSERT_ERR(fern_stream_cork(s), -EALREADY);
    ASSERT_OK(fern_stream_write(s, "later", 5, NULL, FERN_FOREVER));
    ASSERT_OK(fern_stream_printf(s, FERN_FOREVER, " and %d", 42));
    char c;
    ASSERT_ERR(fern_read(other, &c, 1, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(fern_stream_held(s), 12);
    ASSERT_OK(fern_stream_flush(s, FERN_FOREVER));
    hear(other, "later and 42");
    ASSERT_OK(fern_stream_write(s, "x", 1, NULL, FERN_FOREVER));
    ASSERT_OK(fern_stream_uncork(s, FERN_FOREVER));
    hear(other, "x");
    ASSERT_EQ(fern_stream_held(s), 0);
    end_both(s, other);
}

TEST(closing_writes_out_what_is_held_back)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    ASSERT_OK(fern_stream_cork(s));
    ASSERT_OK(fern_stream_write(s, "bye", 3, NULL, FERN_FOREVER));
    ASSERT_OK(fern_stream_close(s, FERN_FOREVER));
    hear(other, "bye");
    hear(other, "");
    ASSERT_OK(fern_close(other));
}

static void *
count_all(void *arg)
{
    char buf[4096];
    intptr_t sum = 0;
    ssize_t n;
    while ((n = fern_read(as_fd(arg), buf, sizeof buf, FERN_FOREVER)) > 0)
        sum += n;
    return (void *)sum;
}

TEST(a_corked_stream_holds_back_so_much_and_no_more)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    fern_greenlet *g = fern_spawn(count_all, as_arg(other));
    char *block = calloc(1, BLOCK);
    size_t done;
    ASSERT_OK(fern_stream_cork(s));
    ASSERT_OK(fern_stream_write(s, block, BLOCK, &done, FERN_FOREVER));
    ASSERT_EQ(done, BLOCK);
    ASSERT_LE(fern_stream_held(s), 65536);
    ASSERT_OK(fern_stream_close(s, FERN_FOREVER));
    ASSERT_EQ(value_of(g), BLOCK);
    free(block);
    ASSERT_OK(fern_close(other));
}

TEST(a_write_that_times_out_says_how_much_was_taken_and_the_rest_can_follow)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    char *block = calloc(1, 4 * BLOCK);
    size_t done, more;
    int r = fern_stream_write(s, block, 4 * BLOCK, &done, fern_in(FERN_MS));
    ASSERT_ERR(r, -ETIME);
    ASSERT_LT(done, 4 * BLOCK);
    fern_greenlet *g = fern_spawn(count_all, as_arg(other));
    ASSERT_OK(fern_stream_write(s, block + done, 4 * BLOCK - done, &more, FERN_FOREVER));
    ASSERT_EQ(done + more, 4 * BLOCK);
    ASSERT_OK(fern_stream_close(s, FERN_FOREVER));
    ASSERT_EQ(value_of(g), 4 * BLOCK);
    free(block);
    ASSERT_OK(fern_close(other));
}

TEST(a_flush_that_times_out_keeps_what_is_left)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    char *block = calloc(1, 65536);
    size_t filled = 0, before = 0;
    int r;
    do {
        r = fern_write_all(fern_stream_fd(s), block, 65536, &filled, FERN_NOWAIT);
        before += filled;
    } while (r == 0);
    ASSERT_OK(fern_stream_cork(s));
    ASSERT_OK(fern_stream_write(s, "held", 4, NULL, FERN_FOREVER));
    ASSERT_ERR(fern_stream_uncork(s, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_stream_held(s), 4);
    ASSERT_ERR(fern_stream_write(s, "no", 2, &filled, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(filled, 0);
    fern_greenlet *g = fern_spawn(count_all, as_arg(other));
    ASSERT_OK(fern_stream_flush(s, FERN_FOREVER));
    ASSERT_EQ(fern_stream_held(s), 0);
    ASSERT_OK(fern_stream_close(s, FERN_FOREVER));
    ASSERT_EQ(value_of(g), before + 4);
    free(block);
    ASSERT_OK(fern_close(other));
}

TEST(long_text_is_printed_whole)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    char buf[4000];
    ASSERT_OK(fern_stream_printf(s, FERN_FOREVER, "%3000d", 7));
    ASSERT_EQ(fern_read(other, buf, sizeof buf, FERN_FOREVER), 3000);
    ASSERT_EQ(buf[2999], '7');
    end_both(s, other);
}

TEST(writing_where_nobody_reads_gives_epipe)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    ASSERT_OK(fern_close(other));
    ASSERT_ERR(fern_stream_write(s, "x", 1, NULL, FERN_FOREVER), -EPIPE);
    ASSERT_OK(fern_stream_cork(s));
    ASSERT_OK(fern_stream_write(s, "x", 1, NULL, FERN_FOREVER));
    ASSERT_ERR(fern_stream_close(s, FERN_FOREVER), -EPIPE);
}

/* ---- several greenlets ---- */

struct chorus {
    fern_stream *s;
    char letter;
};

static void *
sing(void *arg)
{
    struct chorus *c = arg;
    char *block = malloc(BLOCK);
    memset(block, c->letter, BLOCK);
    ASSERT_OK(fern_stream_write(c->s, block, BLOCK, NULL, FERN_FOREVER));
    free(block);
    return NULL;
}

TEST(writes_of_several_are_not_mixed)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    struct chorus voices[] = {{s, 'a'}, {s, 'b'}, {s, 'c'}};
    fern_greenlet *gs[3];
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(sing, &voices[i]);
    fern_stream *in = fern_stream_open(other);
    char *block = malloc(BLOCK);
    for (int i = 0; i < 3; i++) {
        ASSERT_OK(fern_stream_read_exactly(in, block, BLOCK, FERN_FOREVER));
        for (int k = 0; k < BLOCK; k++)
            ASSERT_EQ(block[k], 'a' + i);
        ASSERT_EQ(value_of(gs[i]), 0);
    }
    free(block);
    ASSERT_OK(fern_stream_close(in, FERN_FOREVER));
    ASSERT_OK(fern_stream_close(s, FERN_FOREVER));
}

static void *
read_line_once(void *arg)
{
    char line[16];
    return (void *)(intptr_t)fern_stream_read_line(arg, line, sizeof line, FERN_FOREVER);
}

TEST(closing_a_stream_answers_its_readers_with_ebadf)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    fern_greenlet *gs[3];
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(read_line_once, s);
    let_them_wait();
    ASSERT_OK(fern_stream_close(s, FERN_FOREVER));
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(value_of(gs[i]), -EBADF);
    ASSERT_OK(fern_close(other));
}

TEST(readers_of_lines_are_served_in_order)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    fern_greenlet *gs[3];
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(read_line_once, s);
    let_them_wait();
    char line[8];
    ASSERT_ERR(fern_stream_read_line(s, line, 8, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_stream_read_line(s, line, 8, fern_in(FERN_MS)), -ETIME);
    say(other, "1\n22\n333\n");
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(value_of(gs[i]), i + 1);
    end_both(s, other);
}

TEST(a_killed_reader_of_lines_hands_its_turn_on)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    fern_greenlet *first = fern_spawn(read_line_once, s);
    fern_greenlet *second = fern_spawn(read_line_once, s);
    fern_greenlet *third = fern_spawn(read_line_once, s);
    let_them_wait();
    say(other, "ab");
    let_them_wait();
    ASSERT_OK(fern_kill(second, 0, FERN_FOREVER));
    ASSERT_OK(fern_kill(first, 0, FERN_FOREVER));
    say(other, "c\n");
    ASSERT_EQ(value_of(third), 3);
    ASSERT_EQ(value_of(first), -ECANCELED);
    ASSERT_EQ(value_of(second), -ECANCELED);
    end_both(s, other);
}

/* ---- the three of the process ---- */

static void
put_in_place(int fd, int place)
{
    ASSERT_EQ(fern_dup2(fd, place), place);
    ASSERT_OK(fern_close(fd));
}

TEST(the_standard_streams_wait_without_blocking_the_others)
{
    int in[2], out[2];
    ASSERT_OK(pipe(in));
    ASSERT_OK(pipe(out));
    put_in_place(in[0], 0);
    int saved = dup(1);
    put_in_place(out[1], 1);
    fern_greenlet *g = fern_spawn(read_line_once, fern_stdin());
    let_them_wait();
    ASSERT_FALSE(fern_ready(g));
    say(in[1], "four\n");
    ASSERT_EQ(value_of(g), 4);
    ASSERT_OK(fern_stream_printf(fern_stdout(), FERN_FOREVER, "hello %s", "world"));
    hear(out[0], "hello world");
    ASSERT_OK(fern_stream_close(fern_stdout(), FERN_FOREVER));
    ASSERT_OK(fern_stream_printf(fern_stdout(), FERN_FOREVER, "again"));
    hear(out[0], "again");
    ASSERT_EQ(fern_stream_fd(fern_stderr()), 2);
    put_in_place(saved, 1);
    ASSERT_OK(fern_close(out[0]));
    ASSERT_OK(fern_close(in[1]));
    ASSERT_OK(fern_close(0));
}

/* ---- misuse ---- */

TEST(null_where_a_stream_or_bytes_must_be_is_einval)
{
    int other;
    fern_stream *s = stream_over_pair(&other);
    char c;
    ASSERT_ERR(fern_stream_read(NULL, &c, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_read(s, NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_read_exactly(NULL, &c, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_read_exactly(s, NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_read_until(s, NULL, &c, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_read_until(s, "", &c, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_read_until(s, "x", NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_read_until(NULL, "x", &c, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_read_line(NULL, &c, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_read_line(s, NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_read_line(s, &c, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_write(NULL, &c, 1, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_write(s, NULL, 1, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_flush(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_cork(NULL), -EINVAL);
    ASSERT_ERR(fern_stream_uncork(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stream_fd(NULL), -EINVAL);
    ASSERT_OK(fern_stream_close(NULL, FERN_FOREVER));
    ASSERT_EQ(fern_stream_buffered(NULL), 0);
    ASSERT_EQ(fern_stream_held(NULL), 0);
    ASSERT_FALSE(fern_stream_ended(NULL));
    errno = 0;
    ASSERT_NULL(fern_stream_open(-1));
    ASSERT_EQ(errno, EBADF);
    end_both(s, other);
}

static void *
try_all(void *arg)
{
    fern_stream *s = arg;
    char buf[4];
    ASSERT_ERR(fern_stream_read(s, buf, 4, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_stream_write(s, "x", 1, NULL, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_stream_flush(s, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_stream_cork(s), -EXDEV);
    ASSERT_ERR(fern_stream_uncork(s, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_stream_close(s, FERN_FOREVER), -EXDEV);
    return NULL;
}

TEST(another_thread_can_do_nothing_with_a_stream)
{
    int other;
    pthread_t thread;
    fern_stream *s = stream_over_pair(&other);
    ASSERT_OK(fern_stream_cork(s));
    ASSERT_EQ(pthread_create(&thread, NULL, try_all, s), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_stream_write(s, "still held", 10, NULL, FERN_FOREVER));
    ASSERT_EQ(fern_stream_held(s), 10);
    ASSERT_OK(fern_stream_uncork(s, FERN_FOREVER));
    hear(other, "still held");
    end_both(s, other);
}

static void *
write_and_end(void *ret)
{
    *(ssize_t *)ret = fern_stream_write(fern_stderr(), "", 0, NULL, FERN_FOREVER);
    return NULL;
}

TEST(a_standard_stream_whose_thread_has_ended_is_the_next_ones)
{
    pthread_t thread;
    ssize_t written = -1;
    ASSERT_EQ(pthread_create(&thread, NULL, write_and_end, &written), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_EQ(written, 0);
    ASSERT_EQ(fern_stream_write(fern_stderr(), "", 0, NULL, FERN_FOREVER), 0);
}
