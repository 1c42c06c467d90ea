/* SPDX-License-Identifier: MIT */
/*
 * Libraries that tell of changes by an fd, once for each. The one here has an inbox and room for
 * sends; whoever asks it for anything takes the news from its fd, as ZeroMQ does.
 */

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "trace.h"

static struct {
    int fd;
    int arriving; /* what has come from outside and the library has not looked at */
    int granting;
    int inbox;
    int room;
    int calls;
} library;

static fern_edge edge;

static void
library_open(void)
{
    library.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ASSERT_OK(library.fd);
    ASSERT_OK(fern_edge_init(&edge, library.fd, POLLIN));
}

static void
library_close(void)
{
    ASSERT_OK(fern_edge_fini(&edge));
    ASSERT_OK(fern_close(library.fd));
}

/* Something has happened outside. */
static void
library_news(int messages, int room)
{
    uint64_t one = 1;
    library.arriving += messages;
    library.granting += room;
    ASSERT_EQ(write(library.fd, &one, sizeof one), (ssize_t)sizeof one);
}

static void
library_look(void)
{
    uint64_t news;
    library.calls++;
    (void)!read(library.fd, &news, sizeof news);
    library.inbox += library.arriving;
    library.room += library.granting;
    library.arriving = library.granting = 0;
}

static ssize_t
receive(void *unused)
{
    (void)unused;
    library_look();
    return library.inbox > 0 ? library.inbox-- : -EAGAIN;
}

static ssize_t
send_one(void *unused)
{
    (void)unused;
    library_look();
    return library.room > 0 ? library.room-- : -EAGAIN;
}

static void *
receiver(void *word)
{
    ASSERT_GT(fern_edge_call(&edge, FERN_EDGE_IN, receive, NULL, FERN_FOREVER), 0);
    return say(word);
}

static void *
sender(void *word)
{
    ASSERT_GT(fern_edge_call(&edge, FERN_EDGE_OUT, send_one, NULL, FERN_FOREVER), 0);
    return say(word);
}

TEST(a_call_that_can_be_made_is_made_at_once)
{
    library_open();
    ASSERT_ERR(fern_edge_call(&edge, FERN_EDGE_IN, receive, NULL, FERN_NOWAIT), -EAGAIN);
    library_news(2, 0);
    ASSERT_EQ(fern_edge_call(&edge, FERN_EDGE_IN, receive, NULL, FERN_FOREVER), 2);
    ASSERT_EQ(fern_edge_call(&edge, FERN_EDGE_IN, receive, NULL, FERN_NOWAIT), 1);
    ASSERT_ERR(fern_edge_call(&edge, FERN_EDGE_IN, receive, NULL, soon(FERN_MS)), -ETIME);
    library_close();
}

TEST(calls_of_one_direction_are_made_in_order_of_arrival)
{
    library_open();
    fern_greenlet *gs[] = {fern_spawn(receiver, "a"), fern_spawn(receiver, "b"),
            fern_spawn(receiver, "c")};
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_edge_call(&edge, FERN_EDGE_IN, receive, NULL, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_edge_fini(&edge), -EBUSY);
    library_news(3, 0);
    for (int i = 0; i < 3; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "a b c");
    library_close();
}

TEST(news_that_one_direction_takes_reaches_the_other)
{
    library_open();
    fern_greenlet *in = fern_spawn(receiver, "in"), *out = fern_spawn(sender, "out");
    ASSERT_OK(fern_sleep(FERN_MS));
    library_news(0, 1); /* the receiver is told first, and takes the news away */
    FINISH(out);
    library_news(1, 0);
    FINISH(in);
    ASSERT_STR_EQ(trace_text, "out in");
    library_close();
}

TEST(two_directions_that_wait_do_not_keep_each_other_busy)
{
    library_open();
    fern_greenlet *in = fern_spawn(receiver, "in"), *out = fern_spawn(sender, "out");
    for (int i = 0; i < 20; i++)
        ASSERT_OK(fern_yield()); /* each has called, and been poked, and called again */
    int calls = library.calls;
    ASSERT_OK(fern_sleep(5 * FERN_MS));
    ASSERT_EQ(library.calls, calls);
    ASSERT_LE(calls, 4);
    library_news(1, 1);
    FINISH(in);
    FINISH(out);
    library_close();
}

static void *
receive_and_say(void *ret_code)
{
    *(ssize_t *)ret_code = fern_edge_call(&edge, FERN_EDGE_IN, receive, NULL, FERN_FOREVER);
    return NULL;
}

TEST(who_is_killed_passes_the_turn_on)
{
    ssize_t first = 0, second = 0, third = 0;
    library_open();
    fern_greenlet *a = fern_spawn(receive_and_say, &first),
                  *b = fern_spawn(receive_and_say, &second),
                  *c = fern_spawn(receive_and_say, &third);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(b, 0, FERN_FOREVER)); /* behind the first */
    ASSERT_OK(fern_kill(a, 0, FERN_FOREVER));
    library_news(1, 0);
    FINISH(c);
    ASSERT_EQ(first, -ECANCELED);
    ASSERT_EQ(second, -ECANCELED);
    ASSERT_EQ(third, 1);
    fern_greenlet_unref(a);
    fern_greenlet_unref(b);
    library_close();
}

static ssize_t
receive_or_bad(void *unused)
{
    return fcntl(library.fd, F_GETFD) < 0 ? -EBADF : receive(unused);
}

static void *
receive_until_closed(void *unused)
{
    ASSERT_ERR(fern_edge_call(&edge, FERN_EDGE_IN, receive_or_bad, NULL, FERN_FOREVER),
            -EBADF);
    return unused;
}

TEST(closing_the_fd_wakes_everybody)
{
    library_open();
    fern_greenlet *a = fern_spawn(receive_until_closed, NULL),
                  *b = fern_spawn(receive_until_closed, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_close(library.fd));
    FINISH(a);
    FINISH(b);
    ASSERT_OK(fern_edge_fini(&edge));
}

static void *
use_elsewhere(void *unused)
{
    ASSERT_ERR(fern_edge_call(&edge, FERN_EDGE_IN, receive, NULL, FERN_NOWAIT), -EXDEV);
    ASSERT_ERR(fern_edge_call(&edge, FERN_EDGE_OUT, receive, NULL, FERN_NOWAIT), -EXDEV);
    ASSERT_ERR(fern_edge_fini(&edge), -EXDEV);
    return unused;
}

TEST(misuse_of_a_librarys_object_answers_with_its_code)
{
    pthread_t thread;
    library_open();
    ASSERT_ERR(fern_edge_init(NULL, 0, POLLIN), -EINVAL);
    ASSERT_ERR(fern_edge_init(&edge, -1, POLLIN), -EINVAL);
    ASSERT_ERR(fern_edge_init(&edge, 0, 0), -EINVAL);
    ASSERT_ERR(fern_edge_init(&edge, 0, 0x40), -EINVAL);
    ASSERT_ERR(fern_edge_call(NULL, 0, receive, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_edge_call(&edge, 2, receive, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_edge_call(&edge, 0, NULL, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_edge_fini(NULL), -EINVAL);
    ASSERT_ERR(fern_edge_call(&edge, FERN_EDGE_IN, receive, NULL, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(pthread_create(&thread, NULL, use_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    library_close();
}
