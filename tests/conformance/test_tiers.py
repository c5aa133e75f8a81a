#!/usr/bin/python3
"""Two stores over the wire, in seconds: movement, retention, late data and its reports, DELETE and undo, partition
keys, verify. The server's clock is held (--test-clock)."""
import http.client
import json
import pathlib
import random
import subprocess
import unittest

from harness import Server, binary, plain

HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS
START_MS = 1_600_000_000_000
START = "2020-09-13T12:26:40Z"


class TierCase(unittest.TestCase):
    FLAGS = ("--test-clock",)

    def setUp(self):
        self.server = Server(*self.FLAGS, dev=True)
        self.addCleanup(self.server.remove)
        self.server.start()
        self.now = START_MS
        self.admin("/admin/clock", {"set": START})
        self.call("CreateDatabase", DatabaseName="tiers")

    def admin(self, path, body, expected=200):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        raw = response.read()
        connection.close()
        self.assertEqual(expected, response.status, raw)
        return json.loads(raw)

    def advance(self, hours):
        self.now += hours * HOUR_MS
        self.admin("/admin/clock", {"advance": f"{hours}h"})

    def settle(self):
        self.admin("/admin/maintain", {"checkpoint": True})

    def call(self, operation, expected=200, **body):
        status, _, answer, raw = self.server.call(operation, body)
        self.assertEqual(expected, status, raw[:500])
        return answer

    def table(self, name="readings", memory_hours=1, magnetic_days=10, **more):
        self.call("CreateTable", DatabaseName="tiers", TableName=name, RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": memory_hours, "MagneticStoreRetentionPeriodInDays": magnetic_days}, **more)

    def put(self, records, expected=200, table="readings"):
        return self.call("WriteRecords", expected, DatabaseName="tiers", TableName=table, Records=records)

    def record(self, value, time_ms, host="a", version=1, name="m"):
        return {"Dimensions": [{"Name": "host", "Value": host}], "MeasureName": name, "MeasureValue": str(value),
                "MeasureValueType": "BIGINT", "Time": str(time_ms), "Version": version}

    def rows(self, sql):
        rows, token = [], {}
        while True:
            page = self.call("Query", QueryString=sql, **token)
            rows += [tuple(plain(datum) for datum in row["Data"]) for row in page["Rows"]]
            if "NextToken" not in page:
                return rows
            token = {"NextToken": page["NextToken"]}

    def stores(self, table="readings"):
        return {store: int(rows) for store, rows in self.rows(
            f"SELECT store, sum(row_count) FROM tideline.segments WHERE table_name = '{table}' GROUP BY store")}

    def crash(self):
        self.server.kill()
        self.server.start()
        time = subprocess.run([binary(), "clock", "set", self.iso(), "--endpoint", self.server.url], check=True,
                              capture_output=True)
        self.assertTrue(time.stdout)

    def iso(self):
        import datetime
        return datetime.datetime.fromtimestamp(self.now / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Movement(TierCase):
    def test_rows_move_by_policy_and_queries_see_both_stores_as_one(self):
        self.table()
        self.put([self.record(i, self.now - i * 60_000) for i in range(20)])
        self.settle()
        self.assertEqual({"memory": 20}, self.stores())
        self.advance(3)
        self.put([self.record(100 + i, self.now - i * 60_000) for i in range(10)])
        self.settle()
        self.assertEqual({"memory": 10, "magnetic": 20}, self.stores())
        self.assertEqual([("30", "0", "109")],
                         self.rows("SELECT count(*), min(measure_value::bigint), max(measure_value::bigint) FROM tiers.readings"))
        self.crash()
        self.assertEqual({"memory": 10, "magnetic": 20}, self.stores())
        self.assertEqual([("30",)], self.rows("SELECT count(*) FROM tiers.readings"))
        inspected = subprocess.run(
            [binary(), "inspect", str(max((self.server.data_dir / "manifest").iterdir()))], capture_output=True, text=True)
        self.assertIn("magnetic store, written 2 times", inspected.stdout)

    def test_the_edge_of_retention_is_exact_and_expired_rows_can_come_back(self):
        self.table(memory_hours=1, magnetic_days=1)
        self.put([self.record(i, self.now + i) for i in range(3)])
        self.settle()
        self.advance(25)
        for left in (3, 2, 1, 0):
            self.assertEqual([(str(left),)], self.rows("SELECT count(*) FROM tiers.readings"))
            self.admin("/admin/clock", {"advance": "1ms"})
        self.now += 4
        self.settle()
        self.assertEqual({}, self.stores())
        undelete = [binary(), "undelete", "tiers", "readings", "--endpoint", self.server.url]
        refused = subprocess.run(undelete, capture_output=True, text=True)
        self.assertEqual(1, refused.returncode)
        self.assertIn("retention", refused.stderr)
        self.call("UpdateTable", DatabaseName="tiers", TableName="readings", RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": 1, "MagneticStoreRetentionPeriodInDays": 100})
        done = subprocess.run(undelete, capture_output=True, text=True)
        self.assertEqual("3 rows are back\n", done.stdout)
        self.assertEqual([("3",)], self.rows("SELECT count(*) FROM tiers.readings"))

    def test_a_clock_set_forward_ten_years_deletes_nothing(self):
        self.table()
        self.put([self.record(1, self.now)])
        self.settle()
        self.admin("/admin/clock", {"set": "2030-09-13T12:26:40Z"})
        self.settle()
        self.assertEqual([("0",)], self.rows("SELECT count(*) FROM tiers.readings"))
        self.admin("/admin/clock", {"set": START})
        self.settle()
        self.assertEqual([("1",)], self.rows("SELECT count(*) FROM tiers.readings"))
        self.assertIn("nothing expires", self.server.log())


class LateData(TierCase):
    def reports(self, bucket="reports"):
        root = self.server.data_dir / "buckets" / bucket
        return [json.loads(path.read_text()) for path in sorted(root.rglob("*.json"))]

    def test_with_magnetic_writes_off_late_rows_are_refused(self):
        self.table()
        answer = self.put([self.record(1, self.now - 5 * HOUR_MS)], 419)
        self.assertIn("of the memory store", answer["RejectedRecords"][0]["Reason"])

    def test_conflicts_in_the_magnetic_store_are_answered_as_ingested_and_reported(self):
        self.table(MagneticStoreWriteProperties={
            "EnableMagneticStoreWrites": True,
            "MagneticStoreRejectedDataLocation": {"S3Configuration": {
                "BucketName": "reports", "ObjectKeyPrefix": "late/data", "EncryptionOption": "SSE_S3"}}})
        late = self.now - 5 * HOUR_MS
        ingested = self.put([self.record(1, late, version=5)])["RecordsIngested"]
        self.assertEqual({"MagneticStore": 1, "MemoryStore": 0, "Total": 1}, ingested)
        self.settle()
        self.assertEqual({"magnetic": 1}, self.stores())
        ingested = self.put([self.record(2, late, version=5), self.record(3, late, version=4), self.record(1, late, version=5),
                             self.record(9, late, host="b")])["RecordsIngested"]
        self.assertEqual(4, ingested["MagneticStore"])
        self.assertEqual([("1",)], self.rows("SELECT measure_value::bigint FROM tiers.readings WHERE host = 'a'"))
        # A higher version replaces, in the magnetic store too.
        self.put([self.record(7, late, version=6)])
        self.assertEqual([("7",)], self.rows("SELECT measure_value::bigint FROM tiers.readings WHERE host = 'a'"))
        self.assertEqual(0, self.server.stop())
        (report,) = self.reports()
        self.assertRegex(report["reportId"], r"^[0-9a-f]{32}$")
        self.assertEqual(2, len(report["errors"]))
        self.assertIn("A record already exists", report["errors"][0]["reason"])
        self.assertEqual("The record version 4 is lower than the existing version 5. A higher version is required to update "
                         "the measure value.", report["errors"][1]["reason"])
        self.assertEqual({"dimensions": [{"name": "host", "value": "a", "dimensionValueType": "VARCHAR"}], "measureName": "m",
                          "measureValue": "2", "measureValues": None, "measureValueType": "BIGINT",
                          "time": str(late * 1_000_000), "timeUnit": "NANOSECONDS", "version": 5},
                         report["errors"][0]["records"][0])
        (path,) = (self.server.data_dir / "buckets" / "reports").rglob("*.json")
        self.assertEqual(("late", "data", "tiers", "readings", "2020-09-13"), path.parts[-6:-1])

    def test_a_killed_server_reports_when_it_starts_again(self):
        self.table(MagneticStoreWriteProperties={
            "EnableMagneticStoreWrites": True,
            "MagneticStoreRejectedDataLocation": {"S3Configuration": {"BucketName": "reports"}}})
        late = self.now - 5 * HOUR_MS
        self.put([self.record(1, late, version=5)])
        self.settle()
        # The bucket cannot be written, so the report surely waits when the process dies.
        bucket = self.server.data_dir / "buckets" / "reports"
        bucket.parent.mkdir(exist_ok=True)
        bucket.write_text("in the way")
        self.assertEqual(1, self.put([self.record(2, late, version=5)])["RecordsIngested"]["MagneticStore"])
        self.server.kill()
        bucket.unlink()
        self.server.start()
        self.assertEqual(0, self.server.stop())
        (report,) = self.reports()
        self.assertEqual("2", report["errors"][0]["records"][0]["measureValue"])
        self.assertEqual([], list((self.server.data_dir / "reports").iterdir()))


class Delete(TierCase):
    def setUp(self):
        super().setUp()
        self.table(memory_hours=24)
        self.put([self.record(i, self.now - i * 1000, host) for host in "abc" for i in range(10)])

    def count(self, where="true"):
        return int(self.rows(f"SELECT count(*) FROM tiers.readings WHERE {where}")[0][0])

    def test_whole_rows_go_and_come_back(self):
        self.assertEqual([("10", None, None)], self.rows("DELETE FROM tiers.readings WHERE host = 'a' DRY RUN"))
        self.assertEqual(30, self.count())
        (deleted,) = self.rows("DELETE FROM tiers.readings WHERE host IN ('a', 'b') AND measure_name = 'm' AND time >= "
                               "from_milliseconds(%d)" % (self.now - 4000))
        self.assertEqual("10", deleted[0])
        self.assertEqual("2020-09-14 12:26:40.000000000", deleted[2])
        self.assertEqual((20, 5, 10), (self.count(), self.count("host = 'a'"), self.count("host = 'c'")))
        self.put([self.record(77, self.now, "a")])  # the key is free again
        self.crash()
        self.assertEqual((21, 6), (self.count(), self.count("host = 'a'")))
        self.settle()
        self.crash()
        self.assertEqual((21, 6), (self.count(), self.count("host = 'a'")))
        done = subprocess.run([binary(), "undelete", "tiers", "readings", "--delete-id", deleted[1], "--endpoint", self.server.url],
                              capture_output=True, text=True)
        self.assertEqual("9 rows are back\n", done.stdout, done.stderr)
        self.assertEqual(30, self.count())
        self.assertEqual([("77",)], self.rows("SELECT measure_value::bigint FROM tiers.readings WHERE host = 'a' ORDER BY time DESC LIMIT 1"))

    def test_what_is_not_understood_deletes_nothing(self):
        for sql, words in (("DELETE FROM tiers.readings", "WHERE"), ("DELETE FROM tiers.readings WHERE measure_value::bigint > 3", "measure"),
                           ("DELETE FROM tiers.readings WHERE host = 'a' OR time < now()", "AND"), ("DELETE FROM tiers.readings WHERE 1", "boolean"),
                           ("DELETE FROM tiers.nothing WHERE host = 'a'", "nothing"),
                           ("DELETE FROM tiers.readings WHERE host = 'a' AND random() < 0.5", "AND"),
                           ("DELETE FROM tiers.readings WHERE host IN (SELECT host FROM tiers.readings)", "")):
            status, _, answer, raw = self.server.call("Query", {"QueryString": sql})
            self.assertEqual(400, status, sql)
            self.assertIn(words, raw if isinstance(raw, str) else raw.decode(), sql)
        self.assertEqual([("0", None, None)], self.rows("DELETE FROM tiers.readings WHERE 1 = 2"))
        self.assertEqual([("0", None, None)], self.rows("DELETE FROM tiers.readings WHERE host = 'z'"))
        self.assertEqual(30, self.count())

    def test_the_compat_profile_does_not_know_it(self):
        connection = self.server.connect()
        status, _, answer, raw = self.server.call("Query", {"QueryString": "SELECT 1"}, connection)
        self.assertEqual(200, status)
        with Server("--profile", "compat", dev=True) as compat:
            self.assertEqual(400, compat.call("Query", {"QueryString": "DELETE FROM a.b WHERE true"})[0])


class PartitionKeys(TierCase):
    def fill(self, table, schema):
        self.table(table, memory_hours=24, **({"Schema": {"CompositePartitionKey": schema}} if schema else {}))
        rng = random.Random(1)
        # 40 devices of many measures each: by measure name a device's rows lie scattered.
        for start in range(0, 8000, 100):
            self.put([{"Dimensions": [{"Name": "site", "Value": "s"}, {"Name": "device", "Value": "d%02d" % (i % 40)}],
                       "MeasureName": "m%02d" % (i // 40 % 25), "MeasureValue": str(rng.random()),
                       "MeasureValueType": "DOUBLE", "Time": str(self.now - i)} for i in range(start, start + 100)], table=table)

    def scanned(self, sql):
        page = self.call("Query", QueryString=sql)
        return page["QueryStatus"]["CumulativeBytesScanned"], [tuple(map(plain, row["Data"])) for row in page["Rows"]]

    def test_a_key_places_rows_and_prunes_queries(self):
        self.fill("plain", None)
        self.fill("keyed", [{"Type": "DIMENSION", "Name": "device", "EnforcementInRecord": "OPTIONAL"}])
        self.settle()
        sql = "SELECT count(measure_value::double) FROM tiers.%s WHERE device = 'd07'"
        plain_bytes, plain_rows = self.scanned(sql % "plain")
        keyed_bytes, keyed_rows = self.scanned(sql % "keyed")
        self.assertEqual(plain_rows, keyed_rows)
        self.assertEqual([("200",)], keyed_rows)
        print(f"\nbytes scanned for one device: {plain_bytes} by measure name, {keyed_bytes} by key")
        self.assertLess(keyed_bytes, plain_bytes)

    def test_required_keys(self):
        key = {"Type": "DIMENSION", "Name": "device", "EnforcementInRecord": "REQUIRED"}
        self.table("required", Schema={"CompositePartitionKey": [key]})
        answer = self.put([self.record(1, self.now)], 419, "required")
        self.assertIn("device", answer["RejectedRecords"][0]["Reason"])
        self.call("UpdateTable", DatabaseName="tiers", TableName="required",
                  Schema={"CompositePartitionKey": [{**key, "EnforcementInRecord": "OPTIONAL"}]})
        self.put([self.record(1, self.now)], table="required")
        self.assertEqual([("1",)], self.rows("SELECT count(*) FROM tiers.required"))


class Verify(TierCase):
    def verify(self, *arguments):
        done = subprocess.run([binary(), "verify", *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_every_flipped_bit_is_found_and_the_rest_still_answers(self):
        self.table("one")
        self.table("two")
        for table in ("one", "two"):
            self.put([self.record(i, self.now - i) for i in range(100)], table=table)
        self.put([self.record(5, self.now, version=2)], table="one")
        self.settle()
        self.advance(3)
        self.put([self.record(1, self.now)], table="two")
        self.settle()
        status, text = self.verify("--endpoint", self.server.url)
        self.assertEqual((0, True), (status, "no problem" in text), text)
        self.assertEqual(0, self.verify("--data-dir", str(self.server.data_dir))[0], "beside the running server")
        self.assertEqual(0, self.server.stop())
        status, text = self.verify("--data-dir", str(self.server.data_dir))
        self.assertEqual(0, status, text)
        rng = random.Random(2)
        files = [path for folder in ("magnetic", "segments", "series", "deleted", "manifest")
                 for path in (self.server.data_dir / folder).rglob("*") if path.is_file()]
        newest = max((self.server.data_dir / "manifest").iterdir())
        # What the newest manifest has dropped already is nobody's promise.
        named = subprocess.run([binary(), "inspect", str(newest)], capture_output=True, text=True).stdout
        files = [path for path in files if path == newest or path.parent.name != "manifest" and path.name in named]
        self.assertGreater(len(files), 3, named)
        self.assertTrue(files)
        for path in files:
            whole = path.read_bytes()
            for _ in range(6):
                damaged = bytearray(whole)
                damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
                path.write_bytes(damaged)
                status, text = self.verify("--data-dir", str(self.server.data_dir))
                self.assertEqual(1, status, f"{path}: {text}")
            path.write_bytes(whole[:-1])
            self.assertEqual(1, self.verify("--data-dir", str(self.server.data_dir))[0], f"{path} cut")
            path.write_bytes(whole)
        segment = next((self.server.data_dir / "magnetic").rglob("*-*-*-*-*/*"))
        segment.unlink()
        status, text = self.verify("--data-dir", str(self.server.data_dir))
        self.assertEqual(1, status)
        self.assertIn(segment.name, text)
        # What does not need the missing file is answered; what does is an error, never a guess.
        self.server.start()
        self.admin("/admin/clock", {"set": self.iso()})
        answers = {table: self.server.call("Query", {"QueryString": f"SELECT count(*), sum(measure_value::bigint) FROM tiers.{table}"})[0]
                   for table in ("one", "two")}
        self.assertEqual([200, 500], sorted(answers.values()), answers)


if __name__ == "__main__":
    unittest.main()
