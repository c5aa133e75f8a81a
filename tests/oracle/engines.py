"""The engines that the oracle asks: Tideline over its API, PostgreSQL, DuckDB.

Each has `name`, `load(tables)` and `query(sql)`, which returns an Answer or raises EngineError. Values are
None, bool, int, float, str, lists of these; a point in time is text "YYYY-MM-DD HH:MM:SS.mmm", a date
"YYYY-MM-DD". Everything that is started is stopped by `close`.
"""
import datetime
import decimal
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "conformance"))
import harness  # noqa: E402

START_SECONDS_MAX = 60
STATEMENT_SECONDS_MAX = 60


class EngineError(Exception):
    """What an engine says of a statement that it does not answer."""


class Unavailable(Exception):
    """The engine is not on this machine; the text says what is missing."""


class Answer:
    def __init__(self, types, rows):
        self.types, self.rows = types, rows


def moment(text):
    """A point in time with milliseconds, as all engines can hold it."""
    return (text + ".000")[:23] if "." not in text else (text + "000")[:23]


class Tideline:
    name = "tideline"

    def __init__(self):
        self.server = harness.Server(dev=True).start()

    def close(self):
        self.server.stop()
        self.server.remove()

    def call(self, operation, body):
        request = urllib.request.Request(self.server.url, json.dumps(body).encode(), {
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "Timestream_20181101." + operation})
        try:
            with urllib.request.urlopen(request, timeout=STATEMENT_SECONDS_MAX) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise EngineError(json.loads(error.read() or b"{}").get("message", str(error))) from None

    def load(self, tables):
        self.call("CreateDatabase", {"DatabaseName": "oracle"})
        for table in tables:
            self.call("CreateTable", {
                "DatabaseName": "oracle", "TableName": table.name,
                "RetentionProperties": {"MemoryStoreRetentionPeriodInHours": 1,
                                        "MagneticStoreRetentionPeriodInDays": 73000},
                "MagneticStoreWriteProperties": {"EnableMagneticStoreWrites": True}})
            records = [table.record(row) for row in table.rows]
            for first in range(0, len(records), 100):
                self.call("WriteRecords", {"DatabaseName": "oracle", "TableName": table.name,
                                           "Records": records[first:first + 100]})

    def query(self, sql):
        rows, token = [], None
        while True:
            body = {"QueryString": sql, "MaxRows": 1000}
            if token:
                body["NextToken"] = token
            page = self.call("Query", body)
            types = [column["Type"] for column in page["ColumnInfo"]]
            rows += [[self.value(datum, kind) for datum, kind in zip(row["Data"], types)]
                     for row in page["Rows"]]
            token = page.get("NextToken")
            if not token:
                return Answer([kind.get("ScalarType", "ARRAY") for kind in types], rows)

    def value(self, datum, kind):
        if datum.get("NullValue"):
            return None
        if "ArrayValue" in datum:
            return [self.value(item, kind["ArrayColumnInfo"]["Type"]) for item in datum["ArrayValue"]]
        if "TimeSeriesValue" in datum:
            inner = kind["TimeSeriesMeasureValueColumnInfo"]["Type"]
            return [[point["Time"], self.value(point["Value"], inner)] for point in datum["TimeSeriesValue"]]
        text, scalar = datum["ScalarValue"], kind["ScalarType"]
        if scalar in ("BIGINT", "INTEGER"):
            return int(text)
        if scalar == "DOUBLE":
            return float(text)
        if scalar == "BOOLEAN":
            return text == "true"
        return moment(text) if scalar == "TIMESTAMP" else text


class Postgres:
    name = "postgresql"

    def __init__(self):
        try:
            import psycopg2
        except ImportError:
            raise Unavailable("python3-psycopg2 is not installed") from None
        programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not programs:
            raise Unavailable("postgresql is not installed")
        self.programs = programs[-1].parent
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tideline-oracle-pg."))
        self.as_user = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.as_user = ["runuser", "-u", "postgres", "--"]
        self.data = self.folder / "data"
        self.process = None
        try:
            self.start()
            self.connect(psycopg2)
        except BaseException:
            self.close()
            raise

    def start(self):
        subprocess.run(self.as_user + [str(self.programs / "initdb"), "-D", str(self.data), "-A", "trust",
                                       "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--lc-collate=C",
                                       "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        self.process = subprocess.Popen(
            self.as_user + [str(self.programs / "postgres"), "-D", str(self.data), "-k", str(self.folder),
                            "-c", "listen_addresses=", "-c", "fsync=off", "-c", "TimeZone=UTC"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)

    def connect(self, psycopg2):
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                self.connection = psycopg2.connect(host=str(self.folder), user="postgres", dbname="postgres")
                break
            except psycopg2.OperationalError as error:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise Unavailable(f"postgresql does not start: {error}") from None
                time.sleep(0.1)
        self.error = psycopg2.Error
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.cursor.execute(f"SET statement_timeout = '{STATEMENT_SECONDS_MAX}s'")

    def close(self):
        if self.process is not None:
            try:
                pid = int((self.data / "postmaster.pid").read_text().split()[0])
                os.kill(pid, signal.SIGINT)
            except (OSError, ValueError):
                self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def load(self, tables):
        self.cursor.execute("CREATE SCHEMA oracle")
        for table in tables:
            for statement in table.statements("double precision"):
                self.cursor.execute(statement)

    def query(self, sql):
        try:
            self.cursor.execute(sql)
            rows = self.cursor.fetchall()
        except self.error as error:
            raise EngineError(str(error).split("\n")[0]) from None
        return Answer(None, [[self.value(cell) for cell in row] for row in rows])

    def value(self, cell):
        if isinstance(cell, list):
            return [self.value(item) for item in cell]
        if isinstance(cell, decimal.Decimal):
            return int(cell) if cell == cell.to_integral_value() and cell.as_tuple().exponent >= 0 else float(cell)
        if isinstance(cell, datetime.datetime):
            return cell.isoformat(" ", "milliseconds")
        if isinstance(cell, datetime.date):
            return cell.isoformat()
        return cell


class DuckDb:
    name = "duckdb"

    def __init__(self):
        if shutil.which("node") is None:
            raise Unavailable("node is not installed")
        if not (HERE / "node_modules" / "@duckdb").is_dir():
            raise Unavailable("@duckdb/node-api is not installed (npm ci in tests/oracle)")
        self.process = subprocess.Popen(["node", "duckdb.mjs"], cwd=HERE, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        try:
            self.query("SELECT 1")
        except EngineError as error:
            self.close()
            raise Unavailable(f"DuckDB does not start: {error}") from None

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def load(self, tables):
        self.query("CREATE SCHEMA oracle")
        for table in tables:
            for statement in table.statements("double"):
                self.query(statement)

    def query(self, sql):
        self.process.stdin.write(json.dumps(sql) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise EngineError("DuckDB has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise EngineError(answer["error"].split("\n")[0])
        return Answer(answer["types"], [[self.value(cell, kind) for cell, kind in zip(row, answer["types"])]
                                        for row in answer["rows"]])

    def value(self, cell, kind):
        if cell is None:
            return None
        if isinstance(cell, list):
            return [self.value(item, kind.removesuffix("[]")) for item in cell]
        if kind.endswith("INT") or kind in ("INTEGER", "HUGEINT"):
            return int(cell)
        if kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL"):
            return float(cell)
        return moment(cell) if kind.startswith("TIMESTAMP") else cell
