/* SPDX-License-Identifier: MIT */
/* Semaphores: hand-over, several permits at once, limits, barging, and no permit is lost. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_semaphore semaphore;

static void
begin(int64_t count, int64_t limit, int flags)
{
    FERN_SEMAPHORE_OPTIONS(options);
    options.count = count;
    options.limit = limit;
    options.flags = flags;
    ASSERT_OK(fern_semaphore_init(&semaphore, &options));
}

struct taker {
    const char *word;
    int64_t n;
    fern_time deadline;
    int code;
};

static void *
take_and_say(void *arg)
{
    struct taker *t = arg;
    t->code = fern_semaphore_acquire(&semaphore, t->n, t->deadline);
    trace("%s%s", t->word, t->code == 0 ? "" : t->code == -ETIME ? ":late" : ":killed");
    return NULL;
}

TEST(a_permit_goes_to_who_has_waited_longest_and_nobody_passes_by)
{
    begin(0, 0, 0);
    struct taker a = {"a", 1, FERN_FOREVER, 1}, b = {"b", 1, FERN_FOREVER, 1};
    fern_greenlet *ga = fern_spawn(take_and_say, &a), *gb = fern_spawn(take_and_say, &b);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_semaphore_waiting(&semaphore), 2);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_EQ(fern_semaphore_count(&semaphore), 0); /* it is a's */
    ASSERT_ERR(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT), -EAGAIN);
    FINISH(ga);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    FINISH(gb);
    ASSERT_STR_EQ(trace_text, "a b");
    ASSERT_OK(fern_semaphore_release(&semaphore, 3)); /* more than there ever were */
    ASSERT_EQ(fern_semaphore_count(&semaphore), 3);
    ASSERT_OK(fern_semaphore_fini(&semaphore));
}

TEST(acquire_fails_after_its_time_and_the_permit_is_not_consumed)
{
    begin(0, 0, 0);
    ASSERT_ERR(fern_semaphore_acquire(&semaphore, 1, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_semaphore_waiting(&semaphore), 0);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_EQ(fern_semaphore_count(&semaphore), 1);
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT));
}

TEST(a_permit_granted_to_one_that_was_killed_goes_to_the_next)
{
    begin(0, 0, 0);
    struct taker a = {"a", 1, FERN_FOREVER, 1}, b = {"b", 1, FERN_FOREVER, 1};
    fern_greenlet *ga = fern_spawn(take_and_say, &a), *gb = fern_spawn(take_and_say, &b);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(ga, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    FINISH(gb);
    ASSERT_OK(fern_join(ga, FERN_FOREVER));
    ASSERT_EQ(a.code, -ECANCELED);
    ASSERT_EQ(b.code, 0);
    ASSERT_EQ(fern_semaphore_count(&semaphore), 0);
    fern_greenlet_unref(ga);
}

TEST(several_permits_are_taken_at_once_or_not_at_all)
{
    begin(2, 0, 0);
    struct taker three = {"three", 3, FERN_FOREVER, 1}, one = {"one", 1, FERN_FOREVER, 1};
    fern_greenlet *a = fern_spawn(take_and_say, &three),
                  *b = fern_spawn(take_and_say, &one);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_semaphore_count(&semaphore), 2);
    /* One permit would do for who comes later, but it is not its turn. */
    ASSERT_ERR(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_semaphore_release(&semaphore, 2));
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "three one");
    ASSERT_EQ(fern_semaphore_count(&semaphore), 0);
}

TEST(when_the_first_in_line_gives_up_those_behind_are_served)
{
    begin(2, 0, 0);
    struct taker three = {"three", 3, fern_in(FERN_MS), 1};
    struct taker one = {"one", 1, FERN_FOREVER, 1};
    fern_greenlet *a = fern_spawn(take_and_say, &three),
                  *b = fern_spawn(take_and_say, &one);
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "three:late one");
    ASSERT_EQ(fern_semaphore_count(&semaphore), 1);
}

TEST(a_release_of_several_serves_several)
{
    begin(0, 0, 0);
    static char *words[] = {"a", "b", "c"};
    struct taker takers[3];
    fern_greenlet *gs[3];
    for (int i = 0; i < 3; i++) {
        takers[i] = (struct taker){words[i], 1, FERN_FOREVER, 1};
        gs[i] = fern_spawn(take_and_say, &takers[i]);
    }
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_semaphore_release(&semaphore, 4));
    for (int i = 0; i < 3; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "a b c");
    ASSERT_EQ(fern_semaphore_count(&semaphore), 1);
}

