# SPDX-License-Identifier: MIT
"""Each static check is shown a small tree with one violation, and the same tree without it."""

import os
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")
LICENCE = "/* SPDX-License-Identifier: MIT */\n"

GOOD_HEADER = LICENCE + """#ifndef FERN_X_H
#define FERN_X_H
#define FERN_API
/**
 * Take a thing.
 *
 * @param  a   the thing
 * @param  fn  called with it
 * @return 0
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API int fern_take(int a, void (*fn)(int b));
#endif
"""


def run(tool, *args):
    command = [os.path.join(TOOLS, tool), *args]
    if tool.endswith(".py"):
        command.insert(0, sys.executable)
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = self.folder.name
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def passes(self, tool, *args):
        status, text = run(tool, *(args or (self.root,)))
        self.assertEqual(status, 0, text)

    def fails(self, tool, wanted, *args):
        status, text = run(tool, *(args or (self.root,)))
        self.assertEqual(status, 1, text)
        self.assertIn(wanted, text)


class Layers(Tree):
    def plant(self, name, include):
        self.write(name, f"#include {include}\n")

    def test_a_room_includes_itself_and_lower_ones(self):
        self.plant("src/core/wait.c", '"core/wait.h"')
        self.plant("src/core/sched.c", '"base/ring.h"')
        self.plant("src/io/recv.c", "<fern/io.h>")
        self.passes("layers.py")

    def test_a_higher_room_is_refused(self):
        self.plant("src/core/wait.c", '"poll/epoll.h"')
        self.fails("layers.py", 'src/core/wait.c:1: "poll/epoll.h" is of a higher room')

    def test_neighbours_never_include_each_other(self):
        self.plant("src/sync/queue.c", '"poll/fdtab.h"')
        self.fails("layers.py", "of a neighbour")

    def test_an_include_names_its_room(self):
        self.plant("src/core/wait.c", '"wait.h"')
        self.fails("layers.py", "does not name a room")

    def test_patch_uses_public_headers_alone(self):
        self.plant("src/patch/read.c", '"io/fd.h"')
        self.fails("layers.py", "public headers alone")

    def test_an_unknown_room_is_refused(self):
        self.plant("src/attic/old.c", "<stdio.h>")
        self.fails("layers.py", "lies in no room")

    def test_a_public_header_includes_nothing_internal(self):
        self.plant("include/fern/io.h", '"core/wait.h"')
        self.fails("layers.py", "is not public")

    def test_an_include_within_a_comment_counts_for_nothing(self):
        self.write("src/core/wait.c", '/*\n#include "poll/epoll.h"\n*/\n')
        self.passes("layers.py")


class Comments(Tree):
    def plant(self, old, new):
        self.assertIn(old, GOOD_HEADER)
        self.write("include/fern/x.h", GOOD_HEADER.replace(old, new))

    def test_a_full_comment_passes(self):
        self.plant("Take", "Take")
        self.passes("doc_check.py")

    def test_each_parameter_is_told(self):
        self.plant(" * @param  fn  called with it\n", "")
        self.fails("doc_check.py", "fern_take() has no @param for 'fn'")

    def test_a_param_that_is_none_is_refused(self):
        self.plant("@param  a ", "@param  z ")
        self.fails("doc_check.py", "has a @param for 'z', which is no parameter")

    def test_the_result_is_told(self):
        self.plant(" * @return 0\n", "")
        self.fails("doc_check.py", "has no @return")

    def test_the_last_line_is_told(self):
        self.plant("  Owner: none.", "")
        self.fails("doc_check.py", "does not end with 'May switch:")

    def test_a_comment_must_stand_right_above(self):
        self.plant(" */\nFERN_API", " */\nint other;\nFERN_API")
        self.fails("doc_check.py", "has no /** comment right above it")


