"""Keeps answers of the peers as golden files."""
import math


class Sample:
    def __init__(self, options, tables):
        self.options, self.tables = options, tables
        self.cases = {}  # family -> blocks

    def add(self, family, seed, statement, ordered, answer, peer):
        block = block_of(f"# seed {seed}", statement, ordered, answer.types, peer.rows)
        if block is not None:
            self.cases.setdefault(family, []).append(block)

    def write(self):
        folder = self.options.sample
        folder.mkdir(parents=True, exist_ok=True)
        head = f"# Made by scripts/oracle --sample, from seed {self.options.seed} on: do not edit."
        (folder / "tables.inc").write_text(
            f"{head}\n# The rows that the queries of this folder read.\n\ndatabase oracle\n\n"
            + "\n".join(table.golden() for table in self.tables))
        for family, blocks in sorted(self.cases.items()):
            who = "NumPy and SciPy" if family == "series" else "PostgreSQL 15 and DuckDB"
            text = f"{head}\n# Answers are those of {who}.\n\n"
            if family != "series":
                text += "include tables.inc\n\n"
            (folder / f"{family}.slt").write_text(text + "\n\n".join(blocks) + "\n")


def block_of(comment, statement, ordered, types, rows):
    """A query block; None when a cell cannot be written as one."""
    lines = []
    for row in rows:
        cells = [cell(value, kind) for value, kind in zip(row, types)]
        if any(c is None for c in cells):
            return None
        lines.append(" | ".join(cells))
    letters = "".join({"BIGINT": "I", "INTEGER": "I", "DOUBLE": "R"}.get(kind, "T") for kind in types)
    head = f"query {letters}" + ("" if ordered else " rowsort")
    return "\n".join([comment, head, statement, "----"] + lines)


def cell(value, kind):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if kind in ("BIGINT", "INTEGER"):
        return str(int(value))
    if kind == "DOUBLE":
        value = float(value)
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return "NaN" if math.isnan(value) else repr(value)
    if kind == "TIMESTAMP":
        return value + "000000"
    if kind == "ARRAY":
        items = ["null" if item is None else str(item) for item in value]
        if any(not isinstance(item, (int, str, type(None))) or set(str(item)) & set("|\n") for item in value):
            return None
        return "[" + ",".join(items) + "]"
    if value != value.strip() or "|" in value or "\n" in value or value == "NULL":
        return None
    return value or "(empty)"
