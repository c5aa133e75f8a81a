#!/usr/bin/python3
"""The clock that can be held (--test-clock): over the wire, by the command line, and who may not move it."""
import http.client
import json
import subprocess
import unittest

from harness import HeldClockCase, Server, binary, plain

HOUR_MS = 3600 * 1000


def admin(server, path, body, headers=None):
    """(status, answer) of one operator's call."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


class HeldClock(HeldClockCase):
    def cli(self, *arguments):
        done = subprocess.run([binary(), *arguments, "--endpoint", self.server.url], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout.strip()

    def one(self, sql):
        rows = self.call("Query", QueryString=sql)["Rows"]
        return [tuple(plain(datum) for datum in row["Data"]) for row in rows]

    def test_everything_that_tells_the_time_follows(self):
        self.call("CreateDatabase", DatabaseName="clock")
        self.call("CreateTable", DatabaseName="clock", TableName="readings", RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": 1, "MagneticStoreRetentionPeriodInDays": 1})
        start_ms = 1_600_000_000_000
        status, answer = admin(self.server, "/admin/clock", {"set": "2020-09-13T12:26:40Z"})
        self.assertEqual((200, {"time": "2020-09-13T12:26:40.000000000Z", "held": True}), (status, answer))
        self.assertEqual([("2020-09-13 12:26:40.000000000",)], self.one("SELECT now()"))
        self.assertEqual([("2020-09-13 12:16:40.000000000",)], self.one("SELECT ago(10m)"))
        record = {"Dimensions": [{"Name": "host", "Value": "a"}], "MeasureName": "m", "MeasureValue": "1",
                  "MeasureValueType": "BIGINT"}
        put = lambda time_ms, expected=200: self.call("WriteRecords", expected, DatabaseName="clock", TableName="readings",
                                                      Records=[{**record, "Time": str(time_ms)}])
        put(start_ms)
        rejected = put(start_ms + HOUR_MS, 419)
        self.assertIn("2020-09-13T12:41:40.000Z", rejected["RejectedRecords"][0]["Reason"])
        self.assertEqual("2020-09-13T13:26:40.000000000Z held", self.cli("clock", "advance", "1h"))
        put(start_ms + HOUR_MS)
        count = "SELECT count(*) FROM clock.readings"
        self.assertEqual([("2",)], self.one(count))
        # A row lives for 1 h and 1 d; the cut is exact, whether or not its file is gone.
        self.cli("clock", "advance", "24h")
        self.assertEqual([("2",)], self.one(count))
        self.cli("clock", "advance", "1ms")
        self.assertEqual([("1",)], self.one(count))
        self.cli("maintain", "--checkpoint")
        self.cli("clock", "advance", "1h")
        self.cli("maintain")
        self.assertEqual([("0",)], self.one(count))
        self.assertEqual("2020-09-14T14:26:40.001000000Z held", self.cli("clock"))

    def test_mistakes_are_named(self):
        for body, word in (({"set": "yesterday"}, "yesterday"), ({"advance": "-1h"}, "-1h"), ({"stop": True}, "stop"),
                           ({"set": "2024-01-01T00:00:00Z", "run": True}, "one of"), ({"advance": 5}, "text"),
                           ({"advance": "99999d", "x": "y"}, "x")):
            status, answer = admin(self.server, "/admin/clock", body)
            self.assertEqual(400, status)
            self.assertIn(word, answer["message"])
        self.assertEqual(404, admin(self.server, "/admin/nothing", {})[0])

    def test_only_this_machine_may_call(self):
        for headers, expected in (({"X-Forwarded-For": "192.0.2.1"}, 403), ({"Forwarded": "for=192.0.2.1"}, 403),
                                  ({"Content-Type": "text/plain"}, 400)):
            self.assertEqual(expected, admin(self.server, "/admin/clock", {}, headers)[0])


class OrdinaryClock(unittest.TestCase):
    def test_the_clock_of_an_ordinary_server_cannot_be_held(self):
        with Server(dev=True) as server:
            status, answer = admin(server, "/admin/clock", {"advance": "1h"})
            self.assertEqual(403, status)
            self.assertIn("--test-clock", answer["message"])

    def test_it_is_refused_beyond_loopback(self):
        done = subprocess.run([binary(), "serve", "--test-clock", "--http", "0.0.0.0:0"], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(1, done.returncode)
        self.assertIn("--test-clock", done.stderr)


if __name__ == "__main__":
    unittest.main()
