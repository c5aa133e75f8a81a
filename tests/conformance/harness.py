"""Starts a Tideline server for a test, gives the clients to drive it, and stops it again.

The binary is $TIDELINE_BINARY, else build/dev/tideline, else build/release/tideline of this
repository. Every server has a data directory of its own under the system's temporary directory and
listens on a free port of 127.0.0.1. Requests are signed with the server's root key; development mode
is asked for by the tests that mean it.
"""
import functools
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import sigv4

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT = "000000000000"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60


def binary():
    """The server under test."""
    named = os.environ.get("TIDELINE_BINARY")
    candidates = [pathlib.Path(named)] if named else [
        REPOSITORY / "build" / preset / "tideline" for preset in ("dev", "release")]
    for candidate in candidates:
        if candidate.is_file():
            return str(candidate)
    raise RuntimeError("no tideline binary; build it (scripts/build dev) or set TIDELINE_BINARY: "
                       + ", ".join(map(str, candidates)))


class Server:
    """One `tideline serve` process. Usable as a context manager, which removes its data at the end."""

    def __init__(self, *flags, dev=False, https=False, data_dir=None, environment=None):
        self.flags = list(flags)
        self.dev = dev
        self.https = https
        self.keeps_data = data_dir is not None
        self.data_dir = pathlib.Path(data_dir or tempfile.mkdtemp(prefix="tideline-test."))
        self.environment = environment or {}
        self.process = None
        self.url = self.https_url = None
        self.port = None
        self._clients = []
        self._stderr_path = self.data_dir.with_name(self.data_dir.name + ".stderr")

    # -- life ------------------------------------------------------------------------------------

    def spawn(self):
        """Starts the process without waiting for it to be ready."""
        command = [binary(), "serve", "--data-dir", str(self.data_dir), "--http", "127.0.0.1:0"]
        if self.dev:
            command.append("--dev")
        if self.https:
            command += ["--https", "127.0.0.1:0"]
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("TIDELINE_", "AWS_"))}
        environment.update(self.environment)
        with open(self._stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(command + self.flags, stdout=subprocess.PIPE, stderr=stderr,
                                            stdin=subprocess.DEVNULL, env=environment)

    def start(self):
        """Returns self once the server has said that it is ready."""
        self.spawn()
        self.url = self._ready_line("http")
        self.port = int(self.url.rsplit(":", 1)[1])
        if self.https:
            self.https_url = self._ready_line("https")
        return self

    def _ready_line(self, scheme):
        deadline = time.monotonic() + START_SECONDS_MAX
        line = b""
        descriptor = self.process.stdout.fileno()
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
            byte = os.read(descriptor, 1) if readable else b""
            if not byte:
                self.process.kill()
                self.process.wait()
                self._close()
                raise RuntimeError(f"the server did not become ready: {line!r}\n{self.log()}")
            line += byte
        match = re.fullmatch(r"tideline ready (%s://127\.0\.0\.1:\d+)" % scheme, line.decode().strip())
        if not match:
            raise AssertionError(f"unexpected line on stdout: {line!r}")
        return match.group(1)

    def _close(self):
        for client in self._clients:
            client.close()
        self._clients.clear()
        self.process.stdout.close()

    def stop(self):
        """Ends it with SIGTERM; returns its exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "did not stop within %d s of SIGTERM" % STOP_SECONDS_MAX
        self._close()
        self.process = None
        return status

    def kill(self):
        """Ends it as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._close()
            self.process = None

    def remove(self):
        self.kill()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self._stderr_path.unlink(missing_ok=True)

    def log(self):
        """The end of what it wrote to stderr."""
        try:
            return self._stderr_path.read_text(errors="replace")[-8000:]
        except FileNotFoundError:
            return ""

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.stop()
        if not self.keeps_data:
            self.remove()

    # -- ways in ---------------------------------------------------------------------------------

    @property
    def root_key(self):
        """(access key id, secret)"""
        if "TIDELINE_ACCESS_KEY_ID" in self.environment:
            return (self.environment["TIDELINE_ACCESS_KEY_ID"],
                    self.environment["TIDELINE_SECRET_ACCESS_KEY"])
        key = json.loads((self.data_dir / "root-key.json").read_text())
        return key["AccessKeyId"], key["SecretAccessKey"]

    @property
    def certificate(self):
        return str(self.data_dir / "tls" / "certificate.pem")

    def client_environment(self):
        """Variables that AWS clients need to talk to this server, and nothing of the caller's own."""
        access_key, secret = self.root_key
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("AWS_")}
        environment.update(AWS_ACCESS_KEY_ID=access_key, AWS_SECRET_ACCESS_KEY=secret,
                           AWS_DEFAULT_REGION=REGION, AWS_REGION=REGION,
                           AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=os.devnull,
                           AWS_SHARED_CREDENTIALS_FILE=os.devnull)
        return environment

    def client(self, service, endpoint=None, validate=True, key=None, region=REGION, **options):
        """A boto3 client of timestream-write or timestream-query that does not retry."""
        import boto3  # only the suites that need it need it installed
        from botocore.config import Config
        access_key, secret = key or self.root_key
        client = boto3.client(
            service, endpoint_url=endpoint or self.url, region_name=region,
            aws_access_key_id=access_key, aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 1, "mode": "standard"},
                          parameter_validation=validate, read_timeout=70), **options)
        self._clients.append(client)
        return client

    def connect(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def headers(self, operation, body, **bend):
        """Headers of a signed request, all of them part of the signature."""
        access_key, secret = self.root_key
        headers = {"Host": f"127.0.0.1:{self.port}", "Content-Type": "application/x-amz-json-1.0",
                   "X-Amz-Date": sigv4.amz_date(), "X-Amz-Target": f"Timestream_20181101.{operation}"}
        headers.update(bend)
        headers["Authorization"] = sigv4.authorization(headers, body, access_key, secret, REGION)
        return headers

    def call(self, operation, body, connection=None, **headers):
        """One signed request by hand: (status, headers, parsed JSON or None, raw body)."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        own = connection is None
        connection = connection or self.connect()
        try:
            connection.request("POST", "/", body, self.headers(operation, body, **headers))
            answer = connection.getresponse()
            raw = answer.read()
        finally:
            if own:
                connection.close()
        try:
            parsed = json.loads(raw) if raw else None
        except ValueError:
            parsed = None
        return answer.status, answer.headers, parsed, raw

    def metric(self, name):
        """The value of one series of /metrics; `name` with its labels."""
        connection = self.connect()
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        for line in text.splitlines():
            series, _, value = line.rpartition(" ")
            if series == name:
                return float(value)
        raise AssertionError(f"no metric {name}")


def plain(datum):
    """A Query datum as Python values: str, None, list, tuple (row), list of (time, value)."""
    assert len(datum) == 1, f"a datum has exactly one member: {datum}"
    (kind, value), = datum.items()
    if kind == "ScalarValue":
        return value
    if kind == "NullValue":
        assert value is True
        return None
    if kind == "ArrayValue":
        return [plain(item) for item in value]
    if kind == "RowValue":
        return tuple(plain(item) for item in value["Data"])
    assert kind == "TimeSeriesValue", kind
    return [(point["Time"], plain(point["Value"])) for point in value]


def needs_speed(test):
    """For a test that measures time or memory, which a sanitizer multiplies (scripts/sanitize)."""
    return unittest.skipIf(os.environ.get("TIDELINE_SANITIZED"), "measures what a sanitizer changes")(test)


def now_ms():
    return time.time_ns() // 1_000_000


class HeldClockCase(unittest.TestCase):
    """Tests that share one server whose clock is held, and look at statuses themselves."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server("--test-clock", dev=True)
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def call(self, operation, expected=200, **body):
        status, _, answer, raw = self.server.call(operation, body)
        self.assertEqual(expected, status, raw[:500])
        return answer


class ServerCase(unittest.TestCase):
    """Tests that share one server, started with FLAGS. Its exit status is checked at the end."""

    FLAGS = ()
    OPTIONS = {}
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.FLAGS, **cls.OPTIONS)
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        cls.connect_clients()
        cls._table_number = 0

    @classmethod
    def connect_clients(cls):
        cls.write = cls.server.client("timestream-write")
        cls.query = cls.server.client("timestream-query")
        # For requests that botocore itself would refuse.
        cls.loose_write = cls.server.client("timestream-write", validate=False)
        cls.loose_query = cls.server.client("timestream-query", validate=False)

    @classmethod
    def tearDownClass(cls):
        status = cls.server.stop()
        log = cls.server.log()
        if status != 0:
            raise AssertionError(f"the server ended with {status}\n{log}")

    def call(self, operation, **members):
        """A signed request by hand, for members that Debian's boto3 does not know; answers as it does."""
        from botocore.exceptions import ClientError
        status, headers, body, _ = self.server.call(operation, members)
        if status == 200:
            return body
        raise ClientError({**body, "Error": {"Code": body["__type"].split("#")[1], "Message": body["message"]},
                           "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": headers["x-amzn-RequestId"]}},
                          operation)

    # -- tables and records ----------------------------------------------------------------------

    DATABASE = "conformance"

    def make_database(self, name=DATABASE):
        try:
            self.write.create_database(DatabaseName=name)
        except self.write.exceptions.ConflictException:
            pass
        return name

    def make_table(self, memory_hours=6, magnetic_days=73_000, magnetic_writes=False, **more):
        """A fresh table of DATABASE; returns its name."""
        self.make_database()
        type(self)._table_number += 1
        name = f"t{self._table_number:03d}"
        # Debian's botocore is older than partition keys, so a table with a Schema is made by hand.
        create = self.write.create_table
        if "Schema" in more:
            create = functools.partial(self.call, "CreateTable")
        create(
            DatabaseName=self.DATABASE, TableName=name,
            RetentionProperties={"MemoryStoreRetentionPeriodInHours": memory_hours,
                                 "MagneticStoreRetentionPeriodInDays": magnetic_days},
            MagneticStoreWriteProperties={"EnableMagneticStoreWrites": magnetic_writes}, **more)
        return name

    def record(self, value="1", time=None, name="m", dimensions=(("host", "a"),), **more):
        """A record of a DOUBLE measure; `more` adds or replaces members, None removes one."""
        record = {"Dimensions": [{"Name": n, "Value": v} for n, v in dimensions],
                  "MeasureName": name, "MeasureValue": value, "MeasureValueType": "DOUBLE",
                  "Time": str(self.NOW if time is None else time)}
        record.update(more)
        return {member: content for member, content in record.items() if content is not None}

    def multi(self, values, time=None, name="m", dimensions=(("host", "a"),), **more):
        """A MULTI record of (name, value, type) triples."""
        attributes = [{"Name": n, "Value": v, "Type": t} for n, v, t in values]
        more = {"MeasureValueType": "MULTI", "MeasureValues": attributes, **more}
        return self.record(None, time, name, dimensions, **more)

    @property
    def NOW(self):  # noqa: N802 - reads as the constant that it is within one test
        if not hasattr(self, "_now"):
            self._now = now_ms()
        return self._now

    def put(self, table, *records, common=None, loose=False):
        """Writes; returns RecordsIngested."""
        client = self.loose_write if loose else self.write
        request = {"DatabaseName": self.DATABASE, "TableName": table, "Records": list(records)}
        if common is not None:
            request["CommonAttributes"] = common
        return client.write_records(**request)["RecordsIngested"]

    def rejections(self, table, *records, common=None):
        """Writes records of which some must be rejected: {index: rejected record}."""
        error = self.refused("RejectedRecordsException", self.put, table, *records, common=common)
        self.assertEqual(419, error["ResponseMetadata"]["HTTPStatusCode"])
        self.assertEqual("One or more records have been rejected. See RejectedRecords for details.",
                         error["Error"]["Message"])
        listed = error["RejectedRecords"]
        for rejected in listed:
            self.assertTrue(rejected["Reason"])
        indexes = [rejected["RecordIndex"] for rejected in listed]
        self.assertEqual(sorted(set(indexes)), indexes)
        return {rejected["RecordIndex"]: rejected for rejected in listed}

    # -- queries ---------------------------------------------------------------------------------

    def rows(self, sql, **options):
        """All rows of a query, over all of its pages, as tuples of plain values."""
        rows = []
        token = {}
        while True:
            page = self.query.query(QueryString=sql, **token, **options)
            for row in page["Rows"]:
                self.assertEqual(len(page["ColumnInfo"]), len(row["Data"]))
                rows.append(tuple(plain(datum) for datum in row["Data"]))
            if "NextToken" not in page:
                return rows
            token = {"NextToken": page["NextToken"]}

    def value(self, expression):
        """The one value of SELECT `expression`."""
        (row,), = [self.rows(f"SELECT {expression}")]
        return row[0]

    def stored(self, table, columns="*", order="time"):
        return self.rows(f'SELECT {columns} FROM "{self.DATABASE}"."{table}" ORDER BY {order}')

    def count(self, table):
        (row,) = self.rows(f'SELECT count(*) FROM "{self.DATABASE}"."{table}"')
        return int(row[0])

    # -- errors ----------------------------------------------------------------------------------

    STATUS = {"ValidationException": 400, "ResourceNotFoundException": 404, "ConflictException": 409,
              "ServiceQuotaExceededException": 402, "RejectedRecordsException": 419,
              "QueryExecutionException": 400, "AccessDeniedException": 403,
              "ThrottlingException": 429}

    def refused(self, name, call, *arguments, **options):
        """Runs `call`, which must fail with the exception `name` and its status; the parsed answer."""
        from botocore.exceptions import ClientError
        with self.assertRaises(ClientError) as caught:
            call(*arguments, **options)
        answer = caught.exception.response
        self.assertEqual(name, answer["Error"]["Code"], answer["Error"])
        self.assertEqual(self.STATUS.get(name, 400), answer["ResponseMetadata"]["HTTPStatusCode"])
        self.assertRegex(answer["ResponseMetadata"]["RequestId"], "^[A-Z2-7]{26}$")
        return answer

    def refused_text(self, name, call, *arguments, **options):
        return self.refused(name, call, *arguments, **options)["Error"]["Message"]
