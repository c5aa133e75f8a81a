#!/usr/bin/python3
"""CancelQuery ends the work, whatever it is: of each shape one query is begun that would go on for minutes.

The server measures the time from CancelQuery to the end of the last slice of work and counts it in
tideline_query_cancel_seconds; the answer goes out once the work has ended, unless a page of the query is
being waited for at that moment. The aim is 100 ms on a quiet machine; the bound here leaves room for a debug
build on a busy one, and is still a hundredth of what any of the queries would take.
"""
import threading
import time
import unittest

from harness import Server

BOUND_SECONDS = 2.0

# Each is far from its end when its first page goes out, which is after five seconds.
SHAPES = {
    "sort": "SELECT x.a FROM UNNEST(sequence(1, 10000)) AS x(a) CROSS JOIN UNNEST(sequence(1, 10000)) AS y(b) "
            "ORDER BY (x.a * 7919 + y.b * 104729) % 1000003, y.b",
    "aggregation": "SELECT (x.a * 10000 + y.b) AS k, count(*), array_agg(x.a) FROM UNNEST(sequence(1, 10000)) AS x(a) "
                   "CROSS JOIN UNNEST(sequence(1, 10000)) AS y(b) GROUP BY (x.a * 10000 + y.b)",
    "join": "SELECT count(*) FROM UNNEST(sequence(1, 1000000)) AS x(a) JOIN UNNEST(sequence(1, 1000000)) AS y(b) "
            "ON (x.a * y.b) % 1000003 = 5",
    "window": "SELECT sum(s) FROM (SELECT sum(y.b) OVER (ORDER BY (x.a * 7919 + y.b) % 1000003 ROWS BETWEEN 1000 PRECEDING "
              "AND CURRENT ROW) AS s FROM UNNEST(sequence(1, 10000)) AS x(a) CROSS JOIN UNNEST(sequence(1, 10000)) AS y(b))",
    "unnest": "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS x(a) CROSS JOIN UNNEST(sequence(1, 10000)) AS y(b) "
              "CROSS JOIN UNNEST(sequence(1, 10000)) AS z(c)",
    "regexp": "SELECT count_if(regexp_like(rpad('', 28, 'a') || CAST(x.a AS varchar) || '!', '^(a|aa)+$')) "
              "FROM UNNEST(sequence(1, 1000000)) AS x(a)",
    "lists": "SELECT sum(cardinality(array_sort(transform(sequence(1, 400), e -> (e * x.a) % 7919)))) "
             "FROM UNNEST(sequence(1, 1000000)) AS x(a)",
}


class CancelQuery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--threads", "2", dev=True)
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def call(self, operation, **body):
        status, _, answer, raw = self.server.call(operation, body)
        self.assertEqual(200, status, raw[:500])
        return answer

    def ended(self):
        return (int(self.server.metric("tideline_query_cancel_seconds_count")),
                self.server.metric("tideline_query_cancel_seconds_sum"))

    def wait_for_end(self, count):
        """Seconds that the work went on, as the server measured it."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            now, seconds = self.ended()
            if now >= count:
                return seconds
            time.sleep(0.01)  # the server says when; this only asks
        self.fail("the work has not ended within a minute")

    def test_each_shape_ends(self):
        for shape, sql in SHAPES.items():
            with self.subTest(shape):
                page = self.call("Query", QueryString=sql)
                self.assertIn("NextToken", page, "the query had ended by itself: it says nothing about cancelling")
                count, seconds = self.ended()
                self.call("CancelQuery", QueryId=page["QueryId"])
                answered = time.monotonic()
                took = self.wait_for_end(count + 1) - seconds
                after = time.monotonic() - answered
                print(f"{shape}: {took * 1000:.0f} ms from the call to the end of the work", flush=True)
                self.assertLess(took, BOUND_SECONDS)
                self.assertLess(after, BOUND_SECONDS)
                # Nothing of it is left: no rows on disk, no session.
                self.assertEqual(0, self.server.metric("tideline_query_sessions"))
                self.assertEqual(0, self.server.metric("tideline_result_spool_bytes"))

    def test_while_a_page_is_waited_for(self):
        sql = SHAPES["unnest"]
        page = self.call("Query", QueryString=sql)
        outcome = {}

        def wait():
            outcome["answer"] = self.server.call("Query", {"QueryString": sql, "NextToken": page["NextToken"]})

        waiting = threading.Thread(target=wait)
        count, seconds = self.ended()
        waiting.start()
        self.call("CancelQuery", QueryId=page["QueryId"])
        took = self.wait_for_end(count + 1) - seconds
        waiting.join(60)
        self.assertFalse(waiting.is_alive())
        self.assertLess(took, BOUND_SECONDS)
        status, _, answer, raw = outcome["answer"]
        self.assertNotEqual(200, status, raw[:200])
        self.assertIn("ConflictException", answer["__type"])

    def test_the_server_goes_on(self):
        page = self.call("Query", QueryString=SHAPES["join"])
        self.call("CancelQuery", QueryId=page["QueryId"])
        self.assertEqual("1", self.call("Query", QueryString="SELECT 1")["Rows"][0]["Data"][0]["ScalarValue"])


if __name__ == "__main__":
    unittest.main()
