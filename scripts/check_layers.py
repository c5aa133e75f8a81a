#!/usr/bin/env python3
"""House test: includes obey each room's USES line, banned names stay out, tests exist.

Reads the tideline_room() calls under src/, the same lines the build reads. Exits 1 with one line
per finding. Rules:
  - a file of room A may include a header of room B only if A == B or A's USES names B, directly;
  - a room may only USE rooms declared before it in src/CMakeLists.txt (nothing looks up);
  - no file or folder is called util, common, helpers or misc;
  - std::thread, system_clock, fsync and friends stay in the rooms that own them;
  - no exception is thrown in src/; headers include neither <iostream> nor <regex>;
  - a third-party library is included by the rooms that own it;
  - every registered function (docs/reference/functions.md is printed from the registry, and a test
    keeps it so) is called by a golden test under tests/sql.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
CALL = re.compile(r"tideline_room\((.*?)\)", re.S)
INCLUDE = re.compile(r'^\s*#include\s+(["<])([^">]+)[">]', re.M)
WORDS = {"REGISTERS", "USES", "LINKS", "TEST_USES"}

# header prefix -> rooms that may include it; vocabulary (absl, fmt) is free.
LIBRARY_OWNERS = {
    "boost/": {"net"},
    "openssl/": {"crypto", "net"},
    "simdjson": {"base", "front/aws_json"},
    "spdlog/": {"base"},
    "xxhash": {"base"},
    "zstd": {"compress"},
    "lz4": {"compress"},
    "roaring/": {"columnar"},
    "toml++/": {"server"},
    "CLI/": {"cli"},
    "histedit": {"cli"},
    "pcre2": {"functions"},
    "date/": {"columnar", "functions"},
    "unicode/": {"functions"},
    "utf8proc": {"functions"},
    "libstemmer": {"functions"},
}
BANNED_WORDS = [
    (re.compile(r"\bstd::thread\b"), {"base", "net", "cli"}, "std::thread outside base"),
    (re.compile(r"\b(?:system|steady|high_resolution)_clock::now\b"), {"base", "net"}, "a clock outside base"),
    (re.compile(r"(?<![\w.>:])::?(?:fsync|fdatasync|rename)\("), {"storage/fs"}, "bare fsync or rename"),
    (re.compile(r"^\s*throw\b", re.M), set(), "an exception thrown"),
]
BANNED_NAMES = {"util", "utils", "common", "helpers", "misc"}


def read_rooms():
    order = re.search(r"foreach\(room(.*?)\)", (SRC / "CMakeLists.txt").read_text(), re.S).group(1).split()
    rooms = {}
    for room in order:
        lists = SRC / room / "CMakeLists.txt"
        if not lists.exists():
            continue
        match = CALL.search(lists.read_text())
        tokens = match.group(1).split()
        uses, tests, mode = [], [], None
        for token in tokens[1:]:
            if token in WORDS:
                mode = token
            elif mode == "USES":
                uses.append(token)
            elif mode == "TEST_USES":
                tests.append(token)
        rooms[room] = (uses, tests)
    return rooms


def room_of(path, rooms):
    """The innermost room that a path below src/ lies in, or None."""
    best = None
    for room in rooms:
        if path.startswith(room + "/") and (best is None or len(room) > len(best)):
            best = room
    return best


def untested_functions():
    """Names of the function reference that no golden file calls. Operators are not called by name."""
    reference = (ROOT / "docs" / "reference" / "functions.md").read_text()
    names = [name for name in re.findall(r"^### (\S+)", reference, re.M) if not name.startswith("$")]
    called = set()
    for path in sorted((ROOT / "tests" / "sql").rglob("*.slt")):
        for line in path.read_text().splitlines():
            if not line.startswith("#"):
                called.update(word.lower() for word in re.findall(r"\w+(?=\s*\()|\b(?:current|local)\w+", line))
    return [name for name in names if name not in called]


def main():
    rooms = read_rooms()
    names = list(rooms)
    findings = []
    for room, (uses, _) in rooms.items():
        for used in uses:
            if used not in rooms:
                findings.append(f"src/{room}/CMakeLists.txt: USES {used}, which is no room")
            elif names.index(used) > names.index(room):
                findings.append(f"src/{room}/CMakeLists.txt: USES {used}, which stands above it")
    for path in sorted(SRC.rglob("*")):
        relative = path.relative_to(SRC).as_posix()
        if path.stem in BANNED_NAMES:
            findings.append(f"src/{relative}: name the concept instead")
        if path.suffix not in (".cc", ".h"):
            continue
        room = room_of(relative, rooms)
        if room is None:
            continue
        text = path.read_text()
        is_test = relative.endswith(("_test.cc", "_fuzz.cc", "_bench.cc", "_test_support.h"))
        allowed = set(rooms[room][0]) | {room} | (set(rooms[room][1]) if is_test else set())
        for kind, included in INCLUDE.findall(text):
            if kind == '"':
                if is_test and included.startswith("tests/"):
                    continue
                target = room_of(included, rooms)
                if target is None:
                    findings.append(f"src/{relative}: includes {included}, which is in no room")
                elif target not in allowed:
                    findings.append(f"src/{relative}: includes {included}, but USES of {room} lacks {target}")
            else:
                for prefix, owners in LIBRARY_OWNERS.items():
                    if included.startswith(prefix) and room not in owners:
                        findings.append(f"src/{relative}: includes <{included}>, a library of {sorted(owners)}")
                if path.suffix == ".h" and included in ("iostream", "regex"):
                    findings.append(f"src/{relative}: <{included}> in a header")
        if not is_test:
            for pattern, owners, what in BANNED_WORDS:
                if room not in owners and pattern.search(text):
                    findings.append(f"src/{relative}: {what}")
        lines = text.count("\n")
        if lines > 1000:
            findings.append(f"src/{relative}: {lines} lines; past 1000 a file asks to be two")
    for name in untested_functions():
        findings.append(f"docs/reference/functions.md: {name} has no golden test in tests/sql")
    for finding in findings:
        print(finding)
    print(f"{len(rooms)} rooms checked, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
