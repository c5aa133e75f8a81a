"""Statements from a seed, each in the spelling of every engine.

A Text holds the same expression or query for Tideline, PostgreSQL and DuckDB; None where an engine has no
equal of it, which leaves that engine out for the query. Two kinds of numbers are kept apart: exact ones
(whole numbers and multiples of 0.25 under + - *, which every engine computes alike) may stand in
predicates and keys; others (quotients, roots, averages) only in results, where a relative difference of
1e-9 is allowed.
"""
import random

ENGINES = ("tideline", "postgresql", "duckdb")


class Text:
    def __init__(self, tideline, postgresql=..., duckdb=..., exact=True):
        postgresql = tideline if postgresql is ... else postgresql
        duckdb = postgresql if duckdb is ... else duckdb
        self.by_engine = dict(zip(ENGINES, (tideline, postgresql, duckdb)))
        self.exact = exact

    def __getitem__(self, engine):
        return self.by_engine[engine]


def text(form, *parts, postgresql=..., duckdb=..., exact=True):
    """Puts `parts` (Texts or plain values) into one form, or into one for each engine."""
    forms = Text(form, postgresql, duckdb)

    def fill(engine):
        pieces = [part[engine] if isinstance(part, Text) else part for part in parts]
        if forms[engine] is None or any(piece is None for piece in pieces):
            return None
        return forms[engine].format(*pieces)

    exact = exact and all(part.exact for part in parts if isinstance(part, Text))
    return Text(*(fill(engine) for engine in ENGINES), exact=exact)


def joined(separator, parts):
    return text(separator.join(["{}"] * len(parts)), *parts)


class Scope:
    """The columns that expressions may name, by kind."""

    def __init__(self, **columns):
        self.columns = columns

    def __getitem__(self, kind):
        return self.columns.get(kind, [])


def one(alias=""):
    p = alias + "." if alias else ""
    return Scope(whole=[p + "n", p + "id"], double=[p + "v"], string=[p + "s", p + "host", p + "region"],
                 moment=[p + "time"], truth=[p + "b"])


def two(alias=""):
    p = alias + "." if alias else ""
    return Scope(whole=[p + "k", p + "id"], double=[p + "w"], string=[p + "t", p + "host"], moment=[p + "time"], truth=[])


def both(left, right):
    a, b = one(left), two(right)
    return Scope(**{kind: a[kind] + b[kind] for kind in ("whole", "double", "string", "moment", "truth")})


