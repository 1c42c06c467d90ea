/* SPDX-License-Identifier: MIT */
/* The first of several things: one winner, nothing lost by the others. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_event events[12];
static fern_result result;

TEST(the_first_listed_wins_among_those_that_are_ready)
{
    fern_case cases[] = {fern_case_event(&events[0]), fern_case_event(&events[1]),
            fern_case_result(&result)};
    ASSERT_ERR(fern_select(cases, 3, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_result_set(&result, "v"));
    ASSERT_EQ(fern_select(cases, 3, 0, FERN_NOWAIT), 2);
    ASSERT_OK(fern_event_set(&events[1]));
    ASSERT_EQ(fern_select(cases, 3, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, 0);
}

TEST(a_drawn_one_wins_among_those_that_are_ready_when_asked_for)
{
    fern_case cases[4];
    int wins[4] = {0};
    for (int i = 0; i < 4; i++) {
        ASSERT_OK(fern_event_set(&events[i]));
        cases[i] = fern_case_event(&events[i]);
    }
    for (int i = 0; i < 400; i++)
        wins[fern_select(cases, 4, FERN_SELECT_RANDOM, FERN_FOREVER)]++;
    for (int i = 0; i < 4; i++)
        ASSERT_GT(wins[i], 40);
}

static void *
set_later(void *event)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_event_set(event));
    return NULL;
}

TEST(one_that_becomes_ready_ends_the_wait_and_the_others_are_left)
{
    fern_case cases[12];
    for (int i = 0; i < 12; i++)
        cases[i] = fern_case_event(&events[i]);
    fern_greenlet *g = fern_spawn(set_later, &events[9]);
    ASSERT_EQ(fern_select(cases, 12, 0, FERN_FOREVER), 9);
    FINISH(g);
    for (int i = 0; i < 12; i++)
        ASSERT_OK(fern_event_fini(&events[i])); /* nobody waits for any of them */
}

TEST(an_auto_reset_event_is_taken_by_the_winner_alone)
{
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(fern_event_init(&events[i], FERN_EVENT_AUTO));
        ASSERT_OK(fern_event_set(&events[i]));
    }
    fern_case cases[] = {fern_case_event(&events[0]), fern_case_event(&events[1])};
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 0);
    ASSERT_FALSE(fern_event_is_set(&events[0]));
    ASSERT_TRUE(fern_event_is_set(&events[1]));
    ASSERT_OK(fern_event_clear(&events[1]));
    fern_greenlet *a = fern_spawn(set_later, &events[1]),
                  *b = fern_spawn(set_later, &events[0]);
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    FINISH(a);
    FINISH(b);
    ASSERT_FALSE(fern_event_is_set(&events[1]));
    ASSERT_TRUE(fern_event_is_set(&events[0])); /* what came second is still there */
}

static void *
end_later(void *unused)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    return unused;
}

TEST(a_timer_the_end_of_a_greenlet_and_nothing_can_be_cases)
{
    fern_greenlet *g = fern_spawn(end_later, NULL);
    fern_case cases[] = {fern_case_end(g), fern_case_timer(fern_in(FERN_HOUR)),
            fern_case_event(NULL), fern_case_end(fern_self())};
    ASSERT_EQ(fern_select(cases, 4, 0, FERN_FOREVER), 0);
    fern_greenlet_unref(g);
    cases[0] = fern_case_event(&events[0]);
    cases[1] = fern_case_timer(fern_in(FERN_MS));
    ASSERT_EQ(fern_select(cases, 4, 0, FERN_FOREVER), 1);
    ASSERT_EQ(fern_select(cases, 4, 0, FERN_NOWAIT), 1);
    cases[1] = fern_case_timer(fern_in(FERN_HOUR));
    ASSERT_ERR(fern_select(cases, 4, 0, fern_in(FERN_MS)), -ETIME);
    FERN_SCOPE (scope, fern_in(FERN_MS))
        ASSERT_ERR(fern_select(cases, 4, 0, FERN_FOREVER), -ETIME);
}

static void *
select_forever(void *ret_code)
{
    fern_case cases[] = {fern_case_event(&events[0]), fern_case_event(&events[1])};
    *(int *)ret_code = fern_select(cases, 2, 0, FERN_FOREVER);
    return NULL;
}

TEST(a_select_that_is_killed_waits_for_nothing_any_more)
{
    int code = 0;
    fern_greenlet *g = fern_spawn(select_forever, &code);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_event_fini(&events[1]), -EBUSY);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(code, -ECANCELED);
    ASSERT_OK(fern_event_fini(&events[1]));
    fern_greenlet_unref(g);
}

struct race {
    fern_time when;
    int code;
};

static void *
select_moment(void *race)
{
    struct race *r = race;
    fern_case cases[] = {fern_case_event(&events[0]), fern_case_timer(r->when)};
    r->code = fern_select(cases, 2, 0, FERN_FOREVER);
    return NULL;
}

TEST(a_moment_that_came_before_a_kill_has_won)
{
    struct race race = {fern_in(FERN_MS), 5};
    fern_greenlet *g = fern_spawn(select_moment, &race);
    ASSERT_OK(fern_sleep_until(race.when)); /* main began to wait first, so it runs first */
    ASSERT_EQ(race.code, 5);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(race.code, 1);
    fern_greenlet_unref(g);
}

TEST(of_a_moment_and_a_scope_the_earlier_ends_a_select)
{
    struct race race = {fern_in(FERN_MS), 5};
    FERN_SCOPE (scope, fern_in(FERN_SECOND))
        select_moment(&race);
    ASSERT_EQ(race.code, 1);
    race.when = fern_in(FERN_SECOND);
    FERN_SCOPE (scope, fern_in(FERN_MS))
        select_moment(&race);
    ASSERT_EQ(race.code, -ETIME);
}

static void *
select_elsewhere(void *unused)
{
    fern_case cases[] = {fern_case_event(&events[0])};
    ASSERT_ERR(fern_select(cases, 1, 0, FERN_FOREVER), -EXDEV);
    return unused;
}

TEST(misuse_of_select_answers_with_its_code)
{
    pthread_t thread;
    fern_case cases[] = {fern_case_event(&events[0])};
    ASSERT_ERR(fern_select(NULL, 1, 0, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_select(cases, 0, 0, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_select(cases, 1, 2, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_select(cases, 1, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(pthread_create(&thread, NULL, select_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    cases[0].kind = (fern_case_kind)99;
    ASSERT_ERR(fern_select(cases, 1, 0, FERN_NOWAIT), -EINVAL);
    cases[0] = fern_case_event(&events[0]);
    if (harness_other_threads() == 0)
        ASSERT_ERR(fern_select(cases, 1, 0, FERN_FOREVER), -EDEADLK);
}
