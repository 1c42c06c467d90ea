# SPDX-License-Identifier: MIT
"""What the checks share: which files there are, and C text without comments and strings.

    tools/csource.py     prints the names of the C and C++ files
"""

import os
import re
import subprocess
import sys

C_ENDINGS = (".c", ".h", ".cc", ".cpp")

TOKEN = re.compile(
    r"""(?P<block>/\*.*?\*/)
      | (?P<line>//[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>'(?:\\.|[^'\\\n])*')""",
    re.S | re.X,
)


def list_files(root, endings=None, under=""):
    """Paths relative to `root`, sorted: what git knows or would add, else what is there."""
    try:
        names = subprocess.run(
            ["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
            check=True, capture_output=True, text=True).stdout.split("\0")
        if not os.path.samefile(root, git_top(root)):
            names = walk(root)
    except (OSError, subprocess.CalledProcessError):
        names = walk(root)
    return sorted(
        n for n in names
        if n and n.startswith(under) and (not endings or n.endswith(endings))
        and os.path.isfile(os.path.join(root, n)))


def git_top(root):
    return subprocess.run(["git", "-C", root, "rev-parse", "--show-toplevel"], check=True,
                          capture_output=True, text=True).stdout.strip()


def walk(root):
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in (".git", "build", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return found


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
        return file.read()


def blank(text, keep=()):
    """The text with comments, strings and characters turned into spaces; lines stay lines."""
    def spaces(match):
        if match.lastgroup in keep:
            return match.group(0)
        return re.sub(r"[^\n]", " ", match.group(0))
    return TOKEN.sub(spaces, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def finish(problems, advice):
    """Prints what is wrong and what to do, and ends the program."""
    for problem in problems:
        print(problem)
    if problems:
        print(advice)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    print("\n".join(list_files(".", C_ENDINGS)))
