#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the public headers say what a caller must know.

    tools/doc_check.py [ROOT]
    tools/doc_check.py --list     only prints the names of the functions

Right above every FERN_API function of include/ stands a comment of this form: a sentence,
@param for each parameter by its name, @return unless void, and as its last line
`May switch: ...  Thread: ...  Owner: ...`.
"""

import re
import sys

from csource import TOKEN, blank, finish, line_of, list_files, read

ADVICE = """The form, with its last line obligatory:
    /**
     * What it does.
     *
     * @param  g  what it is, its unit, whether NULL is allowed
     * @return 0; each error and when
     *
     * May switch: ...  Thread: ...  Owner: ...
     */"""

LAST_LINE = re.compile(r"May switch:\s*\S.*\sThread:\s*\S.*\sOwner:\s*\S", re.S)
MARK = re.compile(r"\bFERN_API\b")
ATTRIBUTE = re.compile(r"\bFERN_(?:MUST_CHECK|PRINTF\s*\([^)]*\)|NORETURN|API|[A-Z_]+\b(?!\s*\())"
                       r"|__attribute__\s*\(\(.*?\)\)")


def split_parameters(text):
    parts, depth, current = [], 0, ""
    for char in text:
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += char
    return [p.strip() for p in parts + [current] if p.strip()]


def name_of(parameter):
    """The name a parameter is declared by, or None."""
    pointer = re.search(r"\(\s*\*\s*(?:const\s+)?(\w+)", parameter)
    if pointer:
        return pointer.group(1)
    words = re.findall(r"\w+", re.sub(r"\[[^\]]*\]", "", parameter))
    return words[-1] if len(words) > 1 else None


def parse(declaration):
    """(function, returns void, names) of a declaration; None when it declares no function."""
    text = ATTRIBUTE.sub(" ", declaration)
    match = re.match(r"\s*(.*?)(\w+)\s*\((.*)\)\s*$", text, re.S)
    if not match:
        return None
    result, function, rest = match.groups()
    parameters = split_parameters(rest)
    if parameters == ["void"]:
        parameters = []
    named = [name_of(p) for p in parameters if p != "..."]
    return function, result.split() == ["void"], named


def comment_above(text, offset):
    """The documentation comment that ends right before `offset`, as lines without stars."""
    last = None
    for match in TOKEN.finditer(text, 0, offset):
        last = match
    if not last or not last.group(0).startswith("/**") or text[last.end():offset].strip():
        return None
    body = last.group(0)[3:-2]
    return [re.sub(r"^\s*\* ?", "", line).rstrip() for line in body.strip().split("\n")]


def faults(lines, is_void, names):
    """What the comment lacks."""
    text = "\n".join(lines)
    if not lines[0].strip("* ") or lines[0].startswith("@"):
        yield "has no sentence that says what it does"
    documented = re.findall(r"^@param\s+([\w, ]+?)(?:\s\s|$)", text, re.M)
    told = [n.strip() for group in documented for n in group.split(",")]
    told += re.findall(r"^@param\s+(\w+)", text, re.M)
    for name in names:
        if name is None:
            yield "has a parameter without a name"
        elif name not in told:
            yield f"has no @param for '{name}'"
    for name in set(told) - set(names) - {"..."}:
        if re.fullmatch(r"\w+", name):
            yield f"has a @param for '{name}', which is no parameter"
    if not is_void and not re.search(r"^@return\s+\S", text, re.M):
        yield "has no @return"
    if is_void and re.search(r"^@return\b", text, re.M):
        yield "has a @return but returns nothing"
    paragraph = text.rstrip().split("\n\n")[-1]
    if not LAST_LINE.search(paragraph) or not paragraph.startswith("May switch:"):
        yield "does not end with 'May switch: ...  Thread: ...  Owner: ...'"


def declarations(text):
    """(offset, function, returns void, names of parameters) of each public function."""
    code = blank(text)
    for mark in MARK.finditer(code):
        line_start = code.rfind("\n", 0, mark.start()) + 1
        if code[line_start:mark.start()].lstrip().startswith("#"):
            continue
        declared = parse(code[mark.start():code.find(";", mark.start())])
        if declared:
            yield mark.start(), *declared


def check_header(root, name, problems):
    text = read(root, name)
    for offset, function, is_void, names in declarations(text):
        where = f"{name}:{line_of(text, offset)}: {function}()"
        lines = comment_above(text, offset)
        if lines is None:
            problems.append(f"{where} has no /** comment right above it")
            continue
        problems += [f"{where} {fault}" for fault in faults(lines, is_void, names)]


def list_functions():
    for name in list_files(".", (".h",), "include/"):
        for _, function, _, _ in declarations(read(".", name)):
            print(function)


def main(root):
    problems = []
    for name in list_files(root, (".h",), "include/"):
        check_header(root, name, problems)
    finish(problems, ADVICE)


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        list_functions()
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else ".")
