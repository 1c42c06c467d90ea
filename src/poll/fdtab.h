/* SPDX-License-Identifier: MIT */
/*
 * The table of a hub's fds, and what every poller over fds begins with.
 *
 * For each fd that was used on this hub there is a record: what is known of its readiness, who
 * waits, and how a transfer that does not block is made. Records lie in chunks that never move.
 *
 * An operation looks the record up, tries the call if the record says that it may succeed, and
 * parks if it says or turns out otherwise:
 *
 *     rec = fern__fd_get(fds, fd, &r);
 *     if (rec->ready & FERN__FD_IN) ... try; on -EAGAIN: rec->ready &= ~FERN__FD_IN
 *     r = fern__fd_wait(fds, g, rec, FERN__FD_IN, again, deadline);      then try once more
 *     fern__fd_pass(rec, FERN__FD_IN);                                   before it returns
 *
 * Generations: fern__fd_words has one word for each fd number of the process. Whoever opens or
 * closes an fd through fern changes it; a record whose own word differs is stale.
 */
#ifndef FERN_POLL_FDTAB_H
#define FERN_POLL_FDTAB_H

#include "base/sys.h"
#include "core/wait.h"

enum {
    FERN__FDS_MAX = 1 << 22,
    FERN__FD_CHUNK_SHIFT = 8,
    FERN__FD_CHUNK = 1 << FERN__FD_CHUNK_SHIFT,
};

/* The low byte of a word: what fern knows of an fd because it has opened it. */
enum fern__fd_kind {
    FERN__FD_FOREIGN,     /* opened by others, or closed */
    FERN__FD_TCP,         /* a short read has taken everything */
    FERN__FD_UNIX,        /* Unix stream: it has, unless fds came with the bytes */
    FERN__FD_SOCKET,      /* any other socket */
    FERN__FD_PIPE,        /* a short read has taken everything */
    FERN__FD_PACKET_PIPE, /* O_DIRECT: it has not */
};

/* How a transfer is made that does not block. */
enum fern__fd_how {
    FERN__FD_MSG,    /* a socket: MSG_DONTWAIT */
    FERN__FD_NOWAIT, /* preadv2 and pwritev2 with RWF_NOWAIT */
    FERN__FD_POLLED, /* ask poll before each */
    FERN__FD_PLAIN,  /* a file, which is always ready */
};

/* Bits of `ready`, and with the second of them - 1 the index of `waiters`. */
enum {
    FERN__FD_IN = 1,
    FERN__FD_OUT = 2,
};

/* Bits of `state`. */
enum {
    FERN__FD_REGISTERED = 1, /* with the kernel, or in the poller's list */
    FERN__FD_OWN = 2,        /* opened by fern: its registration is believed */
    FERN__FD_SHORT = 4,      /* a short read clears FERN__FD_IN */
    FERN__FD_AGED = 8,       /* its park has seen one sweep */
    FERN__FD_MARKED = 16,    /* a short read may have left something: look again soon */
    FERN__FD_LAZY_OUT = 32, /* not registered for OUT, which would report each byte taken */
    FERN__FD_RENEW = 64,    /* the registration must be changed before it is believed */
};

/* One fd of a hub: one cache line. Belongs to the hub's thread; zero until first used. */
struct fern__fd {
    uint32_t word; /* complement of the process's word when this was learned; 0: never */
    uint8_t ready;
    uint8_t state;
    uint8_t how;
    uint8_t unused;
    int32_t fd;
    int32_t next_parked; /* fd + 1 of the next in the chain to be swept; -1 last; 0 none */
    struct fern__list waiters[2]; /* cells of those who want in, out: each takes its turn */
    struct fern__list watchers;   /* struct fern__watch: all are told */
};

_Static_assert(sizeof(struct fern__fd) == 64, "one cache line");

/* Whether its registration is certain to report what comes. */
static inline bool
fern__fd_believed(const struct fern__fd *rec)
{
    const uint8_t belief = FERN__FD_REGISTERED | FERN__FD_OWN | FERN__FD_RENEW;
    return (rec->state & belief) == (FERN__FD_REGISTERED | FERN__FD_OWN);
}

struct fern__fds;

/* What a poller over fds does for the table. */
struct fern__fds_ops {
    /* See to it that the next readiness will be reported, and that of now if `certain` is set or
     * the registration is in doubt. @return 0; 1 the fd is always ready; -EBADF; -ENOSPC; -ENOMEM;
     * -EMFILE the poller cannot hold so high a number */
    int (*arm)(struct fern__fds *fds, struct fern__fd *rec, bool certain);

    /* Forget a registration. */
    void (*drop)(struct fern__fds *fds, struct fern__fd *rec);
};

/* Records to be swept: the first by number, linked by next_parked. */
struct fern__fd_chain {
    int32_t first;
    int32_t rest; /* of a sweep that goes on in the next turn */
    int64_t at;   /* when; INT64_MAX: none */
};

/* A poller over fds begins with this. */
struct fern__fds {
    struct fern__poller poller;
    const struct fern__fds_ops *ops;
    struct fern__fd **chunks;
    size_t chunk_count;
    uint64_t registered;
    /* Records whose registration was believed at a park; those that are MARKED in the second. */
    struct fern__fd_chain chains[2];
    int64_t sweep_at; /* when to look at the first of them; INT64_MAX: none */
    int32_t found;    /* those at which this turn's sweep found bytes, linked as a chain */
};

extern _Atomic uint32_t fern__fd_words[FERN__FDS_MAX];

extern const struct fern__waitable fern__waitable_fd_in;
extern const struct fern__waitable fern__waitable_fd_out;

