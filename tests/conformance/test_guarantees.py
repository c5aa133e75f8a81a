#!/usr/bin/python3
"""The promises that deserve a test of their own, seen from outside: what is acknowledged lasts, readers
see whole states, and wide tables cost what their values cost."""
import pathlib
import re
import threading
import time
import unittest

from harness import Server, needs_speed, now_ms, plain

DATABASE = "guarantees"


class GuaranteeCase(unittest.TestCase):
    """By hand and in development mode, so that requests are short and follow each other closely."""

    def setUp(self):
        self.server = Server(dev=True)
        self.addCleanup(self.server.remove)
        self.server.start()
        self.ok("CreateDatabase", DatabaseName=DATABASE)
        self.ok("CreateTable", DatabaseName=DATABASE, TableName="table")
        self.now = now_ms()

    def ok(self, operation, connection=None, **body):
        status, _, answer, raw = self.server.call(operation, body, connection)
        self.assertEqual(200, status, raw[:500])
        return answer

    def put(self, *records, connection=None):
        return self.ok("WriteRecords", connection, DatabaseName=DATABASE, TableName="table", Records=list(records))

    def record(self, value, offset=0, version=1, name="m"):
        return {"Dimensions": [{"Name": "host", "Value": "a"}], "MeasureName": name, "MeasureValueType": "BIGINT",
                "MeasureValue": str(value), "Time": str(self.now - offset), "Version": version}

    def rows(self, sql, connection=None):
        rows, token = [], {}
        while True:
            page = self.ok("Query", connection, QueryString=sql, **token)
            rows += [tuple(plain(datum) for datum in row["Data"]) for row in page["Rows"]]
            if "NextToken" not in page:
                return rows
            token = {"NextToken": page["NextToken"]}

    def crash(self):
        self.server.kill()
        self.server.start()


class Durability(GuaranteeCase):
    VALUES = f'SELECT measure_value::bigint FROM "{DATABASE}"."table" ORDER BY time'

    def test_an_equal_record_is_not_acknowledged_before_the_row_it_repeats_is_synced(self):
        for round_number in range(8):
            record = self.record(round_number, round_number)
            acknowledged = threading.Event()

            def send():
                try:
                    if self.server.call("WriteRecords", {"DatabaseName": DATABASE, "TableName": "table", "Records": [record]})[0] == 200:
                        acknowledged.set()
                except OSError:
                    pass
            senders = [threading.Thread(target=send) for _ in range(6)]
            for sender in senders:
                sender.start()
            self.assertTrue(acknowledged.wait(30))
            self.crash()  # whichever of the equal records it was that was acknowledged first
            for sender in senders:
                sender.join()
            self.assertEqual([(str(i),) for i in reversed(range(round_number + 1))], self.rows(self.VALUES))

    def test_an_upsert_then_a_write_of_the_same_key_outlive_a_crash(self):
        for version in range(1, 6):
            self.put(self.record(version * 10, version=version))
            self.put(self.record(version * 10 + 5, version=version + 100))
            self.put(self.record(version * 10 + 7, version=version + 200))
            self.crash()
            self.assertEqual([(str(version * 10 + 7),)], self.rows(self.VALUES))
            self.ok("DeleteTable", DatabaseName=DATABASE, TableName="table")
            self.ok("CreateTable", DatabaseName=DATABASE, TableName="table")

    def test_a_table_deleted_and_made_again_keeps_only_the_new_rows_over_a_crash(self):
        self.put(self.record(1))
        self.ok("DeleteTable", DatabaseName=DATABASE, TableName="table")
        self.ok("CreateTable", DatabaseName=DATABASE, TableName="table")
        self.put(self.record(2))
        self.crash()
        self.assertEqual([("2",)], self.rows(self.VALUES))


class Isolation(GuaranteeCase):
    KEYS = 300

    def test_upserts_under_running_queries_show_the_old_or_the_new_row(self):
        self.put(*(self.record(0, i) for i in range(100)))
        for first in range(100, self.KEYS, 100):
            self.put(*(self.record(0, i) for i in range(first, first + 100)))
        stop = threading.Event()
        faults = []

        def upsert():
            connection = self.server.connect()
            version = 1
            try:
                while not stop.is_set():
                    version += 1
                    for first in range(0, self.KEYS, 100):
                        self.put(*(self.record(version, i, version) for i in range(first, first + 100)), connection=connection)
            except (AssertionError, OSError) as failure:
                faults.append(f"the writer failed: {failure}")
            finally:
                connection.close()

        def look():
            connection = self.server.connect()
            newest = {}
            try:
                while not stop.is_set():
                    found = self.rows(f'SELECT time, measure_value::bigint FROM "{DATABASE}"."table"', connection)
                    times = [row[0] for row in found]
                    if len(times) != self.KEYS or len(set(times)) != self.KEYS:
                        faults.append(f"{len(times)} rows of {len(set(times))} keys, not {self.KEYS}")
                        return
                    for at, value in found:
                        if int(value) < newest.get(at, 0):
                            faults.append(f"{at} went back from {newest[at]} to {value}")
                            return
                        newest[at] = int(value)
            except (AssertionError, OSError) as failure:
                faults.append(f"a reader failed: {failure}")
            finally:
                connection.close()

        threads = [threading.Thread(target=upsert), *(threading.Thread(target=look) for _ in range(3))]
        for thread in threads:
            thread.start()
        time.sleep(3)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual([], faults)


class Width(GuaranteeCase):
    def resident_bytes(self):
        text = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024

    def fill(self, records):
        for first in range(0, len(records), 100):
            self.put(*records[first:first + 100])

    @needs_speed
    def test_8192_measure_names_cost_what_their_values_cost(self):
        self.fill([self.record(i, i) for i in range(8192)])
        narrow = self.server.metric("tideline_hot_bytes")
        before = self.resident_bytes()
        self.ok("DeleteTable", DatabaseName=DATABASE, TableName="table")
        self.ok("CreateTable", DatabaseName=DATABASE, TableName="table")
        self.fill([self.record(i, i, name=f"measure-{i}") for i in range(8192)])
        # A measure name is a series of its own: a fixed cost for each, none for each pair of them.
        self.assertLess(self.server.metric("tideline_hot_bytes"), narrow + 8192 * 2048)
        self.assertLess(self.resident_bytes() - before, 64 << 20)
        self.assertEqual([("8192",)], self.rows(f'SELECT count(*) FROM "{DATABASE}"."table"'))

    def test_1024_attributes_cost_what_their_values_cost(self):
        before = self.resident_bytes()
        records = []
        for i in range(2000):
            # Four attributes a row, of 1,024: a column for each that held a slot for each row would need
            # 2 million slots.
            attributes = [{"Name": f"attribute-{(4 * i + k) % 1024}", "Value": str(i), "Type": "BIGINT"} for k in range(4)]
            records.append({"Dimensions": [{"Name": "host", "Value": "a"}], "MeasureName": "m", "MeasureValueType": "MULTI",
                            "Time": str(self.now - i), "MeasureValues": attributes})
        self.fill(records)
        self.assertLess(self.server.metric("tideline_hot_bytes"), 8 << 20)
        self.assertLess(self.resident_bytes() - before, 96 << 20)
        self.assertEqual([("2000", str(sum(i for i in range(2000) if i % 256 == 255)))],
                         self.rows(f'SELECT count(*), sum("attribute-1023") FROM "{DATABASE}"."table"'))


if __name__ == "__main__":
    unittest.main()
