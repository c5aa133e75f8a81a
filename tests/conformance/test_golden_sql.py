"""Runs the golden SQL files of tests/sql over the wire: tables through WriteRecords, queries through Query.

The same files run in-process through slt_runner; here every value makes the way through the write door,
the log, the scan, the pages and the JSON encoding. now() and ago() are replaced by the time at which the
file holds its clock; what else asks for the time or for chance cannot be the same over a wire and is left
out and counted.
"""
import datetime
import json
import math
import re
import unittest
import urllib.error
import urllib.request

import harness

SQL_ROOT = harness.REPOSITORY / "tests" / "sql"
NOW_WORDS = re.compile(r"\b(now|ago|current_(?!timezone)\w+|localtime\w*|rand|random|uuid)\b", re.I)
FIRST_CLOCK = "2024-01-02 12:00:00"  # where a file that sets none begins
# The wire's exceptions for each code of the files; a limit may be met while compiling or while running.
EXCEPTIONS = {
    "INVALID_ARGUMENT": ("ValidationException",),
    "UNIMPLEMENTED": ("ValidationException",),
    "EXECUTION_FAILED": ("QueryExecutionException",),
    "NOT_FOUND": ("ResourceNotFoundException",),
    "RESOURCE_EXHAUSTED": ("QueryExecutionException", "ValidationException"),
}
TYPES = {"double": "DOUBLE", "bigint": "BIGINT", "varchar": "VARCHAR", "boolean": "BOOLEAN",
         "timestamp": "TIMESTAMP"}


class Block:
    def __init__(self, line, head, body):
        self.line, self.head, self.body = line, head, body


def parse(text):
    """The blocks of a file: their first line and what follows it up to an empty line."""
    blocks, lines, at = [], text.split("\n"), 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].startswith("#"):
            at += 1
            continue
        first = at
        while at < len(lines) and lines[at].strip():
            at += 1
        blocks.append(Block(first + 1, lines[first], lines[first + 1:at]))
    return blocks


def wire_name(text):
    """The files call their database db and tables t; real names need three characters."""
    text = re.sub(r"\bdb\.(\w{1,2})\b(?![-.])", r"db.\1__", text)
    return re.sub(r"\bdb\b", "dbx", text)


def at_clock(sql, clock):
    """`sql` with now() and ago(x) as literals; a name in quotes or a text is not looked into."""
    moment = "TIMESTAMP '%s'" % re.sub(r"(\.\d{3})\d+$", r"\1", clock)
    sql = re.sub(r"\bnow\s*\(\s*\)", moment, sql, flags=re.I)
    while match := re.search(r"\bago\s*\(", sql, re.I):
        depth, end = 1, match.end()
        while depth > 0 and end < len(sql):
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        if depth > 0:
            return sql
        sql = f"{sql[:match.start()]}({moment} - ({sql[match.end():end - 1]})){sql[end:]}"
    return sql


def without_position(text):
    """Positions are checked in-process; here the longer name has moved them."""
    return re.sub(r"line \d+:\d+", "line L:C", text)


def split_outside(text, separator):
    """The parts of a nested value's text between separators that lie in no bracket."""
    parts, depth, start = [], 0, 0
    for i, char in enumerate(text):
        depth += (char in "[({") - (char in "])}")
        if depth == 0 and text.startswith(separator, i):
            parts.append(text[start:i])
            start = i + len(separator)
    return parts + [text[start:]]


def maps_as_rows(text):
    """A map goes over the wire as an array of rows (key, value): `{a=1, b=2}` as `[(a,1),(b,2)]`."""
    if text.startswith("{") and text.endswith("}"):
        pairs = [split_outside(pair, "=") for pair in split_outside(text[1:-1], ", ")] if text != "{}" else []
        if all(len(pair) > 1 for pair in pairs):
            return "[" + ",".join(f"({maps_as_rows(pair[0])},{maps_as_rows('='.join(pair[1:]))})" for pair in pairs) + "]"
    if text.startswith("[") and text.endswith("]") and text != "[]":
        return "[" + ",".join(maps_as_rows(part) for part in split_outside(text[1:-1], ",")) + "]"
    if text.startswith("(") and text.endswith(")") and text != "()":
        return "(" + ",".join(maps_as_rows(part) for part in split_outside(text[1:-1], ",")) + ")"
    return text


def nanoseconds(text):
    whole, _, fraction = text.partition(".")
    form = "%Y-%m-%d %H:%M:%S" if " " in whole else "%Y-%m-%d"
    moment = datetime.datetime.strptime(whole, form).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 10**9 + int((fraction + "0" * 9)[:9])


