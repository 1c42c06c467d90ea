/* SPDX-License-Identifier: MIT */
/*
 * A worker for each line of a file, at most a thousand at once, and the results in the order of
 * the lines.
 */
#include <fern.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
next_line(void *file, void **ret_line)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n = getline(&line, &room, file);
    if (n <= 0) {
        free(line);
        return 0;
    }
    line[strcspn(line, "\n")] = '\0';
    *ret_line = line;
    return 1;
}

static void *
worker(void *line)
{
    fern_sleep((int64_t)(100 - strlen(line)) * FERN_MS);
    return line;
}

int
main(void)
{
    FILE *file = tmpfile();
    fern_outcome outcome;
    if (!file)
        return 1;
    fputs("one\ntwenty\nthree hundred\n", file);
    rewind(file);
    fern_pool *pool = fern_pool_new(1000);
    fern_input lines = fern_input_from(next_line, file);
    fern_pile *results = fern_pool_imap(pool, worker, &lines, 0, 0);
    while (fern_pile_next(results, &outcome, FERN_FOREVER) > 0) {
        printf("worked on %s\n", (char *)outcome.value);
        free(outcome.value);
    }
    fern_pile_free(results);
    fclose(file);
    return fern_pool_free(pool) < 0;
}
