#!/usr/bin/python3
"""Kills the server at random moments under load and checks what it kept.

    tests/crash/crash_loop.py [--rounds N] [--seed S] [--threads N] [--seconds S]

Every round a process with several writer threads sends new records, upserts, repeats and stale versions,
singles and MULTI records, to keys that the threads share, and creates and drops tables. The controller
kills the server (SIGKILL) meanwhile, starts it again (killing it once more during recovery in some
rounds) and compares what it finds with the ledger of what was acknowledged:

- an acknowledged record is there, with the value of the acknowledged version or of a later one that was sent;
- no key has two rows;
- a row that was not acknowledged is whole or absent: all attributes of a MULTI record belong to one version;
- nothing is there that nobody sent;
- tables acknowledged as made are there, tables acknowledged as dropped are not.

The value of a record is a function of its key and version, so that threads may race for a key and any
stored value tells its version. The exit status is 0 when nothing was wrong; otherwise the data directory
is kept and named.
"""
import argparse
import datetime
import http.client
import json
import multiprocessing
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "conformance"))
from harness import Server, plain  # noqa: E402

DATABASE = "crash"
HOSTS = 20
KEYS_PER_ROUND = 1_500
KEYS_MAX = 20_000
DAY_MS = 86_400_000
DETAIL_ATTRIBUTES = 6


class Fault(Exception):
    """The server lost, doubled, halved or made up something."""


# ---- keys and the values of their versions -----------------------------------------------------------
#
# A key is a number; kind, host and time follow from it. Even keys are singles, odd ones MULTI records;
# one in ten lies days back and goes to the magnetic store.


def table_of(key):
    return "many" if key % 2 else "single"


def host_of(key):
    return f"host-{key % HOSTS}"


def time_of(key, base_ms):
    back = (key % 29 + 2) * DAY_MS if key % 10 in (6, 7) else 0
    return base_ms - back - key


def single_value(key, version):
    return version * 1_000_003 + key


def version_of_single(key, value):
    version, remainder = divmod(value - key, 1_000_003)
    return version if remainder == 0 and version >= 1 else None


def attributes_of(key, version):
    """{name: (text, type, text in a query)} of a MULTI record; one attribute is there for odd versions only."""
    mixed = (key * 2_654_435_761 + version * 40_503) % 1_000_000
    made = {"version": (str(version), "BIGINT", str(version)),
            "number": (f"{mixed}.5", "DOUBLE", None),
            "flag": ("true" if mixed % 2 else "false", "BOOLEAN", None),
            "text": (f"v{version}-" + "x" * (mixed % 90), "VARCHAR", None)}
    for i in range(DETAIL_ATTRIBUTES):
        made[f"detail{i}"] = (str(mixed + i), "BIGINT", None)
    if version % 2:
        made["odd"] = (f"odd{version}", "VARCHAR", None)
    return made


def record_of(key, version, base_ms):
    record = {"Dimensions": [{"Name": "host", "Value": host_of(key)}], "MeasureName": "m",
              "Time": str(time_of(key, base_ms)), "Version": version}
    if table_of(key) == "single":
        record.update(MeasureValueType="BIGINT", MeasureValue=str(single_value(key, version)))
    else:
        record.update(MeasureValueType="MULTI", MeasureValues=[
            {"Name": name, "Value": text, "Type": type} for name, (text, type, _) in attributes_of(key, version).items()])
    return record


# ---- the ledger --------------------------------------------------------------------------------------


