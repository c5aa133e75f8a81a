"""The fifteen query kinds of the Time Series Benchmark Suite's DevOps case, and two full-table averages,
in the words of each system. A kind has several instances with other hosts and windows, so that no
system can answer from a result it kept."""

import random

MEASURES = ["usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq",
            "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice"]
TAGS = ["hostname", "region", "datacenter", "rack", "os", "arch", "team", "service",
        "service_version", "service_environment"]
HOUR_MS = 3_600_000
INSTANCES = 6


def text_of(ms):
    import datetime
    moment = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{ms % 1000:03d}"


class Window:
    def __init__(self, first_ms, last_ms):
        self.first, self.last = f"'{text_of(first_ms)}'", f"'{text_of(last_ms)}'"


class Dialect:
    """What differs between systems; a wide table with a column per measure."""

    def __init__(self, table, bin_text):
        self.table, self.bin_text = table, bin_text

    def bin(self, seconds):
        return self.bin_text.format(seconds=seconds)

    def within(self, window):
        return f"time >= {self.stamp(window.first)} AND time < {self.stamp(window.last)}"

    def stamp(self, text):
        return f"TIMESTAMP {text}"

    def hosts(self, hosts):
        return "(" + " OR ".join(f"hostname = 'host_{host}'" for host in hosts) + ")"

    def folds(self, function, measures):
        return ", ".join(f"{function}({name}) AS {function}_{name}" for name in measures)

    def of(self, measures):
        """A condition that leaves the rows of these measures, or none."""
        return ""

    def single_groupby(self, measures, hosts, window):
        return (f"SELECT {self.bin(60)} AS minute, {self.folds('max', measures)} FROM {self.table} "
                f"WHERE {self.of(measures)}{self.hosts(hosts)} AND {self.within(window)} "
                "GROUP BY 1 ORDER BY 1 ASC")

    def cpu_max_all(self, hosts, window):
        return (f"SELECT {self.bin(3600)} AS hour, {self.folds('max', MEASURES)} FROM {self.table} "
                f"WHERE {self.hosts(hosts)} AND {self.within(window)} GROUP BY 1 ORDER BY 1")

    def double_groupby(self, measures, window):
        return (f"SELECT {self.bin(3600)} AS hour, hostname, {self.folds('avg', measures)} "
                f"FROM {self.table} WHERE {self.of(measures)}{self.within(window)} "
                "GROUP BY 1, 2 ORDER BY 1, 2")

    def groupby_orderby_limit(self, window):
        return (f"SELECT {self.bin(60)} AS minute, {self.folds('max', MEASURES[:1])} FROM {self.table} "
                f"WHERE {self.of(MEASURES[:1])}time < {self.stamp(window.last)} "
                "GROUP BY 1 ORDER BY 1 DESC LIMIT 5")

    def high_cpu(self, hosts, window):
        which = f" AND {self.hosts(hosts)}" if hosts else ""
        columns = ", ".join(["time", *TAGS, *MEASURES])
        return (f"SELECT {columns} FROM {self.table} WHERE usage_user > 90 AND {self.within(window)}"
                f"{which}")

    def averages(self):
        return f"SELECT {self.folds('avg', MEASURES)} FROM {self.table}"

    def averages_above(self, limit):
        return f"{self.averages()} WHERE usage_user > {limit}"


class Tideline(Dialect):
    def __init__(self, table):
        super().__init__(table, "bin(time, {seconds}s)")

    def lastpoint(self):
        columns = ", ".join(f"c.{name}" for name in MEASURES)
        return (f"WITH latest AS (SELECT hostname, measure_name, max(time) AS last_time FROM {self.table} "
                f"GROUP BY 1, 2) SELECT c.hostname, c.time, {columns} FROM {self.table} c "
                "JOIN latest l ON c.hostname = l.hostname AND c.measure_name = l.measure_name "
                "AND c.time = l.last_time ORDER BY c.hostname")


