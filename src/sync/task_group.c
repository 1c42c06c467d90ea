/* SPDX-License-Identifier: MIT */
/*
 * Task groups: tasks that live and fail together.
 *
 *     OPEN --wait--> CLOSING --all have ended--> OVER
 *
 * A group that is shut (one has failed, or it was cancelled) has killed everybody and takes nobody
 * any more. A member that has ended well is forgotten at once; one that has failed is kept for
 * fern_task_group_error(). Members are told by watchers at their futures.
 */
#include "sync/future.h"

#include <stdio.h>
#include <stdlib.h>

struct member {
    struct fern__watcher watcher;
    struct fern__list node; /* in members, dying or failed of the group */
    struct fern_task_group *group;
    fern_future *task;
};

struct fern_task_group {
    fern_scope body; /* open while the owner is in it */
    struct fern__hub *hub;
    fern_greenlet *owner;
    struct fern__list members;
    struct fern__list dying; /* killed by the group */
    struct fern__list failed;
    size_t running;
    size_t failures;
    bool shut;
    bool over;
    bool waited; /* the owner is parked in it */
};

static void
describe_group(const struct fern__cell *cell, char *text, size_t bytes)
{
    const fern_task_group *group = cell->object;
    snprintf(text, bytes, "%zu tasks", group->running);
}

static void
name_members(const struct fern__list *members, struct fern__owners *owners)
{
    FERN__LIST_FOREACH (node, members) {
        const struct member *m = fern__container_of(node, struct member, node);
        fern__owners_add(owners, m->task->greenlet->id);
    }
}

static void
task_group_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const fern_task_group *group = cell->object;
    name_members(&group->members, owners);
    name_members(&group->dying, owners);
}

static const struct fern__waitable waitable_group = {
        .name = "task group", .describe = describe_group, .owners = task_group_owners};

fern_task_group *
fern_task_group_new(void)
{
    struct fern__hub *hub = fern__hub_need();
    bool refused = hub && hub->current->flags & FERN__CALLER;
    fern_task_group *group = hub && !refused ? calloc(1, sizeof *group) : NULL;
    if (!group) {
        errno = !hub ? -fern__hub_error() : refused ? EDEADLK : ENOMEM;
        return NULL;
    }
    group->hub = hub;
    group->owner = hub->current;
    (void)fern_scope_start(&group->body, FERN_FOREVER);
    return group;
}

/* ---- shutting ---- */

/* Kill everybody, once. A task that has not run ends here, and is told of at once. */
static void
shut(fern_task_group *group, int code)
{
    if (group->shut)
        return;
    group->shut = true;
    for (struct fern__list *node; (node = fern__list_pop(&group->members));) {
        fern__list_append(&group->dying, node);
        (void)fern_future_cancel(fern__container_of(node, struct member, node)->task, code);
    }
    (void)fern_scope_cancel(&group->body, code); /* it may have been left */
}

static void
member_told(struct fern__watcher *watcher)
{
    struct member *m = fern__container_of(watcher, struct member, watcher);
    fern_task_group *group = m->group;
    fern__list_remove(&m->node);
    group->running--;
    if (fern__future_failed(m->task)) {
        m->task->looked = true;
        group->failures++;
        fern__list_append(&group->failed, &m->node);
        shut(group, 0);
    } else {
        fern_future_unref(m->task);
        free(m);
    }
    if (group->running == 0 && group->waited && fern__wait_claim(group->owner))
        fern__wait_grant(group->owner, 0);
}

int
fern_task_group_cancel(fern_task_group *group, int code)
{
    FERN_CHECK(group, -EINVAL);
    FERN_CHECK(group->hub == fern__self_hub(), -EXDEV);
    FERN_CHECK(!group->shut && !group->over, -EALREADY);
    shut(group, code);
    return 0;
}

/* ---- spawning ---- */

static int
check_spawn(const fern_task_group *group, fern_fn *fn)
{
    FERN_CHECK(group && fn, -EINVAL);
    FERN_CHECK(group->hub == fern__self_hub(), -EXDEV);
    FERN_CHECK(!group->shut && !group->over, -EPIPE);
    return 0;
}