TEST(a_bounded_one_refuses_more_permits_than_its_limit_and_stays_as_it_is)
{
    begin(2, 2, 0);
    ASSERT_ERR(fern_semaphore_release(&semaphore, 1), -EOVERFLOW);
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_FOREVER));
    ASSERT_ERR(fern_semaphore_release(&semaphore, 2), -EOVERFLOW);
    ASSERT_EQ(fern_semaphore_count(&semaphore), 1);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_ERR(fern_semaphore_acquire(&semaphore, 3, FERN_FOREVER), -EINVAL);
    begin(INT64_MAX, 0, 0);
    ASSERT_ERR(fern_semaphore_release(&semaphore, 1), -EOVERFLOW);
}

static void *
refill_and_say(void *word)
{
    ASSERT_OK(fern_semaphore_refill(&semaphore, 1, FERN_FOREVER));
    return say(word);
}

TEST(a_refill_waits_while_there_is_no_room)
{
    begin(1, 2, 0);
    ASSERT_OK(fern_semaphore_refill(&semaphore, 1, FERN_NOWAIT));
    ASSERT_ERR(fern_semaphore_refill(&semaphore, 1, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_semaphore_refill(&semaphore, 1, fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_semaphore_refill(&semaphore, 3, FERN_FOREVER), -EINVAL);
    fern_greenlet *a = fern_spawn(refill_and_say, "a"),
                  *b = fern_spawn(refill_and_say, "b");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_semaphore_fini(&semaphore), -EBUSY);
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_FOREVER));
    ASSERT_EQ(fern_semaphore_count(&semaphore), 2); /* a's has come in its place */
    FINISH(a);
    ASSERT_STR_EQ(trace_text, "a");
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 2, FERN_FOREVER));
    FINISH(b);
    ASSERT_EQ(fern_semaphore_count(&semaphore), 1);
}

TEST(an_unlimited_one_never_waits_and_never_overflows)
{
    begin(1, 0, FERN_SEMAPHORE_UNLIMITED);
    for (int i = 0; i < 10; i++)
        ASSERT_OK(fern_semaphore_acquire(&semaphore, 1000, FERN_NOWAIT));
    ASSERT_OK(fern_semaphore_release(&semaphore, INT64_MAX));
    ASSERT_OK(fern_semaphore_release(&semaphore, INT64_MAX));
    ASSERT_OK(fern_semaphore_refill(&semaphore, 5, FERN_NOWAIT));
    ASSERT_OK(fern_semaphore_wait(&semaphore, FERN_NOWAIT));
    ASSERT_EQ(fern_semaphore_count(&semaphore), INT64_MAX);
}

static void *
wait_only(void *word)
{
    ASSERT_OK(fern_semaphore_wait(&semaphore, FERN_FOREVER));
    return say(word);
}

TEST(a_wait_ends_when_a_permit_is_there_and_takes_none)
{
    begin(0, 0, 0);
    ASSERT_ERR(fern_semaphore_wait(&semaphore, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_semaphore_wait(&semaphore, fern_in(FERN_MS)), -ETIME);
    fern_greenlet *a = fern_spawn(wait_only, "a"), *b = fern_spawn(wait_only, "b");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "a b");
    ASSERT_EQ(fern_semaphore_count(&semaphore), 1);
    ASSERT_OK(fern_semaphore_wait(&semaphore, FERN_NOWAIT));
}

/* ---- barging ---- */

TEST(with_barging_whoever_comes_first_takes_the_permit_and_the_waiter_waits_on)
{
    begin(0, 0, FERN_SEMAPHORE_BARGE);
    struct taker a = {"a", 1, FERN_FOREVER, 1}, b = {"b", 1, FERN_FOREVER, 1};
    fern_greenlet *ga = fern_spawn(take_and_say, &a), *gb = fern_spawn(take_and_say, &b);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT)); /* a was only woken */
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_EQ(fern_semaphore_waiting(&semaphore), 2);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1)); /* a is the first still */
    FINISH(ga);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    FINISH(gb);
    ASSERT_STR_EQ(trace_text, "a b");
    ASSERT_EQ(fern_semaphore_count(&semaphore), 0);
}

