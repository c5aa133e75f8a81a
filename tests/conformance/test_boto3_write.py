#!/usr/bin/python3
"""WriteRecords, driven by boto3: one test for every rule of the API's section on writing.

Tests are named after the rule's number. Where the service's documents leave a behaviour open
(src/service/api/choices.h), tests look at the error's class, at the index and at what is stored, and
leave the wording alone.
"""
import datetime
import re
import unittest

from harness import ServerCase, now_ms

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MINUTE_MS = 60_000

DUPLICATE = ("A record already exists with the same time, dimensions, measure name, and record version. A higher "
             "record version must be specified in order to update the measure value. Specifying record version is "
             "supported by the latest SDKs.")


def timestamp(ns):
    """Nanoseconds since the epoch as a query prints them."""
    seconds, fraction = divmod(ns, 1_000_000_000)
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{fraction:09d}"


class WriteCase(ServerCase):
    def refused_whole(self, table, *records, common=None, name="ValidationException"):
        """The request must be refused as a whole and nothing of it stored; the error's text."""
        good = self.record("77", name="good", time=self.NOW - 1)
        before = self.count(table)
        text = self.refused_text(name, self.put, table, *records, common=common, loose=True)
        if common is None and 0 < len(records) < 100:
            self.refused(name, self.put, table, good, *records, loose=True)
        self.assertEqual(before, self.count(table))
        return text

    def doubles(self, table):
        return [row[0] for row in self.stored(table, "measure_value::double")]


