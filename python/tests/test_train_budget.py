"""The budget of tokens: halved when memory runs out in a step, kept for a resumed run, and given up where it cannot help."""
import json
import os
import tempfile
import unittest
from unittest import mock

import torch

from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training.budget import TokenBudget, out_of_memory, read_halved
from rerank_tune_worker.training.model import PairModel
from tests.train_workplace import DyingReporter, Killed, Workplace
from tests.training_data import OPTIONS

SHORT = {"epochs": 1, "evaluations": 1, "checkpoint_seconds": 0}


class Failing:
    """Runs out of memory so many times, then answers with its budget. `tried`: budgets; `undone`: how often."""

    def __init__(self, times, error=torch.OutOfMemoryError("CUDA out of memory")):
        self.times, self.error, self.tried, self.undone = times, error, [], 0

    def __call__(self, tokens):
        self.tried.append(tokens)
        if len(self.tried) <= self.times:
            raise self.error
        return tokens

    def undo(self):
        self.undone += 1


class Budget(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path, self.reporter = os.path.join(folder.name, "halved.json"), DyingReporter()

    def budget(self, seed=7):
        return TokenBudget(4096, OPTIONS, seed=seed, reporter=self.reporter, path=self.path)

    def spend(self, work, budget=None, step=3, largest=100):
        return (budget or self.budget()).spend(step, largest, work, work.undo)

    def test_a_step_that_fits_is_left_alone(self):
        self.assertEqual(self.spend(Failing(0)), 4096)
        self.assertEqual((self.reporter.events, os.path.exists(self.path)), ([], False))

    def test_a_step_that_runs_out_of_memory_is_undone_and_repeated_with_half(self):
        work = Failing(2)
        self.assertEqual(self.spend(work), 1024)
        self.assertEqual((work.tried, work.undone), ([4096, 2048, 1024], 2))
        self.assertEqual([event.level for event in self.reporter.events], ["warning", "warning"])
        self.assertIn("in step 4", self.reporter.events[0].message)
        self.assertIn("2048 tokens at once instead of 4096", self.reporter.events[0].message)

    def test_the_half_is_for_good_and_for_later_seeds(self):
        budget = self.budget()
        self.spend(Failing(1), budget)
        self.assertEqual([budget.at(step) for step in (0, 2, 3, 4, 99)], [4096, 4096, 2048, 2048, 2048])
        self.assertEqual(self.budget(seed=8).at(0), 2048)

    def test_a_resumed_run_cuts_every_step_as_the_killed_one_did(self):
        first = self.budget()
        self.spend(Failing(1), first)
        self.spend(Failing(1), first, step=8)
        self.assertEqual(read_halved(self.path), [{"seed": 7, "step": 3, "tokens": 2048}, {"seed": 7, "step": 8, "tokens": 1024}])
        again = self.budget()
        self.assertEqual([again.at(step) for step in range(10)], [first.at(step) for step in range(10)])
        # should it fail earlier this time, the later steps still have the least that was enough
        self.spend(Failing(1), again, step=1)
        self.assertEqual([again.at(step) for step in (0, 1, 3, 8)], [4096, 2048, 2048, 1024])

    def test_a_group_that_does_not_fit_ends_training_with_what_would_help(self):
        work = Failing(99)
        with self.assertRaises(JobError) as caught:
            self.spend(work, largest=1500)
        self.assertEqual((caught.exception.code, work.tried), ("WORKER_OUT_OF_MEMORY", [4096, 2048, 1024]))
        self.assertIn("train.gradient_checkpointing=true", caught.exception.hint)
        self.assertNotIn("micro_batch_tokens", caught.exception.hint)

    def test_other_failures_pass(self):
        for error in (RuntimeError("shapes cannot be multiplied"), ValueError("x")):
            with self.assertRaises(type(error)):
                self.spend(Failing(1, error))
        self.assertFalse(os.path.exists(self.path))

    def test_the_allocators_of_the_cpu_say_it_in_words(self):
        for words, expected in (("DefaultCPUAllocator: can't allocate memory: you tried to allocate 80 bytes", True), ("not enough memory: you tried", True), ("size mismatch", False)):
            self.assertEqual(out_of_memory(RuntimeError(words)), expected)


class InTheJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace("bert")

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def failing(self, at):
        """The micro-batch with this number, counted from 0, runs out of memory: the second of a step has gradients of the first to undo."""
        real, count = PairModel.training_logits, [-1]

        def training_logits(model, pairs):
            count[0] += 1
            if count[0] == at:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return real(model, pairs)

        return mock.patch.object(PairModel, "training_logits", training_logits)

    def test_a_step_that_ran_out_of_memory_leaves_nothing_behind(self):
        reporter = DyingReporter()
        with self.failing(at=7):
            done = self.place.run("failed", reporter=reporter, **SHORT, dropout=True)
        with open(self.place.path("failed", "records", "micro_batch.json")) as file:
            record = json.load(file)
        halved = record["halved"]
        self.assertEqual([row["tokens"] for row in halved], [100])
        self.assertEqual((done.outputs["micro_batch_tokens"], record["tokens"], record["how"]), (200, 200, "recipe"))
        self.assertEqual(sum("memory ran out" in getattr(event, "message", "") for event in reporter.events), 1)
        # the same micro-batches without any failure
        os.makedirs(self.place.path("told", "checkpoint"))
        with open(self.place.path("told", "checkpoint", "halved.json"), "w") as file:
            json.dump(halved, file)
        self.place.run("told", **SHORT, dropout=True)
        self.assertEqual(self.place.results("failed"), self.place.results("told"))

    def test_killed_after_it_the_job_ends_with_the_same_bytes(self):
        whole = DyingReporter()
        with self.failing(at=5):
            self.place.run("whole", reporter=whole, **SHORT)
        told = next(number for number, event in enumerate(whole.events) if "memory ran out" in getattr(event, "message", ""))
        with self.failing(at=5), self.assertRaises(Killed):
            self.place.run("killed", reporter=DyingReporter(told + 1), **SHORT)
        self.place.run("killed", **SHORT)
        self.assertEqual(self.place.results("killed"), self.place.results("whole"))


if __name__ == "__main__":
    unittest.main()