class Expressions:
    """Random expressions over a scope; `depth` bounds their nesting."""

    def __init__(self, rng, scope):
        self.rng, self.scope = rng, scope

    def pick(self, *options):
        return self.rng.choice(options)

    def column(self, kind):
        return Text(self.rng.choice(self.scope[kind]))

    # -- whole numbers -------------------------------------------------------------------------------

    def whole(self, depth):
        rng = self.rng
        if depth <= 0 or rng.random() < 0.25:
            return self.column("whole") if rng.random() < 0.7 else Text(str(rng.randint(0, 9)))
        a = lambda: self.whole(depth - 1)
        b, s, m = lambda: self.truth(depth - 1), lambda: self.string(depth - 1), lambda: self.moment(depth - 1)
        return rng.choice([
            lambda: text("({} {} {})", a(), self.pick("+", "-", "*"), self.small(depth)),
            lambda: text("({} / {})", a(), rng.randint(1, 5), duckdb="({} // {})"),
            lambda: text("({} % {})", a(), rng.randint(2, 5)),
            lambda: text("(- {})", a()),
            lambda: text("abs({})", a()),
            lambda: text("CAST(sign({}) AS bigint)", a()),
            lambda: text("CASE WHEN {} THEN {} ELSE {} END", b(), a(), a()),
            lambda: text("COALESCE({}, {})", a(), a()),
            lambda: text("NULLIF({}, {})", a(), a()),
            lambda: text("greatest({0}, {1})", self.present(a()), self.present(a())),
            lambda: text("least({0}, {1})", self.present(a()), self.present(a())),
            lambda: text("length({})", s()),
            lambda: text("strpos({}, '{}')", s(), self.pick("a", "b", "p", "22", "é", "zz")),
            lambda: text("bitwise_and({}, {})", self.wide(a()), rng.randint(1, 15), postgresql="({} & {})"),
            lambda: text("bitwise_or({}, {})", self.wide(a()), rng.randint(1, 15), postgresql="({} | {})"),
            lambda: text("bitwise_xor({}, {})", self.wide(a()), rng.randint(1, 15), postgresql="({} # {})", duckdb="xor({}, {})"),
            lambda: self.field(m()),
            lambda: self.difference(m(), m()),
            lambda: text("to_milliseconds({})", m(), postgresql="CAST(extract(epoch FROM {}) * 1000 AS bigint)", duckdb="epoch_ms({})"),
            lambda: text("codepoint(CAST(substr({0}, 1, 1) AS varchar(1)))", self.filled(s()), postgresql="ascii({0})", duckdb="ascii({0})"),
            lambda: text("levenshtein_distance(regexp_replace({}, '[^ -~]', 'e'), '{}')", s(), self.pick("down", "a,b", "up"), postgresql=None,
                         duckdb="levenshtein(regexp_replace({}, '[^ -~]', 'e', 'g'), '{}')"),
        ])()

    def small(self, depth):
        """For factors, so that nothing overflows."""
        return text("({} % 100)", self.whole(depth - 1)) if self.rng.random() < 0.5 else Text(str(self.rng.randint(0, 9)))

    def wide(self, e):
        return text("CAST({} AS bigint)", e)

    def present(self, e):
        return text("COALESCE({}, 0)", e)

    def filled(self, e):
        return text("('q' || {})", e)

    def field(self, m):
        name, peer = self.pick(("YEAR", "year"), ("QUARTER", "quarter"), ("MONTH", "month"), ("WEEK", "week"), ("DAY", "day"),
                               ("DOW", "isodow"), ("DAY_OF_WEEK", "isodow"), ("DOY", "doy"), ("YEAR_OF_WEEK", "isoyear"),
                               ("HOUR", "hour"), ("MINUTE", "minute"))
        if self.rng.random() < 0.1:
            return text("second({})", m, postgresql="CAST(floor(extract(second FROM {})) AS bigint)", duckdb="CAST(second({}) AS bigint)")
        form = self.pick("extract(" + name + " FROM {})", {"DOW": "dow", "DOY": "doy"}.get(name, name.lower()) + "({})")
        return text(form, m, postgresql="CAST(extract(" + peer + " FROM {}) AS bigint)", duckdb="extract(" + peer + " FROM {})")

    def difference(self, a, b):
        unit, seconds = self.pick(("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400), ("week", 604800))
        return text("date_diff('{2}', {0}, {1})", a, b, unit, seconds,
                    postgresql="CAST(trunc(extract(epoch FROM ({1} - {0})) / {3}) AS bigint)", duckdb="datesub('{2}', {0}, {1})")

    # -- doubles -------------------------------------------------------------------------------------

    def double(self, depth):
        """Exact ones."""
        rng = self.rng
        if depth <= 0 or rng.random() < 0.3:
            return self.column("double") if rng.random() < 0.75 else text("{}", rng.choice(["0.5", "2.25", "10.0", "3.75"]), postgresql="CAST({} AS double precision)")
        a, b = lambda: self.double(depth - 1), lambda: self.truth(depth - 1)
        return rng.choice([
            lambda: text("({} {} {})", a(), self.pick("+", "-"), a()),
            lambda: text("({} * {})", a(), rng.randint(1, 4)),
            lambda: text("(- {})", a()),
            lambda: text("abs({})", a()),
            lambda: text("floor({})", a()),
            lambda: text("ceil({})", a()),
            lambda: text("truncate({})", a(), postgresql="trunc({})"),
            lambda: text("round({0})", a(), postgresql="(sign({0}) * floor(abs({0}) + 0.5))", duckdb="round({0})"),
            lambda: text("CAST({} AS double)", self.whole(depth - 1), postgresql="CAST({} AS double precision)"),
            lambda: text("CASE WHEN {} THEN {} ELSE {} END", b(), a(), a()),
            lambda: text("COALESCE({}, {})", a(), a()),
            lambda: text("NULLIF({}, {})", a(), a()),
            lambda: text("({} + {})", a(), self.whole(depth - 1)),
        ])()

    def result(self, depth):
        """A number that only a result may hold."""
        rng = self.rng
        a = lambda: self.double(depth - 1)
        form = rng.choice([
            ("sqrt(abs({0}))",), ("cbrt({0})",), ("exp({0} / 50.0)",), ("ln(abs({0}) + 1.0)",), ("log10(abs({0}) + 1.0)", "log(abs({0}) + 1.0)", "log10(abs({0}) + 1.0)"),
            ("log2(abs({0}) + 1.0)", None, "log2(abs({0}) + 1.0)"), ("power(abs({0}), 0.5)",), ("sin({0})",), ("cos({0})",), ("tan({0} / 100.0)",),
            ("atan({0})",), ("atan2({0}, {1})",), ("tanh({0} / 10.0)",), ("cosh({0} / 20.0)",), ("asin({0} / 10000.0)",), ("degrees({0})",), ("radians({0})",),
            ("({0} / NULLIF({1}, 0.0))",), ("({0} / 7.0)",), ("to_unixtime({2})", "CAST(extract(epoch FROM {2}) AS double precision)", "epoch({2})"),
        ])
        forms = dict(zip(("postgresql", "duckdb"), form[1:])) if len(form) > 1 else {}
        return text(form[0], a(), a(), self.moment(depth - 1), exact=False, **forms)

    # -- texts ---------------------------------------------------------------------------------------

    def string(self, depth):
        rng = self.rng
        if depth <= 0 or rng.random() < 0.3:
            return self.column("string") if rng.random() < 0.8 else Text(self.pick("'up'", "''", "'a,b,c'", "'né'", "' x '"))
        a, n = lambda: self.string(depth - 1), lambda low, high: str(rng.randint(low, high))
        return rng.choice([
            lambda: text("({} || {})", a(), a()),
            lambda: text("lower({})", a()),
            lambda: text("upper({})", a()),
            lambda: text("substr({}, {}, {})", a(), n(1, 4), n(0, 4)),
            lambda: text("substr({}, {})", a(), n(1, 4)),
            lambda: text("replace({}, '{}', '{}')", a(), self.pick("a", "p", ",", "22"), self.pick("", "-", "aa")),
            lambda: text("reverse({})", a()),
            lambda: text("trim({})", a()), lambda: text("ltrim({})", a()), lambda: text("rtrim({})", a()),
            lambda: text("lpad({}, {}, '{}')", a(), n(0, 6), self.pick("x", "ab")),
            lambda: text("rpad({}, {}, '{}')", a(), n(0, 6), self.pick("x", "ab")),
            lambda: text("IF({0} IS NULL, NULL, COALESCE(split_part({0}, '{1}', {2}), ''))", a(), self.pick(",", "a"), n(1, 4), postgresql="split_part({0}, '{1}', {2})"),
            lambda: text("concat({}, '-', {})", a(), a(), postgresql="({} || '-' || {})"),
            lambda: text("CASE WHEN {} THEN {} ELSE {} END", self.truth(depth - 1), a(), a()),
            lambda: text("COALESCE({}, {})", a(), a()),
            lambda: text("NULLIF({}, {})", a(), a()),
            lambda: text("regexp_replace({}, '{}', '{}')", a(), self.pick("[0-9]+", "a", "^.", "o.n"), self.pick("", "_"),
                         postgresql="regexp_replace({}, '{}', '{}', 'g')"),
            lambda: text("translate({}, 'abc', 'x')", a(), postgresql="translate({}, 'abc', 'x')"),
            lambda: text("CAST({} AS varchar)", self.whole(depth - 1)),
            lambda: text("lower(to_hex(md5(to_utf8({}))))", a(), postgresql="md5({})"),
            lambda: text("date_format({}, '%Y-%m-%d %H:%i:%s')", self.moment(depth - 1), postgresql="to_char({}, 'YYYY-MM-DD HH24:MI:SS')", duckdb="strftime({}, '%Y-%m-%d %H:%M:%S')"),
            lambda: text("date_format({}, '%j %M %d %a %y')", self.moment(depth - 1), postgresql="to_char({}, 'DDD FMMonth DD Dy YY')", duckdb="strftime({}, '%j %B %d %a %y')"),
            lambda: text("chr(65 + abs({}) % 26)", self.whole(depth - 1), postgresql="chr(CAST(65 + abs({}) % 26 AS integer))"),
        ])()

    # -- points in time ------------------------------------------------------------------------------

    def moment(self, depth):
        rng = self.rng
        if depth <= 0 or rng.random() < 0.35:
            return self.column("moment") if rng.random() < 0.85 else Text(self.pick("timestamp '2024-02-29 23:59:59.999'", "timestamp '2024-01-31 00:00:00'"))
        a = lambda: self.moment(depth - 1)
        unit = self.pick("second", "minute", "hour", "day", "week", "month", "quarter", "year")
        step = self.pick(("15m", "15 minutes"), ("1h", "1 hour"), ("7d", "7 days"), ("12h", "12 hours"), ("90s", "90 seconds"), ("250ms", "250 milliseconds"))
        # Months are added to points in time that the cast below has made whole days of, and to plain ones.
        return rng.choice([
            lambda: text("date_trunc('{1}', {0})", a(), unit, duckdb="CAST(date_trunc('{1}', {0}) AS timestamp)"),
            lambda: text("bin({0}, {1})", a(), step[0], step[1], postgresql="date_bin(interval '{2}', {0}, timestamp '1970-01-01')", duckdb="time_bucket(interval '{2}', {0}, timestamp '1970-01-01')"),
            lambda: text("date_add('{1}', {2}, {0})", a(), unit, rng.randint(-5, 14), 3, postgresql="({0} + {2} * interval '%s')" % ("3 months" if unit == "quarter" else "1 " + unit)),
            lambda: text("({0} + {1})", a(), step[0], step[1], postgresql="({0} + interval '{2}')"),
            lambda: text("({0} - interval '{1}' day)", a(), rng.randint(0, 40)),
            lambda: text("({0} + interval '{1}' month)", a(), rng.randint(0, 14)),
            lambda: text("CASE WHEN {} THEN {} ELSE {} END", self.truth(depth - 1), a(), a()),
            lambda: text("CAST(CAST({} AS date) AS timestamp)", a()),
            lambda: text("CAST(last_day_of_month({0}) AS timestamp)", a(), postgresql="(date_trunc('month', {0}) + interval '1 month' - interval '1 day')", duckdb="CAST(last_day({0}) AS timestamp)"),
            lambda: text("from_milliseconds(to_milliseconds({}))", a(), postgresql="{}"),
        ])()

    # -- truths --------------------------------------------------------------------------------------

    def truth(self, depth):
        rng = self.rng
        if depth <= 0 or rng.random() < 0.15:
            if self.scope["truth"] and rng.random() < 0.5:
                return self.column("truth")
            return text("({} {} {})", self.column("whole"), self.pick("<", ">=", "=", "<>"), rng.randint(0, 9))
        t, w, s, d, m = (lambda f=f: f(depth - 1) for f in (self.truth, self.whole, self.string, self.double, self.moment))
        compare = lambda: self.pick("=", "<>", "<", "<=", ">", ">=")
        return rng.choice([
            lambda: text("({} AND {})", t(), t()), lambda: text("({} OR {})", t(), t()), lambda: text("(NOT {})", t()),
            lambda: text("({} {} {})", w(), compare(), w()), lambda: text("({} {} {})", d(), compare(), d()),
            lambda: text("({} {} {})", s(), compare(), s()), lambda: text("({} {} {})", m(), compare(), m()),
            lambda: text("({} BETWEEN {} AND {})", w(), rng.randint(-3, 3), rng.randint(2, 9)),
            lambda: text("({} NOT BETWEEN {} AND {})", d(), w(), w()),
            lambda: text("({} IN (1, {}, 5))", w(), self.pick("2", "NULL", "7")),
            lambda: text("({} NOT IN ('up', {}))", s(), self.pick("'down'", "NULL", "''")),
            lambda: text("({} IS NULL)", self.pick(w, s, d, m)()), lambda: text("({} IS NOT NULL)", self.pick(w, s, d, m)()),
            lambda: text("({} IS DISTINCT FROM {})", w(), w()), lambda: text("({} IS NOT DISTINCT FROM {})", s(), s()),
            lambda: text("({} LIKE '{}')", s(), self.pick("a%", "%n", "_p", "%,%", "%", "d_wn", "")),
            lambda: text("({} NOT LIKE '{}' ESCAPE '#')", s(), self.pick("a%", "100#%", "%#_%")),
            lambda: text("regexp_like({}, '{}')", s(), self.pick("^[a-c]", "[0-9]", "n$", "a.b", "(up|down)", "^$"), postgresql="({} ~ '{}')", duckdb="regexp_matches({}, '{}')"),
            lambda: text("starts_with({}, '{}')", s(), self.pick("a", "d", "")),
            lambda: text("COALESCE({}, false)", t()),
        ])()

    def any_exact(self, depth):
        return self.rng.choice([self.whole, self.double, self.string, self.moment, self.truth])(depth)


class Queries:
    """Random queries; `make` returns a Text and whether the order of its rows is told."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.families = [self.project, self.functions, self.join, self.group, self.grouping, self.window, self.sets, self.subquery,
                         self.with_parts, self.distinct, self.top, self.unnest, self.arrays, self.correlated]

    def make(self, families=None):
        choices = [f for f in self.families if not families or f.__name__ in families]
        family = self.rng.choice(choices)
        query, ordered = family()
        return family.__name__, query, ordered

    def named(self, parts):
        return joined(", ", [text("{} AS c{}", part, i) for i, part in enumerate(parts)])

    def where(self, e, chance=0.7, depth=2):
        return text(" WHERE {}", e.truth(depth)) if self.rng.random() < chance else Text("")

    def project(self):
        e = Expressions(self.rng, one())
        columns = [Text("id")] + [e.any_exact(3) for _ in range(self.rng.randint(1, 4))]
        return text("SELECT {} FROM oracle.one{} ORDER BY id", self.named(columns), self.where(e)), True

    def functions(self):
        e = Expressions(self.rng, one())
        makers = [e.whole, e.double, e.result, e.result, e.string, e.string, e.moment]
        columns = [Text("id")] + [self.rng.choice(makers)(2) for _ in range(self.rng.randint(2, 5))]
        return text("SELECT {} FROM oracle.one ORDER BY id", self.named(columns)), True

    def condition(self, e, kind):
        equal = Text(self.rng.choice(["a.host = z.host", "a.n = z.k", "a.time = z.time", "a.host = z.host AND a.n = z.k", "a.id = z.id", "a.n + 1 = z.k",
                                      "a.s = z.t", "a.n = z.k AND a.v < z.w"]))
        if kind != "FULL JOIN" and self.rng.random() < 0.15:
            return Text(self.rng.choice(["a.n < z.k", "a.v > z.w + 5", "a.time BETWEEN z.time AND z.time + interval '1' day", "a.host <> z.host AND a.id < z.id"]))
        if kind != "FULL JOIN" and self.rng.random() < 0.4:
            return text("{} AND {}", equal, e.truth(1))
        return equal

    def join(self):
        rng = self.rng
        e = Expressions(rng, both("a", "z"))
        kind = rng.choice(["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        columns = [Text("a.id"), Text("z.id")] + [e.any_exact(2) for _ in range(rng.randint(0, 3))]
        source = text("oracle.one a {} oracle.two z ON {}", kind, self.condition(e, kind))
        if rng.random() < 0.2:
            third = rng.choice(["JOIN", "LEFT JOIN"])
            source = text("{} {} oracle.one y ON y.id = z.k", source, third)
            columns.append(Text("y.v"))
        if rng.random() < 0.1:
            return text("SELECT host, a.id, z.id AS zid FROM oracle.one a {} oracle.two z USING (host){}", rng.choice(["JOIN", "LEFT JOIN", "FULL JOIN"]), Text("")), False
        return text("SELECT {} FROM {}{}", self.named(columns), source, self.where(e, 0.4)), False

    def aggregate(self, e):
        rng = self.rng
        w, d, t = lambda: e.whole(1), lambda: e.double(1), lambda: e.truth(1)
        made = rng.choice([
            lambda: Text("count(*)"), lambda: text("count({})", w()), lambda: text("count(DISTINCT {})", w()),
            lambda: text("sum({})", w()), lambda: text("sum({})", d()), lambda: text("sum(DISTINCT {})", w()),
            lambda: text("avg({})", w(), exact=False), lambda: text("avg({})", d(), exact=False),
            lambda: text("min({})", w()), lambda: text("max({})", d()), lambda: text("min({})", e.string(1)),
            lambda: text("max({})", e.moment(1)), lambda: text("bool_and({})", t()), lambda: text("bool_or({})", t()),
            lambda: text("count_if({})", t(), postgresql="count(*) FILTER (WHERE {})"),
            lambda: text("stddev_pop({})", d(), exact=False), lambda: text("stddev_samp({})", d(), exact=False), lambda: text("variance({})", d(), exact=False),
            lambda: text("var_pop({})", d(), exact=False), lambda: text("covar_pop({}, {})", d(), d(), exact=False),
            lambda: text("covar_samp({}, {})", d(), d(), exact=False),
            lambda: text("corr({}, {})", d(), d(), exact=False, duckdb=None), lambda: text("regr_slope({}, {})", d(), d(), exact=False, duckdb=None),
            lambda: text("regr_intercept({}, {})", d(), d(), exact=False, duckdb=None),
            lambda: text("geometric_mean(abs({}) + 1.0)", d(), exact=False, postgresql="exp(avg(ln(abs({}) + 1.0)))"),
            lambda: text("bitwise_and_agg({})", e.wide(w()), postgresql="bit_and({})"), lambda: text("bitwise_or_agg({})", e.wide(w()), postgresql="bit_or({})"),
            lambda: text("array_agg({} ORDER BY id)", w()), lambda: text("array_agg({} ORDER BY id DESC)", e.string(1)),
            lambda: text("max_by({}, id)", self.filled_string(e), postgresql="(array_agg({} ORDER BY id DESC))[1]"),
            lambda: text("min_by({}, id)", self.filled_string(e), postgresql="(array_agg({} ORDER BY id))[1]"),
        ])()
        if rng.random() < 0.2 and "FILTER" not in (made["postgresql"] or "FILTER") and "[1]" not in made["postgresql"]:
            made = text("{} FILTER (WHERE {})", made, t(), exact=made.exact)
        return made

    def filled_string(self, e):
        return text("COALESCE({}, '-')", e.string(1))

    def key(self, e):
        return self.rng.choice([lambda: Text("host"), lambda: Text("region"), lambda: Text("s"), lambda: Text("b"), lambda: text("({} % 3)", e.whole(1)),
                                lambda: text("bin(time, 1d)", postgresql="date_trunc('day', time)"), lambda: text("date_trunc('month', time)", duckdb="CAST(date_trunc('month', time) AS timestamp)"),
                                lambda: text("substr({}, 1, 1)", e.string(1)), lambda: e.truth(1)])()

    def group(self):
        rng = self.rng
        e = Expressions(rng, one())
        keys = [self.key(e) for _ in range(rng.randint(0, 2))]
        columns = keys + [self.aggregate(e) for _ in range(rng.randint(1, 4))]
        query = text("SELECT {} FROM oracle.one{}", self.named(columns), self.where(e, 0.5))
        if keys:
            query = text("{} GROUP BY {}", query, joined(", ", [Text(str(i + 1)) for i in range(len(keys))]))
        if rng.random() < 0.4:
            query = text("{} HAVING {}", query, rng.choice([Text("count(*) > 2"), Text("sum(n) > 5"), Text("max(v) >= 20 OR min(n) < 0"), Text("count(DISTINCT host) = 2")]))
        return query, False

    def grouping(self):
        rng = self.rng
        e = Expressions(rng, one())
        shape = rng.choice(["ROLLUP (host, region)", "CUBE (host, region)", "GROUPING SETS ((host, region), (host), ())", "GROUPING SETS ((region), (b, host), (b))",
                            "host, ROLLUP (region, b)", "ROLLUP (host, (region, b))", "CUBE (b, region), host", "GROUPING SETS ((host), (region), (host))"])
        keys = [name for name in ("host", "region", "b") if name in shape]
        columns = [Text(k) for k in keys] + [Text("grouping(" + ", ".join(keys) + ")")] + [self.aggregate(e) for _ in range(rng.randint(1, 2))]
        return text("SELECT {} FROM oracle.one{} GROUP BY {}", self.named(columns), self.where(e, 0.4), shape), False

    def frame(self, order):
        rng = self.rng
        bounds = ["UNBOUNDED PRECEDING", "2 PRECEDING", "1 PRECEDING", "CURRENT ROW", "1 FOLLOWING", "3 FOLLOWING", "UNBOUNDED FOLLOWING"]
        unit = rng.choice(["ROWS", "ROWS", "RANGE", "GROUPS"])
        i = rng.randint(0, 5)
        j = rng.randint(max(i, 1), 6)
        if i == 6 or (i == j and i not in (1, 2, 3, 4, 5)):
            j = 6
        if unit == "RANGE" and order == "time":
            low = rng.choice(["UNBOUNDED PRECEDING", "interval '1' day PRECEDING", "interval '10' hour PRECEDING", "CURRENT ROW"])
            return f"RANGE BETWEEN {low} AND " + rng.choice(["CURRENT ROW", "interval '2' day FOLLOWING", "UNBOUNDED FOLLOWING"])
        if unit == "RANGE" and order not in ("n", "v"):
            return "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        return f"{unit} BETWEEN {bounds[i]} AND {bounds[j]}"

    def window(self):
        rng = self.rng
        e = Expressions(rng, one())
        columns = [Text("id")]
        for _ in range(rng.randint(1, 3)):
            part = rng.choice(["", "PARTITION BY host ", "PARTITION BY region ", "PARTITION BY host, b ", "PARTITION BY n % 3 "])
            down = rng.choice(["", " DESC"])
            total = f"{part}ORDER BY {rng.choice(['n', 'v', 's', 'time'])}{down} NULLS {rng.choice(['FIRST', 'LAST'])}, id"
            peers = rng.choice(["n", "region", "v", "b", "time"])
            loose = f"{part}ORDER BY {peers}{down} NULLS LAST"
            w, s = e.whole(1), e.string(1)
            framed = f"{loose} {self.frame(peers)}" if rng.random() < 0.7 else f"{part}ORDER BY id"
            fine = f"{total} {self.frame('none')}" if rng.random() < 0.6 else total
            # With ROWS the order of peers would show; it is told there.
            if "ROWS" in framed:
                framed = f"{part}ORDER BY id{down} " + framed[framed.index("ROWS"):]
            columns.append(rng.choice([
                lambda: Text(f"row_number() OVER ({total})"), lambda: Text(f"rank() OVER ({loose})"), lambda: Text(f"dense_rank() OVER ({loose})"),
                lambda: Text(f"percent_rank() OVER ({loose})", exact=False), lambda: Text(f"cume_dist() OVER ({loose})", exact=False),
                lambda: Text(f"ntile({rng.randint(1, 6)}) OVER ({total})"),
                lambda: text("lag({}, {}) OVER ({})", w, rng.randint(0, 3), total), lambda: text("lead({}, {}, {}) OVER ({})", text("CAST({} AS bigint)", w), rng.randint(0, 3), "CAST(-1 AS bigint)", total),
                lambda: text("lag({}) IGNORE NULLS OVER ({})", w, total, postgresql=None, duckdb="lag({} IGNORE NULLS) OVER ({})"),
                lambda: text("first_value({}) OVER ({})", s, fine), lambda: text("last_value({}) OVER ({})", w, fine),
                lambda: text("nth_value({}, {}) OVER ({})", w, rng.randint(1, 4), fine),
                lambda: text("last_value({}) IGNORE NULLS OVER ({})", w, fine, postgresql=None, duckdb="last_value({} IGNORE NULLS) OVER ({})"),
                lambda: text("sum({}) OVER ({})", w, framed), lambda: text("count({}) OVER ({})", w, framed), lambda: text("count(*) OVER ({})", framed),
                lambda: text("min({}) OVER ({})", e.double(1), framed), lambda: text("max({}) OVER ({})", s, framed), lambda: text("avg({}) OVER ({})", e.double(1), framed, exact=False),
                lambda: text("sum({}) FILTER (WHERE {}) OVER ({})", e.double(1), e.truth(1), framed),
                lambda: text("stddev_pop({}) OVER ({})", e.double(1), framed, exact=False, duckdb=None),
                lambda: text("sum(n) OVER ({}) - sum(n) OVER ({})", framed, f"{part}ORDER BY id"),
            ])())
        return text("SELECT {} FROM oracle.one{} ORDER BY id", self.named(columns), self.where(e, 0.4)), True

    def sets(self):
        rng = self.rng
        a, z = Expressions(rng, one()), Expressions(rng, two())
        kinds = rng.choices(["whole", "string", "double", "moment"], k=rng.randint(1, 2))

        def side(e, table):
            casts = {"whole": "CAST({} AS bigint)", "string": "CAST({} AS varchar)"}
            columns = [text(casts.get(kind, "{}"), getattr(e, kind)(1)) for kind in kinds]
            return text("SELECT {} FROM oracle.{}{}", self.named(columns), table, self.where(e, 0.5))

        operator = lambda: rng.choice(["UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"])
        query = text("{} {} {}", side(a, "one"), operator(), side(z, "two"))
        if rng.random() < 0.4:
            query = text("({}) {} {}", query, operator(), side(a, "one"))
        return query, False

    def subquery(self):
        rng = self.rng
        e, z = Expressions(rng, one("a")), Expressions(rng, two("z"))
        tie = rng.choice(["z.host = a.host", "z.k = a.n", "z.host = a.host AND z.k < 5", "z.t = a.s"])
        compare = rng.choice(["=", "<>", "<", "<=", ">", ">="])
        inner = lambda: text("oracle.two z{}", self.where(z, 0.6, 1))
        condition = rng.choice([
            lambda: text("a.n IN (SELECT z.k FROM {})", inner()),
            lambda: text("a.n NOT IN (SELECT z.k FROM {})", inner()),
            lambda: text("a.n NOT IN (SELECT z.k FROM oracle.two z WHERE z.k IS NOT NULL AND {})", z.truth(1)),
            lambda: text("(a.host, a.n) IN (SELECT z.host, z.k FROM {})", inner()),
            lambda: text("EXISTS (SELECT 1 FROM oracle.two z WHERE {} AND {})", tie, z.truth(1)),
            lambda: text("NOT EXISTS (SELECT 1 FROM oracle.two z WHERE {} AND {})", tie, z.truth(1)),
            lambda: text("a.n {} ALL (SELECT z.k FROM {})", compare, inner()),
            lambda: text("a.n {} ANY (SELECT z.k FROM {})", compare, inner()),
            lambda: text("a.v > (SELECT avg(z.w) + 0.1 FROM {})", inner()),
            lambda: text("a.v > (SELECT max(z.w) FROM oracle.two z WHERE {})", tie),
            lambda: text("a.id IN (SELECT z.id FROM oracle.two z WHERE {} AND z.w < a.v)", tie),
            lambda: text("a.n = (SELECT max(b.n) FROM oracle.one b WHERE b.host = a.host)"),
            lambda: text("(SELECT count(*) FROM oracle.two z WHERE {}) > 1", tie),
        ])()
        extra = rng.choice([
            lambda: Text("a.n"), lambda: text("(SELECT count(*) FROM oracle.two z WHERE {})", tie), lambda: text("(SELECT sum(z.k) FROM oracle.two z WHERE {})", tie),
            lambda: text("(SELECT min(z.time) FROM {})", inner()), lambda: text("(a.n IN (SELECT z.k FROM {}))", inner()),
            lambda: text("EXISTS (SELECT 1 FROM oracle.two z WHERE {})", tie), lambda: text("(SELECT max(z.t) FROM oracle.two z WHERE {})", tie),
            lambda: text("(a.n NOT IN (SELECT z.k FROM oracle.two z WHERE {}))", tie), lambda: text("(a.n {} ALL (SELECT z.k FROM oracle.two z WHERE {}))", compare, tie),
        ])()
        glue = rng.choice([" AND ", " OR "])
        where = condition if rng.random() < 0.6 else text("({}){}{}", condition, glue, e.truth(1))
        return text("SELECT a.id, {} AS c1 FROM oracle.one a WHERE {} ORDER BY a.id", extra, where), True

    def with_parts(self):
        rng = self.rng
        e, z = Expressions(rng, one()), Expressions(rng, two())
        left = text("SELECT host, count(*) AS c, sum(n) AS total, max(v) AS top FROM oracle.one{} GROUP BY host", self.where(e, 0.5))
        right = text("SELECT host, count(*) AS d, min(w) AS low FROM oracle.two{} GROUP BY host", self.where(z, 0.5))
        kind = rng.choice(["JOIN", "LEFT JOIN", "FULL JOIN"])
        query = text("WITH a AS ({}), z AS ({}) SELECT a.host AS h1, z.host AS h2, c, d, total, low FROM a {} z ON a.host = z.host", left, right, kind)
        if rng.random() < 0.4:
            query = text("WITH a AS ({0}), z AS ({1}) SELECT h, sum(x) AS x FROM (SELECT host AS h, c AS x FROM a UNION ALL SELECT host, d FROM z) q GROUP BY h", left, right)
        if rng.random() < 0.3:
            query = text("WITH a AS ({}) SELECT p.host, q.top FROM a p, a q WHERE p.total > q.total", left)
        return query, False

    def distinct(self):
        e = Expressions(self.rng, one())
        columns = [e.any_exact(2) for _ in range(self.rng.randint(1, 2))]
        return text("SELECT DISTINCT {} FROM oracle.one{}", self.named(columns), self.where(e, 0.5)), False

    def top(self):
        rng = self.rng
        e = Expressions(rng, one())
        key = e.any_exact(2)
        down = rng.choice(["", " DESC"])
        nulls = rng.choice([" NULLS FIRST", " NULLS LAST"])
        return text("SELECT id, {0} AS k FROM oracle.one{1} ORDER BY {0}{2}{3}, id LIMIT {4}", key, self.where(e, 0.4), down, nulls, rng.randint(0, 12)), True

    def series_of(self, low, high):
        """A relation of whole numbers in column x, from one number to another."""
        return text("UNNEST(sequence({}, {})) AS u(x)", low, high, postgresql="generate_series({}, {}) AS u(x)", duckdb="generate_series({}, {}) AS u(x)")

    def unnest(self):
        rng = self.rng
        e = Expressions(rng, one("a"))
        top = text("abs({}) % {}", e.present(e.whole(1)), rng.randint(2, 5))
        low, high = rng.randint(-2, 2), rng.randint(3, 8)
        if rng.random() < 0.3:
            return text("SELECT x, count(a.id) AS c1, sum(a.n) AS c2 FROM {} LEFT JOIN oracle.one a ON a.n = u.x AND {} GROUP BY x",
                        self.series_of(low, high), e.truth(1)), False
        relation = text("UNNEST(sequence(0, {})) AS u(x)", top, postgresql="LATERAL generate_series(0, CAST({} AS integer)) AS u(x)",
                        duckdb="LATERAL (SELECT unnest(generate_series(0, {})) AS x) AS u")
        if rng.random() < 0.5:
            return text("SELECT a.id, x FROM oracle.one a CROSS JOIN {}{}", relation, self.where(e, 0.4, 1)), False
        return text("SELECT a.host, count(*) AS c1, sum(x * {}) AS c2 FROM oracle.one a CROSS JOIN {} GROUP BY a.host", e.present(e.column("whole")), relation), False

    def array(self, e, depth=2):
        """An array of present whole numbers; PostgreSQL's functions differ too much to be asked."""
        rng = self.rng
        number = lambda: text("CAST({} AS bigint)", e.present(e.whole(1)))
        if depth == 0 or rng.random() < 0.2:
            return text("ARRAY[{}]", joined(", ", [number() for _ in range(rng.randint(1, 4))]), postgresql=None, duckdb="[{}]")
        a = lambda: self.array(e, depth - 1)
        k = rng.randint(-3, 5)
        return rng.choice([
            lambda: text("array_sort({})", a(), duckdb="list_sort({})"),
            lambda: text("array_sort(array_distinct({}))", a(), duckdb="list_sort(list_distinct({}))"),
            lambda: text("({} || {})", a(), a(), duckdb="list_concat({}, {})"),
            lambda: text("reverse({})", a(), duckdb="list_reverse({})"),
            lambda: text("slice({}, {}, {})", a(), rng.randint(1, 4), rng.randint(0, 3), duckdb="(({0})[{1}:{1} + {2} - 1])"),
            lambda: text("transform({0}, x -> x * {1} + 1)", a(), k, duckdb="list_transform({0}, lambda x: x * {1} + 1)"),
            lambda: text("transform({0}, x -> x + id)", a(), duckdb="list_transform({0}, lambda x: x + id)"),
            lambda: text("filter({0}, x -> x > {1})", a(), k, duckdb="list_filter({0}, lambda x: x > {1})"),
            lambda: text("array_sort(array_intersect({0}, {1}))", a(), a(), duckdb="list_sort(list_intersect({0}, {1}))"),
            lambda: text("zip_with({0}, reverse({0}), (x, y) -> x - y)", a(), duckdb="list_transform(list_zip({0}, list_reverse({0})), lambda z: z[1] - z[2])"),
            lambda: text("array_remove({0}, {1})", a(), k, duckdb="list_filter({0}, lambda x: x <> {1})"),
            lambda: text("sequence({}, {})", rng.randint(-2, 3), rng.randint(4, 6), duckdb="generate_series({}, {})"),
            lambda: text("flatten(ARRAY[{}, {}])", a(), a(), duckdb="flatten([{}, {}])"),
            lambda: text("IF({}, {}, {})", e.truth(1), a(), a(), duckdb="CASE WHEN {} THEN {} ELSE {} END"),
        ])()

    def arrays(self):
        rng = self.rng
        e = Expressions(rng, one())
        a = lambda: self.array(e)
        k = rng.randint(-3, 6)

        def column():
            return rng.choice([
                a, a, lambda: text("cardinality({})", a(), duckdb="len({})"), lambda: text("contains({}, {})", a(), k, duckdb="list_contains({}, {})"),
                lambda: text("array_position({0}, {1})", a(), k, duckdb="coalesce(list_position({0}, {1}), 0)"),
                lambda: text("array_max({})", a(), duckdb="list_max({})"), lambda: text("array_min({})", a(), duckdb="list_min({})"),
                lambda: text("element_at({}, {})", a(), rng.choice([1, 2, 3, -1, -2, 9]), duckdb="list_extract({}, {})"),
                lambda: text("array_join({}, ';')", a(), duckdb="array_to_string({}, ';')"),
                lambda: text("reduce({0}, CAST({1} AS bigint), (s, x) -> s * 2 - x, s -> s)", a(), k, duckdb="list_reduce({0}, lambda s, x: s * 2 - x, CAST({1} AS bigint))"),
                lambda: text("any_match({0}, x -> x > {1})", a(), k, duckdb="(len(list_filter({0}, lambda x: x > {1})) > 0)"),
                lambda: text("all_match({0}, x -> x > {1})", a(), k, duckdb="(len(list_filter({0}, lambda x: x > {1})) = len({0}))"),
                lambda: text("arrays_overlap({0}, {1})", a(), a(), duckdb="list_has_any({0}, {1})"),
                lambda: text("({0} = {1})", a(), a(), duckdb="({0} = {1})"), lambda: text("({0} < {1})", a(), a(), duckdb="({0} < {1})"),
            ])()

        return text("SELECT {} FROM oracle.one{} ORDER BY id", self.named([Text("id")] + [column() for _ in range(rng.randint(1, 3))]),
                    self.where(e, 0.3, 1)), True

    def correlated(self):
        """Sub-queries that read the outer row in other ways than by equality."""
        rng = self.rng
        compare = rng.choice(["<", "<=", ">", ">=", "<>"])
        tie = rng.choice([f"z.k {compare} a.n", "z.host <> a.host", "z.w > a.v", "z.host = a.host AND z.id < a.id", "z.k + a.n = 3", "abs(z.k - a.n) < 2"])
        z = Expressions(rng, two("z"))
        form = rng.choice([
            lambda: text("(SELECT count(*) FROM oracle.two z WHERE {})", tie), lambda: text("(SELECT max(z.w) FROM oracle.two z WHERE {})", tie),
            lambda: text("(SELECT sum(z.k + a.n) FROM oracle.two z WHERE {})", tie),
            lambda: text("EXISTS (SELECT 1 FROM oracle.two z WHERE {} AND {})", tie, z.truth(1)),
            lambda: text("(a.n IN (SELECT z.k FROM oracle.two z WHERE {}))", tie), lambda: text("(a.n NOT IN (SELECT z.k FROM oracle.two z WHERE {}))", tie),
            lambda: text("(a.n > ALL (SELECT z.k FROM oracle.two z WHERE {}))", tie), lambda: text("(a.v <= ANY (SELECT z.w FROM oracle.two z WHERE {}))", tie),
            lambda: text("(SELECT z.t FROM oracle.two z WHERE {} ORDER BY z.id LIMIT 1)", tie),
            lambda: text("(SELECT max(x) FROM (SELECT z.k + 1 AS x FROM oracle.two z WHERE {} UNION ALL SELECT a.n) q)", tie),
            lambda: text("(SELECT count(*) FROM (SELECT DISTINCT z.host, z.k FROM oracle.two z WHERE {}) q)", tie),
            lambda: text("(SELECT max(c) FROM (SELECT z.host, count(*) AS c FROM oracle.two z WHERE {} GROUP BY z.host) q)", tie),
            lambda: text("(SELECT count(*) FROM oracle.two z WHERE {} AND EXISTS (SELECT 1 FROM oracle.one b WHERE b.host = z.host AND b.id < a.id))", tie),
            lambda: Text("(SELECT a.n + 1)"),
        ])()
        if rng.random() < 0.2:
            return text("SELECT a.id, q.x FROM oracle.one a CROSS JOIN LATERAL (SELECT {} AS x FROM oracle.two z WHERE {}) q",
                        rng.choice(["max(z.w)", "z.id", "count(*)"]), tie), False
        return text("SELECT a.id, {} AS c1 FROM oracle.one a ORDER BY a.id", form), True
