/* SPDX-License-Identifier: MIT */
/* Notices: a function is called when something can be had, and nothing is taken. */

#include "harness.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "trace.h"

static void
tell(void *word)
{
    trace("%s", (const char *)word);
}

static fern_semaphore semaphore;

static void *
acquire_and_say(void *word)
{
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_FOREVER));
    return say(word);
}

TEST(a_notice_tells_once_of_a_permit_that_nobody_waits_for)
{
    fern_case permit = fern_case_semaphore(&semaphore);
    fern_notice *notice = fern_notice_new(&permit, tell, "told");
    ASSERT_NOT_NULL(notice);
    fern_greenlet *g = fern_spawn(acquire_and_say, "served");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_semaphore_release(&semaphore, 1)); /* it is the waiter's */
    ASSERT_ERR(fern_notice_renew(notice), -EBUSY);
    FINISH(g);
    ASSERT_STR_EQ(trace_text, "served");
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_STR_EQ(trace_text, "served"); /* not from inside of the release */
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "served told");
    ASSERT_EQ(fern_semaphore_count(&semaphore), 1);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "served told");
    ASSERT_OK(fern_notice_renew(notice)); /* it is there: told of soon */
    ASSERT_STR_EQ(trace_text, "served told");
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "served told told");
    ASSERT_OK(fern_notice_free(notice));
    ASSERT_OK(fern_semaphore_fini(&semaphore));
}

static fern_notice *again;

static void
take_all(void *unused)
{
    while (fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT) == 0)
        trace("took");
    ASSERT_OK(fern_notice_renew(again));
    (void)unused;
}

TEST(what_is_told_can_take_and_ask_anew)
{
    fern_case permit = fern_case_semaphore(&semaphore);
    again = fern_notice_new(&permit, take_all, NULL);
    ASSERT_OK(fern_semaphore_release(&semaphore, 2));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "took took");
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "took took took");
    ASSERT_OK(fern_notice_free(again));
    ASSERT_OK(fern_semaphore_fini(&semaphore));
}

TEST(a_notice_can_be_of_anything_but_time_and_fds)
{
    fern_event event = FERN_EVENT_INIT;
    fern_mutex mutex = FERN_MUTEX_INIT;
    fern_queue queue;
    fern_future *future = fern_future_new();
    fern_greenlet *g = fern_spawn(say, "ran");
    int item = 1;
    ASSERT_OK(fern_queue_init(&queue, sizeof item, 1));
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    fern_case cases[] = {fern_case_event(&event), fern_case_mutex(&mutex),
            fern_case_get(&queue, &item), fern_case_future(future), fern_case_end(g)};
    static const char *const words[] = {"event", "mutex", "item", "future", "end"};
    fern_notice *notices[5];
    for (int i = 0; i < 5; i++) {
        notices[i] = fern_notice_new(&cases[i], tell, (void *)(uintptr_t)words[i]);
        ASSERT_NOT_NULL(notices[i]);
    }
    fern_event_set(&event);
    ASSERT_OK(fern_mutex_unlock(&mutex));
    ASSERT_OK(fern_queue_put(&queue, &item, FERN_FOREVER));
    ASSERT_OK(fern_future_set(future, NULL));
    FINISH(g);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "ran event mutex item future end");
    ASSERT_EQ(fern_queue_len(&queue), 1);
    for (int i = 0; i < 5; i++)
        ASSERT_OK(fern_notice_free(notices[i]));
    fern_future_unref(future);
    ASSERT_OK(fern_queue_fini(&queue));
    ASSERT_OK(fern_mutex_fini(&mutex));
    ASSERT_OK(fern_event_fini(&event));
}

TEST(a_notice_that_is_freed_is_not_called_any_more)
{
    fern_case permit = fern_case_semaphore(&semaphore);
    fern_notice *notice = fern_notice_new(&permit, tell, "told");
    ASSERT_OK(fern_notice_free(notice));
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    notice = fern_notice_new(&permit, tell, "told"); /* its call is on the way */
    ASSERT_OK(fern_notice_free(notice));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_OK(fern_notice_free(NULL));
    ASSERT_OK(fern_semaphore_fini(&semaphore));
}

static void *
use_from_elsewhere(void *notice)
{
    fern_case permit = fern_case_semaphore(&semaphore);
    ASSERT_ERR(fern_notice_renew(notice), -EXDEV);
    ASSERT_ERR(fern_notice_free(notice), -EXDEV);
    errno = 0;
    ASSERT_NULL(fern_notice_new(&permit, tell, NULL));
    ASSERT_EQ(errno, EXDEV);
    return NULL;
}

TEST(misuse_of_a_notice_answers_with_its_code)
{
    pthread_t thread;
    fern_case cases[] = {fern_case_semaphore(&semaphore), fern_case_timer(fern_in(0)),
            fern_case_fd(0, POLLIN)};
    for (int i = 0; i < 4; i++) {
        errno = 0;
        ASSERT_NULL(fern_notice_new(i == 3 ? NULL : &cases[i], i ? tell : NULL, NULL));
        ASSERT_EQ(errno, EINVAL);
    }
    ASSERT_ERR(fern_notice_renew(NULL), -EINVAL);
    fern_notice *notice = fern_notice_new(&cases[0], tell, NULL);
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, notice), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_notice_free(notice));
    ASSERT_OK(fern_semaphore_fini(&semaphore));
}
