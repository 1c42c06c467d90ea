/* SPDX-License-Identifier: MIT */
/*
 * Time-outs around code that knows nothing of them, one inside the other, and cleaning up that
 * has to wait although the time is over.
 */
#include <errno.h>
#include <fern.h>
#include <stdio.h>

/* A step that takes long, and says only what its call said. */
static int
step(const char *name, int64_t duration_ns)
{
    int r = fern_sleep(duration_ns);
    printf("%-8s %s\n", name, r == 0 ? "done" : r == -ETIME ? "too late" : "stopped");
    return r;
}

static void
say_goodbye(void)
{
    FERN_SHIELD (shield) {
        FERN_SCOPE (brief, fern_in(FERN_SECOND))
            step("goodbye", 5 * FERN_MS);
    }
}

int
main(void)
{
    FERN_SCOPE (day, fern_in(50 * FERN_MS)) {
        FERN_SCOPE (hour, fern_in(20 * FERN_MS)) {
            step("first", 5 * FERN_MS);
            step("second", FERN_HOUR);
            if (fern_scope_fired(&hour) && !fern_scope_fired(&day))
                puts("the hour is over, the day is not");
        }
        step("third", 5 * FERN_MS);
        if (step("fourth", FERN_HOUR) == -ETIME)
            say_goodbye();
    }
    return step("evening", 5 * FERN_MS) < 0;
}