class Style(Tree):
    def function(self, lines):
        return LICENCE + "/* Why. */\nint\nf(void)\n{\n" + "    g();\n" * lines + "}\n"

    def test_seventy_lines_pass(self):
        self.write("src/core/a.c", self.function(70))
        self.passes("style_check.py")

    def test_seventy_one_lines_are_too_long(self):
        self.write("src/core/a.c", self.function(71))
        self.fails("style_check.py", "src/core/a.c:5: function of 71 lines")

    def test_a_file_of_901_lines_is_too_long(self):
        self.write("src/core/a.h", LICENCE + "int a;\n" * 900)
        self.fails("style_check.py", "file of 901 lines")

    def test_a_line_comment_is_refused(self):
        self.write("src/core/a.h", LICENCE + "int a; // why\n")
        self.fails("style_check.py", "src/core/a.h:2: a // comment")

    def test_slashes_in_a_string_are_no_comment(self):
        self.write("src/core/a.h", LICENCE + '#define A "http://b"\n')
        self.passes("style_check.py")

    def test_a_promise_is_refused(self):
        self.write("src/core/a.h", LICENCE + "/* TO" + "DO: later */\n")
        self.fails("style_check.py", "promises")

    def test_a_source_without_licence_is_refused(self):
        self.write("src/core/a.h", "int a;\n")
        self.fails("style_check.py", "src/core/a.h:1: no licence line")

    def test_a_source_opens_with_its_purpose(self):
        self.write("src/core/a.c", LICENCE + "int a;\n")
        self.fails("style_check.py", "does not open with what it is for")


class Names(Tree):
    def plant(self, comment):
        self.write("src/core/wait.c", f"/* {comment} */\nint fern__park(void);\n")

    def test_a_comment_may_name_what_is_there(self):
        self.plant("Called by fern__park, and by all of fern__sched_*.")
        self.passes("name_check.py")

    def test_a_comment_that_names_what_is_gone_is_refused(self):
        self.plant("See fern__parked.")
        self.fails("name_check.py", "src/core/wait.c:1: there is no fern__parked")

    def test_a_document_that_names_what_is_gone_is_refused(self):
        self.plant("Why.")
        self.write("docs/ARCHITECTURE.md", "# Title\n\n`fern__parked()`\n")
        self.fails("name_check.py", "docs/ARCHITECTURE.md:3: there is no fern__parked")

    def test_an_environment_variable_is_a_string(self):
        self.write("src/core/wait.c", '/* FERN_SEED. */\nchar *s = "FERN_SEED";\n')
        self.passes("name_check.py")


