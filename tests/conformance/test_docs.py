"""The reference pages in docs/reference are what the binary prints, and the README's commands exist."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
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


SUITES = {"write": "test_boto3_write.py", "query": "test_boto3_query.py", "management": "test_boto3_management.py",
          "raw": "test_raw_http.py", "cli": "test_aws_cli.py", "life": "test_server_life.py"}


def citations(page):
    """What stands in brackets and is no link: "query `Errors`", "select/unload.slt, windows/*.slt"."""
    prose = re.sub(r"^    .*$", "", page, flags=re.M)  # grammars and plans have brackets of their own
    for match in re.finditer(r"\[([^\[\]]+)\](?!\()", prose):
        if re.match(r"(?:%s|node|test_\w+\.py)\b|[^ ]*\.slt" % "|".join(SUITES), match.group(1)):
            yield match.group(1)


def why_not_there(citation):
    """None if everything that a citation names exists, else what does not."""
    suite = None
    for part in re.split(r"[,;]\s*", citation):
        words = re.match(r"(?:(%s|node|test_\w+\.py)\b\s*)?(.*)" % "|".join(SUITES), part)
        suite = words.group(1) or suite
        rest = words.group(2)
        if rest.endswith(".slt"):
            if not list((harness.REPOSITORY / "tests" / "sql").glob(rest)):
                # "functions/map.slt, json.slt": the folder is named once
                if not list((harness.REPOSITORY / "tests" / "sql").glob("*/" + rest)):
                    return f"no file {rest}"
            continue
        if suite == "node":
            continue
        if suite is None:
            return f"{part} names no suite"
        path = harness.REPOSITORY / "tests" / "conformance" / SUITES.get(suite, suite)
        if not path.exists():
            return f"no file {path.name}"
        text = path.read_text()
        for name in re.findall(r"`([^`]+)`", rest):
            for word in name.split("."):
                if not re.search(r"^\s*(?:class|def) %s\b" % re.escape(word), text, re.M):
                    return f"nothing named {word} in {path.name}"
        for number in re.findall(r"(?<![\w`.])\d+\.\d+\b", re.sub("`[^`]+`", "", rest)):
            if number not in text and number.replace(".", "_") not in text:
                return f"no rule {number} in {path.name}"
    return None


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

    def test_compatibility_cites_what_is_there(self):
        """Every test, test class and .slt file in brackets exists."""
        page = (harness.REPOSITORY / "docs" / "compatibility.md").read_text()
        cited = list(citations(page))
        self.assertGreater(len(cited), 100)
        wrong = [f"[{text}]: {why}" for text in cited if (why := why_not_there(text))]
        self.assertEqual([], wrong)

    def test_the_check_of_citations_finds_what_is_not_there(self):
        self.assertEqual(["query `Limits`"], list(citations("same [query `Limits`]; [a link](b.md)")))
        for text in ("query `Limits`", "query", "nothing `Errors`", "select/none.slt", "query `Errors.test_nothing`",
                     "select/none*.slt", "management `Databases`, `Nothing`", "test_none.py `X`", "management `Databases` 9.99"):
            is_file_alone = text in ("query",)
            self.assertEqual(is_file_alone, why_not_there(text) is None, text)
        for text in ("query `Errors`", "query `Errors.test_length_of_a_query`", "select/unload.slt", "aggregates/*.slt", "node",
                     "raw `Routing`, `Bodies`, write `Rejections`, node", "management 3.13", "test_tiers.py `Delete`"):
            self.assertIsNone(why_not_there(text), text)

    def test_choices_are_listed(self):
        """Each choice in choices.h has its row, and each row its choice."""
        header = (harness.REPOSITORY / "src" / "service" / "api" / "choices.h").read_text()
        page = (harness.REPOSITORY / "docs" / "compatibility.md").read_text().split("\n## Choices\n")[1]
        named = set(re.findall(r"^inline constexpr .*?\b(k\w+)\s*=", header, re.M))
        self.assertGreater(len(named), 20)
        self.assertEqual(named, set(re.findall(r"`(k[A-Z]\w+)`", page)))
        # A choice that no code reads is none: flipping it would change nothing.
        code = "\n".join(path.read_text() for path in (harness.REPOSITORY / "src").rglob("*")
                         if path.suffix in (".cc", ".h") and path.name != "choices.h" and not path.stem.endswith("_test"))
        self.assertEqual([], [name for name in sorted(named) if not re.search(r"choices::%s\b" % name, code)])

    def test_version(self):
        self.assertRegex(run("version"), r"^tideline \d+\.\d+\.\d+\n$")


class FirstFiveMinutes(unittest.TestCase):
    """The shell examples of README's section of that name, as they stand.

    Only the address (a free port), the directories and the key that "..." stands for are put in. What builds is left out:
    the binary is there.
    """

    AWS = "/usr/bin/aws"  # Debian's

    @classmethod
    def setUpClass(cls):
        if not pathlib.Path(cls.AWS).exists():
            raise unittest.SkipTest("README's examples need the AWS CLI of Debian (apt-get install awscli), which is not here")

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="tideline-test.")
        self.addCleanup(directory.cleanup)
        self.place = pathlib.Path(directory.name)
        (self.place / "build" / "release").mkdir(parents=True)
        (self.place / "build" / "release" / "tideline").symlink_to(harness.binary())
        (self.place / "samples").symlink_to(harness.REPOSITORY / "samples")

    def blocks(self):
        readme = (harness.REPOSITORY / "README.md").read_text()
        section = re.search(r"\n## The first five minutes\n(.*?)\n## ", readme, re.S).group(1)
        return re.findall(r"```sh\n(.*?)```", section, re.S)

    def serve(self, command):
        """Starts README's own command line on a free port; its address."""
        flags = command.split("tideline serve", 1)[1].split()
        values = {}
        for name in ("--data-dir", "--http"):  # the harness says where
            at = flags.index(name)
            values[name] = flags[at + 1]
            del flags[at:at + 2]
        data = self.place / values["--data-dir"].lstrip("/")
        data.parent.mkdir(exist_ok=True)
        server = harness.Server(*flags, data_dir=data)
        self.addCleanup(server.remove)
        return server.start()

    def run_block(self, block, server):
        access_key, secret = server.root_key
        script = block.replace("http://127.0.0.1:8433", server.url)
        script = script.replace("AWS_ACCESS_KEY_ID=...", f"AWS_ACCESS_KEY_ID='{access_key}'")
        script = script.replace("AWS_SECRET_ACCESS_KEY=...", f"AWS_SECRET_ACCESS_KEY='{secret}'")
        script = re.sub(r"tideline (sql|load) ", rf"tideline \1 --endpoint {server.url} ", script)
        self.assertNotIn("8433", script)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TIDELINE_", "AWS_"))}
        environment.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=os.devnull,
                           AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_PAGER="",
                           PATH=f"{pathlib.Path(self.AWS).parent}:{environment.get('PATH', '/bin')}")
        result = subprocess.run(["bash", "-e", "-u", "-c", script], cwd=self.place, env=environment, text=True,
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=180)
        self.assertEqual(0, result.returncode, script + result.stdout + result.stderr)
        return result.stdout

    def test_they_work(self):
        start, session, shell, development = self.blocks()
        (serve,) = [line for line in start.splitlines() if "tideline serve" in line]
        self.assertEqual(["./scripts/build"], [line.split("#")[0].strip() for line in start.splitlines() if line != serve])
        server = self.serve(serve)
        said = self.run_block(session, server)
        answers, rest = [], said
        while rest.strip():
            answer, end = json.JSONDecoder().raw_decode(rest.lstrip())
            answers.append(answer)
            rest = rest.lstrip()[end:]
        self.assertEqual(["demo", "cpu", 1], [answers[0]["Database"]["DatabaseName"], answers[1]["Table"]["TableName"],
                                              answers[2]["RecordsIngested"]["Total"]])
        (row,) = answers[3]["Rows"]
        self.assertEqual(("a", "0.5"), (row["Data"][0]["ScalarValue"], row["Data"][2]["ScalarValue"]))
        self.assertIn("demo", self.run_block(shell, server))
        self.assertEqual(0, server.stop())
        server = self.serve(development)
        self.assertEqual(200, server.call("ListDatabases", {}, Authorization="")[0])
        self.assertEqual(0, server.stop())


if __name__ == "__main__":
    unittest.main()
