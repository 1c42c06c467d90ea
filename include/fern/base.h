/* SPDX-License-Identifier: MIT */
/*
 * What every header of fern needs: how a function is exported, and the attributes of its
 * contract. Nothing here is called.
 */
#ifndef FERN_BASE_H
#define FERN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
#define FERN__BEGIN_DECLS extern "C" {
#define FERN__END_DECLS   }
#else
#define FERN__BEGIN_DECLS
#define FERN__END_DECLS
#endif

/* A function of the library's public face. */
#define FERN_API __attribute__((visibility("default")))

/* The result must be looked at: it may be -ECANCELED, and a greenlet that ignores that goes on
 * working for nobody. */
#define FERN_MUST_CHECK __attribute__((warn_unused_result))

/* Format arguments are checked like printf's. */
#define FERN_PRINTF(format_at, first_at)                                                   \
    __attribute__((format(printf, format_at, first_at)))

#define FERN__JOIN2(a, b) a##b
#define FERN__JOIN(a, b)  FERN__JOIN2(a, b)
#define FERN__UNIQUE(a)   FERN__JOIN(a, __LINE__)

#endif