class TidelineSingle(Tideline):
    """Ten records per host and time, one measure each: as the suite writes and asks Timestream."""

    def folds(self, function, measures):
        return ", ".join(f"{function}(CASE WHEN measure_name = '{name}' THEN measure_value::double "
                         f"ELSE NULL END) AS {function}_{name}" for name in measures)

    def of(self, measures):
        return "(" + " OR ".join(f"measure_name = '{name}'" for name in measures) + ") AND "

    def high_cpu(self, hosts, window):
        which = f" AND {self.hosts(hosts)}" if hosts else ""
        columns = ", ".join(f"c.{name}" for name in ["time", *TAGS])
        return (f"WITH high AS (SELECT time, hostname FROM {self.table} WHERE measure_name = 'usage_user' "
                f"AND measure_value::double > 90 AND {self.within(window)}{which}) "
                f"SELECT {columns}, c.measure_name, c.measure_value::double FROM {self.table} c "
                "JOIN high h ON c.hostname = h.hostname AND c.time = h.time "
                f"WHERE c.{self.within(window).replace(' AND time', ' AND c.time')}")

    def lastpoint(self):
        return (f"WITH latest AS (SELECT hostname, measure_name, max(time) AS last_time FROM {self.table} "
                "GROUP BY 1, 2) SELECT c.hostname, c.time, c.measure_name, c.measure_value::double "
                f"FROM {self.table} c JOIN latest l ON c.hostname = l.hostname "
                "AND c.measure_name = l.measure_name AND c.time = l.last_time "
                "ORDER BY c.hostname, c.measure_name")

    def averages_above(self, limit):
        # The suite has no such query. Of one column: a row of this shape has no other.
        return (f"SELECT avg(measure_value::double) FROM {self.table} WHERE "
                f"measure_name = 'usage_user' AND measure_value::double > {limit}")


class DuckDb(Dialect):
    def __init__(self, table="cpu"):
        super().__init__(table, "time_bucket(INTERVAL '{seconds} seconds', time)")

    def lastpoint(self):
        columns = ", ".join(f"arg_max({name}, time)" for name in MEASURES)
        return f"SELECT hostname, max(time), {columns} FROM {self.table} GROUP BY 1 ORDER BY 1"


class DuckDbBesideSingle(DuckDb):
    """Where the shape of single measures is asked for less, so is the peer."""

    def averages_above(self, limit):
        return f"SELECT avg(usage_user) FROM {self.table} WHERE usage_user > {limit}"


class Postgres(Dialect):
    def __init__(self, table="cpu"):
        super().__init__(table, "date_bin('{seconds} seconds', time, TIMESTAMP '2000-01-01')")

    def lastpoint(self):
        # The index answers: one descent per host.
        columns = ", ".join(MEASURES)
        return (f"WITH RECURSIVE hosts AS ((SELECT hostname FROM {self.table} ORDER BY hostname LIMIT 1) "
                f"UNION ALL SELECT (SELECT hostname FROM {self.table} WHERE hostname > h.hostname "
                "ORDER BY hostname LIMIT 1) FROM hosts h WHERE h.hostname IS NOT NULL) "
                f"SELECT h.hostname, c.* FROM hosts h CROSS JOIN LATERAL (SELECT time, {columns} "
                f"FROM {self.table} WHERE hostname = h.hostname ORDER BY time DESC LIMIT 1) c "
                "WHERE h.hostname IS NOT NULL ORDER BY h.hostname")


def kinds(hosts, first_ms, hours):
    """(name, dialect -> list of queries) for every kind; the same instances for every dialect."""
    last_ms = first_ms + hours * HOUR_MS

    def instances(name, host_count, length_hours, make):
        chance = random.Random(f"{name} {hosts} {hours}")
        parts = []
        for _ in range(INSTANCES):
            length = min(length_hours, hours) * HOUR_MS
            start = first_ms + chance.randrange(0, (last_ms - first_ms - length) // 1000 + 1) * 1000
            parts.append((chance.sample(range(hosts), min(host_count, hosts)),
                          Window(start, start + length)))
        return name, lambda dialect: [make(dialect, *part) for part in parts]

    made = []
    for measures, host_count, length in ((1, 1, 1), (1, 1, 12), (1, 8, 1), (5, 1, 1), (5, 1, 12), (5, 8, 1)):
        made.append(instances(
            f"single-groupby-{measures}-{host_count}-{length}", host_count, length,
            lambda d, h, w, m=measures: d.single_groupby(MEASURES[:m], h, w)))
    for host_count in (1, 8):
        made.append(instances(f"cpu-max-all-{host_count}", host_count, 8,
                              lambda d, h, w: d.cpu_max_all(h, w)))
    for measures, name in ((1, "1"), (5, "5"), (10, "all")):
        made.append(instances(f"double-groupby-{name}", 0, 12,
                              lambda d, h, w, m=measures: d.double_groupby(MEASURES[:m], w)))
    made.append(instances("high-cpu-1", 1, 12, lambda d, h, w: d.high_cpu(h, w)))
    made.append(instances("high-cpu-all", 0, 12, lambda d, h, w: d.high_cpu([], w)))
    made.append(instances("groupby-orderby-limit", 0, 12, lambda d, h, w: d.groupby_orderby_limit(w)))
    made.append(("lastpoint", lambda d: [d.lastpoint()]))
    made.append(("avg of ten columns", lambda d: [d.averages()]))
    made.append(("avg where one is above", lambda d: [d.averages_above(n) for n in (45, 50, 55)]))
    return made
