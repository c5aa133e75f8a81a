#!/usr/bin/python3
"""What lasts and what does not: restarts, keys, TLS, development mode, signals."""
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from harness import REGION, Server, ServerCase, binary


class Restart(ServerCase):
    def contents(self):
        listed = {}
        for database in self.write.list_databases()["Databases"]:
            name = database["DatabaseName"]
            tags = self.write.list_tags_for_resource(ResourceARN=database["Arn"])["Tags"]
            tables = []
            for table in self.write.list_tables(DatabaseName=name)["Tables"]:
                rows = sorted(self.rows(f'SELECT * FROM "{name}"."{table["TableName"]}"'), key=repr)
                shape = self.rows(f'DESCRIBE "{name}"."{table["TableName"]}"')
                measures = sorted(self.rows(f'SHOW MEASURES FROM "{name}"."{table["TableName"]}"'))
                tables.append((table, self.write.list_tags_for_resource(ResourceARN=table["Arn"])["Tags"], shape, measures, rows))
            listed[name] = (database, tags, tables)
        return listed

    def fill(self):
        self.write.create_database(DatabaseName="kept", Tags=[{"Key": "a", "Value": "b"}])
        plain = self.make_table(magnetic_writes=True)
        self.put(plain, *(self.record(str(i), self.NOW - 100 * i, dimensions=[("host", f"h{i % 5}")]) for i in range(100)))
        self.put(plain, self.record("1", 86_400_000), self.record("-1", self.NOW, Version=9))
        many = self.make_table(Tags=[{"Key": "t", "Value": "v"}], Schema={"CompositePartitionKey": [
            {"Type": "DIMENSION", "Name": "host", "EnforcementInRecord": "REQUIRED"}]})
        self.put(many, self.multi([("d", "1.5", "DOUBLE"), ("i", "2", "BIGINT"), ("v", "Grüße", "VARCHAR"),
                                   ("b", "true", "BOOLEAN"), ("t", str(self.NOW), "TIMESTAMP")]))
        self.make_table()
        return plain

    def test_everything_is_there_after_stop_and_after_kill(self):
        plain = self.fill()
        before = self.contents()
        key = self.server.root_key
        for end in (self.server.stop, self.server.kill, self.server.stop):
            status = end()
            self.assertIn(status, (0, None))
            self.server.start()
            self.connect_clients()
            self.assertEqual(key, self.server.root_key)
            self.assertEqual(before, self.contents())
        # Versions last too.
        self.assertEqual(9, self.rejections(plain, self.record("5", Version=8))[0]["ExistingVersion"])
        self.assertEqual([0], list(self.rejections(plain, self.record("5", Version=9))))
        self.put(plain, self.record("-1", Version=9))

    def test_a_start_tells_what_it_read_from_the_log(self):
        table = self.make_table()
        self.put(table, *(self.record(str(i), self.NOW - 100 * i) for i in range(7)))
        for end, rows in ((self.server.kill, 7), (self.server.stop, 0)):
            end()
            self.server.start()
            self.connect_clients()
            self.assertEqual(rows, self.server.metric("tideline_recovery_rows"))
            self.assertGreater(self.server.metric("tideline_recovery_seconds"), 0)
            self.assertGreater(self.server.metric("tideline_recovery_log_bytes"), 0)

    def test_deleted_things_stay_deleted(self):
        self.make_database("gone")
        self.write.create_table(DatabaseName="gone", TableName="table")
        self.write.delete_table(DatabaseName="gone", TableName="table")
        self.write.delete_database(DatabaseName="gone")
        self.server.kill()
        self.server.start()
        self.connect_clients()
        self.refused("ResourceNotFoundException", self.write.describe_database, DatabaseName="gone")


class Keys(unittest.TestCase):
    def test_the_generated_key_is_printed_once_and_kept(self):
        server = Server()
        self.addCleanup(server.remove)
        server.start()
        access_key, secret = server.root_key
        self.assertIn(access_key, server.log())
        self.assertIn(secret, server.log())
        self.assertEqual(0o600, (server.data_dir / "root-key.json").stat().st_mode & 0o777)
        self.assertEqual(0, server.stop())
        seen = len(server.log())
        server.start()
        self.assertNotIn(secret, server.log()[seen:])
        self.assertEqual(0, server.stop())

    def test_the_key_of_the_environment_counts(self):
        given = {"TIDELINE_ACCESS_KEY_ID": "TIDEEXAMPLEKEY", "TIDELINE_SECRET_ACCESS_KEY": "example-secret"}
        with Server(environment=given) as server:
            self.assertEqual(200, server.call("ListDatabases", {})[0])
            self.assertFalse((server.data_dir / "root-key.json").exists())


