"""The rows that generated queries read: made from a seed, the same in every engine."""
import datetime
import random

START = datetime.datetime(2024, 1, 29, 22, 0, 0)
TEXTS = ["up", "down", "", "a,b,c", "né", "Alpha beta", " padded ", "x1y22z", "Down", "aaa", "éa", "100%", "a_b"]


class Column:
    def __init__(self, name, kind):
        self.name, self.kind = name, kind  # kind: dimension, time, bigint, double, varchar, boolean


class Table:
    def __init__(self, name, columns, rows):
        self.name, self.columns, self.rows = name, columns, rows

    def record(self, row):
        """The row as WriteRecords takes it; None is left out."""
        record = {"Dimensions": [], "MeasureName": "m", "MeasureValueType": "MULTI", "TimeUnit": "MILLISECONDS",
                  "MeasureValues": []}
        for column, value in zip(self.columns, row):
            if value is None:
                continue
            if column.kind == "time":
                record["Time"] = str(round((value - datetime.datetime(1970, 1, 1)) / datetime.timedelta(milliseconds=1)))
            elif column.kind == "dimension":
                record["Dimensions"].append({"Name": column.name, "Value": value})
            else:
                text = str(value).lower() if column.kind == "boolean" else str(value)
                record["MeasureValues"].append({"Name": column.name, "Value": text, "Type": column.kind.upper()})
        return record

    def statements(self, double):
        """CREATE and INSERT for engines of standard SQL."""
        kinds = {"dimension": "varchar", "time": "timestamp", "double": double}
        columns = ", ".join(f"{c.name} {kinds.get(c.kind, c.kind)}" for c in self.columns)
        yield f"CREATE TABLE oracle.{self.name} ({columns})"
        yield f"INSERT INTO oracle.{self.name} VALUES " + ", ".join(
            "(" + ", ".join(literal(value) for value in row) + ")" for row in self.rows)

    def golden(self):
        """The rows as a table block of a golden file."""
        def cell(column, value):
            if value is None:
                return ""
            if column.kind == "time":
                return value.isoformat(" ", "milliseconds")
            if column.kind == "boolean":
                return str(value).lower()
            return "''" if value == "" else str(value)
        head = " | ".join(["measure_name"] + [
            c.name if c.kind in ("dimension", "time") else f"{c.name}:{c.kind}" for c in self.columns])
        rows = [" | ".join(["m"] + [cell(c, v) for c, v in zip(self.columns, row)]) for row in self.rows]
        return "\n".join([f"table oracle.{self.name}", head] + rows) + "\n"


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return f"timestamp '{value.isoformat(' ', 'milliseconds')}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def quarter(rng, low, high):
    """A multiple of 0.25: sums and products of such are exact in every engine."""
    return rng.randint(low * 4, high * 4) / 4


def make_tables(seed, rows=40):
    """oracle.one and oracle.two: few values, so that joins meet and groups have members; many NULLs.

    Blanks at the ends of texts and empty texts are there for expressions; a golden file could not hold them
    as cells, and the service takes no empty measure, so they are no values of columns.
    """
    rng = random.Random(seed)
    texts = [text for text in TEXTS if text and text.strip() == text]

    def maybe(value, chance=0.2):
        return None if rng.random() < chance else value

    one = Table("one", [Column("id", "bigint"), Column("host", "dimension"), Column("region", "dimension"),
                        Column("time", "time"), Column("n", "bigint"), Column("v", "double"),
                        Column("s", "varchar"), Column("b", "boolean")], [])
    for i in range(rows):
        at = START + datetime.timedelta(milliseconds=rng.choice([0, 1, 500, 999]),
                                        minutes=rng.randint(0, 60 * 24 * 40)) + datetime.timedelta(milliseconds=i)
        one.rows.append([i, rng.choice("abcd"), maybe(rng.choice(["eu", "us"]), 0.25), at,
                         maybe(rng.randint(-5, 12)), maybe(quarter(rng, -10, 50)), maybe(rng.choice(texts)),
                         maybe(rng.random() < 0.5)])
    two = Table("two", [Column("id", "bigint"), Column("host", "dimension"), Column("time", "time"),
                        Column("k", "bigint"), Column("w", "double"), Column("t", "varchar")], [])
    for i in range(rows // 2):
        at = rng.choice(one.rows)[3] if rng.random() < 0.5 else START + datetime.timedelta(minutes=i, milliseconds=i)
        two.rows.append([i, rng.choice("bcde"), at + datetime.timedelta(0), maybe(rng.randint(-3, 8)),
                         maybe(quarter(rng, 0, 20)), maybe(rng.choice(texts))])
    # A row is known by dimensions and time: two that share them would be one.
    for table, keys in ((one, (1, 2, 3)), (two, (1, 2))):
        seen = set()
        table.rows = [row for row in table.rows
                      if tuple(row[k] for k in keys) not in seen and not seen.add(tuple(row[k] for k in keys))]
    return [one, two]
