#!/usr/bin/python3
"""The command line as people use it: the shell on a terminal, statements and scripts, loading files, exit statuses.

What needs a terminal gets one from the pty module; its screen is read as text, so that a test waits for what the
shell says and never for a time.
"""
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import tempfile
import termios
import time
import unittest

from harness import Server, binary

WAIT_SECONDS = 60
# Goes on for minutes; its first page comes after five seconds.
LONG = ("SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS x(a) CROSS JOIN UNNEST(sequence(1, 10000)) AS y(b) "
        "CROSS JOIN UNNEST(sequence(1, 10000)) AS z(c)")
# The same, but rows come at once.
LONG_ROWS = ("SELECT x.a * 10000 + y.b AS number FROM UNNEST(sequence(1, 10000)) AS x(a) "
             "CROSS JOIN UNNEST(sequence(1, 10000)) AS y(b)")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]|[\x07\x08\r]")


def setUpModule():
    # What runs in the background of a script ignores SIGINT, and its children with it: they are to have the default.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def bare_environment(**more):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TIDELINE_", "AWS_"))}
    environment.update(LC_ALL="C.UTF-8", TERM="xterm", **more)
    return environment


class Terminal:
    """`tideline sql` on a terminal of 24 lines and 100 columns."""

    def __init__(self, arguments, environment):
        self.text = ""
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.execve(binary(), [binary(), *arguments], environment)
        termios.tcsetwinsize(self.descriptor, (24, 100))
        self.status = None

    def send(self, text):
        os.write(self.descriptor, text.encode())

    def expect(self, pattern):
        """Waits until `pattern` has been shown behind what was matched before; returns the match."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            match = re.search(pattern, CONTROL.sub("", self.text), re.S)
            if match:
                self.text = CONTROL.sub("", self.text)[match.end():]
                return match
            left = deadline - time.monotonic()
            readable, _, _ = select.select([self.descriptor], [], [], left) if left > 0 else ((), (), ())
            try:
                piece = os.read(self.descriptor, 65536).decode(errors="replace") if readable else ""
            except OSError:
                piece = ""
            if not piece:
                raise AssertionError(f"{pattern!r} was not shown, but {CONTROL.sub('', self.text)[-2000:]!r}")
            self.text += piece

    def wait(self):
        """The exit status, as subprocess gives it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self.status is None and time.monotonic() < deadline:
            # What it writes at its end must be read, or it would not end.
            readable, _, _ = select.select([self.descriptor], [], [], 0.05)
            if readable:
                try:
                    self.text += os.read(self.descriptor, 65536).decode(errors="replace")
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


