/* SPDX-License-Identifier: MIT */
/*
 * Servers: something listens, and every connection gets a greenlet of its own.
 *
 * A handler is written as if its connection were the only one. The server accepts, keeps the
 * number of connections within a limit, survives running out of descriptors, closes each
 * connection when its handler has returned, and stops gracefully. A handler that fails
 * (fern_fail()) is reported, and the others run on.
 *
 *     static void *echo(int fd, void *unused)
 *     {
 *         char data[4096];
 *         ssize_t n;
 *         while ((n = fern_recv(fd, data, sizeof data, 0, FERN_FOREVER)) > 0)
 *             if (fern_write_all(fd, data, n, NULL, FERN_FOREVER) < 0)
 *                 break;
 *         return unused;
 *     }
 *
 *     fern_server *server = fern_server_new("127.0.0.1:7777", echo, NULL, NULL);
 *     return fern_server_run(server, FERN_FOREVER) < 0;
 *
 * Read: making, running, stopping, looking at it, datagrams.
 */
#ifndef FERN_SERVER_H
#define FERN_SERVER_H

#include <fern/base.h>
#include <fern/greenlet.h>
#include <fern/socket.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** A server. Opaque; freed by fern_server_free(). */
typedef struct fern_server fern_server;

/**
 * Serves one connection, in a greenlet of its own. The connection is closed after the return; a
 * handler may close it before, by fern_close() or fern_stream_close(), not by close(2). The
 * result becomes the greenlet's, which nobody looks at, but `return fern_fail(...)` counts and
 * reports a failure.
 */
typedef void *fern_serve_fn(int fd, void *arg);

/** One datagram, in memory that lives until its handler returns. */
typedef struct fern_datagram {
    int fd;            /**< the server's socket: fern_sendto() answers by it */
    fern_address from; /**< who sent it */
    size_t bytes;      /**< how long it is */
    bool cut;          /**< it was longer than `datagram_bytes_max` */
    char *data;        /**< it */
} fern_datagram;

/** Serves one datagram, in a greenlet of its own; otherwise as fern_serve_fn. */
typedef void *fern_serve_datagram_fn(fern_datagram *datagram, void *arg);

/** How to serve. Zero is the default everywhere. */
typedef struct fern_server_options {
    size_t size;            /**< sizeof(fern_server_options), set by FERN_SERVER_OPTIONS */
    size_t connections_max; /**< handlers at a time; while there are so many, nothing more is
                                 accepted; 0 for no limit */
    int backlog;            /**< connections the kernel keeps for us; 0 for 1024 */
    int accepts_max; /**< accepted in a row before the others have their turn; 0 for 100 */
    size_t stack_bytes;        /**< of each handler; 0 for the default */
    int64_t cancel_ns;         /**< how long a cancelled handler may clean up; 0 for 1 s */
    size_t datagram_bytes_max; /**< longest datagram; 0 for 65,536 */
    bool reuse_port; /**< several sockets share the port, and the kernel spreads the load */
    bool ipv6_only;  /**< "*" and "[::]" mean IPv6 without IPv4 */
    bool adopt;      /**< serve `fd`, which listens or is bound; the address is not used */
    int fd;          /**< with `adopt`: taken by fern_server_new(). One that other processes
                          accept from too should be O_NONBLOCK: a connection that another takes
                          at the same moment would block the thread */
    const char *name; /**< of the handlers' greenlets; copied; NULL for the address */
} fern_server_options;

#ifdef __cplusplus
#define FERN_SERVER_OPTIONS(name)                                                          \
    fern_server_options name = fern_server_options();                                      \
    name.size = sizeof(fern_server_options)
#else
/** Declare options with their size filled in; set what differs from the default after it. */
#define FERN_SERVER_OPTIONS(name)                                                          \
    fern_server_options name = {.size = sizeof(fern_server_options)}
#endif

/* ---- making ---- */

/**
 * Make a server for connections. Nothing is opened before fern_server_start().
 *
 * @param  address  where to listen, as fern_address_parse() reads it, but that "*:80" and ":80"
 *                  mean every address, IPv6's too; port 0 lets the kernel choose; NULL with `adopt`
 * @param  handle   called for each connection
 * @param  arg      passed to it
 * @param  options  copied; NULL for the defaults
 * @return the server; NULL with errno EINVAL (an argument is NULL, the address cannot be read, a
 *         size fern does not know, a negative number, an adopted socket of another type),
 *         EADDRNOTAVAIL (the name of a host), ENODEV, ENAMETOOLONG, ENOTSOCK or EBADF (the
 *         adopted descriptor), ENOMEM, or EMFILE (no poller could be opened)
 *
 * May switch: no.  Thread: any; makes the thread's hub if it has none.  Owner: the caller frees it; keeps arg; takes an adopted descriptor.
 */
FERN_API fern_server *fern_server_new(const char *address, fern_serve_fn *handle, void *arg,
        const fern_server_options *options);

/**
 * Make a server for datagrams, UDP or Unix.
 *
 * @param  address  as fern_server_new()
 * @param  handle   called for each datagram
 * @param  arg      passed to it
 * @param  options  copied; NULL for the defaults
 * @return as fern_server_new()
 *
 * May switch: no.  Thread: any; makes the thread's hub if it has none.  Owner: as fern_server_new().
 */
FERN_API fern_server *fern_server_new_datagram(const char *address,
        fern_serve_datagram_fn *handle, void *arg, const fern_server_options *options);

