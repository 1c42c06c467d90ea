/* SPDX-License-Identifier: MIT */
/*
 * Select over any of the things, and moments; and waiting for several of them without taking
 * anything.
 */
#include "things.h"

static fern_case
pick_case(struct user *u, struct way *w, bool watches)
{
    struct thing *t = &model.thing[draw((unsigned)model.things)];
    fern_case (*choose)(struct user *, struct way *) = t->kind->choose;
    if (watches && !choose)
        choose = t->kind->watch;
    *w = (struct way){.user = u};
    if (choose && !chance(10)) {
        w->thing = t;
        w->line = &t->line[0]; /* unless the kind knows better */
        return choose(u, w);
    }
    w->when = chance(80) ? fern_in((int64_t)draw(8) * 500 * FERN_US) : FERN_FOREVER;
    return w->when.ns == INT64_MAX ? fern_case_event(NULL) : fern_case_timer(w->when);
}

static void
tell_chosen(struct user *u, int won)
{
    for (int i = 0; i < u->ways; i++)
        if (u->way[i].thing && u->way[i].thing->kind->chosen)
            u->way[i].thing->kind->chosen(u, &u->way[i], i == won);
}

void
do_select(struct user *u)
{
    fern_case cases[WAYS_MAX];
    fern_time deadline = pick_deadline();
    u->selects = true;
    u->drawn = chance(30);
    u->ways = 1 + (int)draw(WAYS_MAX);
    for (int i = 0; i < u->ways; i++)
        cases[i] = pick_case(u, &u->way[i], false);
    wait_begin(u, deadline);
    tell("user %d selects", u->number);
    int flags = u->drawn ? FERN_SELECT_RANDOM : 0;
    int r = fern_select(cases, (size_t)u->ways, flags, deadline);
    select_end(u, r, cases);
    tell_chosen(u, r);
}

/* ---- watching ---- */

/* Those that were ready when it began come first, as listed. */
struct seen {
    int first[WAYS_MAX];
    int count;
    int told;
    bool was_told[WAYS_MAX];
};

static void
see(struct user *u, struct seen *seen)
{
    *seen = (struct seen){.count = 0};
    for (int i = 0; i < u->ways; i++) {
        u->way[i].line = NULL; /* it is handed nothing */
        if (u->way[i].thing)
            u->way[i].thing->watched++;
        if (way_is_ready(&u->way[i]))
            seen->first[seen->count++] = i;
    }
}

static void
check_told(const struct user *u, struct seen *seen, size_t index)
{
    MUST(index < (size_t)u->ways && !seen->was_told[index], "case %zu was told twice",
            index);
    MUST(seen->told >= seen->count || seen->first[seen->told] == (int)index,
            "user %d was told of case %zu before %d, which was ready", u->number, index,
            seen->first[seen->told]);
    const struct way *w = &u->way[index];
    MUST(w->thing || way_is_ready(w), "a moment came too early");
    seen->was_told[index] = true;
    seen->told++;
}

static void
watch_begin(struct user *u, fern_time deadline)
{
    u->open = u->selects = true;
    wait_begin(u, deadline);
}

/* All at once. */
static void
wait_for_some(struct user *u, fern_case *cases, struct seen *seen)
{
    size_t order[WAYS_MAX], wanted = draw((unsigned)u->ways + 1);
    fern_time deadline = pick_deadline();
    u->wanted = wanted ? (int)wanted : u->ways;
    watch_begin(u, deadline);
    int r = fern_wait(cases, (size_t)u->ways, wanted, order, deadline);
    bool late = !deadline.ns || fern_now().ns >= deadline.ns;
    MUST(r < 0 || r == u->wanted || (late && r < u->wanted), "user %d has %d of %d",
            u->number, r, u->wanted);
    open_end(u, r);
    for (int i = 0; i < r; i++)
        check_told(u, seen, order[i]);
    MUST(r < 0 || r == u->wanted || seen->told >= seen->count,
            "user %d was not told of %d that were ready", u->number, seen->count);
}

/* One after the other, and something else in between. */
static void
iterate(struct user *u, fern_case *cases, struct seen *seen)
{
    fern_iwait *it = fern_iwait_new(cases, (size_t)u->ways);
    MUST(it, "no iterator");
    int r = 1;
    while (r == 1) {
        size_t index;
        fern_time deadline = pick_deadline();
        u->wanted = seen->told + 1;
        watch_begin(u, deadline);
        u->wanted = seen->told == u->ways ? 0 : u->wanted;
        r = fern_iwait_next(it, &index, deadline);
        MUST(r != 0 || seen->told == u->ways, "%d of %d were told", seen->told, u->ways);
        if (open_end(u, r) && r == 1)
            check_told(u, seen, index);
        if (chance(20) || (chance(40) && fern_yield() < 0))
            break;
    }
    fern_iwait_free(it);
}

void
do_watch(struct user *u)
{
    fern_case cases[WAYS_MAX];
    struct seen seen;
    u->ways = 1 + (int)draw(WAYS_MAX);
    u->selects = true;
    for (int i = 0; i < u->ways; i++)
        cases[i] = pick_case(u, &u->way[i], true);
    see(u, &seen);
    tell("user %d watches", u->number);
    if (chance(50))
        wait_for_some(u, cases, &seen);
    else
        iterate(u, cases, &seen);
    u->wanted = 0;
    for (int i = 0; i < u->ways; i++)
        if (u->way[i].thing)
            u->way[i].thing->watched--;
    tell_chosen(u, -1);
    u->selects = false;
}
