/* SPDX-License-Identifier: MIT */
/* Single flight: who asks for a key at the same time shares what one of them makes. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "trace.h"

static fern_flight flight;

/* Takes a millisecond to make the word it is given. */
static int
fetch(void *word, void **ret_value)
{
    trace("fetch-%s", (char *)word);
    int r = fern_sleep(FERN_MS);
    if (r < 0)
        return r;
    *ret_value = word;
    return 0;
}

static int
fail(void *word, void **ret_value)
{
    int r = fetch(word, ret_value);
    return r < 0 ? r : 42;
}

static int
fetch_now(void *word, void **ret_value)
{
    trace("now-%s", (char *)word);
    *ret_value = word;
    return 0;
}

/* Ask for "key" by a function, and tell what has come of it. */
static void
ask_by(fern_flight_fn *fn, char *word, fern_time deadline)
{
    fern_flight_result o = {.code = 77};
    int r = fern_flight_do(&flight, "key", fn, word, &o, deadline);
    if (r < 0)
        trace("%s:%s", word, r == -ETIME ? "late" : r == -ECANCELED ? "killed" : "?");
    else if (o.code)
        trace("%s:%d", word, o.code);
    else if (o.led)
        trace("%s:led+%zu", word, o.others);
    else
        trace("%s:%s", word, (char *)o.value);
    ASSERT_TRUE(r < 0 ? o.code == 77 : !o.code || !o.value);
}

static void *
ask(void *word)
{
    ask_by(fetch, word, FERN_FOREVER);
    return NULL;
}

static void *
ask_in_vain(void *word)
{
    ask_by(fail, word, FERN_FOREVER);
    return NULL;
}

static void *
ask_shortly(void *word)
{
    ask_by(fetch, word, fern_in(FERN_US));
    return NULL;
}

static void
finish(fern_greenlet **gs, int n)
{
    for (int i = 0; i < n; i++)
        FINISH(gs[i]);
    ASSERT_OK(fern_flight_fini(&flight));
}

TEST(callers_at_the_same_time_share_what_the_first_of_them_makes)
{
    fern_greenlet *gs[] = {
            fern_spawn(ask, "a"), fern_spawn(ask, "b"), fern_spawn(ask, "c")};
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_flight_fini(&flight), -EBUSY);
    finish(gs, 3);
    ASSERT_STR_EQ(trace_text, "fetch-a a:led+2 b:a c:a");
}

TEST(who_comes_afterwards_makes_it_anew)
{
    ask("a");
    ask("b");
    ASSERT_STR_EQ(trace_text, "fetch-a a:led+0 fetch-b b:led+0");
}

TEST(a_failure_is_shared_too)
{
    fern_greenlet *gs[] = {fern_spawn(ask_in_vain, "a"), fern_spawn(ask, "b")};
    finish(gs, 2);
    ASSERT_STR_EQ(trace_text, "fetch-a a:42 b:42");
}

TEST(when_the_leader_is_killed_the_first_who_waits_leads_with_its_own_function)
{
    fern_greenlet *gs[] = {fern_spawn(ask, "a"), fern_spawn(ask, "b"), fern_spawn(ask, "c"),
            fern_spawn(ask, "d")};
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(gs[0], 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_yield());
    fern_greenlet *late = fern_spawn(ask, "e"); /* it joins those who are there */
    finish(gs, 4);
    FINISH(late);
    ASSERT_STR_EQ(trace_text, "fetch-a a:killed fetch-b b:led+3 c:b d:b e:b");
}

TEST(leaders_may_be_killed_one_after_the_other)
{
    fern_greenlet *gs[] = {
            fern_spawn(ask, "a"), fern_spawn(ask, "b"), fern_spawn(ask, "c")};
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(gs[0], 0, FERN_FOREVER));
    /* It leads by now, though it has not run: killed, it hands on. */
    ASSERT_OK(fern_kill(gs[1], 0, FERN_FOREVER));
    finish(gs, 3);
    ASSERT_STR_EQ(trace_text, "fetch-a a:killed fetch-b b:killed fetch-c c:led+0");
}

static void *
ask_in_scope(void *word)
{
    FERN_SCOPE (scope, fern_in(FERN_US))
        ask(word);
    return NULL;
}

TEST(when_a_scope_of_the_leader_expires_that_is_the_leaders_alone)
{
    fern_greenlet *gs[] = {fern_spawn(ask_in_scope, "a"), fern_spawn(ask, "b")};
    finish(gs, 2);
    ASSERT_STR_EQ(trace_text, "fetch-a a:late fetch-b b:led+0");
}

static int
time_out_inside(void *word, void **ret_value)
{
    int r = 0;
    FERN_SCOPE (scope, fern_in(FERN_US))
        r = fetch(word, ret_value);
    return r;
}

static void *
ask_inside(void *word)
{
    ask_by(time_out_inside, word, FERN_FOREVER);
    return NULL;
}

TEST(a_scope_inside_the_function_is_a_failure_like_any_other)
{
    fern_greenlet *gs[] = {fern_spawn(ask_inside, "a"), fern_spawn(ask, "b")};
    char wanted[64];
    snprintf(wanted, sizeof wanted, "fetch-a a:%d b:%d", -ETIME, -ETIME);
    finish(gs, 2);
    ASSERT_STR_EQ(trace_text, wanted);
}

