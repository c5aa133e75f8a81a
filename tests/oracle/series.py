"""Series, aggregates over them and percentiles, against NumPy and SciPy.

Where a method has one definition the answers must agree to 1e-9: interpolation (numpy.interp), the natural
cubic spline (scipy.interpolate.CubicSpline), slopes (numpy.diff), trapezoids (numpy.trapz), Pearson's and
Spearman's correlation, moments, regression. approx_percentile has a definition of its own, by ranks, which is
computed here with NumPy's sort.
"""
import datetime
import random

import numpy
import scipy.interpolate
import scipy.stats

import compare
import engines

START = datetime.datetime(2024, 3, 1)


def at(milliseconds):
    return (START + datetime.timedelta(milliseconds=int(milliseconds))).isoformat(" ", "milliseconds")


def stamp(milliseconds):
    return f"TIMESTAMP '{at(milliseconds)}'"


def numbers(values):
    return [None if v is None or numpy.isnan(v) else float(v) for v in values]


class Case:
    """One series, its points in a VALUES list, and what is asked of it."""

    def __init__(self, seed):
        rng = self.rng = random.Random(seed)
        n = rng.choice([2, 3, 4, 5, 8, 20, 60])
        self.times = numpy.array(sorted(rng.sample(range(0, 4_000_000), n)), dtype=float)
        if rng.random() < 0.3:
            self.times = numpy.arange(n, dtype=float) * rng.choice([1, 500, 60_000])
        walk = rng.random() < 0.5
        steps = [rng.gauss(0, 10) if walk else float(rng.randint(-5, 20)) for _ in range(n)]
        self.values = numpy.round(numpy.cumsum(steps) if walk else numpy.array(steps), rng.choice([0, 1, 3, 12]))
        self.other = numpy.array([round(rng.gauss(0, 3) + 0.3 * v, 6) for v in self.values])
        rows = ", ".join(f"({stamp(t)}, {v!r}, {o!r})" for t, v, o in zip(
            self.times, map(float, self.values), map(float, self.other)))
        self.source = f"(VALUES {rows}) AS x(t, v, o)"
        self.series, self.second = "create_time_series(t, v)", "create_time_series(t, o)"

    def instants(self, outside=True):
        first, last = self.times[0], self.times[-1]
        wanted = [self.rng.uniform(first, last) for _ in range(6)] + list(self.rng.sample(list(self.times), 2))
        if outside:
            wanted += [first - 1000, last + 777]
        return numpy.array(sorted(set(int(x) for x in wanted)), dtype=float)

    def points(self, call):
        return f"SELECT time, value FROM (SELECT {call} AS r FROM {self.source}) CROSS JOIN UNNEST(r) ORDER BY time"

    def interpolation(self):
        wanted = self.instants()
        array = "ARRAY[" + ", ".join(stamp(w) for w in wanted) + "]"
        inside = (wanted >= self.times[0]) & (wanted <= self.times[-1])
        kind = self.rng.choice(["linear", "spline_cubic", "locf", "fill"])
        call = f"interpolate_{kind}({self.series}, {array})"
        if kind == "linear":
            values = numpy.where(inside, numpy.interp(wanted, self.times, self.values), numpy.nan)
        elif kind == "spline_cubic":
            if len(self.times) == 2:
                values = numpy.interp(wanted, self.times, self.values)
            else:  # in seconds, to keep SciPy's equations well scaled
                values = scipy.interpolate.CubicSpline(self.times / 1000, self.values, bc_type="natural")(wanted / 1000)
            values = numpy.where(inside, values, numpy.nan)
        elif kind == "locf":
            index = numpy.searchsorted(self.times, wanted, side="right") - 1
            values = numpy.where(index >= 0, self.values[index], numpy.nan)
        else:
            call = f"interpolate_fill({self.series}, {array}, -7.5)"
            known = dict(zip(self.times, self.values))
            values = numpy.array([known.get(w, -7.5) for w in wanted])
        return self.points(call), [[at(w), v] for w, v in zip(wanted, numbers(values))]

    def derivative(self):
        unit, milliseconds = self.rng.choice([("1s", 1000), ("5m", 300_000), ("250ms", 250), ("1h", 3_600_000)])
        slopes = numpy.diff(self.values) / numpy.diff(self.times) * milliseconds
        rows = [[at(t), v] for t, v in zip(self.times[1:], numbers(slopes))]
        if self.rng.random() < 0.4:
            return self.points(f"non_negative_derivative_linear({self.series}, {unit})"), [r for r in rows if r[1] >= 0]
        return self.points(f"derivative_linear({self.series}, {unit})"), rows

    def integral(self):
        unit, milliseconds = self.rng.choice([("1s", 1000), ("1m", 60_000), ("1h", 3_600_000)])
        area = numpy.trapz(self.values, self.times) / milliseconds
        return f"SELECT integral_trapezoidal({self.series}, {unit}) FROM {self.source}", [[float(area)]]

    def correlation(self):
        if len(self.times) < 3 or numpy.ptp(self.values) == 0 or numpy.ptp(self.other) == 0:
            return None
        pearson, spearman = (f(self.values, self.other)[0] for f in (scipy.stats.pearsonr, scipy.stats.spearmanr))
        return (f"SELECT correlate_pearson({self.series}, {self.second}), correlate_spearman({self.series}, {self.second}) "
                f"FROM {self.source}", [[float(pearson), float(spearman)]])

    def moments(self):
        v, n = self.values, len(self.values)
        if n < 4 or numpy.ptp(v) == 0:
            return None
        return (f"SELECT avg(v), stddev(v), stddev_pop(v), variance(v), var_pop(v), skewness(v), kurtosis(v), "
                f"geometric_mean(abs(v) + 1) FROM {self.source}",
                [[float(x) for x in (v.mean(), v.std(ddof=1), v.std(), v.var(ddof=1), v.var(), scipy.stats.skew(v),
                                     scipy.stats.kurtosis(v, bias=False), scipy.stats.gmean(abs(v) + 1))]])

    def regression(self):
        if len(self.times) < 3 or numpy.ptp(self.values) == 0:
            return None
        line = scipy.stats.linregress(self.values, self.other)
        cov = numpy.cov(self.other, self.values)[0, 1]
        n = len(self.values)
        return (f"SELECT regr_slope(o, v), regr_intercept(o, v), corr(o, v), covar_samp(o, v), covar_pop(o, v) FROM {self.source}",
                [[float(x) for x in (line.slope, line.intercept, line.rvalue, cov, cov * (n - 1) / n)]])

    def percentiles(self):
        v = numpy.sort(self.values)
        ranks = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0]

        def of(p):  # the smallest value with more than p of the weight up to it
            return float(v[min(int(numpy.searchsorted(numpy.arange(1, len(v) + 1), p * len(v), side="right")), len(v) - 1)])

        picks = ", ".join(f"approx_percentile(v, {p})" for p in ranks)
        return f"SELECT {picks} FROM {self.source}", [[of(p) for p in ranks]]


KINDS = ("interpolation", "interpolation", "interpolation", "derivative", "integral", "correlation", "moments", "regression", "percentiles")


def run(tideline, options, deadline, tally, golden):
    import time
    for seed in range(options.seed, options.seed + options.count // 4):
        if time.monotonic() > deadline:
            break
        case = Case(seed)
        made = getattr(case, case.rng.choice(KINDS))()
        if made is None:
            continue
        statement, expected = made
        tally.compared["series", "numpy, scipy"] += 1
        try:
            answer = tideline.query(statement)
        except engines.EngineError as error:
            tally.fail("series", seed, "numpy, scipy", statement, f"refused: {error}")
            continue
        what = compare.difference(answer.rows, expected, True)
        if what is not None:
            tally.fail("series", seed, "numpy, scipy", statement, what)
        elif golden:
            golden.add("series", seed, statement, True, answer, engines.Answer(None, expected))
