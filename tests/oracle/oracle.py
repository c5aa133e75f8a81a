"""Compares Tideline's answers with those of engines that others wrote, on statements made from a seed.

  oracle.py [--seed N] [--count N] [--seconds S] [--tables N] [--rows N] [--family NAME]... [--sample FOLDER]

Families: those of generate.py (project functions join group grouping window sets subquery with_parts distinct
top), asked of PostgreSQL and DuckDB, and series, asked of NumPy and SciPy. Ends with status 1 when a
difference is found that README.md does not explain. An engine that is not there is named and left out.
--sample writes golden files, with the peers' answers, in place of reporting figures.
"""
import argparse
import collections
import contextlib
import pathlib
import sys
import time

import compare
import engines
import generate
import sample
import tables

FAILURES_SHOWN_MAX = 20
SLOW_SECONDS = 5


class Tally:
    def __init__(self):
        self.compared = collections.Counter()  # by (family, engine)
        self.refused = collections.Counter()   # by engine: it has no such thing
        self.seconds = collections.Counter()   # by engine
        self.disagreements = 0
        self.failures = []

    def fail(self, family, seed, engine, statement, what):
        self.failures.append((family, seed, engine, statement, what))
        if len(self.failures) <= FAILURES_SHOWN_MAX:
            print(f"DIFFERENT {family}, seed {seed}, {engine}: {what}\n  {statement}\n", flush=True)

    def disagree(self, family, seed, engine, statement, what):
        """The peer before has Tideline's answer, this one another: worth a look, but not our fault."""
        self.disagreements += 1
        if self.disagreements <= FAILURES_SHOWN_MAX:
            print(f"PEERS DISAGREE {family}, seed {seed}, {engine}: {what}\n  {statement}\n", flush=True)

    def report(self):
        for (family, engine), count in sorted(self.compared.items()):
            print(f"{family:12} {engine:12} {count:7} compared")
        for engine, count in sorted(self.refused.items()):
            print(f"{'':12} {engine:12} {count:7} refused by it")
        print("seconds:", ", ".join(f"{engine} {seconds:.0f}" for engine, seconds in sorted(self.seconds.items())))
        print(f"{sum(self.compared.values())} answers compared, {len(self.failures)} different; "
              f"peers disagree on {self.disagreements}")


def ask(engine, statement, tally):
    """(answer, None) or (None, what the engine says)."""
    started = time.monotonic()
    try:
        return engine.query(statement), None
    except engines.EngineError as error:
        return None, str(error)
    finally:
        taken = time.monotonic() - started
        tally.seconds[engine.name] += taken
        if taken > SLOW_SECONDS:
            print(f"SLOW {engine.name}, {taken:.1f} s: {statement}\n", flush=True)


def check(tideline, peers, family, seed, query, ordered, tally):
    """Compares one query; returns (Tideline's answer, a peer's) when all agree, else None."""
    answer, refusal = ask(tideline, query["tideline"], tally)
    agreed = None
    for peer in peers:
        if query[peer.name] is None:
            continue
        peer_answer, peer_refusal = ask(peer, query[peer.name], tally)
        if peer_answer is None:
            tally.refused[peer.name] += 1
            continue
        tally.compared[family, peer.name] += 1
        what = (f"refused: {refusal}" if answer is None
                else compare.difference(answer.rows, peer_answer.rows, ordered))
        if what is not None and agreed:
            tally.disagree(family, seed, peer.name, query[peer.name], what)
        elif what is not None:
            tally.fail(family, seed, peer.name, query["tideline"] + "\n  " + query[peer.name], what)
            return None
        agreed = agreed or (answer, peer_answer)
    return agreed


def open_engines(stack):
    """Tideline and the peers that are there, with the tables loaded."""
    tideline = engines.Tideline()
    stack.callback(tideline.close)
    peers = []
    for kind in (engines.Postgres, engines.DuckDb):
        try:
            peer = kind()
        except engines.Unavailable as reason:
            print(f"SKIPPED {kind.name}: {reason}")
            continue
        stack.callback(peer.close)
        peers.append(peer)
    return tideline, peers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the first statement (default 1)")
    parser.add_argument("--count", type=int, default=2000, help="how many statements (default 2000)")
    parser.add_argument("--tables", type=int, default=20240129, help="seed of the tables' rows")
    parser.add_argument("--rows", type=int, default=40, help="rows of the larger table (default 40)")
    parser.add_argument("--seconds", type=float, help="stop after so many seconds")
    parser.add_argument("--family", action="append", help="only this one; may be repeated")
    parser.add_argument("--sample", type=pathlib.Path, help="write golden files into this folder")
    options = parser.parse_args()
    deadline = time.monotonic() + options.seconds if options.seconds else float("inf")
    tally = Tally()
    with contextlib.ExitStack() as stack:
        tideline, peers = open_engines(stack)
        made = tables.make_tables(options.tables, options.rows)
        for engine in [tideline] + peers:
            engine.load(made)
        golden = sample.Sample(options, made) if options.sample else None
        families = [f for f in options.family or [] if f != "series"]
        if not options.family or families:
            for seed in range(options.seed, options.seed + options.count):
                if time.monotonic() > deadline:
                    break
                family, query, ordered = generate.Queries(seed).make(families)
                agreed = check(tideline, peers, family, seed, query, ordered, tally)
                if golden and agreed:
                    golden.add(family, seed, query["tideline"], ordered, *agreed)
        if not options.family or "series" in options.family:
            try:
                import series
                series.run(tideline, options, deadline, tally, golden)
            except ImportError as reason:
                print(f"SKIPPED NumPy and SciPy: {reason}")
        if golden:
            golden.write()
    tally.report()
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