static int
fetch_killed(void *word, void **ret_value)
{
    ASSERT_ERR(fern_kill(fern_self(), 0, FERN_NOWAIT), -ECANCELED);
    *ret_value = word;
    return 0;
}

static void *
ask_and_be_killed(void *word)
{
    ask_by(fetch_killed, word, FERN_FOREVER);
    return NULL;
}

static int
fetch_and_exit(void *word, void **ret_value)
{
    (void)fetch(word, ret_value);
    fern_exit(NULL);
}

static void *
ask_and_exit(void *word)
{
    ask_by(fetch_and_exit, word, FERN_FOREVER);
    return NULL;
}

TEST(a_killed_leader_that_has_made_it_all_the_same_shares_it)
{
    ASSERT_NOT_NULL(fern_self());
    fern_greenlet *gs[] = {fern_spawn(ask_and_be_killed, "a")};
    finish(gs, 1);
    ASSERT_STR_EQ(trace_text, "a:led+0");
}

TEST(a_leader_that_exits_leaves_nobody_behind)
{
    fern_greenlet *gs[] = {
            fern_spawn(ask_and_exit, "a"), fern_spawn(ask, "b"), fern_spawn(ask, "c")};
    finish(gs, 3);
    ASSERT_STR_EQ(trace_text, "fetch-a fetch-b b:led+1 c:b");
}

TEST(one_that_waits_no_longer_concerns_nobody_else)
{
    fern_greenlet *gs[] = {fern_spawn(ask, "a"), fern_spawn(ask_shortly, "b"),
            fern_spawn(ask, "c"), fern_spawn(ask, "d")};
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(gs[2], 0, FERN_FOREVER));
    finish(gs, 4);
    ASSERT_STR_EQ(trace_text, "fetch-a c:killed b:late a:led+1 d:a");
}

TEST(what_is_forgotten_is_made_anew_by_who_comes_then)
{
    ASSERT_EQ(fern_flight_forget(&flight, "key"), 0);
    fern_greenlet *gs[] = {fern_spawn(ask, "a"), fern_spawn(ask, "b"), NULL, NULL};
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_flight_forget(&flight, "key"), 1);
    ASSERT_EQ(fern_flight_forget(&flight, "key"), 0);
    gs[2] = fern_spawn(ask, "c");
    gs[3] = fern_spawn(ask, "d");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(gs[0], 0, FERN_FOREVER)); /* forgotten is forgotten */
    finish(gs, 4);
    ASSERT_STR_EQ(trace_text, "fetch-a fetch-c a:killed fetch-b c:led+1 b:led+0 d:c");
}

/* ---- many keys ---- */

enum { KEYS_MAX = 500 };

static int made[KEYS_MAX];

static int
make(void *index, void **ret_value)
{
    made[(intptr_t)index]++;
    *ret_value = index;
    return fern_sleep((intptr_t)index % 7 * FERN_US);
}

static void *
ask_for_index(void *index)
{
    fern_flight_result o = {0};
    char key[16];
    snprintf(key, sizeof key, "k%d", (int)(intptr_t)index);
    int r = fern_flight_do(&flight, key, make, index, &o, FERN_FOREVER);
    ASSERT_TRUE(r == -ECANCELED || (r == 0 && o.value == index));
    return NULL;
}

TEST(many_keys_are_told_apart_whoever_leaves_first)
{
    static fern_greenlet *gs[3 * KEYS_MAX];
    const int keys = harness_is_slow() ? KEYS_MAX / 10 : KEYS_MAX;
    for (int i = 0; i < 3 * keys; i++)
        gs[i] = fern_spawn(ask_for_index, (void *)(intptr_t)(i % keys));
    ASSERT_OK(fern_yield());
    for (int i = 0; i < keys; i += 3)
        ASSERT_OK(fern_kill(gs[i], 0, FERN_FOREVER));
    finish(gs, 3 * keys);
    for (int i = 0; i < keys; i++)
        ASSERT_TRUE(made[i] >= 1 && made[i] <= 3);
    ASSERT_EQ(made[1], 1);
    ASSERT_EQ(made[3], 2); /* by the one that was killed, and by the next */
}

/* ---- at random ---- */

enum { ASKERS = 60, FEW = 3 };

struct asker {
    fern_greenlet *g;
    int key;
    int64_t nap_ns;   /* of its function */
    int64_t limit_ns; /* of a scope around it; 0: none */
    bool fails;
    bool killed;
    int ran;
};

static struct asker askers[ASKERS];
static int at_work[FEW];

static int
work(void *arg, void **ret_value)
{
    struct asker *a = arg;
    a->ran++;
    ASSERT_EQ(at_work[a->key]++, 0); /* one for each key */
    int r = fern_sleep(a->nap_ns);
    at_work[a->key]--;
    *ret_value = a;
    return r < 0 ? r : a->fails ? 9 : 0;
}