class NameTable(Tree):
    ROW = "| `spawn` | `fern_take` | `fern/x.h` | `tests/a_test.c`: `it_takes` |\n"

    def plant(self, rows, names="spawn  # how to begin\n"):
        self.write("include/fern/x.h", GOOD_HEADER)
        self.write("tests/a_test.c", "TEST(it_takes)\n{\n fern_take();\n}\n"
                   "/* TEST(it_gives) */\n")
        self.write("tests/b_test.c", "TEST(it_asks)\n{\n}\n")
        self.write("examples/a.c", "fern_take();\n")
        self.write("examples/b.c", "")
        self.write("examples/a.out", "")
        self.write("docs/names.md", "# Names\n\n| Python | fern | header | test |\n"
                   "|---|---|---|---|\n" + rows)
        self.write("docs/names.txt", names)

    def test_a_table_that_is_right_passes(self):
        self.plant(self.ROW + "| `a` | later: `patch` | | |\n| `b` | none: there is no need | | |\n"
                   "| `c` | `fern_take` | `fern/x.h` | `examples/a.c` |\n", "spawn\na\nb\nc\n")
        self.passes("names_check.py")

    def test_a_name_without_a_row_is_refused(self):
        self.plant(self.ROW, "spawn\njoin\n")
        self.fails("names_check.py", "docs/names.txt:2: join has no row")

    def test_a_row_that_is_not_in_the_list_is_refused(self):
        self.plant(self.ROW, "# spawn\njoin\n")
        self.fails("names_check.py", "docs/names.md:5: spawn is not in docs/names.txt")

    def test_two_rows_of_one_name_are_refused(self):
        self.plant(self.ROW + self.ROW)
        self.fails("names_check.py", "docs/names.md:6: spawn has a row already")

    def test_a_call_that_is_in_no_header_is_refused(self):
        self.plant(self.ROW.replace("fern_take", "fern_give"))
        self.fails("names_check.py", "fern_give is not in fern/x.h")

    def test_a_header_that_is_gone_is_refused(self):
        self.plant(self.ROW.replace("fern/x.h", "fern/y.h"))
        self.fails("names_check.py", "there is no header fern/y.h")

    def test_a_test_that_is_gone_is_refused(self):
        self.plant(self.ROW.replace("it_takes", "it_gives"))
        self.fails("names_check.py", "there is no test it_gives in tests/a_test.c")

    def test_a_test_that_does_not_use_the_call_is_no_proof(self):
        self.plant(self.ROW.replace("tests/a_test.c`: `it_takes", "tests/b_test.c`: `it_asks"))
        self.fails("names_check.py", "tests/b_test.c does not use fern_take")

    def test_an_example_without_output_is_no_proof(self):
        self.plant(self.ROW.replace("`tests/a_test.c`: `it_takes`", "`examples/b.c`"))
        self.fails("names_check.py", "there is no example examples/b.c")

    def test_a_row_without_a_test_is_refused(self):
        self.plant("| `spawn` | `fern_take` | `fern/x.h` | |\n")
        self.fails("names_check.py", "names neither a test nor an example")

    def test_what_comes_later_comes_in_a_room(self):
        self.plant("| `spawn` | later: `attic` | | |\n")
        self.fails("names_check.py", "there will be no room attic")


class Conformance(Tree):
    ROW = "| 7 | it takes | `tests/a_test.c`: `it_takes` |\n"

    def plant(self, rows):
        self.write("tests/a_test.c", "TEST(it_takes)\n{\n}\n/* TEST(it_gives) */\n")
        self.write("examples/a.c", "")
        self.write("examples/a.out", "")
        self.write("docs/conformance.md", "# Cases\n\n| case | sentence | shown by |\n"
                   "|---|---|---|\n" + rows)

    def test_a_table_that_is_right_passes(self):
        self.plant(self.ROW + "| 7 | it asks | none: there is nobody |\n"
                   "| 8 | a | later: `work` |\n| 9 | b | `examples/a.c` |\n\n# More\n\n"
                   "| 2 | c | none: no |\n")
        self.passes("conformance_check.py")

    def test_a_test_that_is_gone_is_refused(self):
        self.plant(self.ROW.replace("`it_takes`", "`it_gives`"))
        self.fails("conformance_check.py", "5: 7: there is no test it_gives in tests/a_test.c")

    def test_a_row_that_names_no_proof_is_refused(self):
        self.plant("| 7 | it takes | of course |\n")
        self.fails("conformance_check.py", "names neither a test nor an example")

    def test_a_row_of_other_cells_is_refused(self):
        self.plant("| 7 | `tests/a_test.c`: `it_takes` |\n")
        self.fails("conformance_check.py", "this is no row of three cells")

    def test_cases_out_of_order_or_twice_are_refused(self):
        self.plant(self.ROW + "| 6 | a | none: no |\n" + self.ROW)
        self.fails("conformance_check.py", "6: 6: stands behind 7")
        self.fails("conformance_check.py", "'it takes' stands there twice")

    def test_what_comes_later_comes_in_a_room(self):
        self.plant("| 7 | it takes | later: `attic` |\n")
        self.fails("conformance_check.py", "there will be no room attic")


