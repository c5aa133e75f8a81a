"""Tells which sections of the language have no golden case; status 1 when there is one.

tests/sql/README.md names the sections. A case belongs to those that comment lines above it begin with.
  coverage.py [--list]        with --list: every section and the number of its comments
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent
LAST = {"1": 9, "2": 8, "3": 9, "4": 21, "5": 18, "6": 8, "7": 9}
SECTIONS = [f"{chapter}.{n}" for chapter, last in LAST.items() for n in range(1, last + 1)]
SECTIONS += [f"Q{n}" for n in range(1, 46)] + ["A", "C"] + [f"B {n}" for n in range(1, 31)]
# Files of tests/sql/functions are named for the function; these sections are theirs.
BY_FUNCTION = {f"5.{n}" for n in range(5, 16)} | {"5.18"}


def named(line):
    """The sections that a comment line begins with, Q numbers included."""
    text = line[1:].strip()
    while match := re.match(r"(\d\.\d+|B \d+|[AC])\b[ ,]*(?:to )?", text):
        yield match.group(1)
        text = text[match.end():]
        if match := re.match(r"Q\d+", text):
            yield match.group(0)


def main():
    seen = collections.Counter()
    for path in sorted(ROOT.rglob("*.slt")):
        for line in path.read_text().splitlines():
            if line.startswith("#"):
                seen.update(named(line))
    if "--list" in sys.argv[1:]:
        for section in SECTIONS:
            print(f"{section:6} {seen[section]}")
    missing = [section for section in SECTIONS if not seen[section] and section not in BY_FUNCTION]
    if missing:
        print("no golden case names section", ", ".join(missing))
        return 1
    print(f"golden cases name {len(SECTIONS) - len(BY_FUNCTION)} of {len(SECTIONS)} sections; "
          f"the other {len(BY_FUNCTION)} are families of functions, with a file for each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
