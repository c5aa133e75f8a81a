"""Whether two engines gave the same rows."""
import math

TOLERANCE = 1e-9


def same_value(a, b):
    if a is None or b is None:
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same_value(x, y) for x, y in zip(a, b))
    number = lambda x: isinstance(x, (int, float)) and not isinstance(x, bool)
    if number(a) and number(b):
        if isinstance(a, int) and isinstance(b, int):
            return a == b
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        return a == b or math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-12)
    return type(a) is type(b) and a == b


def place(value):
    """A key to sort rows by that does not see the last digits of a double."""
    if value is None:
        return (9, "")
    if isinstance(value, bool):
        return (0, value)
    if isinstance(value, (int, float)):
        if math.isnan(value):
            return (2, "")
        return (1, value if value == int(value) else float(f"{value:.6g}")) if math.isfinite(value) else (1, value)
    if isinstance(value, list):
        return (4, str([place(item) for item in value]))
    return (3, value)


def difference(rows, peer_rows, ordered):
    """None when alike, else a line that tells the first difference."""
    if len(rows) != len(peer_rows):
        return f"{len(rows)} rows against {len(peer_rows)}"
    if not ordered:
        rows, peer_rows = (sorted(r, key=lambda row: [place(v) for v in row]) for r in (rows, peer_rows))
    for i, (row, peer_row) in enumerate(zip(rows, peer_rows)):
        for j, (a, b) in enumerate(zip(row, peer_row)):
            if not same_value(a, b):
                return f"row {i}, column {j}: {a!r} against {b!r}; rows {row} and {peer_row}"
    return None
