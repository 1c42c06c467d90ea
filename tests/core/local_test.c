/* SPDX-License-Identifier: MIT */
/* Values under keys: whose they are, whom they pass to, and when they go. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "trace.h"

static fern_key key, second;

/* A destroy function that says what it is given. */
static void
bury(void *word)
{
    trace("-%s", (const char *)word);
}

static void *
own_value(void *word)
{
    ASSERT_TRUE(fern_key_get(key) == NULL);
    ASSERT_OK(fern_key_set(key, word));
    ASSERT_OK(fern_yield());
    ASSERT_TRUE(fern_key_get(key) == word);
    return word;
}

TEST(each_greenlet_has_a_value_of_its_own_and_so_has_main)
{
    ASSERT_OK(fern_key_create(&key, bury, 0));
    ASSERT_TRUE(fern_key_get(key) == NULL);
    ASSERT_OK(fern_key_set(key, "main"));
    fern_greenlet *a = fern_spawn(own_value, "a"), *b = fern_spawn(own_value, "b");
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(fern_key_get(key), "main");
    ASSERT_STR_EQ(trace_text, "-a -b");
    ASSERT_OK(fern_key_delete(key));
    ASSERT_STR_EQ(trace_text, "-a -b -main");
}

static void
bury_and_look(void *word)
{
    trace("-%s", (const char *)word);
    const char *other = fern_key_get(key);
    trace("sees:%s", other ? other : "none");
    ASSERT_ERR(fern_sleep(FERN_MS), -EDEADLK);
}

static void *
set_two(void *unused)
{
    ASSERT_OK(fern_key_set(key, "old"));
    ASSERT_OK(fern_key_set(second, "new"));
    return unused;
}

TEST(values_go_when_their_greenlet_ends_in_it_and_the_newest_keys_first)
{
    ASSERT_OK(fern_key_create(&key, bury, 0));
    ASSERT_OK(fern_key_create(&second, bury_and_look, 0));
    FINISH(fern_spawn(set_two, NULL));
    ASSERT_STR_EQ(trace_text, "-new sees:old -old");
    ASSERT_OK(fern_key_delete(key));
    ASSERT_OK(fern_key_delete(second));
}

static void *
set_and_sleep(void *word)
{
    ASSERT_OK(fern_key_set(key, word));
    (void)fern_sleep(FERN_HOUR);
    ASSERT_TRUE(fern_key_get(key) == word);
    fern_exit(NULL);
    return NULL;
}

TEST(values_of_one_that_is_killed_or_exits_go_too)
{
    ASSERT_OK(fern_key_create(&key, bury, 0));
    fern_greenlet *g = fern_spawn(set_and_sleep, "killed");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "-killed"); /* though it is referenced */
    fern_greenlet_unref(g);
    ASSERT_OK(fern_key_delete(key));
}

TEST(a_value_that_is_replaced_or_taken_away_goes)
{
    ASSERT_OK(fern_key_create(&key, bury, 0));
    ASSERT_OK(fern_key_set(key, "a"));
    ASSERT_OK(fern_key_set(key, "b"));
    ASSERT_STR_EQ(trace_text, "-a");
    ASSERT_OK(fern_key_set(key, fern_key_get(key)));
    ASSERT_STR_EQ(trace_text, "-a");
    ASSERT_OK(fern_key_set(key, NULL));
    ASSERT_STR_EQ(trace_text, "-a -b");
    ASSERT_OK(fern_key_set(key, NULL));
    ASSERT_TRUE(fern_key_get(key) == NULL);
    ASSERT_OK(fern_key_delete(key));
    ASSERT_STR_EQ(trace_text, "-a -b");
}

static void *
lose_value(void *word)
{
    ASSERT_OK(fern_key_set(key, word));
    ASSERT_OK(fern_yield());
    ASSERT_TRUE(fern_key_get(key) == NULL);
    return NULL;
}

TEST(deleting_a_key_drops_the_values_of_all_greenlets_and_a_new_key_has_none)
{
    ASSERT_OK(fern_key_create(&key, bury, 0));
    fern_greenlet *a = fern_spawn(lose_value, "a"), *b = fern_spawn(lose_value, "b");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_key_delete(key));
    ASSERT_STR_EQ(trace_text, "-a -b");
    fern_key old = key;
    ASSERT_OK(fern_key_create(&key, bury, 0));
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "-a -b");
    ASSERT_ERR(fern_key_set(old, "x"), -EINVAL);
    ASSERT_ERR(fern_key_delete(old), -EINVAL);
    ASSERT_OK(fern_key_delete(key));
}

