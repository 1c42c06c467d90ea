/* SPDX-License-Identifier: MIT */
/*
 * Fetches pages in plain blocking style: connect, ask, read to the end. The same function runs
 * 200 times in a row, and then in 200 greenlets. Every page is compared with its file.
 *
 *     fetch ADDRESS COUNT FOLDER        asks for /page-000.txt and on
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_MAX = 1000 };

struct page {
    const char *address;
    const char *folder;
    int number;
    bool right;
};

static char *
read_all(int fd, size_t *ret_bytes, fern_time deadline)
{
    size_t have = 0, room = 64 * 1024;
    char *text = malloc(room);
    ssize_t n = 0;
    while (text && (n = fern_recv(fd, text + have, room - have, 0, deadline)) > 0) {
        have += (size_t)n;
        if (have == room) {
            char *more = realloc(text, room *= 2);
            if (!more)
                break;
            text = more;
        }
    }
    *ret_bytes = have;
    return text;
}

static bool
is_like_file(const char *path, const char *data, size_t bytes)
{
    FILE *file = fopen(path, "r");
    char *wanted = malloc(bytes + 1);
    bool same = file && wanted && fread(wanted, 1, bytes + 1, file) == bytes &&
                memcmp(wanted, data, bytes) == 0;
    free(wanted);
    if (file)
        fclose(file);
    return same;
}

/* Whether an answer is "200" with the right page behind its empty line. */
static bool
is_right(const struct page *page, const char *text, size_t bytes)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/page-%03d.txt", page->folder, page->number);
    const char *body = memmem(text, bytes, "\r\n\r\n", 4);
    if (!body || bytes < 12 || memcmp(text + 8, " 200", 4) != 0)
        return false;
    body += 4;
    return is_like_file(path, body, bytes - (size_t)(body - text));
}

static void *
fetch(void *arg)
{
    struct page *page = arg;
    fern_time deadline = fern_in(30 * FERN_SECOND);
    char request[128];
    size_t bytes = 0;
    int length = snprintf(request, sizeof request,
            "GET /page-%03d.txt HTTP/1.0\r\nHost: localhost\r\n\r\n", page->number);
    int fd = fern_dial(page->address, deadline);
    if (fd < 0)
        return fern_fail(fd, "cannot connect to %s", page->address);
    char *text = NULL;
    if (fern_write_all(fd, request, (size_t)length, NULL, deadline) == 0)
        text = read_all(fd, &bytes, deadline);
    page->right = text && is_right(page, text, bytes);
    free(text);
    fern_close(fd);
    return NULL;
}

static int
fetch_in_a_row(struct page *pages, int count)
{
    for (int i = 0; i < count; i++)
        fetch(&pages[i]);
    return 0;
}

static int
fetch_at_once(struct page *pages, int count)
{
    fern_greenlet *all[PAGES_MAX];
    for (int i = 0; i < count; i++)
        all[i] = fern_spawn(fetch, &pages[i]);
    return fern_join_all(all, (size_t)count, FERN_FOREVER);
}

/* Fetch all pages one way; returns how long it took, or a negative number if one is wrong. */
static double
measure(const char *how, int (*way)(struct page *, int), struct page *pages, int count)
{
    fern_time began = fern_now();
    int right = 0;
    for (int i = 0; i < count; i++)
        pages[i].right = false;
    int r = way(pages, count);
    double seconds = (double)fern_time_diff(fern_now(), began) / 1e9;
    for (int i = 0; i < count; i++)
        right += pages[i].right;
    printf("%-20s %d of %d pages right %9.3f s", how, right, count, seconds);
    return r == 0 && right == count ? seconds : -1;
}

int
main(int argc, char **argv)
{
    int count = argc == 4 ? atoi(argv[2]) : 0;
    if (count < 1 || count > PAGES_MAX) {
        fprintf(stderr, "usage: %s ADDRESS COUNT FOLDER, COUNT up to 1000\n", argv[0]);
        return 2;
    }
    struct page pages[PAGES_MAX];
    for (int i = 0; i < count; i++)
        pages[i] = (struct page){argv[1], argv[3], i, false};
    double row = measure("one after another", fetch_in_a_row, pages, count);
    putchar('\n');
    double once = measure("one greenlet each", fetch_at_once, pages, count);
    if (row < 0 || once < 0)
        return 1;
    printf(" %8.1f times as fast\n", row / once);
    return 0;
}
