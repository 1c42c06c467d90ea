/* SPDX-License-Identifier: MIT */
/*
 * Names for return addresses.
 */
#ifndef FERN_DEBUG_SYMBOL_H
#define FERN_DEBUG_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FERN__SYMBOL_CACHE = 64, FERN__SYMBOL_FILES = 8 };

/* What is known of one return address. */
struct fern__symbol {
    const void *pc;
    const char *name; /* NULL: unknown; lives as long as the table */
    const char *file; /* the program or library it lies in; NULL: in none */
    uintptr_t offset; /* from the name, or from the beginning of the file */
    bool ours;        /* inside of fern: of no use to who reads a dump */
};

/* The symbol table of a program or library, mapped. */
struct fern__symbol_file {
    const void *key; /* the loader's record of it */
    void *map;       /* NULL: cannot be read */
    size_t bytes;
};

/* What was looked up once is kept until the dump is written: parked greenlets mostly stand at the
 * same few places. */
struct fern__symbols {
    struct fern__symbol cache[FERN__SYMBOL_CACHE];
    struct fern__symbol_file files[FERN__SYMBOL_FILES];
    size_t file_count;
    bool lean; /* in a signal handler: no names, only files where the loader tells without lock */
};

void fern__symbols_init(struct fern__symbols *s, bool lean);
void fern__symbols_fini(struct fern__symbols *s);

/* What is known of a return address; valid until the next call. */
const struct fern__symbol *fern__symbol_find(struct fern__symbols *s, const void *pc);

/* Write it as "name+0x12 (file)" or "file+0x1234". @return as snprintf */
int fern__symbol_write(const struct fern__symbol *symbol, char *text, size_t bytes);

#endif
