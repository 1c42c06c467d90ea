/* SPDX-License-Identifier: MIT */
/*
 * A hash of strings, for tables of names (FNV-1a, its halves folded).
 */
#ifndef FERN_BASE_HASH_H
#define FERN_BASE_HASH_H

#include <stdint.h>

static inline uint64_t
fern__hash_text(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return h ^ h >> 32;
}

#endif
