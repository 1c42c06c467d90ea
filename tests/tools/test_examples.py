# SPDX-License-Identifier: MIT
"""What an example or a document's program prints is compared, and a difference is a failure."""

import os
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")

PAGE = """Text.
```c
#include <stdio.h>
int main(void) { printf("%s\\n"); return %d; }
```
It prints
```text
hello 7
```
```c
this_is_a_fragment();
```
"""


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.root, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def run_tool(self, tool, *args):
        done = subprocess.run([sys.executable, os.path.join(TOOLS, tool), *args], cwd=self.root,
                              capture_output=True, text=True)
        return done.returncode, done.stdout


class Examples(Folder):
    def status(self, script, expected):
        program = self.write("program", "#!/bin/sh\n" + script, 0o755)
        return self.run_tool("run_example.py", program, self.write("a.out", expected))[0]

    def test_the_same_text_passes(self):
        self.assertEqual(self.status("echo a; echo b", "a\nb\n"), 0)

    def test_another_text_fails(self):
        self.assertEqual(self.status("echo a; echo c", "a\nb\n"), 1)

    def test_a_missing_line_fails(self):
        self.assertEqual(self.status("echo a", "a\nb\n"), 1)

    def test_an_expression_matches_a_whole_line(self):
        self.assertEqual(self.status("echo took 12 ms", "~ took \\d+ ms\n"), 0)
        self.assertEqual(self.status("echo it took 12 ms", "~ took \\d+ ms\n"), 1)

    def test_a_bad_status_fails(self):
        self.assertEqual(self.status("echo a; exit 2", "a\n"), 1)

    def test_lines_in_braces_come_in_any_order(self):
        self.assertEqual(self.status("echo 1; echo b; echo a; echo 2", "1\n{{\na\nb\n}}\n2\n"), 0)
        self.assertEqual(self.status("echo 1; echo b; echo 2; echo a", "1\n{{\na\nb\n}}\n2\n"), 1)
        self.assertEqual(self.status("echo a; echo a", "{{\na\nb\n}}\n"), 1)
        self.assertEqual(self.status("echo a", "{{\na\nb\n}}\n"), 1)

    def test_stderr_is_compared_when_its_text_is_given(self):
        self.write("a.err", "~ it failed: \\d+\n")
        self.assertEqual(self.status("echo a; echo it failed: 7 >&2", "a\n"), 0)
        self.assertEqual(self.status("echo a; echo it worked >&2", "a\n"), 1)

    def test_a_status_may_be_wanted(self):
        self.write("a.status", "3\n")
        self.assertEqual(self.status("echo a; exit 3", "a\n"), 0)
        self.assertEqual(self.status("echo a", "a\n"), 1)

    def test_it_runs_beside_its_files(self):
        self.write("beside.txt", "here\n")
        self.assertEqual(self.status("cat beside.txt", "here\n"), 0)


class Snippets(Folder):
    def status(self, page):
        self.write("README.md", page)
        return self.run_tool("snippets.py", "gcc", "-O0")

    def test_a_true_page_passes(self):
        self.assertEqual(self.status(PAGE % ("hello 7", 0)), (0, "1 passed, 0 failed\n"))

    def test_another_output_fails(self):
        status, text = self.status(PAGE % ("hello 8", 0))
        self.assertEqual(status, 1)
        self.assertIn("README.md:3: this program does not do what the page says", text)

    def test_a_bad_status_fails(self):
        self.assertEqual(self.status(PAGE % ("hello 7", 1))[0], 1)

    def test_a_program_that_does_not_compile_fails(self):
        self.assertEqual(self.status("```c\nint main(void) { return x; }\n```\n")[0], 1)

    def test_a_page_without_programs_fails(self):
        self.assertEqual(self.status("Nothing.\n")[0], 1)


if __name__ == "__main__":
    unittest.main()
