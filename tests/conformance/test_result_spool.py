#!/usr/bin/python3
"""Results that wait on disk: larger than memory for them, read again by token, abandoned, and after a crash.

docs/decisions/0004-result-spool.md. Spill files have no name, so that what the server holds on disk is seen in
its open files, and in its own figures.
"""
import os
import time
import unittest

from harness import HeldClockCase
from test_clock import admin

# 60,000 rows of some 1,000 bytes: sixty pages, and many times the 2 MiB of rows that wait in memory.
ROWS = 60_000
SQL = (f"SELECT a * 300 + b AS i, rpad(CAST(a * 300 + b AS varchar), 900, 'x') AS pad FROM UNNEST(sequence(0, {ROWS // 300 - 1})) "
       "AS x(a) CROSS JOIN UNNEST(sequence(0, 299)) AS y(b)")


class Spool(HeldClockCase):
    def ask(self, expected=200, **more):
        return self.call("Query", expected, QueryString=SQL, **more)

    def wait_until(self, what, holds, seconds=120):
        deadline = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), deadline, "never: " + what)
            time.sleep(0.02)  # the server works towards it; this only asks

    def names_in_spill(self):
        return os.listdir(self.server.data_dir / "spill")

    def open_spill_files(self):
        """Files below spill/ that the process holds, all without a name."""
        links = []
        for descriptor in os.listdir(f"/proc/{self.server.process.pid}/fd"):
            try:
                link = os.readlink(f"/proc/{self.server.process.pid}/fd/{descriptor}")
            except OSError:
                continue
            if link.startswith(str(self.server.data_dir / "spill")):
                links.append(link)
        return links

    def numbers(self, page):
        return [int(row["Data"][0]["ScalarValue"]) for row in page["Rows"]]

    def spooled_page(self):
        """The first page, once the rest of the result lies on disk."""
        page = self.ask()
        self.assertIn("NextToken", page)
        self.wait_until("most of the result is on disk",
                        lambda: self.server.metric("tideline_result_spool_bytes") > 0.8 * ROWS * 900)
        return page

    def test_1_larger_than_memory_goes_to_disk_and_comes_back_whole(self):
        page = self.spooled_page()
        self.assertEqual([], self.names_in_spill())
        self.assertTrue(self.open_spill_files())
        self.assertTrue(all(link.endswith(" (deleted)") for link in self.open_spill_files()))
        seen = self.numbers(page)
        pages = 1
        while "NextToken" in page:
            page = self.ask(NextToken=page["NextToken"])
            seen += self.numbers(page)
            pages += 1
        self.assertEqual(list(range(ROWS)), sorted(seen))
        self.assertGreater(pages, 50)
        self.assertEqual(0, self.server.metric("tideline_result_spool_bytes"))
        self.wait_until("the files are closed", lambda: not self.open_spill_files())

    def test_2_a_page_from_disk_is_read_again_by_its_token(self):
        page = self.spooled_page()
        for _ in range(20):  # well past what was in memory
            token = page["NextToken"]
            page = self.ask(NextToken=token)
        again = self.ask(NextToken=token)
        self.assertEqual(page["Rows"], again["Rows"])
        self.assertEqual(page["NextToken"], again["NextToken"])
        after = self.ask(NextToken=again["NextToken"])
        self.assertFalse(set(self.numbers(page)) & set(self.numbers(after)))
        self.call("CancelQuery", QueryId=page["QueryId"])
        self.wait_until("the rows are gone", lambda: self.server.metric("tideline_result_spool_bytes") == 0)

    def test_3_what_nobody_fetches_for_an_hour_is_removed(self):
        page = self.spooled_page()
        self.assertEqual(200, admin(self.server, "/admin/clock", {"advance": "59m"})[0])
        page = self.ask(NextToken=page["NextToken"])  # asked for in time: it stays
        self.assertEqual(200, admin(self.server, "/admin/clock", {"advance": "59m"})[0])
        self.assertGreater(self.server.metric("tideline_result_spool_bytes"), 0)
        self.assertEqual(200, admin(self.server, "/admin/clock", {"advance": "2m"})[0])
        self.wait_until("the result is gone", lambda: self.server.metric("tideline_result_spool_bytes") == 0)
        self.assertEqual(0, self.server.metric("tideline_query_sessions"))
        self.wait_until("its files are closed", lambda: not self.open_spill_files())
        refused = self.ask(409, NextToken=page["NextToken"])
        self.assertIn("3600", refused["message"])

    def test_4_a_crash_leaves_no_orphan(self):
        self.spooled_page()
        self.assertTrue(self.open_spill_files())
        # What a crash between making a file and taking its name away would leave.
        (self.server.data_dir / "spill" / "99.spill").write_bytes(b"left behind")
        self.server.kill()
        self.server.start()
        self.assertEqual([], self.names_in_spill())
        self.assertEqual([], self.open_spill_files())
        self.assertEqual(0, self.server.metric("tideline_result_spool_bytes"))
        self.assertEqual(0, self.server.metric("tideline_query_sessions"))
        self.assertEqual(list(range(5)), sorted(self.numbers(self.call(
            "Query", QueryString="SELECT x FROM UNNEST(sequence(0, 4)) AS t(x)"))))


if __name__ == "__main__":
    unittest.main()
