#!/usr/bin/python3
"""`tideline load --offline`: the same rows, reasons and exit statuses as through a server, with none running."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

from harness import Server, binary
from test_shell import bare_environment

WAIT_SECONDS = 60
HOUR = 3600


class OfflineCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="tideline-offline.")
        self.addCleanup(directory.cleanup)
        self.home = pathlib.Path(directory.name)
        self.data_dir = self.home / "data"

    def write(self, content, name="file.csv"):
        path = self.home / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def command(self, path, *arguments, table="some", create=True):
        return [binary(), "load", "--offline", "--data-dir", str(self.data_dir), "--database", "loads", "--table", table,
                *(["--create"] if create else []), str(path), *arguments]

    def load(self, path, *arguments, text=None, **options):
        return subprocess.run(self.command(path, *arguments, **options), input=text, capture_output=True, text=True,
                              cwd=self.home, env=bare_environment(HOME=str(self.home)), timeout=120)

    def serve(self, data_dir=None):
        server = Server("--threads", "2", dev=True, data_dir=data_dir or self.data_dir)
        self.addCleanup(server.kill)
        return server.start()

    def rows(self, server, sql):
        status, _, answer, raw = server.call("Query", {"QueryString": sql})
        self.assertEqual(200, status, raw[:500])
        return [[datum.get("ScalarValue") for datum in row["Data"]] for row in answer["Rows"]]

    def stored(self, sql):
        server = self.serve()
        try:
            return self.rows(server, sql)
        finally:
            self.assertEqual(0, server.stop())


class SameAsThroughAServer(OfflineCase):
    ARGUMENTS = ("--dimensions", "host,place", "--time-unit", "SECONDS", "--type", "b=boolean", "--type", "n=bigint",
                 "--type", "t=timestamp")

    def file(self):
        now = int(time.time())
        lines = ["time,host,place,v,n,b,t,text"]
        for i in range(2_500):
            text = ('"a ""quoted"", field\n%d"' % i, "plain", "", "käse")[i % 4]
            lines.append(f"{now - 3 * HOUR + i},h{i % 7},{'p' if i % 3 else ''},{i / 8},{i},"
                         f"{'true' if i % 2 else ''},{now + i},{text}")
        lines.append(f"{now + 2 * HOUR},h0,p,1,1,true,1,too early")     # beyond what is taken
        lines.append(f"{now - 3 * HOUR},h0,,99,0,,{now},other values")  # another value for a stored row
        lines.append(f"{now},h0,p,,,,,")                                # no value
        lines.append(f"{now - 90 * 24 * HOUR},h1,p,5,5,false,5,old")    # into the magnetic store
        return "\r\n".join(lines) + "\r\n"

    def test_same_rows_and_same_words(self):
        path = self.write(self.file())
        offline = self.load(path, *self.ARGUMENTS)
        sql = "SELECT * FROM loads.some ORDER BY time, host, place"
        types = "SHOW MEASURES FROM loads.some"
        rows_offline, types_offline = self.stored(sql), self.stored(types)
        server = self.serve(tempfile.mkdtemp(dir=self.home))
        online = subprocess.run(
            [binary(), "load", "--endpoint", server.url, "--database", "loads", "--table", "some", "--create", str(path),
             *self.ARGUMENTS], capture_output=True, text=True, env=bare_environment(HOME=str(self.home)), timeout=120)
        self.assertEqual(online.stdout, offline.stdout)
        self.assertRegex(offline.stdout, r"\Aloads\.some: 2501 rows written, 2 rejected, 1 without values\n\Z")
        # The ends of the window in one of the reasons are those of two moments.
        moments = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")
        told = [line for line in offline.stderr.splitlines() if line.startswith(str(path))]
        self.assertEqual(moments.sub("", online.stderr).splitlines(), [moments.sub("", line) for line in told])
        self.assertEqual((1, 1), (online.returncode, offline.returncode))
        self.assertEqual(rows_offline, self.rows(server, sql))
        self.assertEqual(types_offline, self.rows(server, types))
        self.assertEqual(2_501, len(rows_offline))

    def test_both_ways_take_turns(self):
        path = self.write("time,v\n2020-01-01,1\n")
        self.assertEqual(0, self.load(path).returncode)
        server = self.serve()
        server.call("WriteRecords", {"DatabaseName": "loads", "TableName": "some", "Records": [
            {"MeasureName": "some", "MeasureValueType": "MULTI", "Time": str(int(time.time() * 1000)),
             "MeasureValues": [{"Name": "v", "Value": "2", "Type": "DOUBLE"}]}]})
        self.assertEqual(0, server.stop())
        self.assertEqual(0, self.load(self.write("time,v\n2020-01-01,1\n2020-01-02,3\n"), create=False).returncode)
        self.assertEqual([["1.0"], ["3.0"], ["2.0"]], self.stored("SELECT v FROM loads.some ORDER BY time"))

    def test_standard_input(self):
        result = self.load("-", text="time,v\n2020-01-01,1\n2020-01-02,2\n")
        self.assertEqual((0, "loads.some: 2 rows written, 0 rejected, 0 without values\n"), (result.returncode, result.stdout))
        self.assertEqual([["2"]], self.stored("SELECT count(*) FROM loads.some"))


class Refusals(OfflineCase):
    def test_a_server_on_the_directory(self):
        server = self.serve()
        result = self.load(self.write("time,v\n2020-01-01,1\n"))
        self.assertEqual(1, result.returncode)
        self.assertIn(f"error: a server runs on {self.data_dir}: leave out --offline to load through it, or stop it first\n",
                      result.stderr)
        self.assertEqual(0, server.stop())

    def test_nothing_is_made_for_a_file_that_begins_wrong(self):
        result = self.load(self.write("time,v\nsoon,1\n"))
        self.assertEqual(1, result.returncode)
        self.assertRegex(result.stderr, r"file\.csv:2: column 'time': ")
        self.assertFalse(self.data_dir.exists())

    def test_nothing_is_made_unless_told(self):
        result = self.load(self.write("time,v\n2020-01-01,1\n"), create=False)
        self.assertEqual(1, result.returncode)
        self.assertIn(f"there is no database in {self.data_dir}; --create makes one", result.stderr)
        self.assertFalse(self.data_dir.exists())
        self.assertEqual(0, self.load(self.write("time,v\n2020-01-01,1\n")).returncode)
        result = self.load(self.write("time,v\n2020-01-01,1\n"), table="other", create=False)
        self.assertEqual(1, result.returncode)
        self.assertIn("The table other does not exist.", result.stderr)

    def test_a_bad_row_has_its_line_and_those_before_are_stored(self):
        rows = "".join(f"{1_600_000_000 + i},{i}\n" for i in range(4_150))
        path = self.write("time,v\n" + rows + "1700000000,none\n1700000001,1\n")
        result = self.load(path, "--time-unit", "SECONDS")
        self.assertEqual(1, result.returncode)
        self.assertIn(f"error: {path}:4152: column 'v': 'none' is no number", result.stderr)
        self.assertIn("loads.some: 4150 rows are stored already, 0 rejected\n", result.stderr)
        self.assertEqual([["4150"]], self.stored("SELECT count(*) FROM loads.some"))

    def test_a_row_that_the_service_refuses_has_its_line(self):
        path = self.write(f"time,v\n2020-01-02,one\n\n2020-01-01,{'x' * 2049}\n2020-01-03,three\n")
        result = self.load(path)
        self.assertEqual(1, result.returncode)
        self.assertRegex(result.stderr, r"error: /.*file\.csv:4: .*2049")
        self.assertEqual([["one"]], self.stored("SELECT v FROM loads.some"))

    def test_names_and_limits_are_those_of_the_service(self):
        path = self.write("time,v\n2020-01-01,1\n")
        result = self.load(path, table="no/table")
        self.assertEqual(1, result.returncode)
        self.assertIn("create table: The table name 'no/table' has a character that is not allowed", result.stderr)
        result = self.load(self.write("time,ts_v\n2020-01-01,1\n"))
        self.assertEqual((1, "loads.some: 0 rows written, 1 rejected, 0 without values\n"), (result.returncode, result.stdout))
        self.assertRegex(result.stderr, r"file\.csv:2: rejected: The measure name ts_v is reserved")

    def test_flags_of_the_other_way_are_refused(self):
        result = self.load(self.write("time,v\n2020-01-01,1\n"), "--endpoint", "http://127.0.0.1:1")
        self.assertNotEqual(0, result.returncode)
        self.assertIn("--endpoint excludes --offline", result.stderr)
        for flag in ("--key-file", "--config"):
            result = subprocess.run([binary(), "load", "--database", "d", "--table", "t", flag, "x", "file.csv"],
                                    capture_output=True, text=True, cwd=self.home, env=bare_environment())
            self.assertNotEqual(0, result.returncode)
            self.assertIn(f"{flag} requires --offline", result.stderr)


class SettingsOfALoad(OfflineCase):
    ROW = "time,v\n2020-01-01,1\n"

    def test_the_key_file_may_lie_elsewhere(self):
        path, keys = self.write(self.ROW), self.home / "elsewhere" / "key"
        self.assertEqual(0, self.load(path, "--key-file", str(keys)).returncode)
        self.assertTrue(keys.exists())
        self.assertFalse((self.data_dir / "master-key").exists())
        result = self.load(path)
        self.assertEqual(1, result.returncode)
        self.assertIn(f"{self.data_dir} is encrypted and its key file", result.stderr)
        self.assertEqual(0, self.load(path, "--key-file", str(keys)).returncode)

    def test_a_settings_file_counts(self):
        path, config = self.write(self.ROW), self.write('encryption = "off"\n', "other.toml")
        self.write('encryption = "on"\n', "tideline.toml")
        result = self.load(path, "--config", str(config))
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn(f"{self.data_dir} is not encrypted (--encryption off)", result.stderr)
        result = self.load(path)  # tideline.toml of the working directory
        self.assertEqual(1, result.returncode)
        self.assertIn("--encryption on contradicts", result.stderr)

    def test_a_wrong_settings_file_is_refused(self):
        result = self.load(self.write(self.ROW), "--config", str(self.write("no-such-setting = 1\n", "other.toml")))
        self.assertEqual(1, result.returncode)
        self.assertIn("no-such-setting", result.stderr)
        self.assertFalse(self.data_dir.exists())


class Crashes(OfflineCase):
    ROWS = 400_000

    def test_a_killed_load_leaves_the_beginning_of_the_file(self):
        first = int(time.time()) - 5 * HOUR
        path = self.write("time,host,v\n" + "".join(
            f"{first + i // 100},h{i % 100},{i}\n" for i in range(self.ROWS)))
        arguments = ("--time-unit", "SECONDS", "--dimensions", "host")
        process = subprocess.Popen(self.command(path, *arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   cwd=self.home, env=bare_environment(HOME=str(self.home)))
        deadline = time.monotonic() + WAIT_SECONDS
        # Until some rows are in the log, which begins with zeros.
        while not self.log_has_rows() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read()
        process.stdout.close()
        process.wait()
        self.assertEqual(b"", said, "it ended before it was killed: make the file longer")
        count, last = self.stored("SELECT count(*), max(v) FROM loads.some")[0]
        self.assertGreater(int(count), 0)
        self.assertEqual(int(count), int(float(last)) + 1)
        result = self.load(path, *arguments)
        self.assertEqual((0, f"loads.some: {self.ROWS} rows written, 0 rejected, 0 without values\n"),
                         (result.returncode, result.stdout), result.stderr)
        self.assertEqual([[str(self.ROWS)]], self.stored("SELECT count(*) FROM loads.some"))

    def log_has_rows(self):
        for file in (self.data_dir / "wal").glob("0*"):
            with open(file, "rb") as log:
                log.seek(1 << 20)
                if any(log.read(1 << 16)):
                    return True
        return False


if __name__ == "__main__":
    unittest.main()
