/* SPDX-License-Identifier: MIT */
/*
 * A block between an enter and an exit, both of which may wait. The exit runs on every way out,
 * is told how the block ended, and may swallow a failure.
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>

static int
aenter(void *name)
{
    int r = fern_sleep(FERN_SECOND);
    printf("enter %s\n", (char *)name);
    return r;
}

static int
aexit(void *name, int code)
{
    fern_sleep(FERN_SECOND);
    printf("exit %s%s\n", (char *)name, code == -EDOM ? ", swallowed" : "");
    return code == -EDOM ? 0 : code;
}

int
main(void)
{
    int r;
    FERN_WITH(r, aenter, aexit, "one")
    puts("block");
    printf("%d\n", r);
    FERN_WITH(r, aenter, aexit, "two")
    r = -EDOM;
    printf("%d\n", r);
    FERN_WITH(r, aenter, aexit, "three")
    r = -EIO;
    puts(r == -EIO ? "raised" : "?");
    return 0;
}
