/* SPDX-License-Identifier: MIT */
/*
 * Values under keys.
 *
 * A key's number grows with each key and holds its place in the table of keys and its flags, so
 * that a value's entry tells all that a look-up needs. Most greenlets have no values and pay
 * nothing. Main's, and those of a thread without a hub, hang on the thread. The values of a tree
 * are one set that all its greenlets refer to.
 */
#include "core/locals.h"

#include "core/self.h"
#include "core/values.h"

#include <fern/local.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    FLAG_BITS = 2,
    FLAGS = (1 << FLAG_BITS) - 1,
    PLACE_BITS = 10,
};

_Static_assert(FERN_KEYS_MAX == 1 << PLACE_BITS, "a place fits its bits");

struct locals {
    struct fern__values own;
    struct fern__values *tree;
};

/* ---- keys ---- */

static struct {
    _Atomic uint64_t id; /* 0: free */
    _Atomic(fern_free_fn *) destroy;
} keys[FERN_KEYS_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t keys_made;
static atomic_bool passing_keys; /* there has been one whose values pass to others */
static atomic_bool tree_keys;
static pthread_key_t thread_key;
static pthread_once_t thread_key_once = PTHREAD_ONCE_INIT;

static size_t
place_of(uint64_t id)
{
    return (id >> FLAG_BITS) % FERN_KEYS_MAX;
}

static bool
is_key(uint64_t id)
{
    return id && atomic_load_explicit(&keys[place_of(id)].id, memory_order_acquire) == id;
}

/* From now on this hub's spawns take the way on which values pass. */
static void
watch_spawns(struct fern__hub *hub)
{
    if (hub && !hub->inherits) {
        hub->inherits = true;
        fern__hub_observe(hub);
    }
}

void
fern__locals_attach(struct fern__hub *hub)
{
    hub->inherits = atomic_load(&passing_keys);
}

int
fern_key_create(fern_key *ret_key, fern_free_fn *destroy, int flags)
{
    FERN_CHECK(ret_key && !(flags & ~FLAGS) && flags != FLAGS, -EINVAL);
    size_t place = 0;
    pthread_mutex_lock(&lock);
    while (place < FERN_KEYS_MAX && atomic_load(&keys[place].id))
        place++;
    if (place < FERN_KEYS_MAX) {
        uint64_t id = (++keys_made << PLACE_BITS | place) << FLAG_BITS | (uint64_t)flags;
        atomic_store(&keys[place].destroy, destroy);
        atomic_store(&keys[place].id, id);
        ret_key->fern__id = id;
    }
    pthread_mutex_unlock(&lock);
    FERN_CHECK(place < FERN_KEYS_MAX, -ENOSPC);
    if (flags) {
        atomic_store(&passing_keys, true);
        if (flags & FERN_KEY_TREE)
            atomic_store(&tree_keys, true);
        watch_spawns(fern__self_hub());
    }
    return 0;
}

/* ---- trees ---- */

static void
tree_unref(struct fern__values *tree)
{
    if (tree && --tree->refs == 0) {
        tree->refs = 1; /* while its values are destroyed */
        fern__values_end(tree);
        free(tree);
    }
}

/* ---- whose ---- */

static void **
slot_of(fern_greenlet *g)
{
    return !g || g->flags & FERN__ROOT ? &fern__self_slot.locals : &g->locals;
}

static fern_greenlet *
current(void)
{
    struct fern__hub *hub = fern__self_hub();
    return hub ? hub->current : NULL;
}

static void
locals_end(void **slot)
{
    struct locals *locals = *slot;
    if (!locals)
        return;
    fern__values_end(&locals->own);
    *slot = NULL;
    struct fern__values *tree = locals->tree;
    free(locals);
    tree_unref(tree);
}

/* The thread ends. What its destroy functions set brings it here again. */
static void
thread_end(void *unused)
{
    (void)unused;
    locals_end(&fern__self_slot.locals);
}

static void
make_thread_key(void)
{
    pthread_key_create(&thread_key, thread_end);
}

/* What a greenlet has, made if there is nothing yet; or NULL. */
static struct locals *
locals_need(fern_greenlet *g)
{
    void **slot = slot_of(g);
    if (*slot)
        return *slot;
    struct locals *locals = calloc(1, sizeof *locals);
    if (!locals)
        return NULL;
    if (slot == &fern__self_slot.locals) {
        pthread_once(&thread_key_once, make_thread_key);
        if (pthread_setspecific(thread_key, locals) != 0) {
            free(locals);
            return NULL;
        }
    } else {
        g->dirty |= FERN__DIRTY_REST;
    }
    *slot = locals;
    return locals;
}

static struct fern__values *
tree_need(struct locals *locals)
{
    if (!locals->tree) {
        locals->tree = calloc(1, sizeof *locals->tree);
        if (locals->tree)
            locals->tree->refs = 1;
    }
    return locals->tree;
}

/* ---- getting and setting ---- */

void *
fern_key_get(fern_key key)
{
    uint64_t id = key.fern__id;
    const struct locals *locals = *slot_of(current());
    if (!locals || !is_key(id))
        return NULL;
    const struct fern__values *values = id & FERN_KEY_TREE ? locals->tree : &locals->own;
    const struct fern__entry *entry = fern__values_find(values, id);
    return entry ? entry->value : NULL;
}

int
fern_key_set(fern_key key, void *value)
{
    uint64_t id = key.fern__id;
    FERN_CHECK(is_key(id), -EINVAL);
    if (id & FLAGS)
        watch_spawns(fern__self_hub());
    struct locals *locals = locals_need(current());
    FERN_CHECK(locals, -ENOMEM);
    struct fern__values *values = id & FERN_KEY_TREE ? tree_need(locals) : &locals->own;
    FERN_CHECK(values, -ENOMEM);
    struct fern__entry *entry = fern__values_find(values, id);
    if (!entry && value)
        return fern__values_put(values, id, value, atomic_load(&keys[place_of(id)].destroy),
                id & FERN_KEY_INHERIT);
    if (entry && value && entry->value != value)
        return fern__values_replace(entry, value);
    if (entry && !value)
        fern__values_remove(values, entry);
    return 0;
}

static int
each(const struct fern__values *values, fern_key_each_fn *fn, void *arg, bool *go_on)
{
    int n = 0;
    for (uint32_t i = 0; values && i < values->count && *go_on; i++) {
        if (!is_key(values->entries[i].id))
            continue;
        *go_on = fn((fern_key){values->entries[i].id}, values->entries[i].value, arg);
        n++;
    }
    return n;
}

int
fern_key_each(const fern_greenlet *g, fern_key_each_fn *fn, void *arg)
{
    FERN_CHECK(fn, -EINVAL);
    FERN_CHECK(!g || fern__greenlet_here(g), -EXDEV);
    const struct locals *locals = *slot_of(g ? (fern_greenlet *)(uintptr_t)g : current());
    bool go_on = true;
    if (!locals)
        return 0;
    int n = each(&locals->own, fn, arg, &go_on);
    return n + each(locals->tree, fn, arg, &go_on);
}

/* ---- deleting ---- */

static void
forget(struct fern__values *values, uint64_t id)
{
    struct fern__entry *entry = fern__values_find(values, id);
    if (entry)
        fern__values_remove(values, entry);
}

static void
locals_forget(struct locals *locals, uint64_t id)
{
    if (locals)
        forget(id & FERN_KEY_TREE ? locals->tree : &locals->own, id);
}

static bool
greenlet_forget(fern_greenlet *g, void *id)
{
    locals_forget(g->locals, *(uint64_t *)id);
    return true;
}

int
fern_key_delete(fern_key key)
{
    uint64_t id = key.fern__id;
    FERN_CHECK(is_key(id), -EINVAL);
    uint64_t expected = id;
    if (!atomic_compare_exchange_strong(&keys[place_of(id)].id, &expected, 0))
        return -EINVAL;
    locals_forget(fern__self_slot.locals, id);
    if (fern__self_hub())
        fern__greenlet_each(fern__self_hub(), greenlet_forget, &id);
    return 0;
}

/* ---- life of greenlets ---- */

static int
inherit_own(const struct locals *from, fern_greenlet *g)
{
    for (uint32_t i = 0; from && i < from->own.count; i++) {
        const struct fern__entry *entry = &from->own.entries[i];
        if (!(entry->id & FERN_KEY_INHERIT) || !is_key(entry->id))
            continue;
        struct locals *locals = locals_need(g);
        if (!locals || fern__values_share(&locals->own, entry) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int
inherit_tree(fern_greenlet *spawner, fern_greenlet *g)
{
    struct locals *locals = locals_need(g);
    if (!locals)
        return -ENOMEM;
    if (spawner->flags & (FERN__ROOT | FERN__CALLER))
        return tree_need(locals) ? 0 : -ENOMEM; /* a new family */
    struct locals *from = locals_need(spawner);
    if (!from || !tree_need(from))
        return -ENOMEM;
    locals->tree = from->tree;
    locals->tree->refs++;
    return 0;
}

int
fern__locals_inherit(struct fern__hub *hub, fern_greenlet *g)
{
    int r = inherit_own(*slot_of(hub->current), g);
    if (r == 0 && atomic_load_explicit(&tree_keys, memory_order_relaxed))
        r = inherit_tree(hub->current, g);
    return r;
}

void
fern__locals_end(fern_greenlet *g)
{
    locals_end(&g->locals);
}

void
fern__locals_drop(fern_greenlet *g)
{
    struct locals *locals = g->locals;
    if (!locals)
        return;
    g->locals = NULL;
    fern__values_drop(&locals->own);
    if (locals->tree && --locals->tree->refs == 0) {
        fern__values_drop(locals->tree);
        free(locals->tree);
    }
    free(locals);
}
