/* SPDX-License-Identifier: MIT */
/*
 * A library in C++ that a program in C opens late: see cxx_late_test.c.
 */
#include <exception>

namespace
{

struct waits_at_end {
    int (*wait)();

    ~waits_at_end()
    {
        wait();
    }
};

} /* namespace */

/* Waits once while an exception is in flight and twice in handlers. @return 0 if it then still has
 * its own exceptions */
extern "C" int
plugin_throw_and_wait(int mine, int (*wait)())
{
    try {
        waits_at_end w{wait};
        throw mine;
    } catch (int outer) {
        wait();
        try {
            throw mine + 1;
        } catch (int) {
            wait();
            try {
                throw;
            } catch (int inner) {
                if (inner != mine + 1)
                    return 1;
            }
        }
        if (outer != mine || !std::current_exception())
            return 2;
        try {
            throw;
        } catch (int again) {
            if (again != mine)
                return 3;
        }
    }
    return std::current_exception() || std::uncaught_exceptions() ? 4 : 0;
}