/* Zeroed but for what is given here. */
void fern__fds_init(struct fern__fds *fds, struct fern__hub *hub,
        const struct fern__poller_ops *poller_ops, const struct fern__fds_ops *ops);
void fern__fds_fini(struct fern__fds *fds);

static inline struct fern__fds *
fern__fds_of(struct fern__hub *hub)
{
    return fern__container_of(hub->poller, struct fern__fds, poller);
}

static inline struct fern__fd *
fern__fd_at(struct fern__fds *fds, int fd)
{
    return &fds->chunks[fd >> FERN__FD_CHUNK_SHIFT][fd & (FERN__FD_CHUNK - 1)];
}

static inline uint32_t
fern__fd_word(int fd)
{
    return ~atomic_load_explicit(&fern__fd_words[fd], memory_order_relaxed);
}

/* What fern knows of an fd below FERN__FDS_MAX by its word. */
static inline enum fern__fd_kind
fern__fd_kind_of(int fd)
{
    return (enum fern__fd_kind)(~fern__fd_word(fd) & 0xff);
}

/* The record of an fd, learning what is to be known if it is new. Slow. @return NULL with the
 * code in *ret_error: -EBADF; -EMFILE; -ENOMEM */
struct fern__fd *fern__fd_learn(struct fern__fds *fds, int fd, int *ret_error);

static inline struct fern__fd *
fern__fd_get(struct fern__fds *fds, int fd, int *ret_error)
{
    size_t chunk = (size_t)(unsigned)fd >> FERN__FD_CHUNK_SHIFT;
    if (fern__likely(chunk < fds->chunk_count && fds->chunks[chunk])) {
        struct fern__fd *rec = fern__fd_at(fds, fd);
        if (fern__likely(rec->word == fern__fd_word(fd)))
            return rec;
    }
    return fern__fd_learn(fds, fd, ret_error);
}

/* How to handle an fd of which only the number is known. @return enum fern__fd_how; -EBADF */
int fern__fd_look(int fd);

/* Learn anew how an fd that turned out to be something else is to be handled, and trust nothing
 * about it any more. @return 0; -EBADF */
int fern__fd_doubt(struct fern__fds *fds, struct fern__fd *rec);

/* See to it that the next readiness will be reported. @return as fern__fds_ops.arm */
static inline int
fern__fd_arm(struct fern__fds *fds, struct fern__fd *rec, bool out)
{
    if (fern__unlikely(out && rec->state & FERN__FD_LAZY_OUT))
        rec->state ^= FERN__FD_LAZY_OUT | FERN__FD_RENEW;
    if (fern__likely(fern__fd_believed(rec)))
        return 0;
    return fds->ops->arm(fds, rec, false);
}

/* Wait until an fd may be ready for IN or OUT. Who has found that it is not has cleared the bit in
 * `ready`; who only takes its place behind others leaves the bit to whoever was woken for it.
 * `again`: this greenlet was woken for it already, and goes before the others. @return 0 try again; -ETIME;
 * -ECANCELED; -EBADF it was closed meanwhile; -ENOSPC, -ENOMEM, -EMFILE it cannot be registered */
int fern__fd_wait(struct fern__fds *fds, fern_greenlet *g, struct fern__fd *rec,
        unsigned dir, bool again, fern_time deadline);

/* Have a park on a believed registration looked at if it lasts. */
void fern__fd_note_park(struct fern__fds *fds, struct fern__fd *rec);

/* Watch for events of poll() at an fd. @return 0; 1 it is always ready: the kernel must be asked
 * again; -EBADF; -EMFILE; -ENOSPC; -ENOMEM */
int fern__fd_watch(struct fern__fds *fds, fern_greenlet *g, struct fern__watch *watch,
        int fd, short events);

/* Wake the first that waits for IN or OUT. */
void fern__fd_serve(struct fern__fd *rec, unsigned dir);

/* Whoever leaves an fd ready, having waited or not, passes that on to the next. */
static inline void
fern__fd_pass(struct fern__fd *rec, unsigned dir)
{
    if (fern__unlikely(!fern__list_empty(&rec->waiters[dir - 1]) && rec->ready & dir))
        fern__fd_serve(rec, dir);
}

/* The poller has seen events (POLLIN and so on) at an fd. */
void fern__fd_event(struct fern__fd *rec, uint32_t events);

/* The events that somebody waits for. */
uint32_t fern__fd_interest(const struct fern__fd *rec);

/* An fd has been opened by fern: to be called before anything else uses it. */
void fern__fd_opened(int fd, enum fern__fd_kind kind);

/* An fd is about to be closed: every record of it is stale from now on, and whoever waits for it
 * on this hub gets -EBADF. */
void fern__fd_closing(int fd);

/* The description's ends were shut down: whoever waits tries again. */
void fern__fd_shut(struct fern__fds *fds, int fd, unsigned dirs);

/* What the fd was found to be gone: this hub's waiters get -EBADF. */
void fern__fd_gone(struct fern__fds *fds, struct fern__fd *rec);

/* Look at records that have stood parked for a while on a registration that was only believed: at
 * no more than a turn may take, so that others need not wait for thousands of system calls. An fd that was closed and opened again behind fern's back is found here. */
void fern__fds_sweep(struct fern__fds *fds, int64_t now);

/* Whether a sweep has found bytes that nobody was told of: then poll without waiting. */
static inline bool
fern__fds_found(const struct fern__fds *fds)
{
    return fds->found != -1;
}

/* After the poll that followed a sweep. `complete`: every event there was has been taken. */
void fern__fds_settle(struct fern__fds *fds, bool complete);
#endif