TEST(with_barging_a_waiter_that_is_killed_when_woken_passes_the_permit_on)
{
    begin(0, 0, FERN_SEMAPHORE_BARGE);
    struct taker a = {"a", 1, FERN_FOREVER, 1}, b = {"b", 1, FERN_FOREVER, 1};
    fern_greenlet *ga = fern_spawn(take_and_say, &a), *gb = fern_spawn(take_and_say, &b);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT));
    ASSERT_OK(fern_kill(ga, 0, FERN_FOREVER)); /* woken, found nothing, and may not wait */
    ASSERT_EQ(a.code, -ECANCELED);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    FINISH(gb);
    ASSERT_EQ(fern_semaphore_count(&semaphore), 0);
    fern_greenlet_unref(ga);
}

TEST(with_barging_those_who_are_woken_in_vain_stay_in_their_order)
{
    begin(0, 0, FERN_SEMAPHORE_BARGE);
    struct taker a = {"a", 1, FERN_FOREVER, 1}, b = {"b", 1, FERN_FOREVER, 1};
    struct taker c = {"c", 1, FERN_FOREVER, 1};
    fern_greenlet *ga = fern_spawn(take_and_say, &a), *gb = fern_spawn(take_and_say, &b);
    fern_greenlet *gc = fern_spawn(take_and_say, &c);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_semaphore_release(&semaphore, 2));
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 2, FERN_NOWAIT)); /* a and b were woken */
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    FINISH(ga);
    ASSERT_OK(fern_semaphore_release(&semaphore, 2));
    FINISH(gb);
    FINISH(gc);
    ASSERT_STR_EQ(trace_text, "a b c");
}

/* ---- blocks, select ---- */

TEST(a_block_with_a_permit_gives_it_back_on_every_way_out)
{
    int r = 1;
    begin(1, 1, 0);
    FERN_WITH_SEMAPHORE (r, &semaphore, FERN_FOREVER) {
        ASSERT_EQ(fern_semaphore_count(&semaphore), 0);
        int inner;
        FERN_WITH_SEMAPHORE (inner, &semaphore, FERN_NOWAIT)
            FAIL("there is none");
        ASSERT_EQ(inner, -EAGAIN);
        break;
    }
    ASSERT_EQ(r, 0);
    ASSERT_EQ(fern_semaphore_count(&semaphore), 1);
}

static void *
release_later(void *unused)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    return unused;
}

TEST(a_permit_can_be_a_case_of_select_and_only_the_winner_takes_it)
{
    static fern_semaphore other = FERN_SEMAPHORE_INIT(1);
    begin(0, 0, 0);
    fern_case cases[] = {fern_case_semaphore(&semaphore), fern_case_semaphore(&other)};
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(fern_semaphore_count(&other), 0);
    ASSERT_ERR(fern_select(cases, 2, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_select(cases, 2, 0, fern_in(FERN_MS)), -ETIME);
    fern_greenlet *g = fern_spawn(release_later, NULL);
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 0);
    ASSERT_EQ(fern_semaphore_count(&semaphore), 0);
    ASSERT_EQ(fern_semaphore_waiting(&other), 0);
    FINISH(g);
    begin(0, 0, FERN_SEMAPHORE_BARGE);
    g = fern_spawn(release_later, NULL);
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 0);
    ASSERT_EQ(fern_semaphore_count(&semaphore), 0);
    FINISH(g);
    begin(0, 0, FERN_SEMAPHORE_UNLIMITED);
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_NOWAIT), 0);
}

/* ---- who only tries ---- */

static fern_event elsewhere;

static void *
select_permit_or_event(void *unused)
{
    fern_case cases[] = {fern_case_semaphore(&semaphore), fern_case_event(&elsewhere)};
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    return unused;
}

