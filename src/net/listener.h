/* SPDX-License-Identifier: MIT */
/*
 * The socket a server listens on: opened from an address or adopted, and closed again, with the
 * path of a Unix socket left as clean as it was found.
 */
#ifndef FERN_NET_LISTENER_H
#define FERN_NET_LISTENER_H

#include <fern/server.h>
#include <fern/socket.h>
#include <sys/stat.h>

/* Part of a server; `fd` is open exactly while it serves. */
struct fern__listener {
    fern_address wanted;  /* where it is to listen */
    fern_address address; /* where it does */
    char text[128];       /* the same; kept after a close, for reports */
    bool any;             /* "*" or "": every address */
    int type;             /* SOCK_STREAM or SOCK_DGRAM */
    int fd;               /* -1 while closed */
    int adopted;          /* given by the user and not yet served; -1: none */
    bool owns_path;       /* made the file that `device` and `inode` name */
    dev_t device;
    ino_t inode;
};

/* Read where to listen. @return 0; -EINVAL, -ENOTSOCK, -EBADF */
int fern__listener_init(struct fern__listener *listener, const char *address, int type,
        const fern_server_options *options);

/* Open, bind and listen. @return 0; as fern_server_start() */
int fern__listener_open(
        struct fern__listener *listener, const fern_server_options *options);

/* Give the address up but not the descriptor, which is the caller's then. @return it, or -1 */
int fern__listener_leave(struct fern__listener *listener);

/* Close; a path that this listener made, and that is still its own, is removed. */
void fern__listener_close(struct fern__listener *listener);

#endif
