/* SPDX-License-Identifier: MIT */
/*
 * Sockets: addresses, dialling and listening, accepting, messages.
 *
 * Sockets are plain fds. Those made here do not block, are closed at exec, and cost no call
 * beside the transfer; read io.h first, whose calls serve them too and whose list of errors holds
 * here. No call raises SIGPIPE.
 *
 *     int listener = fern_listen("127.0.0.1:8080", 0);
 *     for (;;) {
 *         int fd = fern_accept(listener, NULL, FERN_FOREVER);
 *         if (fd < 0)
 *             break;
 *         fern_go(serve, (void *)(intptr_t)fd);
 *     }
 */
#ifndef FERN_SOCKET_H
#define FERN_SOCKET_H

#include <fern/base.h>
#include <fern/time.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

FERN__BEGIN_DECLS

/* ---- addresses ---- */

/** Where a socket is, or is to be. Zero is no address. */
typedef struct fern_address {
    uint32_t size; /**< bytes of `as` that count */
    uint32_t fern__reserved;
    union {
        struct sockaddr any; /**< .sa_family says which of the others it is */
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un local;
        struct sockaddr_storage storage;
    } as;
} fern_address;

/**
 * Read an address.
 *
 * @param  text         "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80"; ":80" or "*:80" for every
 *                      IPv4 address, "[::]:80" for every address; "unix:/path", "unix:@name" for
 *                      an abstract name
 * @param  ret_address  receives it
 * @return 0; -EADDRNOTAVAIL it is the name of a host, not its number; -ENODEV no such interface;
 *         -ENAMETOOLONG a path longer than the kernel allows; -EINVAL anything else, or NULL
 *
 * May switch: no.  Thread: any.  Owner: borrows text.
 */
FERN_API int fern_address_parse(const char *text, fern_address *ret_address);

/**
 * Write an address as fern_address_parse() reads it.
 *
 * @param  address   an address; the end of a pair gives "unix:"
 * @param  ret_text  receives the text, cut to fit and ended by a 0 byte; may be NULL if bytes is 0
 * @param  bytes     at ret_text
 * @return the length of the whole text, as snprintf; -EAFNOSUPPORT another family; -EINVAL NULL
 *
 * May switch: no.  Thread: any.  Owner: borrows address.
 */
FERN_API int fern_address_format(const fern_address *address, char *ret_text, size_t bytes);

/**
 * The address of a socket's own end.
 *
 * @param  fd           a socket
 * @param  ret_address  receives it
 * @return 0; -EBADF; -ENOTSOCK; -EINVAL NULL
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API int fern_local_address(int fd, fern_address *ret_address);

/**
 * The address of a socket's other end.
 *
 * @param  fd           a connected socket
 * @param  ret_address  receives it
 * @return 0; -ENOTCONN; -EBADF; -ENOTSOCK; -EINVAL NULL
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API int fern_peer_address(int fd, fern_address *ret_address);

/* ---- connections ---- */

/**
 * Connect a new stream socket.
 *
 * @param  to        as for fern_address_parse()
 * @param  deadline  absolute
 * @return the fd; as fern_address_parse(); as fern_connect(); -EMFILE, -ENFILE no fd is free
 *
 * May switch: yes.  Thread: any.  Owner: the fd is the caller's.
 */
FERN_API FERN_MUST_CHECK int fern_dial(const char *to, fern_time deadline);

/**
 * As fern_dial(), to an address already read.
 *
 * @param  to        an address
 * @param  deadline  absolute
 * @return the fd; as fern_connect(); -EMFILE, -ENFILE no fd is free; -EAFNOSUPPORT; -EINVAL NULL
 *
 * May switch: yes.  Thread: any.  Owner: the fd is the caller's.
 */
FERN_API FERN_MUST_CHECK int fern_dial_at(const fern_address *to, fern_time deadline);

/**
 * Listen on a new stream socket. An internet address that was in use a moment ago may be used
 * again (SO_REUSEADDR); a Unix path must not exist.
 *
 * @param  at       as for fern_address_parse(); port 0 takes a free one: fern_local_address()
 * @param  backlog  connections that wait to be accepted; 0 for as many as the system allows
 * @return the fd; as fern_address_parse(); -EADDRINUSE; -EACCES; -EMFILE, -ENFILE no fd is free
 *
 * May switch: no.  Thread: any.  Owner: the fd is the caller's.
 */
