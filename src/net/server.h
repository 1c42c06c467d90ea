/* SPDX-License-Identifier: MIT */
/*
 * What a server is, for the files of this room.
 *
 * Lifetime: one reference belongs to the user's handle, one to each loop that accepts, one to
 * each handler; the last one frees. All of it belongs to the hub's thread.
 */
#ifndef FERN_NET_SERVER_H
#define FERN_NET_SERVER_H

#include "base/list.h"
#include "core/hub.h"
#include "net/listener.h"

#include <fern/server.h>

/* One handler's run. Lives until its greenlet has ended. */
struct fern__handling {
    struct fern__list node; /* in the server's `handlings` */
    struct fern_server *server;
    fern_greenlet *greenlet; /* borrowed from the run itself */
    int fd;                  /* the connection; -1 for a datagram's */
    uint32_t word;           /* its generation: a handler may close it itself */
};

struct fern_server {
    struct fern__hub *hub;
    fern_fn *loop; /* accepts connections, or receives datagrams */
    fern_serve_fn *handle;
    fern_serve_datagram_fn *handle_datagram;
    void *arg;
    fern_server_options options; /* with the defaults filled in */
    char name[32];               /* of the handlers' greenlets */

    struct fern__listener listener;
    int answers; /* a stopped socket for datagrams, until all are answered; or -1 */
    int reserve; /* a descriptor to give up in a shortage; -1 if there is none */
    fern_greenlet *acceptor; /* borrowed while it serves */
    int64_t pause_ns; /* the last pause of the present shortage; 0 when there is none */

    struct fern__list handlings;
    size_t inside;           /* of the handlers, those that wait in fern_server_stop() */
    struct fern__list full;  /* the acceptor, while there are `connections_max` */
    struct fern__list stops; /* who waits in fern_server_stop() */
    struct fern__list runs;  /* who waits in fern_server_run() */
    fern_server_stats stats; /* stats.active is the length of `handlings` */
    size_t refs;
    uint32_t magic;
};

enum { FERN__SERVER_MAGIC = 0x76726573 };

/* Drop one reference. */
void fern__server_release(struct fern_server *server);

/* Stop to listen, and let those in fern_server_run() return a code. */
void fern__server_close(struct fern_server *server, int code);

/* Close the socket that handlers of a stopped server answer by. */
void fern__server_close_answers(struct fern_server *server);

/* A handler has ended, or waits in a stop itself: let those that stop count anew. */
void fern__server_tell_stops(struct fern_server *server);

/* A descriptor that can be spared. @return it; -EMFILE, -ENFILE, -ENOMEM */
int fern__server_open_reserve(void);

/* What of a descriptor's number changes when fern closes or opens it. */
uint32_t fern__server_generation(int fd);

/* Run a handling in a greenlet of its own. On failure the caller still owns it and its fd.
 * @return 0; -ENOMEM */
int fern__server_handle(
        struct fern_server *server, struct fern__handling *handling, fern_fn *fn);

/* Whether the caller still accepts for the server: a stop may have come after its wake-up, or while
 * a call that succeeded let others run. */
static inline bool
fern__server_is_acceptor(const struct fern_server *server)
{
    return server->acceptor == server->hub->current;
}

/* Wait until one more handler may run. @return 0; -ECANCELED */
int fern__server_wait_room(struct fern_server *server);

/* Sit out a shortage of descriptors or memory. @return 0; -ECANCELED */
int fern__server_wait_shortage(struct fern_server *server, int code);

/* Let the others run when there were many in a row. @return 0; -ECANCELED */
int fern__server_count_row(struct fern_server *server, int *row, uint64_t *seen);

/* The acceptors. Their argument is the server. */
void *fern__server_accept_loop(void *server);
void *fern__server_receive_loop(void *server);

#endif