class ShellCase(unittest.TestCase):
    FLAGS = ("--threads", "2")

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.FLAGS, dev=True)
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="tideline-home.")
        self.addCleanup(directory.cleanup)
        self.home = pathlib.Path(directory.name)

    def call(self, operation, **body):
        status, _, answer, raw = self.server.call(operation, body)
        self.assertEqual(200, status, raw[:500])
        return answer

    def rows(self, sql):
        rows = self.call("Query", QueryString=sql)["Rows"]
        return [[datum.get("ScalarValue") for datum in row["Data"]] for row in rows]

    def shell(self, *arguments):
        terminal = Terminal(["sql", "--endpoint", self.server.url, *arguments], bare_environment(HOME=str(self.home)))
        self.addCleanup(terminal.close)
        terminal.expect("to leave")
        terminal.expect("tideline> ")
        return terminal

    def run_tideline(self, *arguments, text=None, **options):
        command = [binary(), arguments[0], *arguments[1:]]
        if arguments[0] in ("sql", "load"):
            command[2:2] = ["--endpoint", self.server.url]
        options = {"stdout": subprocess.PIPE, **options}
        return subprocess.run(command, input=text, env=bare_environment(HOME=str(self.home)), stderr=subprocess.PIPE,
                              timeout=120, encoding=None if isinstance(text, bytes) else "utf-8", **options)

    def wait_until_cancelled(self, count):
        """Until the work of `count` cancelled queries has ended."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if self.server.metric("tideline_query_cancel_seconds_count") >= count:
                self.assertEqual(0, self.server.metric("tideline_query_sessions"))
                return
            time.sleep(0.01)  # the server says when; this only asks
        self.fail("the server goes on")


class Interrupts(ShellCase):
    def cancelled(self):
        return self.server.metric("tideline_query_cancel_seconds_count")

    def test_a_query_is_cancelled_and_the_shell_goes_on(self):
        before = self.cancelled()
        shell = self.shell("--format", "csv")
        shell.send(LONG_ROWS + ";\n")
        shell.expect("\n123456\n|\n12345\n|\n1234\n")  # pages come, so its id is known
        shell.send("\x03")
        shell.expect("\ncancelled\n")
        shell.expect("tideline> ")
        self.wait_until_cancelled(before + 1)
        shell.send("SELECT 6 * 7;\n")
        shell.expect("\n42\n")
        shell.send("\\q\n")
        self.assertEqual(0, shell.wait())

    def test_before_the_first_page_it_is_waited_for(self):
        before = self.cancelled()
        shell = self.shell()
        shell.send(LONG + ";\n")
        shell.expect(r"\b1 s")  # the progress line: no scan, no rows, so only the time
        self.assertNotIn("%", shell.text)
        shell.send("\x03")
        shell.expect("cancelling; ")
        shell.expect("\ncancelled\n")
        shell.expect("tideline> ")
        self.wait_until_cancelled(before + 1)

    def test_a_second_one_ends_the_shell(self):
        shell = self.shell()
        shell.send(LONG + ";\n")
        shell.expect(r"\b1 s")
        shell.send("\x03")
        shell.expect("cancelling; ")
        shell.send("\x03")
        self.assertEqual(-signal.SIGINT, shell.wait())
        self.assertIn("CROSS", (self.home / ".tideline_history").read_text())
        # It was left running, as told; end it for the tests after this one.
        self.server.stop()
        self.server.start()

    def test_at_the_prompt_the_statement_is_dropped(self):
        shell = self.shell()
        shell.send("SELECT 'one,\n")
        shell.expect("'> ")
        shell.send("two\x03")
        shell.expect(r"\^C")
        shell.expect("tideline> ")
        shell.send("SELECT 6 * 7;\n")
        shell.expect("\n42\n")
        shell.expect("tideline> ")
        shell.send("SELECT nonsense\x03")
        shell.expect(r"\^C\n")
        shell.expect("tideline> ")
        shell.send("SELECT 6 * 8;\n")
        shell.expect("\n48\n")
        shell.expect("tideline> ")
        shell.send("\x04")
        self.assertEqual(0, shell.wait())

    def test_a_command_ends_with_130(self):
        for arguments, text in ((("-c", LONG_ROWS), None), ((), LONG_ROWS + ";\nSELECT 'never'")):
            with self.subTest(arguments):
                before = self.cancelled()
                process = subprocess.Popen([binary(), "sql", "--endpoint", self.server.url, *arguments],
                                           env=bare_environment(HOME=str(self.home)), stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                with process:
                    if text:
                        process.stdin.write(text.encode())
                    process.stdin.close()
                    process.stdin = None
                    self.assertEqual(b"number\n", process.stdout.readline())
                    process.send_signal(signal.SIGINT)
                    output, errors = process.communicate(timeout=WAIT_SECONDS)
                self.assertEqual(130, process.returncode)
                self.assertIn(b"cancelled", errors)
                self.assertNotIn(b"never", output)
                self.wait_until_cancelled(before + 1)

    def test_a_reader_that_goes_cancels_too(self):
        before = self.cancelled()
        process = subprocess.Popen([binary(), "sql", "--endpoint", self.server.url, "-c", LONG_ROWS],
                                   env=bare_environment(HOME=str(self.home)), stdout=subprocess.PIPE)
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(-signal.SIGPIPE, process.wait(WAIT_SECONDS))
        self.wait_until_cancelled(before + 1)


class Typing(ShellCase):
    def test_a_recalled_statement_is_the_same(self):
        shell = self.shell("--format", "csv")
        for _ in range(2):
            shell.send("SELECT 1 AS a -- one\n, 'ä\\' AS b;\n")
            shell.expect("\na,b\n1,ä\\\\\n")
            shell.expect("tideline> ")
            shell.send("\x1b[A\n")
            shell.expect("\na,b\n1,ä\\\\\n")
            shell.expect("tideline> ")
            # And in the next session.
            shell.send("\\q\n")
            self.assertEqual(0, shell.wait())
            shell = self.shell("--format", "csv")
            shell.send("\x1b[A\n")
            shell.expect("\na,b\n1,ä\\\\\n")
            shell.expect("tideline> ")

    def test_history_is_kept_while_the_shell_runs(self):
        shell = self.shell()
        shell.send("SELECT 41 + 1;\n")
        shell.expect("\n42")
        shell.expect("tideline> ")
        self.assertIn("SELECT 41 + 1;", (self.home / ".tideline_history").read_text())
        self.assertEqual(0o600, (self.home / ".tideline_history").stat().st_mode & 0o777)
        # A second shell appends, and neither loses the other's.
        other = self.shell()
        other.send("SELECT 43;\n")
        other.expect("\n43")
        shell.send("SELECT 44;\n")
        shell.expect("\n44")
        lines = (self.home / ".tideline_history").read_text().splitlines()
        self.assertEqual(["SELECT 41 + 1;", "SELECT 43;", "SELECT 44;"], lines[1:])

    def test_words_and_commands(self):
        for word in ("help", "HELP;", "\\?", "\\h"):
            shell = self.shell()
            shell.send(word + "\n")
            shell.expect("Statements end with ';'")
            shell.expect("tideline> ")
            shell.close()
        for word in ("exit", "quit;", "\\q"):
            shell = self.shell()
            shell.send(word + "\n")
            self.assertEqual(0, shell.wait(), word)

    def test_the_prompt_is_shown_when_the_terminal_is_ready(self):
        # A ^D of before is no character and would be lost.
        shell = self.shell("--format", "csv")
        for _ in range(50):
            shell.send("SELECT 1;\n")
            shell.expect("\n1\n")
            shell.expect("tideline> ")
            self.assertFalse(termios.tcgetattr(shell.descriptor)[3] & termios.ICANON)

    def test_on_a_continued_line(self):
        shell = self.shell("--format", "csv")
        shell.send("SELECT 'x' AS\n")
        shell.expect(r"\.\.\. ")
        shell.send("\\?\n")
        shell.expect("Statements end with")
        shell.expect(r"\.\.\. ")
        shell.send("exit\n")  # is SQL here, but probably not meant so
        shell.expect("A statement is open.*leave with \\\\q")
        shell.send(";\n")
        shell.expect("\nexit\nx\n")
        shell.send("SELECT '\n")
        shell.expect("'> ")
        shell.send("\\q\n")
        self.assertEqual(0, shell.wait())

    def test_names_are_completed(self):
        self.call("CreateDatabase", DatabaseName="plant")
        self.call("CreateTable", DatabaseName="plant", TableName="pumps")
        self.call("WriteRecords", DatabaseName="plant", TableName="pumps", Records=[{
            "Dimensions": [{"Name": "hall", "Value": "a"}], "MeasureName": "flow", "MeasureValue": "0.5",
            "MeasureValueType": "DOUBLE", "Time": str(time.time_ns() // 1_000_000)}])
        shell = self.shell("--format", "csv")
        shell.send("sel\tha\t")  # of several, what they have in common, and a list
        shell.expect(r"HAVING +hamming_distance\(")
        shell.expect("SELECT ha")
        shell.send("\x03")
        shell.expect("tideline> ")
        shell.send("SELECT count(*) FROM pl\tpu\tWHERE hal\t= 'a';\n")
        shell.expect(r"plant\.pumps WHERE hall = 'a';.*\n1\n")
        shell.expect("tideline> ")
        # A name that is new is known once a statement has failed.
        self.call("CreateTable", DatabaseName="plant", TableName="valves")
        shell.send("SELECT nothing;\n")
        shell.expect("error: ")
        shell.expect("tideline> ")
        shell.send("DESCRIBE plant.val\t;\n")
        shell.expect(r"plant\.valves ;")

    def test_a_server_that_is_gone_does_not_hold_the_shell(self):
        server = Server(dev=True)
        self.addCleanup(server.remove)
        server.start()
        terminal = Terminal(["sql", "--endpoint", server.url], bare_environment(HOME=str(self.home)))
        self.addCleanup(terminal.close)
        terminal.expect("tideline> ")
        server.process.send_signal(signal.SIGSTOP)
        try:
            started = time.monotonic()
            terminal.send("SELECT * FROM \t\t\tx")
            terminal.expect("FROM x")
            self.assertLess(time.monotonic() - started, 10)
        finally:
            server.process.send_signal(signal.SIGCONT)

    def test_an_error_in_a_long_line_shows_a_window(self):
        result = self.run_tideline("sql", text="SELECT '" + "a" * 200_000 + "', nowhere")
        self.assertEqual(1, result.returncode)
        self.assertLess(len(result.stderr), 1000)
        lines = result.stderr.splitlines()
        self.assertEqual("nowhere", lines[1][lines[2].index("^"):])
        self.assertTrue(lines[1].startswith("  …aaa"), lines[1])


class Statements(ShellCase):
    def test_json_has_types(self):
        result = self.run_tideline("sql", "--format", "json", "-c",
                                   "SELECT 1 AS x, 2 AS x, 0.5e0 AS d, nan() AS n, true AS b, 'one' AS t, "
                                   "CAST(NULL AS bigint) AS z, ARRAY[1, NULL] AS a, (1, 'r') AS r, "
                                   "DATE '2024-01-31' AS day")
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertEqual({"x": 1, "x_2": 2, "d": 0.5, "n": "NaN", "b": True, "t": "one", "z": None, "a": [1, None],
                          "r": [1, "r"], "day": "2024-01-31"}, json.loads(result.stdout))

    def test_a_line_break_stays_in_its_cell(self):
        result = self.run_tideline("sql", "--format", "table", "-c", "SELECT 'a' || chr(10) || 'b' AS t, 1 AS n")
        self.assertEqual("t    | n\n-----+--\na\\nb | 1\n(1 row)\n", result.stdout)

    def test_output_that_cannot_be_written_is_an_error(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "one.csv"
            path.write_text("time,v\n2024-01-01,1\n")
            commands = (("sql", "-c", "SELECT 1"), ("docs", "functions"), ("version",), ("--version",), ("--help",),
                        ("load", "--create", "--database", "full", "--table", "one", str(path)))
            for arguments in commands:
                with self.subTest(arguments[0]), open("/dev/full", "w") as full:
                    result = self.run_tideline(*arguments, stdout=full)
                    self.assertEqual(1, result.returncode)
                    self.assertIn("No space left on device", result.stderr)

    def test_subcommands_are_named(self):
        result = self.run_tideline("sreve")
        self.assertEqual(1, result.returncode)
        self.assertIn("there is no subcommand 'sreve'; did you mean 'serve'?", result.stderr)
        self.assertIn("no subcommand 'xyzzy'\n", self.run_tideline("xyzzy").stderr)
        self.assertEqual(self.run_tideline("version").stdout, self.run_tideline("--version").stdout)
        self.assertRegex(self.run_tideline("--version").stdout, r"^tideline \d+\.\d+\.\d+\n$")

    def test_help_shows_flags_as_they_are_typed(self):
        for command in ("sql", "load"):
            text = self.run_tideline(command, "--help").stdout
            self.assertIn("--insecure", text)
            self.assertNotIn("{false}", text)

    def test_half_a_key_is_named(self):
        for given, missing in (("TIDELINE_ACCESS_KEY_ID", "TIDELINE_SECRET_ACCESS_KEY"),
                               ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")):
            result = subprocess.run([binary(), "sql", "--endpoint", self.server.url, "-c", "SELECT 1"],
                                    env=bare_environment(**{given: "x"}), capture_output=True, text=True, timeout=60)
            self.assertEqual((1, f"error: {given} is set, but {missing} is not\n"), (result.returncode, result.stderr))
        result = self.run_tideline("sql", "--access-key-id", "x", "-c", "SELECT 1")
        self.assertEqual("error: --access-key-id is given, but --secret-access-key is not\n", result.stderr)

    def test_inspect_tells_a_stranger_from_damage(self):
        path = self.home / "stranger.csv"
        path.write_text("time,v\n2024-01-01,1\n")
        result = self.run_tideline("inspect", str(path))
        self.assertEqual((1, f"error: {path}: is no segment, log file, manifest, series file or deletion vector\n"),
                         (result.returncode, result.stderr))
        self.assertEqual(f"error: {self.home}: is a directory\n", self.run_tideline("inspect", str(self.home)).stderr)
        missing = self.run_tideline("inspect", str(self.home / "none")).stderr
        self.assertEqual(1, missing.count(str(self.home / "none")), missing)


class Loading(ShellCase):
    def load(self, content, *arguments, table="t", create=True):
        path = self.home / "file.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.path = path
        return self.run_tideline("load", "--database", "loads", "--table", table, *(["--create"] if create else []),
                                 str(path), *arguments)

    def tables(self):
        names = [database["DatabaseName"] for database in self.call("ListDatabases")["Databases"]]
        if "loads" not in names:
            return []
        return [table["TableName"] for table in self.call("ListTables", DatabaseName="loads")["Tables"]]

    def refused(self, content, text, *arguments, table="refused"):
        """An error before anything is made."""
        result = self.load(content, *arguments, table=table)
        self.assertEqual(1, result.returncode)
        self.assertIn(text, result.stderr)
        self.assertNotIn(table, self.tables())

    def test_rows_without_values_are_told(self):
        content = "time,host,v\n2020-01-01,a,1\n2020-01-02,b,\n2020-01-03,c,\n2020-01-04,d,2\n"
        result = self.load(content, "--dimensions", "host", table="sparse")
        self.assertEqual(1, result.returncode)
        self.assertEqual("loads.sparse: 2 rows written, 0 rejected, 2 without values\n", result.stdout)
        self.assertEqual(f"{self.path}: 2 rows without any measure value are not stored: lines 3, 4\n", result.stderr)
        result = self.load(content, "--dimensions", "host", "--skip-empty-rows", table="sparse")
        self.assertEqual(0, result.returncode)
        self.assertEqual([["2"]], self.rows("SELECT count(*) FROM loads.sparse"))

    def test_the_header_is_checked_first(self):
        self.refused("time,v,w,v\n2020-01-01,1,2,3\n", ":1: the header names column 'v' twice")
        self.refused("time,host\n2020-01-01,a\n", ":1: the header has no column for a measure", "--dimensions", "host")
        self.refused("when,v\n2020-01-01,1\n", ":1: the header has no column 'time'")
        one_row = "time,v\n2020-01-01,1\n"
        self.refused(one_row, ":1: the header has no column 'w', which --type names", "--type", "w=double")
        self.refused(one_row, "--type v=float: 'float' is no type; it must be double, bigint", "--type", "v=float")
        self.refused("", "is empty")
        self.refused("time,v\n2020-01-01,1\nsoon,2\n", ":3: column 'time': ")
        self.refused("time,v\n2020-01-01,1,2\n", ":2: 3 fields, but the header has 2")
        self.refused(b"time,v\n2020-01-01,caf\xe9\n", ": line 2: byte 15 is 0xe9")

    def test_a_byte_order_mark_is_skipped(self):
        result = self.load(b"\xef\xbb\xbftime,v\n2020-01-01,1\n", table="marked")
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        self.assertEqual([["1.0"]], self.rows("SELECT v FROM loads.marked"))

    def test_a_directory_is_none(self):
        result = self.run_tideline("load", "--database", "loads", "--table", "none", "--create", str(self.home))
        self.assertEqual((1, f"error: {self.home} is a directory\n"), (result.returncode, result.stderr))
        self.assertNotIn("none", self.tables())

    def test_the_type_is_that_of_all_the_first_rows(self):
        result = self.load("time,v,w\n2020-01-01,1,1\n2020-01-02,n/a,2\n", table="inferred")
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        self.assertEqual([["1", "1.0"], ["n/a", "2.0"]], self.rows("SELECT v, w FROM loads.inferred ORDER BY time"))

    def test_a_value_that_is_refused_late_has_its_line(self):
        rows = "".join(f"{1_600_000_000 + i},{i}\n" for i in range(1_150))
        result = self.load("time,v\n" + rows + "1700000000,none\n", "--time-unit", "SECONDS", table="late")
        self.assertEqual(1, result.returncode)
        self.assertEqual(f"error: {self.path}:1152: column 'v': 'none' is no number, as all values before are; "
                         "--type v=varchar takes it\nloads.late: 1150 rows are stored already, 0 rejected\n",
                         result.stderr)
        self.assertEqual([["1150"]], self.rows("SELECT count(*) FROM loads.late"))

    def test_rejected_rows_have_their_lines(self):
        now = int(time.time())
        content = f"time,v\n{now},1\n\n1577836800,2\n{now - 1},3\n"
        result = self.load(content, "--time-unit", "SECONDS", "--magnetic-days", "1", table="short")
        self.assertEqual((1, "loads.short: 2 rows written, 1 rejected, 0 without values\n"),
                         (result.returncode, result.stdout))
        self.assertRegex(result.stderr, r"\A/.*file\.csv:4: rejected: ")

    def test_a_request_that_is_refused_whole_names_the_row(self):
        result = self.load(f"time,v\n2020-01-02,one\n\n2020-01-01,{'x' * 2049}\n2020-01-03,three\n", table="before")
        self.assertEqual(1, result.returncode)
        self.assertRegex(result.stderr, r"\Aerror: /.*file\.csv:4: ValidationException: .*\n"
                                        r"loads\.before: 1 rows are stored already")
        self.assertEqual([["one"]], self.rows("SELECT v FROM loads.before"))


class Certificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(https=True)
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def sql(self, *arguments):
        return subprocess.run([binary(), "sql", "--endpoint", self.server.https_url, "--data-dir",
                               str(self.server.data_dir), "--format", "csv", "-c", "SELECT 5 AS five", *arguments],
                              env=bare_environment(), capture_output=True, text=True, timeout=60)

    def test_the_certificate_is_trusted_by_its_file(self):
        self.assertEqual("five\n5\n", self.sql("--ca-file", self.server.certificate).stdout)

    def test_or_not_looked_at(self):
        self.assertEqual("five\n5\n", self.sql("--insecure").stdout)

    def test_else_it_is_refused(self):
        result = self.sql()
        self.assertEqual((1, ""), (result.returncode, result.stdout))
        self.assertIn("TLS with", result.stderr)


if __name__ == "__main__":
    unittest.main()