FERN_API int fern_listen(const char *at, int backlog);

/**
 * As fern_listen(), at an address already read.
 *
 * @param  at       an address
 * @param  backlog  as for fern_listen()
 * @return the fd; -EADDRINUSE; -EACCES; -EMFILE, -ENFILE no fd is free; -EAFNOSUPPORT; -EINVAL
 *
 * May switch: no.  Thread: any.  Owner: the fd is the caller's.
 */
FERN_API int fern_listen_at(const fern_address *at, int backlog);

/**
 * Accept a connection, waiting until there is one.
 *
 * @param  fd        a listening socket
 * @param  ret_peer  receives the other end's address; may be NULL
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return the new fd; -EMFILE, -ENFILE no fd is free, and the connection still waits; -EINVAL not
 *         listening, or shut down; -ENOTSOCK; and those at the top of io.h
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: any.  Owner: the fd is the caller's.
 */
FERN_API FERN_MUST_CHECK int fern_accept(
        int fd, fern_address *ret_peer, fern_time deadline);

/**
 * Connect a socket. If it fails by time or kill the connection may still be made: close the
 * socket, or call again to go on waiting.
 *
 * @param  fd        a socket
 * @param  to        where
 * @param  deadline  absolute; FERN_NOWAIT begins and does not wait
 * @return 0; -ECONNREFUSED, -ETIMEDOUT, -ENETUNREACH and what else connect(2) gives; -EISCONN;
 *         -EINVAL NULL; and those at the top of io.h
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: any.  Owner: borrows to.
 */
FERN_API FERN_MUST_CHECK int fern_connect(
        int fd, const fern_address *to, fern_time deadline);

/**
 * End a connection in one direction or both. Whoever waits for it on this thread tries again: a
 * receiver gets 0, a sender -EPIPE.
 *
 * @param  fd   a connected socket
 * @param  how  SHUT_RD, SHUT_WR or SHUT_RDWR
 * @return 0; -ENOTCONN; -EBADF; -ENOTSOCK; -EINVAL
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API int fern_shutdown(int fd, int how);

/* ---- making ---- */

/**
 * Make a socket.
 *
 * @param  domain    AF_INET, AF_INET6, AF_UNIX or another
 * @param  type      SOCK_STREAM, SOCK_DGRAM or another
 * @param  protocol  0 for the usual one
 * @return the fd; -EAFNOSUPPORT, -EPROTONOSUPPORT, -EMFILE, -ENFILE and what else socket(2) gives
 *
 * May switch: no.  Thread: any.  Owner: the fd is the caller's.
 */
FERN_API int fern_socket(int domain, int type, int protocol);

/**
 * Make two sockets that are connected to each other.
 *
 * @param  domain    AF_UNIX
 * @param  type      SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
 * @param  protocol  0
 * @param  ret_fds   receives two fds
 * @return 0; -EINVAL NULL; -EMFILE, -ENFILE and what else socketpair(2) gives
 *
 * May switch: no.  Thread: any.  Owner: the fds are the caller's.
 */
FERN_API int fern_socketpair(int domain, int type, int protocol, int *ret_fds);

/**
 * Give a socket its own address.
 *
 * @param  fd       a socket
 * @param  address  an address
 * @return 0; -EADDRINUSE; -EACCES; -EINVAL NULL, or it has one; what else bind(2) gives
 *
 * May switch: no.  Thread: any.  Owner: borrows address.
 */
FERN_API int fern_bind(int fd, const fern_address *address);

/**
 * Set an option of a socket, as setsockopt(2). Plain setsockopt() does as well, but for options
 * by which a read may stop short of what is there (SO_OOBINLINE, TCP_ULP): of those fern must know,
 * or a later read may find its bytes with a delay of a second or two.
 *
 * @param  fd     a socket
 * @param  level  SOL_SOCKET, IPPROTO_TCP and so on
 * @param  name   the option
 * @param  value  its value
 * @param  bytes  size of the value
 * @return 0; -ENOPROTOOPT no such option; -EINVAL NULL, or a wrong value; -EBADF; -ENOTSOCK
 *
 * May switch: no.  Thread: the one that reads from fd.  Owner: borrows value.
 */