static void
come_back(void *word)
{
    trace("-%s", (const char *)word);
    ASSERT_OK(fern_key_set(second, word));
}

static void *
set_second(void *word)
{
    ASSERT_OK(fern_key_set(second, word));
    return NULL;
}

TEST(a_destroy_function_that_always_sets_its_value_anew_is_called_four_times)
{
    ASSERT_OK(fern_key_create(&second, come_back, 0));
    FINISH(fern_spawn(set_second, "x"));
    ASSERT_STR_EQ(trace_text, "-x -x -x -x");
    ASSERT_OK(fern_key_delete(second));
}

/* ---- passing on ---- */

static void *
look(void *unused)
{
    const char *value = fern_key_get(key);
    trace("%s", value ? value : "none");
    return unused;
}

static void *
look_and_change(void *word)
{
    look(NULL);
    ASSERT_OK(fern_key_set(key, word));
    FINISH(fern_spawn(look, NULL));
    return NULL;
}

TEST(a_key_that_is_not_inherited_is_unset_in_those_that_are_spawned)
{
    ASSERT_OK(fern_key_create(&key, NULL, 0));
    ASSERT_OK(fern_key_set(key, "main"));
    FINISH(fern_spawn(look, NULL));
    ASSERT_STR_EQ(trace_text, "none");
    ASSERT_OK(fern_key_delete(key));
}

TEST(an_inherited_value_is_copied_at_the_spawn_and_goes_with_its_last_holder)
{
    ASSERT_OK(fern_key_create(&key, bury, FERN_KEY_INHERIT));
    ASSERT_OK(fern_key_set(key, "main"));
    fern_greenlet *early = fern_spawn(look, NULL);
    fern_greenlet *changer = fern_spawn(look_and_change, "changed");
    ASSERT_OK(fern_key_set(key, "later"));
    FINISH(early);
    FINISH(changer);
    ASSERT_STR_EQ(fern_key_get(key), "later");
    ASSERT_STR_EQ(trace_text, "main main -main changed -changed");
    ASSERT_OK(fern_key_delete(key));
    ASSERT_STR_EQ(trace_text, "main main -main changed -changed -later");
}

TEST(one_that_never_runs_gives_its_part_of_an_inherited_value_back)
{
    ASSERT_OK(fern_key_create(&key, bury, FERN_KEY_INHERIT));
    ASSERT_OK(fern_key_set(key, "main"));
    fern_greenlet *unrun = fern_spawn(look, NULL);
    FERN_SPAWN_OPTIONS(options);
    options.unstarted = true;
    fern_greenlet *unstarted = fern_spawn_with(look, NULL, &options);
    ASSERT_OK(fern_key_set(key, NULL));
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_OK(fern_kill(unrun, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "");
    fern_greenlet_unref(unstarted);
    ASSERT_STR_EQ(trace_text, "-main");
    fern_greenlet_unref(unrun);
    ASSERT_OK(fern_key_delete(key));
    ASSERT_OK(fern_yield());
}

static void *
grandchild(void *word)
{
    look(NULL);
    ASSERT_OK(fern_key_set(key, word));
    return NULL;
}

static void *
child(void *unused)
{
    look(NULL);
    fern_greenlet *g = fern_spawn(grandchild, "grandchild");
    ASSERT_OK(fern_key_set(key, "child")); /* after the spawn: it is one value */
    FINISH(g);
    look(NULL);
    return unused;
}

TEST(descendants_share_one_value_and_mains_children_each_begin_a_family)
{
    ASSERT_OK(fern_key_create(&key, bury, FERN_KEY_TREE));
    ASSERT_OK(fern_key_set(key, "main"));
    FINISH(fern_spawn(child, NULL));
    ASSERT_STR_EQ(trace_text, "none child -child grandchild -grandchild");
    trace_text[0] = 0;
    FINISH(fern_spawn(child, NULL));
    ASSERT_STR_EQ(trace_text, "none child -child grandchild -grandchild");
    ASSERT_STR_EQ(fern_key_get(key), "main");
    ASSERT_OK(fern_key_delete(key));
}

/* ---- looking at all ---- */

static bool
list(fern_key which, void *value, void *most)
{
    trace("%s%s", which.fern__id == key.fern__id ? "key=" : "second=", (char *)value);
    return --*(int *)most > 0;
}

static void *
hold_two(void *unused)
{
    set_two(unused);
    ASSERT_OK(fern_yield());
    return unused;
}

TEST(the_values_of_a_greenlet_can_be_listed)
{
    int most = 10;
    ASSERT_OK(fern_key_create(&key, NULL, 0));
    ASSERT_OK(fern_key_create(&second, NULL, 0));
    ASSERT_EQ(fern_key_each(NULL, list, &most), 0);
    fern_greenlet *g = fern_spawn(hold_two, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_key_each(g, list, &most), 2);
    most = 1;
    ASSERT_EQ(fern_key_each(g, list, &most), 1);
    ASSERT_STR_EQ(trace_text, "key=old second=new key=old");
    FINISH(g);
    ASSERT_OK(fern_key_delete(key));
    ASSERT_OK(fern_key_delete(second));
}

/* ---- threads ---- */

static void *
without_a_hub(void *unused)
{
    ASSERT_TRUE(fern_key_get(key) == NULL);
    ASSERT_OK(fern_key_set(key, "thread"));
    ASSERT_STR_EQ(fern_key_get(key), "thread");
    fern_hub_stats stats;
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_EQ(stats.greenlets, 0); /* no hub was made for it */
    return unused;
}

static void *
with_a_hub(void *unused)
{
    without_a_hub(NULL);
    FINISH(fern_spawn(own_value, "inner"));
    ASSERT_STR_EQ(fern_key_get(key), "thread");
    return unused;
}

static void
run_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, fn, arg), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
}

