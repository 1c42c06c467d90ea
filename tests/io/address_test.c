/* SPDX-License-Identifier: MIT */
/* Addresses as text. */
#include "io/ends.h"

#include <stdio.h>

/* A text is read, and written again as `wanted`. */
static void
round_trip(const char *text, const char *wanted, int family)
{
    fern_address a;
    char out[160];
    ASSERT_OK(fern_address_parse(text, &a));
    ASSERT_EQ(a.as.any.sa_family, family);
    ASSERT_EQ(fern_address_format(&a, out, sizeof out), strlen(wanted));
    ASSERT_STR_EQ(out, wanted);
}

TEST(addresses_are_read_and_written)
{
    round_trip("127.0.0.1:80", "127.0.0.1:80", AF_INET);
    round_trip("255.255.255.255:65535", "255.255.255.255:65535", AF_INET);
    round_trip(":8080", "0.0.0.0:8080", AF_INET);
    round_trip("*:0", "0.0.0.0:0", AF_INET);
    round_trip("[::1]:443", "[::1]:443", AF_INET6);
    round_trip("[::]:1", "[::]:1", AF_INET6);
    round_trip("[2001:DB8::0:1]:7", "[2001:db8::1]:7", AF_INET6);
    round_trip("[fe80::1%lo]:7", "[fe80::1%lo]:7", AF_INET6);
    round_trip("[fe80::1%1]:7", "[fe80::1%lo]:7", AF_INET6);
    round_trip("unix:/run/x.sock", "unix:/run/x.sock", AF_UNIX);
    round_trip("unix:relative", "unix:relative", AF_UNIX);
    round_trip("unix:@name", "unix:@name", AF_UNIX);
}

TEST(names_are_told_from_nonsense)
{
    fern_address a;
    ASSERT_ERR(fern_address_parse("localhost:80", &a), -EADDRNOTAVAIL);
    ASSERT_ERR(fern_address_parse("www.example.com:80", &a), -EADDRNOTAVAIL);
    static const char *const wrong[] = {"", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
            "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1: 1", "1.2.3:80",
            "1.2.3.4.5:80", "256.0.0.1:80", "::1:80", "[::1]", "[::1]80", "[::1:80",
            "[]:80", "[127.0.0.1]:80", "[::g]:80", "unix:", "unix:@"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int r = fern_address_parse(wrong[i], &a);
        if (r != -EINVAL)
            FAIL("\"%s\" gave %d", wrong[i], r);
    }
    ASSERT_ERR(fern_address_parse("[fe80::1%nosuch]:7", &a), -ENODEV);
    ASSERT_ERR(fern_address_parse(NULL, &a), -EINVAL);
    ASSERT_ERR(fern_address_parse(":1", NULL), -EINVAL);
}

TEST(a_path_may_be_as_long_as_the_kernel_allows)
{
    fern_address a;
    char text[160] = "unix:";
    memset(text + 5, 'p', 107);
    ASSERT_OK(fern_address_parse(text, &a));
    text[5 + 107] = 'p';
    ASSERT_ERR(fern_address_parse(text, &a), -ENAMETOOLONG);
    text[5] = '@';
    ASSERT_OK(fern_address_parse(text, &a));
    text[5 + 108] = 'p';
    ASSERT_ERR(fern_address_parse(text, &a), -ENAMETOOLONG);
}

TEST(what_does_not_fit_is_cut_and_its_length_told)
{
    fern_address a;
    char out[6];
    ASSERT_OK(fern_address_parse("127.0.0.1:80", &a));
    ASSERT_EQ(fern_address_format(&a, out, sizeof out), 12);
    ASSERT_STR_EQ(out, "127.0");
    ASSERT_EQ(fern_address_format(&a, NULL, 0), 12);
    a.as.any.sa_family = AF_NETLINK;
    ASSERT_ERR(fern_address_format(&a, out, sizeof out), -EAFNOSUPPORT);
    ASSERT_ERR(fern_address_format(NULL, out, sizeof out), -EINVAL);
}

TEST(every_kind_of_address_is_listened_on_and_dialled)
{
    char path[64], abstract[64], text[160];
    snprintf(path, sizeof path, "unix:/tmp/fern-address-%d", (int)getpid());
    snprintf(abstract, sizeof abstract, "unix:@fern-address-%d", (int)getpid());
    const char *const kinds[] = {"127.0.0.1:0", ":0", "[::1]:0", "[::]:0", path, abstract};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        fern_address at;
        int listener = fern_listen(kinds[i], 0);
        if (listener == -EADDRNOTAVAIL || listener == -EAFNOSUPPORT)
            continue; /* a machine without the newer protocol */
        ASSERT_OK(listener);
        ASSERT_OK(fern_local_address(listener, &at));
        ASSERT_OK(fern_address_format(&at, text, sizeof text));
        int fd = fern_dial(text, FERN_FOREVER);
        ASSERT_OK(fd);
        int accepted = fern_accept(listener, NULL, FERN_FOREVER);
        ASSERT_OK(accepted);
        say(fd, text);
        hear(accepted, text);
        ASSERT_OK(fern_close(fd));
        ASSERT_OK(fern_close(accepted));
        ASSERT_OK(fern_close(listener));
    }
    ASSERT_OK(unlink(path + 5));
}

TEST(an_address_in_use_is_not_taken_twice)
{
    fern_address at;
    int listener = listen_anywhere(&at);
    ASSERT_ERR(fern_listen_at(&at, 0), -EADDRINUSE);
    ASSERT_ERR(fern_listen("nonsense", 0), -EINVAL);
    ASSERT_ERR(fern_listen(":0", -1), -EINVAL);
    ASSERT_OK(fern_close(listener));
    /* A connection that has just ended is no hindrance. */
    listener = fern_listen_at(&at, 0);
    int fd = fern_dial_at(&at, FERN_FOREVER);
    int accepted = fern_accept(listener, NULL, FERN_FOREVER);
    ASSERT_OK(fern_close(accepted));
    ASSERT_OK(fern_close(fd));
    ASSERT_OK(fern_close(listener));
    listener = fern_listen_at(&at, 0);
    ASSERT_OK(listener);
    ASSERT_OK(fern_close(listener));
}