class FirstStart(unittest.TestCase):
    """A start that cannot succeed leaves nothing behind; one that makes something says so."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="tideline-test.")
        self.addCleanup(directory.cleanup)
        self.place = pathlib.Path(directory.name)
        self.data = self.place / "data"

    def serve(self, *flags, environment=None, data=None):
        """Of a start that must fail: what it says on stderr."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TIDELINE_", "AWS_"))}
        address = () if "--http" in flags else ("--http", "127.0.0.1:0")
        result = subprocess.run([binary(), "serve", "--data-dir", str(data or self.data), *address, *flags],
                                cwd=self.place, env=clean | (environment or {}), capture_output=True, text=True, timeout=60)
        self.assertEqual(1, result.returncode, result.stderr)
        self.assertNotIn("tideline ready", result.stdout)
        return result.stderr

    def contents(self):
        return sorted((str(path.relative_to(self.place)), path.is_file() and path.read_bytes())
                      for path in self.place.rglob("*"))

    def started(self, *flags):
        server = Server(*flags, data_dir=self.data)
        self.addCleanup(server.remove)
        return server.start()

    def test_a_directory_of_somebody_else_is_refused_and_stays_as_it_is(self):
        for name in ("spill/thesis.txt", "wal/thesis.txt", "passwd", "reports/report.txt"):
            with self.subTest(name=name):
                data = self.place / name.replace("/", "-")
                path = data / name
                path.parent.mkdir(parents=True)
                path.write_text("hi")
                before = self.contents()
                said = self.serve(data=data)
                self.assertIn(f"{data} is not empty and is no data directory of Tideline's: there is {name}.", said)
                self.assertEqual(before, self.contents())

    def test_what_does_not_count_is_no_obstacle_and_stays(self):
        (self.data / "lost+found").mkdir(parents=True)
        (self.data / ".gitkeep").write_text("kept")
        self.assertEqual(0, self.started().stop())
        self.assertEqual("kept", (self.data / ".gitkeep").read_text())
        self.assertTrue((self.data / "lost+found").is_dir())
        # Tideline's by now: what others put there is no reason to refuse it, nor to be deleted.
        foreign = [self.data / name for name in ("thesis.txt", "spill/thesis.txt", "segments/a", "reports/b", "wal/c.tmp")]
        for path in foreign:
            path.parent.mkdir(exist_ok=True)
            path.write_text("hi")
        (self.data / "spill" / "7.spill").write_text("left by a crash")
        self.assertEqual(0, self.started().stop())
        self.assertEqual(["hi"] * len(foreign), [path.read_text() for path in foreign])
        self.assertFalse((self.data / "spill" / "7.spill").exists())

    def test_nothing_is_made_by_a_start_that_cannot_listen(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for flags, text in ((("--http", f"127.0.0.1:{port}"), str(port)), (("--https", f"127.0.0.1:{port}"), str(port)),
                                (("--http", "127.0.0.1"), "127.0.0.1"), (("--http", "127.0.0.1:x"), "'x'"),
                                (("--object-store", "nonsense"), "--object-store"), (("--endpoint", "foo bar"), "foo bar"),
                                (("--tls-certificate", "no.pem", "--tls-key", "no.pem"), "--tls-certificate")):
                with self.subTest(flags=flags):
                    said = self.serve(*flags)
                    self.assertIn(text, said)
                    self.assertNotIn("AWS_SECRET_ACCESS_KEY", said)
                    self.assertEqual([], self.contents())

    def test_the_key_is_printed_when_it_is_made_however_the_start_ends(self):
        # A directory without a root key as yet, whose start fails in what comes after the key.
        given = {"TIDELINE_ACCESS_KEY_ID": "TIDEEXAMPLEKEY", "TIDELINE_SECRET_ACCESS_KEY": "example-secret"}
        first = Server(data_dir=self.data, environment=given)
        self.addCleanup(first.remove)
        self.assertEqual(0, first.start().stop())
        self.assertFalse((self.data / "root-key.json").exists())
        (self.data / "spill").rmdir()
        (self.data / "spill").write_text("in the way")
        said = self.serve()
        key = json.loads((self.data / "root-key.json").read_text())
        self.assertIn(f"AWS_ACCESS_KEY_ID={key['AccessKeyId']}", said)
        self.assertIn(f"AWS_SECRET_ACCESS_KEY={key['SecretAccessKey']}", said)
        self.assertEqual("in the way", (self.data / "spill").read_text())
        (self.data / "spill").unlink()
        (self.place / "data.stderr").unlink()
        server = self.started()
        self.assertNotIn("AWS_SECRET_ACCESS_KEY", server.log())
        self.assertEqual(0, server.stop())

    def test_settings_that_are_none_are_told(self):
        self.assertIn("is a directory", self.serve("--config", str(self.place)))
        settings = self.place / "settings.toml"
        settings.write_text("[tls]\ncertificate = 'x'\n")
        self.assertIn("unknown setting tls; did you mean tls-certificate?", self.serve("--config", str(settings)))
        self.assertEqual([("settings.toml", settings.read_bytes())], self.contents())
        server = Server(environment={"TIDELINE_MEMRY": "3"})
        self.addCleanup(server.remove)
        server.start()
        self.assertIn("TIDELINE_MEMRY is no setting and is ignored; did you mean TIDELINE_MEMORY?", server.log())
        self.assertEqual(0, server.stop())
        usage = subprocess.run([binary(), "serve", "--help"], capture_output=True, text=True, timeout=60).stdout
        self.assertNotRegex(usage, r"\d \)")

    def test_tls_files_that_are_none_are_named(self):
        self.assertEqual(0, self.started().stop())
        certificate, key = (self.data / "tls" / name for name in ("certificate.pem", "key.pem"))
        good_certificate, good_key = certificate.read_text(), key.read_text()
        key.write_text("junk")
        self.assertRegex(self.serve(), f"{key} cannot be used: it must hold a private key .* and holds no PEM text")
        key.write_text(good_key)
        certificate.write_text(good_key)
        self.assertRegex(self.serve(), f"{certificate} cannot be used: it must hold a certificate .* and holds a private key")
        certificate.write_text("")
        self.assertRegex(self.serve(), f"{certificate} cannot be used: .* and holds no PEM text")
        certificate.write_text(good_certificate)
        flags = ("--tls-certificate", str(key), "--tls-key", str(key))
        self.assertRegex(self.serve(*flags), f"--tls-certificate {key} cannot be used: .* and holds a private key")
        flags = ("--tls-certificate", str(certificate), "--tls-key", str(certificate))
        self.assertRegex(self.serve(*flags), f"--tls-key {certificate} cannot be used: .* and holds a certificate")


class Development(unittest.TestCase):
    def test_any_key_and_none_are_accepted(self):
        with Server(dev=True) as server:
            client = server.client("timestream-query", key=("anyone", "anything"))
            self.assertEqual("1", client.query(QueryString="SELECT 1")["Rows"][0]["Data"][0]["ScalarValue"])
            connection = server.connect()
            connection.request("POST", "/", b"{}", {"X-Amz-Target": "Timestream_20181101.ListDatabases"})
            self.assertEqual(200, connection.getresponse().status)
            connection.close()

    def test_only_on_loopback_addresses(self):
        with tempfile.TemporaryDirectory() as directory:
            result = subprocess.run([binary(), "serve", "--data-dir", directory, "--http", "0.0.0.0:0", "--dev"],
                                    capture_output=True, text=True, timeout=60)
        self.assertNotEqual(0, result.returncode)
        self.assertIn("loopback", result.stderr)
        self.assertNotIn("tideline ready", result.stdout)


class Tls(ServerCase):
    OPTIONS = {"https": True}

    def check(self, endpoint):
        query = self.server.client("timestream-query", endpoint=endpoint, verify=self.server.certificate)
        self.assertEqual("1", query.query(QueryString="SELECT 1")["Rows"][0]["Data"][0]["ScalarValue"])
        (address,) = query.describe_endpoints()["Endpoints"]
        self.assertEqual(endpoint, address["Address"])

    def test_a_port_of_its_own(self):
        self.check(self.server.https_url)

    def test_the_port_of_plain_http_takes_tls_too(self):
        self.check(f"https://127.0.0.1:{self.server.port}")
        self.assertEqual(200, self.server.call("ListDatabases", {})[0])

    def test_localhost_is_in_the_certificate(self):
        self.check(f"https://localhost:{self.server.port}")

    def test_strangers_do_not_trust_it(self):
        import botocore.exceptions
        client = self.server.client("timestream-query", endpoint=self.server.https_url)
        with self.assertRaises(botocore.exceptions.SSLError):
            client.query(QueryString="SELECT 1")

    def test_an_amazonaws_host_over_tls_gets_its_bare_name(self):
        context = ssl.create_default_context(cafile=self.server.certificate)
        context.check_hostname = False
        body = b"{}"
        host = f"ingest.timestream.{REGION}.amazonaws.com"
        headers = self.server.headers("DescribeEndpoints", body, Host=host)
        with socket.create_connection(("127.0.0.1", self.server.port), 30) as plain, context.wrap_socket(plain) as tls:
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            tls.sendall(f"POST / HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            answer = b""
            while piece := tls.recv(65536):
                answer += piece
        self.assertIn(b" 200 ", answer.split(b"\r\n")[0])
        self.assertIn(b'"Address":"%s"' % host.encode(), answer)

    def test_the_tls_port_does_not_answer_plain_http(self):
        port = int(self.server.https_url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), 30) as plain:
            plain.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            try:
                self.assertNotIn(b"200", plain.recv(4096))
            except ConnectionError:
                pass
        self.check(self.server.https_url)

    def test_the_private_key_is_the_owners(self):
        self.assertEqual(0o600, (self.server.data_dir / "tls" / "key.pem").stat().st_mode & 0o777)


class Process(unittest.TestCase):
    def test_metrics_of_the_log_are_there_before_the_first_write(self):
        with Server() as server:
            connection = server.connect()
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
            connection.close()
        for name in ("tideline_wal_groups_total", "tideline_wal_records_total", "tideline_wal_bytes_total",
                     "tideline_wal_sync_seconds_count"):
            self.assertIn(f"{name} 0", lines)

    def test_second_server_on_one_data_directory_is_refused(self):
        with Server() as server:
            result = subprocess.run([binary(), "serve", "--data-dir", str(server.data_dir), "--http", "127.0.0.1:0"],
                                    capture_output=True, text=True, timeout=60)
            self.assertNotEqual(0, result.returncode)
            self.assertTrue(result.stderr)
            self.assertEqual(200, server.call("ListDatabases", {})[0])

    def test_a_taken_port_is_told(self):
        with Server() as server, tempfile.TemporaryDirectory() as directory:
            result = subprocess.run([binary(), "serve", "--data-dir", directory, "--http", f"127.0.0.1:{server.port}"],
                                    capture_output=True, text=True, timeout=60)
            self.assertNotEqual(0, result.returncode)
            self.assertIn(str(server.port), result.stderr)

    def test_interrupt_stops_cleanly_too(self):
        server = Server()
        self.addCleanup(server.remove)
        server.start()
        server.process.send_signal(signal.SIGINT)
        self.assertEqual(0, server.process.wait(60))
        server.kill()

    def test_ends_in_spite_of_idle_and_unfinished_connections(self):
        server = Server()
        self.addCleanup(server.remove)
        server.start()
        idle = socket.create_connection(("127.0.0.1", server.port))
        half = socket.create_connection(("127.0.0.1", server.port))
        half.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly part")
        self.assertEqual(0, server.stop())
        idle.close()
        half.close()

    def test_every_command_has_help(self):
        overview = subprocess.run([binary(), "--help"], capture_output=True, text=True, timeout=60)
        self.assertEqual(0, overview.returncode)
        for command in ("serve", "sql", "collect", "load", "inspect", "version"):
            with self.subTest(command=command):
                self.assertIn(command, overview.stdout)
                result = subprocess.run([binary(), command, "--help"], capture_output=True, text=True, timeout=60)
                self.assertEqual(0, result.returncode)
                self.assertTrue(result.stdout)


class Commands(ServerCase):
    def run_tideline(self, *arguments, text=None):
        access_key, secret = self.server.root_key
        environment = dict(os.environ, TIDELINE_ACCESS_KEY_ID=access_key, TIDELINE_SECRET_ACCESS_KEY=secret)
        return subprocess.run([binary(), arguments[0], "--endpoint", self.server.url, *arguments[1:]], input=text,
                              env=environment, capture_output=True, text=True, timeout=120)

    def test_sql_prints_csv_json_and_tables(self):
        result = self.run_tideline("sql", "-c", "SELECT 1 AS a, 'x,\"y' AS b", "--format", "csv")
        self.assertEqual((0, 'a,b\n1,"x,""y"\n'), (result.returncode, result.stdout.replace("\r", "")))
        for form in ("json", "table"):
            result = self.run_tideline("sql", "-c", "SELECT 'found' AS a", "--format", form)
            self.assertEqual(0, result.returncode, result.stderr)
            self.assertIn("found", result.stdout)

    def test_sql_reads_a_script_from_a_pipe(self):
        result = self.run_tideline("sql", "--format", "csv", text="SELECT 1 AS a;\nSELECT 2\n AS b")
        self.assertEqual((0, "a\n1\nb\n2\n"), (result.returncode, re.sub("\n+", "\n", result.stdout.replace("\r", ""))))

    def test_sql_tells_errors_on_stderr_and_by_status(self):
        result = self.run_tideline("sql", "-c", "SELECT nothing")
        self.assertNotEqual(0, result.returncode)
        self.assertIn("nothing", result.stderr)
        self.assertEqual("", result.stdout)

    def test_sql_finds_the_key_in_the_data_directory(self):
        environment = {n: v for n, v in os.environ.items() if not n.startswith(("TIDELINE_", "AWS_"))}
        result = subprocess.run([binary(), "sql", "--endpoint", self.server.url, "--data-dir", str(self.server.data_dir),
                                 "--format", "csv", "-c", "SELECT 5 AS five"], env=environment, capture_output=True, text=True,
                                timeout=60)
        self.assertEqual((0, "five\n5\n"), (result.returncode, result.stdout.replace("\r", "")), result.stderr)

    def test_load_writes_a_csv_file(self):
        sample = pathlib.Path(__file__).resolve().parents[2] / "samples" / "seattle_weather.csv"
        for _ in range(2):  # the second time it repeats what is there
            result = self.run_tideline("load", "--database", "loaded", "--table", "weather", "--create", "--dimensions",
                                       "location", str(sample))
            self.assertEqual(0, result.returncode, result.stderr)
        self.assertEqual([("1461",)], self.rows('SELECT count(*) FROM "loaded"."weather"'))
        self.assertEqual([("35.6", "2012-01-01 00:00:00.000000000")],
                         self.rows('SELECT max(temp_max_c), min(time) FROM "loaded"."weather"'))

    def test_load_refuses_a_bad_file(self):
        result = self.run_tideline("load", "--database", "loaded", "--table", "bad", "--create", "-", text="time,a\nnonsense,1\n")
        self.assertNotEqual(0, result.returncode)
        self.assertIn("2", result.stderr)


class Collecting(ServerCase):
    FLAGS = ("--collect",)

    # What each kind is asked for: one of its measures, and the dimension that tells its things apart.
    KINDS = {"cpu": ("user_percent", "core"), "memory": ("total_bytes", None), "load": ("load_1m", None),
             "disk": ("busy_percent", "device"), "network": ("send_bytes_per_second", "interface"),
             "pressure": ("cpu_some_10s", None)}

    def kinds_of_this_machine(self):
        """Without those for which this kernel has nothing to tell."""
        kinds = dict(self.KINDS)
        if not pathlib.Path("/proc/pressure/cpu").exists():
            del kinds["pressure"]
        disks = [line.split()[2] for line in pathlib.Path("/proc/diskstats").read_text().splitlines()]
        if all(name.startswith(("loop", "ram")) for name in disks):
            del kinds["disk"]
        return kinds

    def test_the_machine_is_measured_every_second(self):
        kinds = self.kinds_of_this_machine()
        deadline = time.monotonic() + 30
        names = set()
        while not set(kinds) <= names and time.monotonic() < deadline:
            try:
                names = {row[0] for row in self.rows('SELECT DISTINCT measure_name FROM "tideline"."host"')}
            except self.query.exceptions.ValidationException:
                pass
            time.sleep(0.2)
        self.assertEqual(set(), set(kinds) - names)
        for name, (measure, dimension) in kinds.items():
            with self.subTest(name=name):
                things = self.rows(f'SELECT DISTINCT {dimension or "host"} FROM "tideline"."host" WHERE measure_name = \'{name}\' '
                                   f'AND {measure} >= 0')
                self.assertTrue(things)
                self.assertNotIn((None,), things)
        interfaces = {row[0] for row in self.rows('SELECT DISTINCT interface FROM "tideline"."host" WHERE measure_name = \'network\'')}
        self.assertIn("lo", interfaces)


if __name__ == "__main__":
    unittest.main()