FERN_API int fern_socket_set_option(
        int fd, int level, int name, const void *value, size_t bytes);

/**
 * Read an option of a socket, as getsockopt(2).
 *
 * @param  fd         a socket
 * @param  level      SOL_SOCKET, IPPROTO_TCP and so on
 * @param  name       the option
 * @param  ret_value  receives the value
 * @param  bytes      size of ret_value
 * @return bytes of the value; -ENOPROTOOPT no such option; -EINVAL NULL; -EBADF; -ENOTSOCK
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API int fern_socket_get_option(
        int fd, int level, int name, void *ret_value, size_t bytes);

/* ---- messages ---- */

/**
 * Receive what there is, waiting until there is something.
 *
 * @param  fd        a socket
 * @param  buf       receives the bytes; may be NULL if len is 0
 * @param  len       bytes at most
 * @param  flags     of recv(2); MSG_WAITALL does not wait, fern_stream_read_exactly() does
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return bytes received; 0 at the end of a stream; -ECONNRESET and what else recv(2) gives;
 *         -ENOTSOCK; -EINVAL buf is NULL; and those at the top of io.h
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: any.  Owner: borrows buf.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_recv(
        int fd, void *buf, size_t len, int flags, fern_time deadline);

/**
 * Send what there is room for, waiting until there is some; a datagram whole.
 *
 * @param  fd        a connected socket
 * @param  buf       the bytes; may be NULL if len is 0
 * @param  len       how many
 * @param  flags     of send(2); MSG_NOSIGNAL goes without saying
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return bytes sent; -EPIPE shut down or closed by the other end; -ECONNRESET; -EMSGSIZE and what
 *         else send(2) gives; -ENOTSOCK; -EINVAL buf is NULL; and those at the top of io.h
 *
 * May switch: if it must wait, and now and then when it need not.  Thread: any.  Owner: borrows buf.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_send(
        int fd, const void *buf, size_t len, int flags, fern_time deadline);

/**
 * As fern_recv(), telling where it came from.
 *
 * @param  fd        a socket
 * @param  buf       receives the bytes; may be NULL if len is 0
 * @param  len       bytes at most; the rest of a datagram is lost
 * @param  flags     of recvfrom(2)
 * @param  ret_from  receives the sender's address, zero if it has none; may be NULL
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return as fern_recv()
 *
 * May switch: as fern_recv().  Thread: any.  Owner: borrows buf.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_recvfrom(int fd, void *buf, size_t len, int flags,
        fern_address *ret_from, fern_time deadline);

/**
 * As fern_send(), to a given address.
 *
 * @param  fd        a socket
 * @param  buf       the bytes; may be NULL if len is 0
 * @param  len       how many
 * @param  flags     of sendto(2)
 * @param  to        where; NULL if the socket is connected
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return as fern_send()
 *
 * May switch: as fern_send().  Thread: any.  Owner: borrows buf and to.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_sendto(int fd, const void *buf, size_t len, int flags,
        const fern_address *to, fern_time deadline);

/**
 * Receive with everything: pieces, address, control messages such as passed fds.
 *
 * @param  fd        a socket
 * @param  msg       as for recvmsg(2); on error its lengths are what they were
 * @param  flags     of recvmsg(2)
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return as fern_recv(); -EINVAL msg is NULL
 *
 * May switch: as fern_recv().  Thread: any.  Owner: borrows msg and what it points to.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_recvmsg(
        int fd, struct msghdr *msg, int flags, fern_time deadline);

/**
 * Send with everything: pieces, address, control messages such as fds to pass.
 *
 * @param  fd        a socket
 * @param  msg       as for sendmsg(2)
 * @param  flags     of sendmsg(2); MSG_NOSIGNAL goes without saying
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return as fern_send(); -EINVAL msg is NULL
 *
 * May switch: as fern_send().  Thread: any.  Owner: borrows msg and what it points to.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_sendmsg(
        int fd, const struct msghdr *msg, int flags, fern_time deadline);

FERN__END_DECLS

#endif
