"""The reference pages in docs/reference are what the binary prints, and the README's commands exist."""
import re
import subprocess
import unittest

import harness
import test_golden_sql as golden

# How a construct that is parsed but not executed yet is refused.
WAITING = re.compile(r"not supported yet")


def run(*arguments):
    return subprocess.run([harness.binary(), *arguments], capture_output=True, text=True, check=True,
                          timeout=60).stdout


def as_the_wire_says(text):
    """A map goes out as array(row(key, value)): {a=1, b=2} is [(a,1),(b,2)] there."""
    match = re.fullmatch(r"\{(.*)\}", text)
    if not match:
        return text
    entries = match.group(1).split(", ") if match.group(1) else []
    if not all("=" in entry for entry in entries):
        return text  # JSON
    return "[" + ",".join("(%s,%s)" % tuple(entry.split("=", 1)) for entry in entries) + "]"


class DocsTest(unittest.TestCase):
    def test_reference_pages_are_printed_by_the_binary(self):
        for page in ("functions", "settings"):
            with self.subTest(page=page):
                kept = (harness.REPOSITORY / "docs" / "reference" / f"{page}.md").read_text()
                self.assertTrue(kept == run("docs", page),
                                f"docs/reference/{page}.md is out of date: run `tideline docs {page}`")

    def test_every_example_of_the_function_reference(self):
        page = run("docs", "functions")
        examples = re.findall(r"```sql\n(.*?)\n-- (.*?)\n```", page, re.S)
        self.assertGreater(len(examples), 100)
        wrong = []
        with harness.Server(dev=True) as server:
            wire = golden.Wire(server.url)
            for sql, expected in examples:
                columns, rows = wire.query(sql)
                if columns is None:
                    if WAITING.search(rows.get("message", "")):
                        continue  # its construct is not executed yet, and says so by name
                    wrong.append(f"{sql}: {rows.get('message')}")
                    continue
                seen = ", ".join(
                    golden.nested_text(datum, column["Type"]).replace("null", "NULL", 1)
                    if datum.get("NullValue") else golden.nested_text(datum, column["Type"])
                    for datum, column in zip(rows[0]["Data"], columns)) if rows else ""
                if seen not in (expected, as_the_wire_says(expected)) and not golden.same_double(seen, expected):
                    wrong.append(f"{sql}: {seen!r} instead of {expected!r}")
        if wrong:
            self.fail(f"{len(wrong)} of {len(examples)} examples:\n" + "\n".join(wrong[:40]))

    def test_every_subcommand_has_help(self):
        for command in ("serve", "sql", "load", "collect", "inspect", "docs", "version"):
            with self.subTest(command=command):
                self.assertIn("--help", run(command, "--help"))

    def test_settings_of_the_readme_exist(self):
        text = (harness.REPOSITORY / "README.md").read_text()
        serve_help = run("serve", "--help")
        for flag in set(re.findall(r"tideline serve [^\n]*?(--[a-z-]+)", text)):
            self.assertIn(flag, serve_help)

    def test_links_of_the_readme_lead_somewhere(self):
        text = (harness.REPOSITORY / "README.md").read_text()
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            self.assertTrue((harness.REPOSITORY / target).exists(), target)

    def test_version(self):
        self.assertRegex(run("version"), r"^tideline \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    unittest.main()