class Ledger:
    """What was sent and what was acknowledged, of all rounds."""

    def __init__(self):
        self.sent = {}         # key: highest version sent
        self.acknowledged = {}  # key: highest version acknowledged
        self.tables = {}       # name: True (acknowledged as made), False (as dropped), None (not known)
        self.count = 0         # records acknowledged
        self.lock = threading.Lock()

    def choose(self, chance, key_count):
        """A key and a version to send for it: mostly new or higher, sometimes the same or a stale one."""
        key = chance.randrange(key_count)
        with self.lock:
            last = self.sent.get(key, 0)
            draw = chance.random()
            if last == 0 or draw < 0.70:
                version = last + 1 + (chance.randrange(3) if draw < 0.1 else 0)
            elif draw < 0.90:
                version = last
            else:
                version = chance.randint(1, last)
            self.sent[key] = max(last, version)
        return key, version

    def acknowledge(self, records):
        with self.lock:
            self.count += len(records)
            for key, version in records:
                if version > self.acknowledged.get(key, 0):
                    self.acknowledged[key] = version


# ---- writers -----------------------------------------------------------------------------------------


class Writer(threading.Thread):
    """Sends until the connection breaks."""

    def __init__(self, number, port, seed, ledger, base_ms, key_count, round_number):
        super().__init__(daemon=True)
        self.chance = random.Random(f"{seed}/{round_number}/{number}")
        self.name = f"{round_number}-{number}"
        self.port, self.ledger, self.base_ms, self.key_count = port, ledger, base_ms, key_count
        self.fault = None

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            while True:
                if self.chance.random() < 0.02:
                    self.change_tables(connection)
                else:
                    self.write(connection)
        except (OSError, http.client.HTTPException):
            pass
        except Fault as fault:
            self.fault = str(fault)
        finally:
            connection.close()

    def call(self, connection, operation, body):
        connection.request("POST", "/", json.dumps(body), {
            "X-Amz-Target": f"Timestream_20181101.{operation}", "Content-Type": "application/x-amz-json-1.0"})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}

    def write(self, connection):
        count = self.chance.choice((1, 5, 20, 100, 100))
        table = self.chance.choice(("single", "many"))
        chosen = []
        while len(chosen) < count:
            key, version = self.ledger.choose(self.chance, self.key_count)
            if table_of(key) == table:
                chosen.append((key, version))
        status, answer = self.call(connection, "WriteRecords", {
            "DatabaseName": DATABASE, "TableName": table,
            "Records": [record_of(key, version, self.base_ms) for key, version in chosen]})
        if status == 419:
            refused = set()
            for rejected in answer["RejectedRecords"]:
                refused.add(rejected["RecordIndex"])
                key, version = chosen[rejected["RecordIndex"]]
                existing = rejected.get("ExistingVersion")
                if existing is None or existing <= version:
                    raise Fault(f"key {key} version {version} was rejected: {rejected}")
            chosen = [record for position, record in enumerate(chosen) if position not in refused]
        elif status in (429, 503):
            return  # asked to slow down: not acknowledged
        elif status != 200:
            raise Fault(f"WriteRecords answered {status}: {answer}")
        self.ledger.acknowledge(chosen)

    def change_tables(self, connection):
        name = f"meta-{self.name}-{self.chance.randrange(3)}"
        exists = self.ledger.tables.get(name, False)
        if exists is None:
            return
        self.ledger.tables[name] = None
        operation = "DeleteTable" if exists else "CreateTable"
        status, answer = self.call(connection, operation, {"DatabaseName": DATABASE, "TableName": name})
        if status != 200:
            raise Fault(f"{operation} of {name} answered {status}: {answer}")
        self.ledger.tables[name] = not exists