def datum_text(datum, kind):
    """A datum as the files write it; `kind` is its Type member."""
    if datum.get("NullValue"):
        return None
    if "ScalarValue" in datum:
        return datum["ScalarValue"]
    if "ArrayValue" in datum:
        element = kind["ArrayColumnInfo"]["Type"]
        return "[" + ",".join(nested_text(item, element) for item in datum["ArrayValue"]) + "]"
    if "RowValue" in datum:
        fields = kind["RowColumnInfo"]
        return "(" + ",".join(nested_text(item, field["Type"])
                              for item, field in zip(datum["RowValue"]["Data"], fields)) + ")"
    element = kind["TimeSeriesMeasureValueColumnInfo"]["Type"]
    return "[" + ", ".join("{time: %s, value: %s}" % (point["Time"], nested_text(point["Value"], element))
                           for point in datum["TimeSeriesValue"]) + "]"


def nested_text(datum, kind):
    text = datum_text(datum, kind)
    return "null" if text is None else text


def cell_text(text):
    if text is None:
        return "NULL"
    return "(empty)" if text == "" else text.replace("\n", "\\n")


def same_double(a, b):
    try:
        x, y = float(a), float(b)
    except ValueError:
        return False
    return x == y or (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=1e-9)


def are_like(patterns, rows):
    """Whether rows are what patterns say: * is any text, a pattern ... any number of rows."""
    if not patterns:
        return not rows
    if patterns[0] == "...":
        return any(are_like(patterns[1:], rows[skipped:]) for skipped in range(len(rows) + 1))
    pattern = ".*".join(re.escape(part) for part in patterns[0].split("*"))
    return bool(rows) and re.fullmatch(pattern, rows[0]) is not None and are_like(patterns[1:], rows[1:])