static void *
ask_at_random(void *arg)
{
    static const char *const keys[FEW] = {"x", "y", "z"};
    struct asker *a = arg;
    fern_flight_result o = {0};
    int r = 0;
    FERN_SCOPE (scope, a->limit_ns ? fern_in(a->limit_ns) : FERN_FOREVER)
        r = fern_flight_do(&flight, keys[a->key], work, a, &o, FERN_FOREVER);
    ASSERT_TRUE(r == 0 || (r == -ECANCELED && a->killed) || (r == -ETIME && a->limit_ns));
    if (r < 0)
        return NULL;
    ASSERT_TRUE(o.led ? a->ran == 1 : a->ran == 0);
    ASSERT_TRUE(o.code == 0 || o.code == 9); /* nobody's kill is anybody else's failure */
    const struct asker *by = o.value;
    ASSERT_TRUE(o.code ? !by : by && by->key == a->key && by->ran == 1 && !by->fails);
    return NULL;
}

static void
run_at_random(void)
{
    for (int i = 0; i < ASKERS; i++) {
        struct asker *a = &askers[i];
        *a = (struct asker){.key = (int)harness_draw(FEW),
                .nap_ns = harness_draw(4) * FERN_US,
                .limit_ns = harness_draw(3) ? 0 : harness_draw(5) * FERN_US,
                .fails = harness_draw(6) == 0};
        a->g = fern_spawn(ask_at_random, a);
        if (harness_draw(2))
            ASSERT_OK(fern_sleep(harness_draw(2) * FERN_US));
        struct asker *victim = &askers[harness_draw((uint32_t)i + 1)];
        if (harness_draw(4) == 0) {
            victim->killed = true;
            (void)fern_kill(victim->g, 0, FERN_NOWAIT);
        }
    }
    for (int i = 0; i < ASKERS; i++)
        FINISH(askers[i].g);
    ASSERT_OK(fern_flight_fini(&flight));
}

TEST(whatever_befalls_whom_each_gets_a_result_or_its_own_end, .seconds = 60)
{
    harness_each_seed(harness_is_slow() ? 100 : 2000, run_at_random);
}

/* ---- misuse ---- */

static int
ask_again(void *word, void **ret_value)
{
    fern_flight_result o;
    (void)ret_value;
    ASSERT_ERR(fern_flight_do(&flight, "key", fetch, word, &o, FERN_FOREVER), -EDEADLK);
    ASSERT_OK(fern_flight_do(&flight, "other", fetch_now, word, &o, FERN_NOWAIT));
    return 0;
}

static int
try_meanwhile(void *g, void **ret_value)
{
    *ret_value = NULL;
    FINISH(g);
    return 0;
}

static void *
try_it(void *word)
{
    fern_flight_result o;
    ASSERT_ERR(fern_flight_do(&flight, "key", fetch, word, &o, FERN_NOWAIT), -EAGAIN);
    return NULL;
}

TEST(asking_without_waiting_and_asking_within_the_function)
{
    fern_flight_result o;
    ASSERT_OK(fern_flight_do(&flight, "key", ask_again, "x", &o, FERN_NOWAIT));
    ASSERT_STR_EQ(trace_text, "now-x");
    fern_greenlet *g = fern_spawn(try_it, "y");
    ASSERT_OK(fern_flight_do(&flight, "key", try_meanwhile, g, &o, FERN_FOREVER));
    ASSERT_OK(fern_flight_fini(&flight));
}

TEST(nothing_is_nothing_to_ask_for)
{
    fern_flight_result o;
    ASSERT_ERR(fern_flight_do(NULL, "k", fetch, NULL, &o, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_flight_do(&flight, NULL, fetch, NULL, &o, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_flight_do(&flight, "k", NULL, NULL, &o, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_flight_do(&flight, "k", fetch, NULL, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_flight_forget(NULL, "k"), -EINVAL);
    ASSERT_ERR(fern_flight_forget(&flight, NULL), -EINVAL);
    ASSERT_ERR(fern_flight_fini(NULL), -EINVAL);
}

static void *
ask_elsewhere(void *unused)
{
    fern_flight_result o;
    ASSERT_ERR(fern_flight_do(&flight, "k", fetch, NULL, &o, FERN_NOWAIT), -EXDEV);
    ASSERT_ERR(fern_flight_forget(&flight, "k"), -EXDEV);
    ASSERT_ERR(fern_flight_fini(&flight), -EXDEV);
    return unused;
}

TEST(another_thread_is_refused)
{
    pthread_t thread;
    ask_by(fetch_now, "a", FERN_NOWAIT);
    ASSERT_EQ(pthread_create(&thread, NULL, ask_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_flight_fini(&flight));
}

static void *
ask_killed(void *word)
{
    fern_flight_result o;
    ASSERT_ERR(fern_kill(fern_self(), 0, FERN_NOWAIT), -ECANCELED);
    ASSERT_ERR(fern_flight_do(&flight, "k", fetch_now, word, &o, FERN_FOREVER), -ECANCELED);
    return NULL;
}

TEST(one_that_was_killed_does_not_begin)
{
    FINISH(fern_spawn(ask_killed, "a"));
    ASSERT_STR_EQ(trace_text, "");
}