def write_until_the_end(pipe, port, arguments, ledger, base_ms, key_count, round_number):
    """The writers' process: ends when the server is gone, and hands its ledger back."""
    chance = random.Random(f"{arguments.seed}/{round_number}")
    before = ledger.count
    threads = [Writer(number, port, arguments.seed, ledger, base_ms, key_count, round_number)
               for number in range(arguments.threads or chance.randint(4, 8))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send((ledger.sent, ledger.acknowledged, ledger.tables, ledger.count - before,
               [thread.fault for thread in threads if thread.fault]))
    pipe.close()


# ---- checks ------------------------------------------------------------------------------------------


def rows_of(server, sql):
    connection = server.connect(timeout=120)
    body = {"QueryString": sql}
    try:
        while True:
            connection.request("POST", "/", json.dumps(body), {"X-Amz-Target": "Timestream_20181101.Query"})
            answer = connection.getresponse()
            page = json.loads(answer.read())
            if answer.status != 200:
                raise Fault(f"{sql} answered {answer.status}: {page}")
            for row in page["Rows"]:
                yield [plain(datum) for datum in row["Data"]]
            if "NextToken" not in page:
                return
            body["NextToken"] = page["NextToken"]
    finally:
        connection.close()


def milliseconds(text):
    moment = datetime.datetime.strptime(text[:26], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=datetime.timezone.utc)
    return (moment - EPOCH) // datetime.timedelta(milliseconds=1)


EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def stored_singles(server, keys):
    for host, text, value in rows_of(server, f'SELECT host, time, measure_value::bigint FROM "{DATABASE}"."single"'):
        key = keys.get(("single", host, milliseconds(text)))
        if key is None:
            raise Fault(f"a row that nobody sent: {host} {text} {value}")
        version = version_of_single(key, int(value))
        if version is None:
            raise Fault(f"key {key} has the value {value}, which was never sent")
        yield key, version


def stored_many(server, keys):
    names = sorted(attributes_of(1, 1))
    columns = ", ".join(f'"{name}"' for name in names)
    for host, text, *values in rows_of(server, f'SELECT host, time, {columns} FROM "{DATABASE}"."many"'):
        key = keys.get(("many", host, milliseconds(text)))
        if key is None:
            raise Fault(f"a row that nobody sent: {host} {text} {values}")
        found = dict(zip(names, values))
        if found["version"] is None:
            raise Fault(f"key {key} is only half there: {found}")
        version = int(found["version"])
        wanted = {name: text for name, (text, _, _) in attributes_of(key, version).items()}
        for name in names:
            if found[name] != wanted.get(name):
                raise Fault(f"key {key} version {version} is mixed: {name} is {found[name]!r}, not {wanted.get(name)!r}")
        yield key, version


def check(server, ledger, base_ms):
    """Compares the server's contents with the ledger; returns how many rows there are."""
    keys = {(table_of(key), host_of(key), time_of(key, base_ms)): key for key in ledger.sent}
    seen = {}
    for source in (stored_singles, stored_many):
        try:
            for key, version in source(server, keys):
                if key in seen:
                    raise Fault(f"key {key} has two rows, of versions {seen[key]} and {version}")
                if version > ledger.sent[key]:
                    raise Fault(f"key {key} has version {version}; the highest that was sent is {ledger.sent[key]}")
                seen[key] = version
        except Fault as fault:
            # Before the first write a table has no columns to select.
            if "does not exist" not in str(fault) or any(table_of(k) == source.__name__.split("_")[1].rstrip("s")
                                                         for k in ledger.acknowledged):
                raise
    for key, version in ledger.acknowledged.items():
        if key not in seen:
            raise Fault(f"key {key} version {version} was acknowledged and is gone")
        if seen[key] < version:
            raise Fault(f"key {key} version {version} was acknowledged; version {seen[key]} is stored")
    tables = {row[0] for row in rows_of(server, f'SHOW TABLES FROM "{DATABASE}"')}
    for name, exists in ledger.tables.items():
        if exists is not None and exists != (name in tables):
            raise Fault(f"table {name} was acknowledged as {'made' if exists else 'dropped'}")
    for name, exists in ledger.tables.items():
        if exists is None:
            ledger.tables[name] = name in tables
    return len(seen)


def metrics_of(server):
    """{name: value} of the metrics without labels."""
    connection = server.connect()
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return {name: float(value) for name, _, value in (line.partition(" ") for line in text.splitlines())
            if name and name[0] != "#" and "{" not in name}


# ---- the loop ----------------------------------------------------------------------------------------


def call(server, operation, **body):
    status, _, answer, raw = server.call(operation, body)
    if status != 200:
        raise Fault(f"{operation} answered {status}: {raw[:300]}")
    return answer


def prepare(server):
    call(server, "CreateDatabase", DatabaseName=DATABASE)
    for table in ("single", "many"):
        call(server, "CreateTable", DatabaseName=DATABASE, TableName=table,
             RetentionProperties={"MemoryStoreRetentionPeriodInHours": 24, "MagneticStoreRetentionPeriodInDays": 3650},
             MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})