/* @return 0 and the task, borrowed; a code */
static int
spawn(fern_task_group *group, fern_fn *fn, void *arg, const fern_site *site,
        fern_future **ret_task)
{
    int r = check_spawn(group, fn);
    if (r < 0)
        return r;
    struct member *m = calloc(1, sizeof *m);
    if (!m)
        return -ENOMEM;
    m->task = fern_task_at(fn, arg, NULL, site);
    if (!m->task) {
        free(m);
        return -errno;
    }
    m->watcher.tell = member_told;
    m->group = group;
    fern__wait_add(&m->task->sync.waiters, &m->watcher.cell);
    fern__list_append(&group->members, &m->node);
    group->running++;
    *ret_task = m->task;
    return 0;
}

fern_future *
fern_task_group_spawn_at(
        fern_task_group *group, fern_fn *fn, void *arg, const fern_site *site)
{
    fern_future *task;
    int r = spawn(group, fn, arg, site, &task);
    if (r == 0)
        return fern_future_ref(task);
    errno = -r;
    return NULL;
}

int
fern_task_group_go_at(fern_task_group *group, fern_fn *fn, void *arg, const fern_site *site)
{
    fern_future *task;
    return spawn(group, fn, arg, site, &task);
}

/* The functions behind the macros: for languages without macros. */

fern_future *(fern_task_group_spawn)(fern_task_group *group, fern_fn *fn, void *arg)
{
    return fern_task_group_spawn_at(group, fn, arg, NULL);
}

int(fern_task_group_go)(fern_task_group *group, fern_fn *fn, void *arg)
{
    return fern_task_group_go_at(group, fn, arg, NULL);
}

/* ---- waiting ---- */

static int
park(fern_task_group *group, fern_time deadline)
{
    fern_greenlet *g = group->owner;
    if (g->interrupt)
        return g->interrupt;
    fern__wait_begin(g, &waitable_group, group);
    group->waited = true;
    int r = fern__park(group->hub, g, deadline);
    group->waited = false;
    return r;
}

static int
park_shielded(fern_task_group *group)
{
    fern_scope shield = FERN_SCOPE_INIT;
    (void)fern_shield_start(&shield);
    int r = park(group, FERN_FOREVER);
    (void)fern_shield_stop(&shield);
    return r;
}

/* Wait for all; what interrupts that is answered by killing them, and then they are waited for
 * without interruption. @return 0, or what has interrupted it */
static int
join(fern_task_group *group, fern_time deadline)
{
    int r = deadline.ns ? group->owner->interrupt : 0;
    if (r < 0)
        shut(group, 0);
    while (group->running) { /* ends: they have been killed, or nothing can wake them */
        int parked = r < 0 ? park_shielded(group) : park(group, deadline);
        if (r < 0 && parked < 0)
            return r;
        if (parked < 0) {
            r = parked;
            shut(group, 0);
        }
    }
    return r;
}

int
fern_task_group_wait(fern_task_group *group, fern_time deadline)
{
    FERN_CHECK(group, -EINVAL);
    FERN_CHECK(group->hub == fern__self_hub(), -EXDEV);
    FERN_CHECK(group->hub->current == group->owner, -EPERM);
    if (deadline.ns == 0 && group->running)
        return -EAGAIN;
    (void)fern_scope_stop(&group->body); /* not open: it was waited for before */
    int r = join(group, deadline);
    group->over = group->running == 0;
    return group->failures ? (int)group->failures : r;
}

int
fern_task_group_error(const fern_task_group *group, size_t index, fern_outcome *ret_outcome)
{
    FERN_CHECK(group && ret_outcome, -EINVAL);
    FERN_CHECK(index < group->failures, -ESRCH);
    const struct fern__list *node = group->failed.next;
    while (index--)
        node = node->next;
    *ret_outcome = fern__future_take(fern__container_of(node, struct member, node)->task);
    return 0;
}

void
fern_task_group_free(fern_task_group *group)
{
    if (!group)
        return;
    if (group->hub != fern__self_hub() || group->hub->current != group->owner) {
        fern__report(
                "a task group was freed by a greenlet that did not make it: it is lost");
        return;
    }
    shut(group, 0);
    if (!group->over && fern_task_group_wait(group, FERN_FOREVER) < 0 && group->running) {
        fern__report("a task group was freed whose tasks cannot end: it is lost");
        return;
    }
    for (struct fern__list *node; (node = fern__list_pop(&group->failed));) {
        struct member *m = fern__container_of(node, struct member, node);
        fern_future_unref(m->task);
        free(m);
    }
    free(group);
}