class Listed(Tree):
    def test_sources_that_are_listed_pass(self):
        self.write("src/core/meson.build", "fern_sources += files('wait.c', 'arch/x.c')\n")
        self.write("src/core/wait.c", "")
        self.write("src/core/arch/x.c", "")
        self.write("tests/core/meson.build", "names = ['wait']\n")
        self.write("tests/core/wait_test.c", "")
        self.passes("listed_check.py")

    def test_a_test_that_is_not_listed_is_refused(self):
        self.write("tests/core/meson.build", "names = ['wait']\n")
        self.write("tests/core/waiting_test.c", "")
        self.fails("listed_check.py", "tests/core/waiting_test.c:1: tests/core/meson.build does")


class ThreadLocals(Tree):
    def test_they_live_in_core_self(self):
        self.write("src/core/self.c", "__thread int a; /* __thread */\n")
        self.write("src/core/wait.c", "/* not __thread */\n")
        self.passes("tls_check.py")

    def test_elsewhere_they_are_refused(self):
        self.write("src/core/wait.c", "static\n_Thread_local int a;\n")
        self.fails("tls_check.py", "src/core/wait.c:2: _Thread_local outside core/self")


class Headers(Tree):
    def test_a_header_that_stands_alone_passes(self):
        self.write("fern/x.h", GOOD_HEADER)
        self.passes("header_check")

    def test_a_header_that_needs_another_is_refused(self):
        self.write("fern/x.h", "#ifndef X\n#define X\nsize_t a(void);\n#endif\n")
        self.fails("header_check", "fern/x.h:1: does not compile alone with gcc (c)")

    def macros(self, use):
        self.write("include/fern/x.h", "#ifndef X\n#define X\n#define FERN_TWO 2\nint x;\n#endif\n")
        self.write("use.c", f"#include <fern/x.h>\nint a = {use};\n")
        return os.path.join(self.root, "include"), os.path.join(self.root, "use.c")

    def test_a_macro_that_is_used_passes(self):
        self.passes("header_check", *self.macros("FERN_TWO"))

    def test_a_macro_that_is_not_used_is_refused(self):
        self.fails("header_check", "does not use FERN_TWO", *self.macros("2"))

    def test_no_headers_at_all_is_an_error(self):
        self.fails("header_check", "no headers found")


class Stack(Tree):
    """One source compiled as part of core; its frames are large enough to tell apart."""

    def plant(self, body, table):
        self.write("src/core/a.c", body)
        self.write("table", table)
        self.write("build/compile_commands.json", '[{"directory": "%s", "file": "src/core/a.c", '
                   '"command": "gcc -O2 -c src/core/a.c -o a.o"}]' % self.root)
        return os.path.join(self.root, "build"), self.root, os.path.join(self.root, "table")

    BODY = """void use(char *);
        __attribute__((noinline)) static void deep(int n)
        { char b[%d]; b[n] = 1; use(b); }
        void root(int n) { char a[500]; deep(n); a[n] = 1; use(a); }
        """

    def test_a_shallow_path_passes(self):
        self.passes("stack_check.py", *self.plant(
            self.BODY % 500, "limit 2048\nroot root\nsize use 64\n"))

    def test_the_sum_along_the_path_counts(self):
        self.fails("stack_check.py", "at most 2048", *self.plant(
            self.BODY % 1600, "limit 2048\nroot root\nsize use 64\n"))

    def test_an_unknown_function_is_refused(self):
        self.fails("stack_check.py", "unknown function use", *self.plant(
            self.BODY % 500, "limit 2048\nroot root\n"))

    def test_an_indirect_call_must_be_told(self):
        self.fails("stack_check.py", "an indirect call in root", *self.plant(
            "void root(void (*f)(void)) { f(); f(); }", "limit 2048\nroot root\n"))

    def test_recursion_is_refused(self):
        self.fails("stack_check.py", "recursion: root -> ", *self.plant(
            """void use(char *); void other(int);
            void root(int n) { char a[50]; use(a); other(n); use(a); }
            void other(int n) { char a[60]; use(a); root(n); use(a); }
            """, "limit 2048\nroot root\nsize use 64\n"))


if __name__ == "__main__":
    unittest.main()