def run_round(number, server, arguments, ledger, base_ms, chance):
    """Writes, kills, recovers, checks; returns (what was found, kills)."""
    key_count = min(KEYS_MAX, KEYS_PER_ROUND * number)
    mine, theirs = multiprocessing.get_context("fork").Pipe(duplex=False)
    writers = multiprocessing.get_context("fork").Process(
        target=write_until_the_end, args=(theirs, server.port, arguments, ledger, base_ms, key_count, number))
    writers.start()
    theirs.close()
    time.sleep(chance.uniform(0.02, arguments.seconds))
    server.kill()
    sent, acknowledged, tables, count, faults = mine.recv()
    writers.join()
    ledger.sent, ledger.acknowledged, ledger.tables = sent, acknowledged, tables
    ledger.count += count
    if faults:
        raise Fault(faults[0])
    kills = 1
    while chance.random() < 0.3:  # during recovery
        server.spawn()
        time.sleep(chance.choice((chance.uniform(0, 0.05), chance.uniform(0, 0.5))))
        server.kill()
        kills += 1
    started = time.monotonic()
    server.start()
    seconds = time.monotonic() - started
    rows = check(server, ledger, base_ms)
    metrics = metrics_of(server)
    return (f"{rows} rows, {metrics['tideline_segments']:.0f} segments, {metrics['tideline_wal_retained_bytes'] / 1024:.0f} KiB "
            f"of log, started in {seconds:.2f} s"), kills


def main():
    parser = argparse.ArgumentParser(description="Kill the server under load again and again; check what it kept.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="default: from the clock; printed")
    parser.add_argument("--threads", type=int, default=0, help="writer threads; default: 4 to 8, at random")
    parser.add_argument("--seconds", type=float, default=1.5, help="longest time between start and kill")
    parser.add_argument("flags", nargs="*", help="more flags for the server, after --")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = time.time_ns() % 1_000_000_000
    print(f"crash loop: seed {arguments.seed}, {arguments.rounds} rounds", flush=True)
    chance = random.Random(arguments.seed)
    # A checkpoint for every 128 KiB of log, so that kills fall into checkpoints and merges too.
    server = Server("--log-level", "warning", "--checkpoint-wal", "128", *arguments.flags, dev=True)
    ledger = Ledger()
    base_ms = time.time_ns() // 1_000_000
    kills = 0
    number = 0
    try:
        server.start()
        prepare(server)
        for number in range(1, arguments.rounds + 1):
            found, killed = run_round(number, server, arguments, ledger, base_ms, chance)
            kills += killed
            print(f"  round {number}: {ledger.count} acknowledged, {found}", flush=True)
        status = server.stop()
        if status != 0:
            raise Fault(f"the server ended with {status}")
        server.start()
        check(server, ledger, base_ms)
        server.stop()
    except (Fault, RuntimeError) as fault:
        server.kill()
        print(server.log(), file=sys.stderr)
        print(f"crash loop: FAILED in round {number}, seed {arguments.seed}: {fault}\n  data kept in {server.data_dir}")
        return 1
    server.remove()
    print(f"crash loop: {arguments.rounds} rounds, {kills} kills, {ledger.count} records acknowledged, 0 faults")
    return 0


if __name__ == "__main__":
    sys.exit(main())
