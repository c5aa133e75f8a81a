#!/usr/bin/python3
"""What lasts and what does not: restarts, keys, TLS, development mode, signals."""
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

    def test_the_machine_is_measured_every_second(self):
        deadline = time.monotonic() + 30
        names = set()
        while not {"cpu", "memory", "load"} <= names and time.monotonic() < deadline:
            try:
                names = {row[0] for row in self.rows('SELECT DISTINCT measure_name FROM "tideline"."host"')}
            except self.query.exceptions.ValidationException:
                pass
            time.sleep(0.2)
        self.assertLessEqual({"cpu", "memory", "load"}, names)


if __name__ == "__main__":
    unittest.main()
