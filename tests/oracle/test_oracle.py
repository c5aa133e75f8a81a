#!/usr/bin/python3
"""What the comparison counts as a failure: asked of engines that are made up."""
import contextlib
import io
import unittest

import engines
import oracle


class Made:
    """An engine with one answer: rows, or the text of a refusal."""

    def __init__(self, name, answer):
        self.name, self.answer = name, answer

    def query(self, statement):
        if isinstance(self.answer, str):
            raise engines.EngineError(self.answer)
        return engines.Answer(None, self.answer)


class Counting(unittest.TestCase):
    def tally_of(self, own, *peers):
        tally = oracle.Tally()
        query = {"tideline": "SELECT 1", **{f"p{i}": "SELECT 1" for i in range(len(peers))}}
        with contextlib.redirect_stdout(io.StringIO()):
            oracle.check(Made("tideline", own), [Made(f"p{i}", answer) for i, answer in enumerate(peers)],
                         "subquery", 7, query, True, tally)
        return tally

    def test_equal_answers_agree(self):
        tally = self.tally_of([[1]], [[1]])
        self.assertEqual([], tally.failures)
        self.assertEqual(1, sum(tally.compared.values()))

    def test_a_refusal_of_ours_is_a_failure_whatever_it_says(self):
        for text in ("this correlated sub-query is not supported yet", "line 1:8: nothing of that kind"):
            tally = self.tally_of(text, [[1]])
            self.assertEqual(1, len(tally.failures))
            self.assertIn(text, tally.failures[0][-1])

    def test_a_refusal_of_a_peer_is_none(self):
        tally = self.tally_of([[1]], "no such thing here")
        self.assertEqual([], tally.failures)
        self.assertEqual({"p0": 1}, dict(tally.refused))

    def test_another_answer_is_a_failure(self):
        self.assertEqual(1, len(self.tally_of([[1]], [[2]]).failures))


if __name__ == "__main__":
    unittest.main()