class Wire:
    """Calls the API of a server in development mode, unsigned."""

    def __init__(self, url):
        self.url, self.profile = url, None

    def call(self, operation, body):
        headers = {"Content-Type": "application/x-amz-json-1.0",
                   "X-Amz-Target": "Timestream_20181101." + operation}
        if self.profile:
            headers["x-tideline-profile"] = self.profile
        request = urllib.request.Request(self.url, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return 200, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def query(self, sql):
        """(columns, rows) of all pages, or (None, error)."""
        rows, token = [], None
        while True:
            body = {"QueryString": sql, "MaxRows": 7}
            if token:
                body["NextToken"] = token
            status, answer = self.call("Query", body)
            if status != 200:
                return None, answer
            rows += answer["Rows"]
            token = answer.get("NextToken")
            if not token:
                return answer["ColumnInfo"], rows


class FileRun:
    """Runs one file against a server of its own names: databases get the file's prefix."""

    def __init__(self, wire, path):
        self.wire, self.path = wire, path
        self.failures, self.run, self.skipped = [], 0, 0
        self.databases = set()
        self.clock, self.profiles = FIRST_CLOCK, ["extended"]

    def execute(self):
        self.blocks_of(self.path)
        for database in sorted(self.databases):
            status, page = self.wire.call("ListTables", {"DatabaseName": database})
            while status == 200 and page["Tables"]:
                for table in page["Tables"]:
                    self.wire.call("DeleteTable", {"DatabaseName": database, "TableName": table["TableName"]})
                status, page = self.wire.call("ListTables", {"DatabaseName": database})
            self.wire.call("DeleteDatabase", {"DatabaseName": database})
        return self

    def blocks_of(self, path):
        for block in parse(path.read_text()):
            words = block.head.split()
            handler = getattr(self, "on_" + words[0], None)
            if handler is None:
                self.failures.append(f"{path.name}:{block.line}: unknown block {words[0]}")
                continue
            handler(block, words)

    def fail(self, block, text):
        self.failures.append(f"{self.path.relative_to(SQL_ROOT)}:{block.line}: {text}")

    def on_clock(self, block, words):
        self.clock = " ".join(words[1:])

    def on_profile(self, block, words):
        self.profiles = ["compat", "extended"] if words[1] == "both" else [words[1]]

    def on_include(self, block, words):
        self.blocks_of(self.path.parent / words[1])

    def on_database(self, block, words):
        name = wire_name(words[1])
        self.databases.add(name)
        status, answer = self.wire.call("CreateDatabase", {"DatabaseName": name})
        if status not in (200, 409):
            self.fail(block, f"CreateDatabase: {answer}")

    def on_table(self, block, words):
        database, table = wire_name(words[1]).split(".", 1)
        status, answer = self.wire.call("CreateTable", {
            "DatabaseName": database, "TableName": table,
            "RetentionProperties": {"MemoryStoreRetentionPeriodInHours": 1,
                                    "MagneticStoreRetentionPeriodInDays": 73000},
            "MagneticStoreWriteProperties": {"EnableMagneticStoreWrites": True}})
        if status not in (200, 409):
            self.fail(block, f"CreateTable: {answer}")
            return
        if not block.body:
            return
        columns = [cell.strip() for cell in block.body[0].split("|")]
        records = [self.record(columns, [cell.strip() for cell in row.split("|")])
                   for row in block.body[1:]]
        for first in range(0, len(records), 100):
            status, answer = self.wire.call("WriteRecords", {
                "DatabaseName": database, "TableName": table, "Records": records[first:first + 100]})
            if status != 200:
                self.fail(block, f"WriteRecords: {answer}")

    @staticmethod
    def record(columns, cells):
        record = {"Dimensions": [], "TimeUnit": "NANOSECONDS"}
        values = []
        for column, cell in zip(columns, cells):
            if not cell:
                continue
            name, colon, kind = column.partition(":")
            if column == "time":
                record["Time"] = str(nanoseconds(cell))
            elif column == "measure_name":
                record["MeasureName"] = cell
            elif column == "version":
                record["Version"] = int(cell)
            elif colon:
                text = str(nanoseconds(cell)) if kind == "timestamp" else cell
                values.append({"Name": name, "Value": text, "Type": TYPES[kind]})
            else:
                record["Dimensions"].append({"Name": column, "Value": "" if cell == "''" else cell})
        if len(values) == 1 and values[0]["Name"] == "measure_value":
            record["MeasureValue"], record["MeasureValueType"] = values[0]["Value"], values[0]["Type"]
        else:
            record["MeasureValues"], record["MeasureValueType"] = values, "MULTI"
        return record

    def on_statement(self, block, words):
        sql = wire_name("\n".join(block.body))
        self.in_profiles(sql, lambda sql: self.check_statement(block, words, sql))

    def on_query(self, block, words):
        mark = block.body.index("----")
        sql = at_clock(wire_name("\n".join(block.body[:mark])), self.clock)
        expected = [wire_name(row) for row in block.body[mark + 1:]]
        self.in_profiles(sql, lambda sql: self.check_query(block, words, sql, list(expected)))

    def in_profiles(self, sql, check):
        for profile in self.profiles:
            if NOW_WORDS.search(sql):
                self.skipped += 1
                continue
            self.run += 1
            self.wire.profile = profile
            check(sql)

    def check_statement(self, block, words, sql):
        columns, answer = self.wire.query(sql)
        if words[1] == "ok":
            if columns is None:
                self.fail(block, f"failed: {answer}")
            return
        if columns is not None:
            self.fail(block, "succeeded, but an error is expected")
            return
        name = answer.get("__type", "").rpartition("#")[2]
        if name not in EXCEPTIONS.get(words[2], ()):
            self.fail(block, f"{name} instead of {words[2]}: {answer.get('message')}")
        text = block.head.split(None, 3)[3] if len(words) > 3 else ""
        if text and without_position(wire_name(text)) not in without_position(answer.get("message", "")):
            self.fail(block, f"message lacks {text!r}: {answer.get('message')}")

    def check_query(self, block, words, sql, expected):
        columns, rows = self.wire.query(sql)
        if columns is None:
            self.fail(block, f"failed: {rows}")
            return
        if "names" in words[2:]:
            names = " | ".join(column.get("Name", "") for column in columns)
            if names != expected.pop(0):
                self.fail(block, f"column names are {names}")
        seen = [" | ".join(cell_text(datum_text(datum, column["Type"]))
                           for datum, column in zip(row["Data"], columns)) or "(no columns)"
                for row in rows]
        if "like" in words[2:]:
            if not are_like([row.rstrip() for row in expected], [row.rstrip() for row in seen]):
                self.fail(block, "rows are not like that\n  expected: %s\n  seen:     %s" % (expected, seen))
            return
        expected = [" | ".join(cell.strip() for cell in row.split("|")) for row in expected]
        seen = [" | ".join(cell.strip() for cell in row.split("|")) for row in seen]
        if "rowsort" in words[2:]:
            seen.sort()
            expected.sort()
        if len(seen) != len(expected) or not all(
                self.same_row(a, b, words[1]) for a, b in zip(seen, expected)):
            self.fail(block, "rows differ\n  expected: %s\n  seen:     %s" % (expected[:5], seen[:5]))

    @staticmethod
    def same_row(seen, expected, types):
        if seen == expected:
            return True
        a, b = seen.split(" | "), expected.split(" | ")
        return len(a) == len(b) == len(types) and all(
            x == y or x == maps_as_rows(y) or (kind == "R" and same_double(x, y)) for x, y, kind in zip(a, b, types))


class GoldenSqlTest(unittest.TestCase):
    """One sub-test a file, all against one server."""

    def test_files_over_the_wire(self):
        files = sorted(SQL_ROOT.rglob("*.slt"))
        self.assertTrue(files, "no golden files found")
        run = skipped = 0
        with harness.Server(dev=True) as server:
            for path in files:
                with self.subTest(file=str(path.relative_to(SQL_ROOT))):
                    outcome = FileRun(Wire(server.url), path).execute()
                    run += outcome.run
                    skipped += outcome.skipped
                    if outcome.failures:
                        self.fail("\n".join(text[:600] for text in outcome.failures[:8]))
        print(f"golden SQL over the wire: {run} statements in {len(files)} files, "
              f"{skipped} about the current time left out")
        self.assertGreater(run, 100)


if __name__ == "__main__":
    unittest.main()