class CommonAttributes(WriteCase):
    def test_3_1_empty_common_attributes_are_legal(self):
        table = self.make_table()
        self.assertEqual(1, self.put(table, self.record("2.5"), common={})["Total"])
        self.assertEqual(["2.5"], self.doubles(table))

    def test_3_1_dimensions_are_the_union_of_both(self):
        table = self.make_table()
        self.put(table, self.record(dimensions=[("b", "2")]), common={"Dimensions": [{"Name": "a", "Value": "1"}]})
        self.assertEqual([("1", "2")], self.stored(table, "a, b"))

    def test_3_1_one_dimension_name_in_both_is_refused(self):
        table = self.make_table()
        for value in ("1", "2"):
            self.refused_whole(table, self.record(dimensions=[("a", "1")]),
                               common={"Dimensions": [{"Name": "a", "Value": value}]})

    def test_3_1_one_dimension_name_twice_in_a_record_is_refused(self):
        self.refused_whole(self.make_table(), self.record(dimensions=[("a", "1"), ("a", "1")]))

    def test_3_1_everything_may_come_from_the_common_attributes(self):
        table = self.make_table()
        self.put(table, {}, common=self.record("4", Version=3, TimeUnit="MILLISECONDS"))
        self.assertEqual([("a", "m", timestamp(self.NOW * 1_000_000), "4.0")],
                         self.stored(table, "host, measure_name, time, measure_value::double"))
        rejected = self.rejections(table, self.record("4", Version=2))
        self.assertEqual(3, rejected[0]["ExistingVersion"])

    def test_3_1_measure_name_of_the_record_wins(self):
        table = self.make_table()
        self.put(table, self.record(name="own"), common={"MeasureName": "shared"})
        self.assertEqual([("own",)], self.stored(table, "measure_name"))

    def test_3_1_measure_value_of_the_record_wins(self):
        table = self.make_table()
        self.put(table, self.record("1"), self.record(None, time=self.NOW + 1), common={"MeasureValue": "9"})
        self.assertEqual(["1.0", "9.0"], self.doubles(table))

    def test_3_1_measure_value_type_of_the_record_wins(self):
        table = self.make_table()
        self.put(table, self.record("1", MeasureValueType="BIGINT"), common={"MeasureValueType": "VARCHAR"})
        self.assertEqual([("1",)], self.stored(table, "measure_value::bigint"))

    def test_3_1_time_of_the_record_wins(self):
        table = self.make_table()
        self.put(table, self.record(), common={"Time": str(self.NOW - 5000)})
        self.assertEqual([(timestamp(self.NOW * 1_000_000),)], self.stored(table, "time"))

    def test_3_1_time_unit_of_the_record_wins(self):
        table = self.make_table()
        self.put(table, self.record(time=self.NOW // 1000, TimeUnit="SECONDS"), common={"TimeUnit": "NANOSECONDS"})
        self.assertEqual([(timestamp(self.NOW // 1000 * 1_000_000_000),)], self.stored(table, "time"))

    def test_3_1_version_of_the_record_wins(self):
        table = self.make_table()
        self.put(table, self.record("1", Version=5), common={"Version": 9})
        self.put(table, self.record("2", Version=6))
        self.assertEqual(["2.0"], self.doubles(table))

    def test_3_1_version_may_be_common(self):
        table = self.make_table()
        self.put(table, self.record("1"), common={"Version": 9})
        self.assertEqual(9, self.rejections(table, self.record("2", Version=8))[0]["ExistingVersion"])

    def test_3_1_measure_values_are_merged(self):
        table = self.make_table()
        self.put(table, self.multi([("b", "2", "BIGINT")]),
                 common={"MeasureValues": [{"Name": "a", "Value": "1", "Type": "DOUBLE"}]})
        self.assertEqual([("1.0", "2")], self.stored(table, "a, b"))

    def test_3_1_overlapping_measure_values_are_refused(self):
        self.refused_whole(self.make_table(), self.multi([("a", "2", "DOUBLE")]),
                           common={"MeasureValues": [{"Name": "a", "Value": "1", "Type": "DOUBLE"}]})

    def test_3_1_time_name_and_value_must_be_there_after_the_merge(self):
        table = self.make_table()
        for member in ("Time", "MeasureName", "MeasureValue"):
            with self.subTest(member=member):
                self.refused_whole(table, self.record(**{member: None}))
                self.refused_whole(table, self.record(**{member: None}), common={})

    def test_3_1_a_record_without_dimensions_is_stored(self):
        table = self.make_table()
        self.put(table, self.record("1", dimensions=()), self.record("2", name="n", Dimensions=None))
        self.assertEqual([("m", "1.0"), ("n", "2.0")],
                         self.stored(table, "measure_name, measure_value::double", "measure_name"))


class MeasureTypes(WriteCase):
    def check(self, type, accepted, refused, value_column):
        """Each accepted (text, printed) is stored so; each refused text refuses the request."""
        table = self.make_table()
        for position, (text, _) in enumerate(accepted):
            self.put(table, self.record(text, time=self.NOW - 1000 + position, MeasureValueType=type))
        self.assertEqual([printed for _, printed in accepted],
                         [row[0] for row in self.stored(table, value_column)])
        for text in refused:
            with self.subTest(type=type, refused=text[:40]):
                self.refused_whole(table, self.record(text, name="other", MeasureValueType=type))

    def test_3_2_double(self):
        self.check("DOUBLE",
                   [("1", "1.0"), ("-1.5", "-1.5"), ("0", "0.0"), ("-0.0", "-0.0"), ("1e3", "1000.0"),
                    ("1E-5", "1.0E-5"), ("12345678.9", "1.23456789E7"), ("1.7976931348623157e308", "1.7976931348623157E308"),
                    ("2.2250738585072014e-308", "2.2250738585072014E-308"), ("0.1", "0.1"), ("34.840635191284385", "34.840635191284385"),
                    ("9007199254740993", "9.007199254740992E15"), ("9007199254740995", "9.007199254740996E15")],
                   ["NaN", "nan", "Infinity", "-Infinity", "inf", "", "1e400", "-1e400", "abc", "1.2.3", "0x10", "1 ",
                    "1,5", "--1", "1e"],
                   "measure_value::double")

    def test_3_2_double_is_the_default_type(self):
        table = self.make_table()
        self.put(table, self.record("3", MeasureValueType=None))
        self.assertEqual(["3.0"], self.doubles(table))

    def test_3_2_bigint(self):
        self.check("BIGINT",
                   [("0", "0"), ("-1", "-1"), ("+7", "7"), ("9223372036854775807", "9223372036854775807"),
                    ("-9223372036854775808", "-9223372036854775808"), ("007", "7")],
                   ["9223372036854775808", "-9223372036854775809", "1.0", "1e3", "", "abc", " 1", "1_000"],
                   "measure_value::bigint")

    def test_3_2_varchar(self):
        self.check("VARCHAR",
                   [("text", "text"), (" blank ", " blank "), ("Grüße 雪 🌊", "Grüße 雪 🌊"), ("x" * 1900, "x" * 1900),
                    ("quote\" back\\ tab\t line\n nul\u0001", "quote\" back\\ tab\t line\n nul\u0001"), ("NULL", "NULL")],
                   ["", "x" * 2049], "measure_value::varchar")

    def test_3_2_varchar_of_2048_bytes_in_a_multi_record(self):
        table = self.make_table()
        self.put(table, self.multi([("text", "y" * 2048, "VARCHAR")]))
        self.assertEqual([("y" * 2048,)], self.stored(table, "text"))
        self.refused_whole(table, self.multi([("text", "y" * 2049, "VARCHAR")]))
        self.refused_whole(table, self.multi([("text", "ü" * 1025, "VARCHAR")]))

    def test_3_2_boolean(self):
        self.check("BOOLEAN",
                   [("true", "true"), ("false", "false"), ("TRUE", "true"), ("False", "false")],
                   ["1", "0", "yes", "t", "", "truee"], "measure_value::boolean")

    def test_3_2_timestamp_is_no_scalar_type(self):
        text = self.refused_whole(self.make_table(), self.record("1", MeasureValueType="TIMESTAMP"))
        self.assertIn("TIMESTAMP is an invalid measure value type", text)

    def test_3_2_timestamp_attribute_is_in_the_unit_of_the_record(self):
        table = self.make_table()
        for position, (unit, per_second) in enumerate((("SECONDS", 1), ("MILLISECONDS", 10 ** 3),
                                                       ("MICROSECONDS", 10 ** 6), ("NANOSECONDS", 10 ** 9))):
            time = (self.NOW // 1000 + position) * per_second
            self.put(table, self.multi([("at", str(1_600_000_000 * per_second), "TIMESTAMP")], time, TimeUnit=unit))
        self.assertEqual([("2020-09-13 12:26:40.000000000",)] * 4, self.stored(table, "at"))

    def test_3_2_timestamp_attribute_range(self):
        table = self.make_table()
        now = self.NOW * 1_000_000
        self.put(table, self.multi([("at", "0", "TIMESTAMP")], now, TimeUnit="NANOSECONDS"),
                 self.multi([("at", "9223372036854775807", "TIMESTAMP")], now + 1, TimeUnit="NANOSECONDS"))
        self.assertEqual([("1970-01-01 00:00:00.000000000",), ("2262-04-11 23:47:16.854775807",)],
                         self.stored(table, "at"))
        for text in ("-1", "9223372036854775808", "1.5", "2020-01-01", ""):
            with self.subTest(text=text):
                self.refused_whole(table, self.multi([("at", text, "TIMESTAMP")], now, TimeUnit="NANOSECONDS"))
        self.refused_whole(table, self.multi([("at", "9223372037", "TIMESTAMP")], self.NOW // 1000, TimeUnit="SECONDS"))

    def test_3_2_multi_has_a_column_for_each_name(self):
        table = self.make_table()
        self.put(table, self.multi([("d", "1.5", "DOUBLE"), ("i", "2", "BIGINT"), ("v", "x", "VARCHAR"),
                                    ("b", "true", "BOOLEAN"), ("t", str(self.NOW), "TIMESTAMP")]))
        self.assertEqual([("1.5", "2", "x", "true", timestamp(self.NOW * 1_000_000))],
                         self.stored(table, "d, i, v, b, t"))

    def test_3_2_multi_takes_no_measure_value(self):
        self.refused_whole(self.make_table(), self.multi([("a", "1", "DOUBLE")], MeasureValue="1"))

    def test_3_2_multi_needs_measure_values(self):
        table = self.make_table()
        self.refused_whole(table, self.multi([]))
        self.refused_whole(table, self.record(None, MeasureValueType="MULTI"))
        self.refused_whole(table, self.record("1", MeasureValueType="MULTI"))

    def test_3_2_multi_within_multi_is_refused(self):
        self.refused_whole(self.make_table(), self.multi([("a", "1", "MULTI")]))

    def test_3_2_a_scalar_takes_no_measure_values(self):
        self.refused_whole(self.make_table(), self.multi([("a", "1", "DOUBLE")], MeasureValueType="DOUBLE"))

    def test_3_2_one_attribute_name_twice_is_refused(self):
        self.refused_whole(self.make_table(), self.multi([("a", "1", "DOUBLE"), ("a", "1", "DOUBLE")]))

    def test_3_2_unknown_types_have_the_framework_text(self):
        text = self.refused_whole(self.make_table(), self.record("1", MeasureValueType="FLOAT"))
        self.assertRegex(text, r"at 'records\.\d\.member\.measureValueType' failed to satisfy constraint: "
                               r"Member must satisfy enum value set: \[")

    def test_3_2_a_measure_that_is_not_given_is_null(self):
        table = self.make_table()
        self.put(table, self.multi([("a", "1", "DOUBLE")]), self.multi([("b", "2", "DOUBLE")], self.NOW + 1))
        self.assertEqual([("1.0", None), (None, "2.0")], self.stored(table, "a, b"))

    def test_3_2_query_side_type_names(self):
        table = self.make_table()
        self.put(table, self.record("1", name="d"), self.record("1", name="i", MeasureValueType="BIGINT"),
                 self.record("x", name="v", MeasureValueType="VARCHAR"),
                 self.record("true", name="b", MeasureValueType="BOOLEAN"),
                 self.multi([("t", "1", "TIMESTAMP")], name="multi"))
        types = {row[0]: row[1] for row in self.rows(f'DESCRIBE "{self.DATABASE}"."{table}"')}
        self.assertEqual({"host": "varchar", "measure_name": "varchar", "time": "timestamp",
                          "measure_value::double": "double", "measure_value::bigint": "bigint",
                          "measure_value::varchar": "varchar", "measure_value::boolean": "boolean",
                          "t": "timestamp"}, types)


class Time(WriteCase):
    def test_3_3_units_down_to_nanoseconds(self):
        table = self.make_table()
        base = self.NOW // 1000 * 10 ** 9
        self.put(table, self.record("1", base // 10 ** 9, TimeUnit="SECONDS"),
                 self.record("2", base // 10 ** 6 + 1, TimeUnit="MILLISECONDS"),
                 self.record("3", base // 10 ** 3 + 2001, TimeUnit="MICROSECONDS"),
                 self.record("4", base + 3_000_001, TimeUnit="NANOSECONDS"),
                 self.record("5", base // 10 ** 6 + 4))
        self.assertEqual([(timestamp(base + ns), value) for ns, value in
                          ((0, "1.0"), (1_000_000, "2.0"), (2_001_000, "3.0"), (3_000_001, "4.0"), (4_000_000, "5.0"))],
                         self.stored(table, "time, measure_value::double"))

    def test_3_3_one_instant_in_two_units_is_one_record(self):
        table = self.make_table()
        seconds = self.NOW // 1000
        self.put(table, self.record("1", seconds, TimeUnit="SECONDS"))
        self.put(table, self.record("1", seconds * 10 ** 9, TimeUnit="NANOSECONDS"))
        self.assertEqual(1, self.count(table))

    def test_3_3_invalid_text_and_overflow_refuse_the_request(self):
        table = self.make_table()
        for text, unit in (("abc", "SECONDS"), ("1.5", "SECONDS"), (" 1", "SECONDS"), ("1e9", "SECONDS"),
                           ("9223372036854775808", "NANOSECONDS"), ("9223372037", "SECONDS"),
                           ("99999999999999999999999", "MILLISECONDS"), ("-", "SECONDS")):
            with self.subTest(text=text):
                self.assertEqual("Invalid time for record.",
                                 self.refused_whole(table, self.record(time=text, TimeUnit=unit)))

    def test_3_3_length_is_1_to_256(self):
        table = self.make_table()
        for text in ("", "1" * 257):
            self.assertIn("Member must have length", self.refused_whole(table, self.record(time=text)))

    def test_3_3_before_1970_is_rejected(self):
        for table, days in ((self.make_table(), None), (self.make_table(magnetic_writes=True), 73_000)):
            with self.subTest(days=days):
                if days:
                    self.write.update_table(DatabaseName=self.DATABASE, TableName=table, RetentionProperties={
                        "MemoryStoreRetentionPeriodInHours": 1, "MagneticStoreRetentionPeriodInDays": days})
                rejected = self.rejections(table, self.record(time="-1"), self.record())
                self.assertEqual([0], list(rejected))
                self.assertIn("Invalid time for record." if days else "outside the time range", rejected[0]["Reason"])

    def test_3_3_unknown_unit_has_the_framework_text(self):
        text = self.refused_whole(self.make_table(), self.record(TimeUnit="MINUTES"))
        self.assertIn("'MINUTES' at 'records.", text)
        self.assertIn("Member must satisfy enum value set: [", text)

    def test_3_3_up_to_15_minutes_ahead(self):
        table = self.make_table()
        now = now_ms()
        self.put(table, self.record(time=now + 14 * MINUTE_MS + 30_000))
        rejected = self.rejections(table, self.record(time=now + 16 * MINUTE_MS))
        self.assertRegex(rejected[0]["Reason"], "^The record timestamp is outside the time range ")
        self.assertEqual(1, self.count(table))


class Routing(WriteCase):
    WINDOW = re.compile(r"^The record timestamp is outside the time range \[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z), "
                        r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\) of the (memory store|data ingestion window)\.$")

    def window(self, table, time):
        """(lower, upper, store) of the rejection of a record at `time`; milliseconds."""
        rejected = self.rejections(table, self.record(time=time))
        self.assertEqual([0], list(rejected))
        self.assertNotIn("ExistingVersion", rejected[0])
        match = self.WINDOW.match(rejected[0]["Reason"])
        self.assertTrue(match, rejected[0]["Reason"])

        def ms(text):
            moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
            return round(moment.timestamp() * 1000)
        return ms(match[1]), ms(match[2]), match[3]

    def test_3_4_within_memory_goes_to_the_memory_store(self):
        for magnetic in (False, True):
            table = self.make_table(memory_hours=2, magnetic_days=1, magnetic_writes=magnetic)
            self.assertEqual({"Total": 2, "MemoryStore": 2, "MagneticStore": 0},
                             self.put(table, self.record(), self.record(time=self.NOW - 2 * HOUR_MS)))

    def test_3_4_older_than_memory_goes_to_the_magnetic_store(self):
        table = self.make_table(memory_hours=1, magnetic_days=10, magnetic_writes=True)
        self.assertEqual({"Total": 2, "MemoryStore": 1, "MagneticStore": 1},
                         self.put(table, self.record(), self.record("2", self.NOW - 5 * DAY_MS)))
        self.assertEqual(["2.0", "1.0"], self.doubles(table))

    def test_3_4_older_than_memory_without_magnetic_writes_is_rejected(self):
        table = self.make_table(memory_hours=12, magnetic_days=10)
        now = now_ms()
        lower, upper, store = self.window(table, now - DAY_MS)
        self.assertEqual("memory store", store)
        self.assertEqual(12 * HOUR_MS + 40 * MINUTE_MS, upper - lower)
        self.assertAlmostEqual(now + 15 * MINUTE_MS, upper, delta=30_000)
        self.assertEqual(0, self.count(table))

    def test_3_4_older_than_both_is_rejected(self):
        table = self.make_table(memory_hours=12, magnetic_days=5, magnetic_writes=True)
        now = now_ms()
        lower, upper, store = self.window(table, now - 7 * DAY_MS)
        self.assertEqual("data ingestion window", store)
        self.assertEqual(5 * DAY_MS + 12 * HOUR_MS + 40 * MINUTE_MS, upper - lower)
        table = self.make_table(memory_hours=12, magnetic_days=5)
        self.assertEqual("memory store", self.window(table, now - 7 * DAY_MS)[2])

    def test_3_4_ahead_of_the_window_is_rejected_with_the_text_of_the_table(self):
        ahead = now_ms() + HOUR_MS
        self.assertEqual("memory store", self.window(self.make_table(), ahead)[2])
        self.assertEqual("data ingestion window", self.window(self.make_table(magnetic_writes=True, magnetic_days=1), ahead)[2])

    def test_3_4_window_is_half_open(self):
        table = self.make_table(memory_hours=1)
        lower, upper, _ = self.window(table, now_ms() - DAY_MS)
        # The window moves on with the clock, so only its upper end can be met exactly.
        self.put(table, self.record("1", upper - 1))
        self.assertEqual(1, self.count(table))

    def test_3_4_whole_history_since_1970_with_the_longest_retention(self):
        table = self.make_table(magnetic_writes=True)
        self.put(table, self.record("1", 0), self.record("2", 86_400_000))
        self.assertEqual([("1970-01-01 00:00:00.000000000", "1.0"), ("1970-01-02 00:00:00.000000000", "2.0")],
                         self.stored(table, "time, measure_value::double"))

    def test_3_4_retention_changes_apply_at_once(self):
        table = self.make_table(memory_hours=1)
        old = self.record("1", self.NOW - 5 * HOUR_MS)
        self.rejections(table, old)
        self.write.update_table(DatabaseName=self.DATABASE, TableName=table, RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": 24, "MagneticStoreRetentionPeriodInDays": 1})
        self.put(table, old)
        self.write.update_table(DatabaseName=self.DATABASE, TableName=table, RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": 1, "MagneticStoreRetentionPeriodInDays": 1})
        self.rejections(table, self.record("1", self.NOW - 5 * HOUR_MS + 1))
        self.assertEqual(["1.0"], self.doubles(table))  # it has become magnetic, it is not gone

    def test_3_4_turning_magnetic_writes_on_applies_at_once(self):
        table = self.make_table(memory_hours=1)
        old = self.record("1", self.NOW - 5 * DAY_MS)
        self.rejections(table, old)
        self.write.update_table(DatabaseName=self.DATABASE, TableName=table,
                                MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True})
        self.assertEqual(1, self.put(table, old)["MagneticStore"])


class Versions(WriteCase):
    def test_3_5_new_record_with_any_version_is_stored(self):
        table = self.make_table()
        for position, version in enumerate((1, 2, 1_700_000_000_000, 2 ** 63 - 1)):
            self.put(table, self.record(str(position), self.NOW + position, Version=version))
        self.assertEqual(4, self.count(table))

    def test_3_5_same_version_same_value_is_accepted(self):
        table = self.make_table()
        for _ in range(3):
            self.assertEqual(1, self.put(table, self.record("5"))["Total"])
        self.assertEqual(["5.0"], self.doubles(table))

    def test_3_5_same_version_other_value_is_rejected(self):
        table = self.make_table()
        self.put(table, self.record("5", Version=3))
        rejected = self.rejections(table, self.record("6", Version=3))
        self.assertEqual({0: {"RecordIndex": 0, "Reason": DUPLICATE}}, rejected)
        self.assertEqual(["5.0"], self.doubles(table))

    def test_3_5_lower_version_is_rejected_and_tells_the_existing(self):
        table = self.make_table()
        self.put(table, self.record("5", Version=200))
        for value in ("5", "6"):
            self.assertEqual({0: {"RecordIndex": 0, "ExistingVersion": 200, "Reason":
                                  "The record version 2 is lower than the existing version 200. A higher version is "
                                  "required to update the measure value."}},
                             self.rejections(table, self.record(value, Version=2)))
        self.assertEqual(["5.0"], self.doubles(table))

    def test_3_5_higher_version_same_value_raises_the_version(self):
        table = self.make_table()
        self.put(table, self.record("5", Version=1))
        self.put(table, self.record("5", Version=7))
        self.assertEqual(7, self.rejections(table, self.record("6", Version=6))[0]["ExistingVersion"])
        self.assertEqual(["5.0"], self.doubles(table))

    def test_3_5_higher_version_other_value_replaces(self):
        table = self.make_table()
        self.put(table, self.record("5", Version=1))
        self.put(table, self.record("6", Version=2))
        self.assertEqual(["6.0"], self.doubles(table))
        self.assertEqual(2, self.rejections(table, self.record("7", Version=1))[0]["ExistingVersion"])

    def test_3_5_of_two_in_one_request_the_first_wins(self):
        table = self.make_table()
        self.assertEqual([1], list(self.rejections(table, self.record("1"), self.record("2"))))
        self.assertEqual(["1.0"], self.doubles(table))

    def test_3_5_equal_records_in_one_request_are_all_accepted(self):
        table = self.make_table()
        self.assertEqual(2, self.put(table, self.record("1"), self.record("1"))["Total"])
        self.assertEqual(["1.0"], self.doubles(table))

    def test_3_5_rising_versions_in_one_request(self):
        table = self.make_table()
        self.put(table, self.record("1", Version=1), self.record("2", Version=2), self.record("3", Version=3))
        self.assertEqual(["3.0"], self.doubles(table))
        self.assertEqual([1], list(self.rejections(table, self.record("9", self.NOW + 1, Version=9),
                                                   self.record("8", self.NOW + 1, Version=8))))

    def test_3_5_version_below_1_refuses_the_request(self):
        table = self.make_table()
        for version in (0, -1, -2 ** 63):
            self.refused_whole(table, self.record(Version=version))
            self.refused_whole(table, self.record(), common={"Version": version})

    def test_3_5_default_version_is_1(self):
        table = self.make_table()
        self.put(table, self.record("1"))
        self.put(table, self.record("1", Version=1))
        self.assertEqual([0], list(self.rejections(table, self.record("2", Version=1))))
        self.put(table, self.record("2", Version=2))
        self.assertEqual(1, len(self.doubles(table)))

    def test_3_5_identity_is_dimensions_time_and_measure_name(self):
        table = self.make_table()
        self.put(table, self.record("1"), self.record("2", self.NOW + 1), self.record("3", name="n"),
                 self.record("4", dimensions=[("host", "b")]), self.record("5", dimensions=[("server", "a")]),
                 self.record("6", dimensions=[("host", "a"), ("rack", "1")]), self.record("7", dimensions=()))
        self.assertEqual(7, self.count(table))

    def test_3_5_order_of_dimensions_does_not_matter(self):
        table = self.make_table()
        self.put(table, self.record("1", dimensions=[("a", "1"), ("b", "2")]))
        self.put(table, self.record("2", dimensions=[("b", "2"), ("a", "1")], Version=2))
        self.assertEqual(["2.0"], self.doubles(table))

    def test_3_5_names_and_values_of_dimensions_do_not_run_together(self):
        table = self.make_table()
        self.put(table, self.record("1", dimensions=[("a", "bc")]), self.record("2", dimensions=[("ab", "c")]),
                 self.record("3", dimensions=[("a", "b"), ("c", "d")]), self.record("4", dimensions=[("a", "bcd")]))
        self.assertEqual(4, self.count(table))

    def test_3_5_multi_same_version_same_values_is_accepted_in_any_order(self):
        table = self.make_table()
        values = [("a", "1", "DOUBLE"), ("b", "x", "VARCHAR")]
        self.put(table, self.multi(values))
        self.put(table, self.multi(values[::-1]))
        self.assertEqual([("1.0", "x")], self.stored(table, "a, b"))

    def test_3_5_multi_other_measures_with_the_same_version_are_rejected(self):
        table = self.make_table()
        self.put(table, self.multi([("a", "1", "DOUBLE"), ("b", "x", "VARCHAR")]))
        for values in ([("a", "2", "DOUBLE"), ("b", "x", "VARCHAR")], [("a", "1", "DOUBLE")],
                       [("a", "1", "DOUBLE"), ("b", "x", "VARCHAR"), ("c", "1", "DOUBLE")]):
            self.assertEqual({0: {"RecordIndex": 0, "Reason": DUPLICATE}}, self.rejections(table, self.multi(values)))
        self.assertEqual([("1.0", "x")], self.stored(table, "a, b"))

    def test_3_5_multi_upsert_replaces_the_whole_set(self):
        table = self.make_table()
        self.put(table, self.multi([("a", "1", "DOUBLE"), ("b", "x", "VARCHAR")]))
        self.put(table, self.multi([("a", "2", "DOUBLE"), ("c", "3", "BIGINT")], Version=2))
        self.assertEqual([("2.0", None, "3")], self.stored(table, "a, b, c"))

    def test_3_5_upserts_of_many_records_at_once(self):
        table = self.make_table()
        for version in (1, 2, 3):
            self.put(table, *(self.record(str(i * version), self.NOW - i, Version=version) for i in range(100)))
        self.assertEqual([f"{i * 3}.0" for i in reversed(range(100))], self.doubles(table))

    def test_3_5_upserts_in_the_magnetic_store(self):
        table = self.make_table(memory_hours=1, magnetic_writes=True)
        old = self.NOW - 40 * DAY_MS
        self.put(table, self.record("1", old))
        self.put(table, self.record("2", old, Version=2))
        self.assertEqual(["2.0"], self.doubles(table))

    def test_3_5_a_lost_answer_may_be_repeated(self):
        table = self.make_table()
        batch = [self.record(str(i), self.NOW - i, dimensions=[("host", f"h{i % 7}")]) for i in range(100)]
        for _ in range(2):
            self.assertEqual(100, self.put(table, *batch)["Total"])
        self.assertEqual(100, self.count(table))


class Rejections(WriteCase):
    def test_3_6_the_good_records_are_stored(self):
        table = self.make_table()
        self.put(table, self.record("1", Version=9))
        rejected = self.rejections(table, self.record("2", self.NOW + 1), self.record("3", Version=1),
                                   self.record("4", self.NOW + 2), self.record("5", self.NOW - 30 * DAY_MS),
                                   self.record("6", Version=9), self.record("7", self.NOW + 3))
        self.assertEqual([1, 3, 4], list(rejected))
        self.assertEqual({1: 9}, {i: r["ExistingVersion"] for i, r in rejected.items() if "ExistingVersion" in r})
        self.assertEqual(["1.0", "2.0", "4.0", "7.0"], self.doubles(table))

    def test_3_12_what_refuses_the_request_comes_before_what_rejects_the_record(self):
        twice = (("host", "a"), ("host", "b"))
        for name, record in (
                ("reserved attribute", self.multi([("time", "1", "DOUBLE")], dimensions=twice)),
                ("reserved, then doubled", self.multi([(n, "1", "DOUBLE") for n in ("time", "a", "a")])),
                ("257 attributes", self.multi([(f"a{i}", "1", "DOUBLE") for i in range(257)], dimensions=twice)),
                ("257, two of one name", self.multi([(f"a{i % 256}", "1", "DOUBLE") for i in range(257)])),
                ("long name", self.multi([("a" * 257, "1", "DOUBLE")], dimensions=twice)),
                ("reserved dimension", self.record(dimensions=(("time", "a"), ("b", "c"), ("b", "d"))))):
            with self.subTest(name):
                table = self.make_table()
                self.refused_whole(table, self.record(), record)
                self.assertEqual([], self.doubles(table))

    def test_3_6_all_records_may_be_rejected(self):
        table = self.make_table()
        old = [self.record(time=self.NOW - 30 * DAY_MS - i) for i in range(100)]
        self.assertEqual(list(range(100)), list(self.rejections(table, *old)))
        self.assertEqual(0, self.count(table))

    def test_3_6_body_as_on_the_wire(self):
        table = self.make_table()
        self.put(table, self.record("1", Version=2))
        status, headers, body, _ = self.server.call("WriteRecords", {
            "DatabaseName": self.DATABASE, "TableName": table, "Records": [self.record("2", Version=1)]})
        self.assertEqual(419, status)
        self.assertEqual("com.amazonaws.timestream.v20181101#RejectedRecordsException", body["__type"])
        self.assertEqual("One or more records have been rejected. See RejectedRecords for details.", body["message"])
        self.assertEqual(body["message"], body["Message"])
        self.assertEqual("RejectedRecordsException", headers["x-amzn-ErrorType"])
        self.assertEqual([{"RecordIndex": 0, "ExistingVersion": 2, "Reason":
                           "The record version 1 is lower than the existing version 2. A higher version is required "
                           "to update the measure value."}], body["RejectedRecords"])
        self.assertNotIn("RecordsIngested", body)

    def test_3_7_success_on_the_wire(self):
        table = self.make_table()
        status, _, body, _ = self.server.call("WriteRecords", {
            "DatabaseName": self.DATABASE, "TableName": table,
            "Records": [self.record("1"), self.record("2", self.NOW + 1)]})
        self.assertEqual((200, {"RecordsIngested": {"MagneticStore": 0, "MemoryStore": 2, "Total": 2}}), (status, body))


class Names(WriteCase):
    def both_rejected(self, *records):
        """Each record is rejected alone, while a good one beside it is stored."""
        for record in records:
            with self.subTest(record=str(record)[:120]):
                table = self.make_table()
                self.assertEqual([0], list(self.rejections(table, record, self.record("1", name="good"))))
                self.assertEqual(1, self.count(table))

    def test_3_9_dimension_names_of_1_to_60_bytes(self):
        table = self.make_table()
        self.put(table, self.record(dimensions=[("d" * 60, "x"), ("é" * 30, "y"), ("1 with blanks!", "z")]))
        self.both_rejected(self.record(dimensions=[("d" * 61, "x")]), self.record(dimensions=[("é" * 31, "x")]))
        self.refused_whole(table, self.record(dimensions=[("", "x")]))

    def test_3_9_measure_names_of_1_to_256_bytes(self):
        table = self.make_table()
        self.put(table, self.record(name="m" * 256), self.multi([("a" * 256, "1", "DOUBLE")]))
        self.both_rejected(self.record(name="m" * 257), self.multi([("a" * 257, "1", "DOUBLE")]),
                           self.multi([("a", "1", "DOUBLE")], name="m" * 257))
        self.refused_whole(table, self.record(name=""))
        self.refused_whole(table, self.multi([("", "1", "DOUBLE")]))

    def test_3_9_reserved_names_are_rejected(self):
        for name in ("time", "measure_name", "measure_value", "ts_non_existent_col", "ts_mine", "measure_value::double",
                     "measure_name_mine"):
            self.both_rejected(self.record(dimensions=[(name, "x")]), self.record(name=name),
                               self.multi([(name, "1", "DOUBLE")]))

    def test_3_9_reserved_names_are_case_sensitive(self):
        table = self.make_table()
        self.put(table, self.record(name="Time", dimensions=[("TS_x", "1"), ("Measure_Name", "2")]))
        self.assertEqual(1, self.count(table))

    def test_3_9_forbidden_characters(self):
        self.both_rejected(self.record(name="a:b"), self.multi([("a:b", "1", "DOUBLE")]),
                           *(self.record(dimensions=[(name, "x")])
                             for name in ("a:b", 'a"b', "a\u0000b", "a\tb", "a\u001fb", "a\u2028b", "a\u2029b")))

    def test_3_9_other_characters_are_fine(self):
        table = self.make_table()
        names = ["select", "with space", "punct.-/\\'(){}[]", "雪", "🌊"]
        self.put(table, self.record(name='m "quoted"', dimensions=[(name, "v") for name in names]))
        columns = ", ".join(f'"{name}"' for name in names)
        self.assertEqual([("v",) * len(names) + ('m "quoted"',)], self.stored(table, f"{columns}, measure_name"))

    def test_3_9_names_are_case_sensitive(self):
        table = self.make_table()
        self.put(table, self.record(dimensions=[("Host", "1"), ("host", "2")]))
        self.assertEqual([("1", "2")], self.stored(table, '"Host", "host"'))

    def test_3_9_name_and_value_of_all_dimensions_within_2_kb(self):
        table = self.make_table()
        self.put(table, self.record(dimensions=[("d", "v" * 1900)]))
        self.both_rejected(self.record(dimensions=[("d", "v" * 2048)]),
                           self.record(dimensions=[(f"d{i}", "v" * 1100) for i in range(2)]))

    def test_3_9_a_refused_record_leaves_the_next_untouched(self):
        table = self.make_table()
        rejected = self.rejections(table, self.record("1"), self.record("2", dimensions=[("d", "v" * 2048)]),
                                   self.record("3", self.NOW + 1), self.record("4", dimensions=[("time", "x")]),
                                   self.record("5", self.NOW + 2))
        self.assertEqual([1, 3], list(rejected))
        self.assertEqual([("a", "1.0"), ("a", "3.0"), ("a", "5.0")],
                         self.stored(table, "host, measure_value::double"))
        self.assertEqual(["host"], [row[0] for row in self.rows(f'DESCRIBE "{self.DATABASE}"."{table}"')
                                    if row[2] == "DIMENSION"])

    def test_3_9_a_column_is_a_dimension_or_a_measure(self):
        table = self.make_table()
        self.put(table, self.multi([("attribute", "1", "DOUBLE")], dimensions=[("place", "x")]))
        self.assertEqual([0], list(self.rejections(table, self.multi([("place", "1", "DOUBLE")], self.NOW + 1))))
        self.assertEqual([0], list(self.rejections(table, self.record(dimensions=[("attribute", "x")]))))
        self.assertEqual(1, self.count(table))


class Schema(WriteCase):
    def columns(self, table):
        return [row[0] for row in self.rows(f'DESCRIBE "{self.DATABASE}"."{table}"')]

    def test_3_10_single_measures_appear_once_used(self):
        table = self.make_table()
        self.put(table, self.record())
        self.assertEqual({"host", "measure_name", "time", "measure_value::double"}, set(self.columns(table)))
        self.put(table, self.record("1", name="count", MeasureValueType="BIGINT"))
        self.assertEqual({"host", "measure_name", "time", "measure_value::double", "measure_value::bigint"},
                         set(self.columns(table)))

    def test_3_10_multi_has_a_column_per_attribute(self):
        table = self.make_table()
        self.put(table, self.multi([("a", "1", "DOUBLE"), ("b", "1", "BIGINT")]))
        self.assertEqual({"host", "measure_name", "time", "a", "b"}, set(self.columns(table)))

    def test_3_10_both_kinds_in_one_table(self):
        table = self.make_table()
        self.put(table, self.record(name="single"), self.multi([("a", "1", "DOUBLE")], name="many"))
        self.assertEqual({"host", "measure_name", "time", "measure_value::double", "a"}, set(self.columns(table)))
        self.assertEqual([("many", None, "1.0"), ("single", "1.0", None)],
                         self.stored(table, "measure_name, measure_value::double, a", "measure_name"))

    def test_3_10_new_dimensions_and_attributes_widen_the_table(self):
        table = self.make_table()
        self.put(table, self.multi([("a", "1", "DOUBLE")]))
        self.put(table, self.multi([("a", "2", "DOUBLE"), ("b", "x", "VARCHAR")], self.NOW + 1,
                                   dimensions=[("host", "a"), ("rack", "r1")]))
        self.assertEqual([(None, "1.0", None), ("r1", "2.0", "x")], self.stored(table, "rack, a, b"))

    def test_3_10_a_measure_name_keeps_its_type(self):
        table = self.make_table()
        self.put(table, self.record("1", name="m"))
        for record in (self.record("1", self.NOW + 1, MeasureValueType="BIGINT"),
                       self.record("x", self.NOW + 1, MeasureValueType="VARCHAR"),
                       self.multi([("a", "1", "DOUBLE")], self.NOW + 1)):
            self.assertEqual([0], list(self.rejections(table, record, self.record("2", self.NOW + 2))))
        self.assertEqual(["1.0", "2.0"], self.doubles(table))

    def test_3_10_a_measure_name_of_multi_records_stays_multi(self):
        table = self.make_table()
        self.put(table, self.multi([("a", "1", "DOUBLE")]))
        self.assertEqual([0], list(self.rejections(table, self.record("1", self.NOW + 1))))

    def test_3_10_an_attribute_keeps_its_type_in_all_measure_names(self):
        table = self.make_table()
        self.put(table, self.multi([("a", "1", "DOUBLE")], name="m1"))
        self.assertEqual([0], list(self.rejections(table, self.multi([("a", "1", "BIGINT")], name="m2"))))
        self.put(table, self.multi([("a", "2", "DOUBLE")], name="m2"))
        self.assertEqual(2, self.count(table))

    def test_3_10_a_rejected_record_adds_no_column(self):
        table = self.make_table()
        self.put(table, self.multi([("a", "1", "DOUBLE")]))
        self.rejections(table, self.multi([("fresh", "1", "DOUBLE"), ("a", "1", "VARCHAR")], self.NOW + 1))
        self.assertNotIn("fresh", self.columns(table))

    def test_3_10_types_conflicting_within_one_request(self):
        table = self.make_table()
        self.assertEqual([1], list(self.rejections(table, self.record("1"), self.record(
            "1", self.NOW + 1, MeasureValueType="BIGINT"))))
        self.assertEqual(1, self.count(table))

    def test_3_10_dimensions_are_varchar(self):
        table = self.make_table()
        self.put(table, self.record(Dimensions=[{"Name": "d", "Value": "12", "DimensionValueType": "VARCHAR"}]))
        self.assertIn(("d", "varchar", "DIMENSION"), self.rows(f'DESCRIBE "{self.DATABASE}"."{table}"'))
        text = self.refused_whole(table, self.record(
            Dimensions=[{"Name": "d", "Value": "12", "DimensionValueType": "BIGINT"}]))
        self.assertRegex(text, r"Value 'BIGINT' at 'records\.\d\.member\.dimensions\.1\.member\.dimensionValueType' failed "
                               r"to satisfy constraint: Member must satisfy enum value set: \[VARCHAR\]")


class Limits(WriteCase):
    def test_3_11_1_to_100_records(self):
        table = self.make_table()
        records = [self.record(str(i), self.NOW - i) for i in range(101)]
        self.assertEqual(100, self.put(table, *records[:100])["Total"])
        self.assertIn("at 'records' failed to satisfy constraint: Member must have length less than or equal to 100",
                      self.refused_whole(table, *records))
        self.refused_whole(table)

    def test_3_11_128_dimensions_in_a_record(self):
        table = self.make_table()
        self.put(table, self.record(dimensions=[(f"d{i}", "v") for i in range(128)]))
        self.assertEqual(1, self.count(table))
        self.assertIn("Member must have length less than or equal to 128", self.refused_whole(
            self.make_table(), self.record(dimensions=[(f"d{i}", "v") for i in range(129)])))

    def test_3_11_128_dimensions_with_the_common_ones(self):
        table = self.make_table()
        common = {"Dimensions": [{"Name": f"c{i}", "Value": "v"} for i in range(100)]}
        with self.assertRaises(self.write.exceptions.ClientError):
            self.put(table, self.record(dimensions=[(f"d{i}", "v") for i in range(29)]), common=common)
        self.put(table, self.record(dimensions=[(f"d{i}", "v") for i in range(28)]), common=common)
        self.assertEqual(1, self.count(table))

    def test_3_11_128_dimensions_in_a_table(self):
        table = self.make_table()
        self.put(table, self.record(dimensions=[(f"d{i}", "v") for i in range(128)]))
        self.assertEqual([0], list(self.rejections(table, self.record(dimensions=[("one_more", "v")]), self.record(
            "2", dimensions=[("d5", "v")]))))
        self.assertEqual(2, self.count(table))

    def test_3_11_8192_measure_names_in_a_table(self):
        table = self.make_table()
        for first in range(0, 8192, 100):
            self.put(table, *(self.record("1", name=f"m{i}") for i in range(first, min(8192, first + 100))))
        self.assertEqual(8192, self.count(table))
        self.assertEqual([0], list(self.rejections(table, self.record(name="one_more"),
                                                   self.record("2", self.NOW + 1, name="m5"))))

    def test_3_11_256_attributes_in_a_record(self):
        table = self.make_table()
        self.put(table, self.multi([(f"a{i}", "1", "DOUBLE") for i in range(256)]))
        with self.assertRaises(self.write.exceptions.ClientError):
            self.put(table, self.multi([(f"a{i}", "1", "DOUBLE") for i in range(257)], self.NOW + 1))
        self.assertEqual(1, self.count(table))

    def test_3_11_1024_attributes_in_a_table(self):
        table = self.make_table()
        for first in range(0, 1024, 256):
            self.put(table, self.multi([(f"a{i}", str(i), "BIGINT") for i in range(first, first + 256)], self.NOW + first))
        self.assertEqual([0], list(self.rejections(table, self.multi([("one_more", "1", "BIGINT")], self.NOW + 1),
                                                   self.multi([("a5", "1", "BIGINT")], self.NOW + 2))))
        self.assertEqual([("1023",)], self.rows(f'SELECT max(a1023) FROM "{self.DATABASE}"."{table}"'))

    def test_3_11_value_of_an_attribute_within_2048_bytes(self):
        self.refused_whole(self.make_table(), self.multi([("v", "x" * 2049, "VARCHAR")]))

    def test_3_11_record_within_2_kb(self):
        table = self.make_table()
        record = self.record("x" * 1500, MeasureValueType="VARCHAR", dimensions=[("d", "v" * 1000)])
        self.assertEqual([0], list(self.rejections(table, record, self.record("1", name="good"))))
        self.assertEqual(1, self.count(table))

    def test_3_11_multi_records_may_be_larger(self):
        table = self.make_table()
        self.put(table, self.multi([(f"v{i}", "x" * 2000, "VARCHAR") for i in range(20)]))
        self.assertEqual(1, self.count(table))


class RequestWide(WriteCase):
    def test_names_that_no_table_can_have_are_not_found(self):
        table = self.make_table()
        for database, name in (("a b", table), ("", table), (self.DATABASE, "t 1"), (self.DATABASE, "")):
            with self.subTest(database=database, table=name):
                self.refused("ResourceNotFoundException", self.loose_write.write_records, DatabaseName=database,
                             TableName=name, Records=[self.record()])

    def test_a_version_is_a_whole_number(self):
        table = self.make_table()
        with self.assertRaises(Exception) as caught:
            self.call("WriteRecords", DatabaseName=self.DATABASE, TableName=table, Records=[self.record(Version=1.5)])
        self.assertEqual("SerializationException", caught.exception.response["Error"]["Code"])
        self.put(table, self.record())

    def test_3_12_one_bad_record_refuses_all(self):
        table = self.make_table()
        good = [self.record(str(i), self.NOW - i) for i in range(99)]
        for bad in (self.record(time="abc"), self.record("NaN"), self.record(Version=0), self.record(MeasureName=None),
                    self.record(MeasureValue=None), self.multi([]), self.record(dimensions=[("a", "1"), ("a", "2")]),
                    self.record("1", MeasureValueType="NUMBER"), self.record(Time=None)):
            with self.subTest(bad=str(bad)[:100]):
                self.refused("ValidationException", self.put, table, *good, bad, loose=True)
                self.assertEqual(0, self.count(table))

    def test_3_12_a_refusal_leaves_no_columns(self):
        table = self.make_table()
        self.refused("ValidationException", self.put, table, self.record(dimensions=[("new", "1")]),
                     self.record(time="abc"), loose=True)
        columns = [row[0] for row in self.rows(f'DESCRIBE "{self.DATABASE}"."{table}"')]
        self.assertNotIn("new", columns)

    def test_3_12_not_a_double_tells_ieee_754(self):
        self.assertIn("IEEE 754", self.refused_whole(self.make_table(), self.record("NaN")))

    def test_2_2_19_order_of_checks(self):
        # Constraints of the model, then database and table, then the request, then its records.
        text = self.refused_text("ValidationException", self.loose_write.write_records, DatabaseName="absent",
                                 TableName="absent", Records=[])
        self.assertIn("at 'records' failed", text)
        bad = self.record(time="abc")
        self.assertEqual("The database absent does not exist.", self.refused_text(
            "ResourceNotFoundException", self.write.write_records, DatabaseName="absent", TableName="absent", Records=[bad]))
        self.make_database()
        self.assertEqual("The table absent does not exist.", self.refused_text(
            "ResourceNotFoundException", self.write.write_records, DatabaseName=self.DATABASE, TableName="absent",
            Records=[bad]))
        self.refused("ValidationException", self.put, self.make_table(), self.record(time=self.NOW - 30 * DAY_MS), bad)

    def test_2_2_19_all_violations_are_told(self):
        text = self.refused_text("ValidationException", self.loose_write.write_records)
        self.assertRegex(text, "^3 validation errors detected: ")
        for path in ("databaseName", "tableName", "records"):
            self.assertRegex(text, f"Value '?null'? at '{path}' failed to satisfy constraint: Member must not be null")


class PartitionKeys(WriteCase):
    def keyed(self, enforcement):
        return self.make_table(Schema={"CompositePartitionKey": [
            {"Type": "DIMENSION", "Name": "host", "EnforcementInRecord": enforcement}]})

    def test_3_13_required_dimension_missing_is_rejected(self):
        table = self.keyed("REQUIRED")
        self.assertEqual([0, 2], list(self.rejections(table, self.record(dimensions=[("rack", "1")]), self.record("2"),
                                                      self.record(dimensions=()))))
        self.assertEqual([("a", "2.0")], self.stored(table, "host, measure_value::double"))

    def test_3_13_required_dimension_may_be_common(self):
        table = self.keyed("REQUIRED")
        self.put(table, self.record(dimensions=[("rack", "1")]), common={"Dimensions": [{"Name": "host", "Value": "x"}]})
        self.assertEqual(1, self.count(table))

    def test_3_13_optional_dimension_may_be_missing(self):
        table = self.keyed("OPTIONAL")
        self.put(table, self.record("1", dimensions=[("rack", "1")]), self.record("2"))
        self.assertEqual(2, self.count(table))

    def test_3_13_turning_required_on_and_off_applies_at_once(self):
        table = self.keyed("OPTIONAL")
        without = self.record("1", dimensions=[("rack", "1")])
        self.put(table, without)
        for enforcement in ("REQUIRED", "OPTIONAL"):
            self.call("UpdateTable", DatabaseName=self.DATABASE, TableName=table, Schema={"CompositePartitionKey": [
                {"Type": "DIMENSION", "Name": "host", "EnforcementInRecord": enforcement}]})
            if enforcement == "REQUIRED":
                self.assertEqual([0], list(self.rejections(table, without)))
            else:
                self.put(table, without)
        self.assertEqual(1, self.count(table))


if __name__ == "__main__":
    unittest.main()
