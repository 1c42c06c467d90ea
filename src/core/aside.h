/* SPDX-License-Identifier: MIT */
/*
 * Calling a function that needs more stack than the current one may have left.
 */
#ifndef FERN_CORE_ASIDE_H
#define FERN_CORE_ASIDE_H

/* Call a function on a stack of 256 KiB, mapped for that. It must not park. @return 0; -ENOMEM it
 * was not called */
int fern__aside(void (*fn)(void *), void *arg);

#endif