TEST(a_thread_without_greenlets_has_values_too_which_go_when_it_ends)
{
    ASSERT_OK(fern_key_create(&key, bury, 0));
    ASSERT_OK(fern_key_set(key, "main"));
    run_thread(without_a_hub, NULL);
    ASSERT_STR_EQ(trace_text, "-thread");
    run_thread(with_a_hub, NULL);
    ASSERT_STR_EQ(trace_text, "-thread -inner -thread");
    ASSERT_STR_EQ(fern_key_get(key), "main");
    ASSERT_OK(fern_key_delete(key));
}

static pthread_barrier_t barrier;

static void *
hold_past_deletion(void *word)
{
    ASSERT_OK(fern_key_set(key, word));
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    ASSERT_TRUE(fern_key_get(key) == NULL);
    return NULL;
}

TEST(values_of_another_thread_are_out_of_reach_once_the_key_is_deleted_and_go_at_its_end)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    ASSERT_OK(fern_key_create(&key, bury, 0));
    ASSERT_EQ(pthread_create(&thread, NULL, hold_past_deletion, "far"), 0);
    pthread_barrier_wait(&barrier);
    ASSERT_OK(fern_key_delete(key));
    ASSERT_STR_EQ(trace_text, "");
    pthread_barrier_wait(&barrier);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_STR_EQ(trace_text, "-far");
    pthread_barrier_destroy(&barrier);
}

static void *
list_from_elsewhere(void *g)
{
    int most = 1;
    ASSERT_ERR(fern_key_each(g, list, &most), -EXDEV);
    return NULL;
}

TEST(misuse_of_keys_answers_with_its_code)
{
    fern_key none = {0};
    ASSERT_ERR(fern_key_create(NULL, NULL, 0), -EINVAL);
    ASSERT_ERR(fern_key_create(&key, NULL, 4), -EINVAL);
    ASSERT_ERR(fern_key_create(&key, NULL, FERN_KEY_INHERIT | FERN_KEY_TREE), -EINVAL);
    ASSERT_ERR(fern_key_set(none, "x"), -EINVAL);
    ASSERT_ERR(fern_key_delete(none), -EINVAL);
    ASSERT_TRUE(fern_key_get(none) == NULL);
    ASSERT_ERR(fern_key_each(NULL, NULL, NULL), -EINVAL);
    run_thread(list_from_elsewhere, fern_self());
}

TEST(there_are_so_many_keys_and_no_more)
{
    static fern_key all[FERN_KEYS_MAX];
    for (int i = 0; i < FERN_KEYS_MAX; i++)
        ASSERT_OK(fern_key_create(&all[i], NULL, 0));
    ASSERT_ERR(fern_key_create(&key, NULL, 0), -ENOSPC);
    for (int i = FERN_KEYS_MAX - 1; i >= 0; i--)
        ASSERT_OK(fern_key_set(all[i], &all[i]));
    for (int i = 0; i < FERN_KEYS_MAX; i++)
        ASSERT_TRUE(fern_key_get(all[i]) == &all[i]);
    for (int i = 0; i < FERN_KEYS_MAX; i++)
        ASSERT_OK(fern_key_delete(all[i]));
    ASSERT_OK(fern_key_create(&key, NULL, 0));
    ASSERT_OK(fern_key_delete(key));
}