TEST(who_only_tries_gets_a_permit_behind_one_that_was_woken_by_something_else)
{
    begin(1, 0, 0);
    struct taker two = {"two", 2, FERN_FOREVER, 1};
    fern_greenlet *first = fern_spawn(take_and_say, &two);
    fern_greenlet *chooser = fern_spawn(select_permit_or_event, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_kill(first, 0, FERN_NOWAIT), -EAGAIN);
    fern_event_set(&elsewhere);
    /* Neither has run, and neither wants it any more. */
    fern_case permit = fern_case_semaphore(&semaphore);
    ASSERT_EQ(fern_select(&permit, 1, 0, FERN_NOWAIT), 0);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT));
    FINISH(first);
    FINISH(chooser);
    ASSERT_OK(fern_semaphore_fini(&semaphore));
    ASSERT_OK(fern_event_fini(&elsewhere));
}

TEST(who_only_tries_comes_behind_those_whom_one_that_gave_up_has_kept_waiting)
{
    begin(2, 0, 0);
    struct taker three = {"three", 3, FERN_FOREVER, 1}, one = {"one", 1, FERN_FOREVER, 1};
    fern_greenlet *first = fern_spawn(take_and_say, &three);
    fern_greenlet *behind = fern_spawn(take_and_say, &one);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(first, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT));
    ASSERT_EQ(fern_semaphore_count(&semaphore), 0); /* the other one is taken, too */
    FINISH(first);
    FINISH(behind);
    ASSERT_STR_EQ(trace_text, "three:killed one");
    ASSERT_OK(fern_semaphore_fini(&semaphore));
}

TEST(waiting_counts_only_those_who_still_wait)
{
    begin(0, 0, 0);
    struct taker one = {"one", 1, FERN_FOREVER, 1};
    fern_greenlet *chooser = fern_spawn(select_permit_or_event, NULL);
    fern_greenlet *g = fern_spawn(take_and_say, &one);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_semaphore_waiting(&semaphore), 2);
    fern_event_set(&elsewhere);
    ASSERT_EQ(fern_semaphore_waiting(&semaphore), 1);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    FINISH(chooser);
    FINISH(g);
    ASSERT_OK(fern_semaphore_fini(&semaphore));
    ASSERT_OK(fern_event_fini(&elsewhere));
}

/* ---- misuse ---- */

static void *
use_from_elsewhere(void *unused)
{
    ASSERT_ERR(fern_semaphore_acquire(&semaphore, 1, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_semaphore_release(&semaphore, 1), -EXDEV);
    ASSERT_ERR(fern_semaphore_refill(&semaphore, 1, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_semaphore_wait(&semaphore, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_semaphore_fini(&semaphore), -EXDEV);
    return unused;
}

TEST(misuse_of_a_semaphore_answers_with_its_code)
{
    pthread_t thread;
    FERN_SEMAPHORE_OPTIONS(options);
    ASSERT_ERR(fern_semaphore_init(NULL, &options), -EINVAL);
    ASSERT_ERR(fern_semaphore_init(&semaphore, NULL), -EINVAL);
    options.count = -1;
    ASSERT_ERR(fern_semaphore_init(&semaphore, &options), -EINVAL);
    options.count = 3;
    options.limit = 2;
    ASSERT_ERR(fern_semaphore_init(&semaphore, &options), -EINVAL);
    options.limit = -1;
    ASSERT_ERR(fern_semaphore_init(&semaphore, &options), -EINVAL);
    options.limit = 0;
    options.flags = 4;
    ASSERT_ERR(fern_semaphore_init(&semaphore, &options), -EINVAL);
    options.size = 1;
    options.flags = 0;
    ASSERT_ERR(fern_semaphore_init(&semaphore, &options), -EINVAL);
    ASSERT_ERR(fern_semaphore_acquire(NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_semaphore_acquire(&semaphore, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_semaphore_release(NULL, 1), -EINVAL);
    ASSERT_ERR(fern_semaphore_release(&semaphore, 0), -EINVAL);
    ASSERT_ERR(fern_semaphore_refill(NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_semaphore_refill(&semaphore, -1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_semaphore_wait(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_semaphore_fini(NULL), -EINVAL);
    ASSERT_EQ(fern_semaphore_count(NULL), 0);
    ASSERT_EQ(fern_semaphore_waiting(NULL), 0);
    ASSERT_ERR(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    if (harness_other_threads() == 0)
        ASSERT_ERR(fern_semaphore_acquire(&semaphore, 1, FERN_FOREVER), -EDEADLK);
}
