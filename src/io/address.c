/* SPDX-License-Identifier: MIT */
/*
 * Addresses as text: "127.0.0.1:80", "[::1]:80", ":80", "unix:/path", "unix:@name".
 */
#include "base/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fern/socket.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIX_PREFIX "unix:"

enum {
    HOST_BYTES = 80,
    UNIX_BYTES = sizeof(((struct sockaddr_un *)0)->sun_path),
    UNIX_HEAD = offsetof(struct sockaddr_un, sun_path),
};

/* ---- reading ---- */

/* A decimal number up to max, and nothing else. @return -1 otherwise */
static long
number(const char *text, long max)
{
    long n = 0;
    if (!*text)
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        n = n * 10 + (*text - '0');
        if (n > max)
            return -1;
    }
    return n;
}

static int
parse_unix(const char *path, fern_address *ret_address)
{
    size_t len = strlen(path);
    bool abstract = *path == '@';
    if (len == (size_t)abstract)
        return -EINVAL;
    if (len + !abstract > UNIX_BYTES)
        return -ENAMETOOLONG;
    fern_address a = {0};
    a.as.local.sun_family = AF_UNIX;
    memcpy(a.as.local.sun_path, path, len);
    if (abstract)
        a.as.local.sun_path[0] = 0;
    a.size = (uint32_t)(UNIX_HEAD + len + !abstract);
    *ret_address = a;
    return 0;
}

static int
parse_in6(char *host, uint16_t port, fern_address *ret_address)
{
    fern_address a = {.size = sizeof a.as.in6};
    a.as.in6.sin6_family = AF_INET6;
    a.as.in6.sin6_port = htons(port);
    char *zone = strchr(host, '%');
    if (zone) {
        *zone++ = 0;
        long index = number(zone, UINT32_MAX);
        a.as.in6.sin6_scope_id = index > 0 ? (uint32_t)index : if_nametoindex(zone);
        if (!a.as.in6.sin6_scope_id)
            return -ENODEV;
    }
    if (inet_pton(AF_INET6, host, &a.as.in6.sin6_addr) != 1)
        return -EINVAL;
    *ret_address = a;
    return 0;
}

static int
parse_in(const char *host, uint16_t port, fern_address *ret_address)
{
    fern_address a = {.size = sizeof a.as.in};
    a.as.in.sin_family = AF_INET;
    a.as.in.sin_port = htons(port);
    bool any = !*host || strcmp(host, "*") == 0;
    if (!any && inet_pton(AF_INET, host, &a.as.in.sin_addr) != 1) {
        /* Numbers and dots are a misspelt address, anything else is somebody's name. */
        return host[strspn(host, "0123456789.:")] ? -EADDRNOTAVAIL : -EINVAL;
    }
    *ret_address = a;
    return 0;
}

int
fern_address_parse(const char *text, fern_address *ret_address)
{
    FERN_CHECK(text && ret_address, -EINVAL);
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return parse_unix(text + strlen(UNIX_PREFIX), ret_address);
    const char *colon = strrchr(text, ':');
    FERN_CHECK(colon, -EINVAL);
    size_t len = (size_t)(colon - text);
    long port = number(colon + 1, UINT16_MAX);
    FERN_CHECK(port >= 0, -EINVAL);
    /* A longer one is neither: names of hosts go up to 253 bytes. */
    if (len >= HOST_BYTES)
        return -EADDRNOTAVAIL;
    char host[HOST_BYTES];
    memcpy(host, text, len);
    host[len] = 0;
    if (host[0] != '[')
        return parse_in(host, (uint16_t)port, ret_address);
    FERN_CHECK(host[len - 1] == ']', -EINVAL);
    host[len - 1] = 0;
    return parse_in6(host + 1, (uint16_t)port, ret_address);
}

/* ---- writing ---- */

static int
format_in6(const struct sockaddr_in6 *in6, char *ret_text, size_t bytes)
{
    char host[INET6_ADDRSTRLEN], zone[IF_NAMESIZE + 1] = "", name[IF_NAMESIZE];
    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    if (in6->sin6_scope_id && if_indextoname(in6->sin6_scope_id, name))
        snprintf(zone, sizeof zone, "%%%s", name);
    else if (in6->sin6_scope_id)
        snprintf(zone, sizeof zone, "%%%u", (unsigned)in6->sin6_scope_id);
    return snprintf(ret_text, bytes, "[%s%s]:%u", host, zone, ntohs(in6->sin6_port));
}

static int
format_unix(const fern_address *a, char *ret_text, size_t bytes)
{
    if (a->size <= UNIX_HEAD)
        return snprintf(ret_text, bytes, UNIX_PREFIX); /* the unnamed end of a pair */
    int len = (int)(a->size - UNIX_HEAD);
    const char *path = a->as.local.sun_path;
    if (!*path)
        return snprintf(ret_text, bytes, UNIX_PREFIX "@%.*s", len - 1, path + 1);
    return snprintf(ret_text, bytes, UNIX_PREFIX "%.*s", len, path);
}

int
fern_address_format(const fern_address *address, char *ret_text, size_t bytes)
{
    FERN_CHECK(address && (ret_text || bytes == 0), -EINVAL);
    char host[INET_ADDRSTRLEN];
    switch (address->as.any.sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &address->as.in.sin_addr, host, sizeof host);
        return snprintf(ret_text, bytes, "%s:%u", host, ntohs(address->as.in.sin_port));
    case AF_INET6:
        return format_in6(&address->as.in6, ret_text, bytes);
    case AF_UNIX:
        return format_unix(address, ret_text, bytes);
    default:
        return -EAFNOSUPPORT;
    }
}