/* ---- running ---- */

/**
 * Bind, listen, and begin to accept, in a greenlet of the server's own. A server that has stopped
 * may be started again; a started one is left alone.
 *
 * A shortage of descriptors or memory is waited out: 10 ms, doubled up to 1 s while it lasts.
 * What still cannot be accepted after the first pause is accepted by means of a descriptor kept
 * in reserve, and closed, so that its client hears of it. Errors of one connection are ignored.
 *
 * @param  server  any
 * @return 0; -EINVAL server is NULL; -EXDEV another hub's; -EADDRINUSE, -EADDRNOTAVAIL, -EACCES
 *         and others of bind(2); -EMFILE; -ENOMEM; -EBADF its adopted descriptor was closed when it stopped
 *
 * May switch: no.  Thread: server's hub only.  Owner: borrows server.
 */
FERN_API int fern_server_start(fern_server *server);

/**
 * Start, if that has not been done, and wait until the server has stopped.
 *
 * @param  server    any
 * @param  deadline  as fern_join(); the server runs on when it passes
 * @return 0 it was stopped by fern_server_stop(); the code of the error that ended it; as
 *         fern_server_start(); -EAGAIN it serves (FERN_NOWAIT); -ETIME; -ECANCELED; -EDEADLK called from a callback
 *
 * May switch: yes.  Thread: server's hub only.  Owner: borrows server.
 */
FERN_API FERN_MUST_CHECK int fern_server_run(fern_server *server, fern_time deadline);

/* ---- stopping ---- */

/**
 * Stop: accept nothing more, wait for the handlers, and kill those that are left when the
 * deadline passes. Killed ones then have `cancel_ns` to clean up before this returns. A handler
 * may call this too: it is neither waited for nor killed by its own call. Handlers of datagrams
 * can answer until they have ended.
 *
 * @param  server    any
 * @param  deadline  how long handlers may go on; FERN_NOWAIT kills them at once and does not wait
 * @return how many handlers were killed, 0 if all were done in time; -EINVAL server is NULL;
 *         -EXDEV another hub's; -ECANCELED the caller was killed meanwhile, and all handlers with
 *         it; -EDEADLK nothing can ever wake the handlers, which are left. Without FERN_NOWAIT
 *         also, and then nothing was done: -ECANCELED the caller had been killed before, -ETIME a
 *         scope of its had passed, -EDEADLK it is a callback
 *
 * May switch: only to wait for handlers.  Thread: server's hub only.  Owner: borrows server.
 */
FERN_API int fern_server_stop(fern_server *server, fern_time deadline);

/**
 * Free a server. One that still serves is stopped first, as by FERN_NOWAIT.
 *
 * @param  server  any; NULL is allowed
 *
 * May switch: no.  Thread: server's hub only; elsewhere it is reported and nothing is done.  Owner: takes server; handlers that
 * still clean up use what they need of it until they have ended.
 */
FERN_API void fern_server_free(fern_server *server);

/* ---- looking at it ---- */

/**
 * Where a server listens, with the port that the kernel chose.
 *
 * @param  server       any
 * @param  ret_address  receives the address; untouched on error
 * @return 0; -EINVAL an argument is NULL; -ENOTCONN it does not serve
 *
 * May switch: no.  Thread: server's hub only.  Owner: borrows server.
 */
FERN_API int fern_server_get_address(const fern_server *server, fern_address *ret_address);

/**
 * The same as text, which fern_dial() takes.
 *
 * @param  server  any
 * @return "127.0.0.1:40123", "[::1]:80", "unix:/path"; "" while it does not serve or server is NULL
 *
 * May switch: no.  Thread: server's hub only.  Owner: borrowed; changed by the next start.
 */
FERN_API const char *fern_server_address(const fern_server *server);

/**
 * The port a server listens on.
 *
 * @param  server  any
 * @return the port; 0 while it does not serve, and for Unix sockets; -EINVAL server is NULL
 *
 * May switch: no.  Thread: server's hub only.  Owner: borrows server.
 */
FERN_API int fern_server_port(const fern_server *server);

/**
 * The descriptor a server listens on, for socket options.
 *
 * @param  server  any
 * @return the descriptor; -ENOTCONN it does not serve; -EINVAL server is NULL
 *
 * May switch: no.  Thread: any.  Owner: the server's; do not close it.
 */
FERN_API int fern_server_fd(const fern_server *server);

/** Counts of a server since it was made. */
typedef struct fern_server_stats {
    uint64_t accepted;  /**< connections, or datagrams, that were given to handlers */
    uint64_t active;    /**< handlers now */
    uint64_t failed;    /**< handlers that ended by fern_fail() */
    uint64_t cancelled; /**< handlers that were killed by a stop */
    uint64_t full;      /**< times that `connections_max` was met */
    uint64_t shortages; /**< tries to accept that met a shortage of descriptors or memory */
    uint64_t refused;   /**< connections closed, or datagrams dropped, for a shortage */
} fern_server_stats;

/**
 * Read a server's counts.
 *
 * @param  server     any
 * @param  ret_stats  receives them
 * @return 0; -EINVAL an argument is NULL
 *
 * May switch: no.  Thread: server's hub only.  Owner: borrows server.
 */
FERN_API int fern_server_get_stats(const fern_server *server, fern_server_stats *ret_stats);

FERN__END_DECLS

#endif
