"""A folder with tiny bases and small splits in which tests run the train job, and a reporter that can die at any event."""
import hashlib
import io
import os
import random
import tempfile
import unittest
from unittest import mock

import torch

from rerank_tune_worker.jobs import train
from rerank_tune_worker.pairs import EncodedPair
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.reporter import JobError, Reporter
from rerank_tune_worker.training.evaluate import mean
from tests import tiny_models
from tests.training_data import OPTIONS, write_split


def any_gain_counts(test):
    """Decorates a test or its class: on the few dev queries here hardly a gain is likely, so tests of what follows upon one take any."""
    for module in ("history", "interpolation"):
        test = mock.patch(f"rerank_tune_worker.training.{module}.likely_above", lambda values, reference: mean(values) > mean(reference))(test)
    return test


def any_step_counts(test):
    """Decorates a test of what training does to weights, whatever dev says of them: those of the last step are kept."""
    for name, answer in (("likely_above", True), ("clearly_below", False)):
        test = mock.patch(f"rerank_tune_worker.training.history.{name}", lambda *_, answer=answer: answer)(test)
    return test


def refusal(call):
    with unittest.TestCase().assertRaises(JobError) as raised:
        call()
    return raised.exception


def random_pairs(count, vocabulary, *, seed=3):
    rng = random.Random(seed)
    lengths = [rng.choice((3, 5, 16, 17, 31, 32, 33, 60)) for _ in range(count)]
    return [EncodedPair([rng.randrange(5, vocabulary) for _ in range(n)], [int(i > n // 2) for i in range(n)]) for n in lengths]


class Killed(BaseException):
    """Stands for SIGKILL inside the process: nothing of ours may catch it."""


class DyingReporter(Reporter):
    """Dies at the given event; a negative number never."""

    def __init__(self, at=-1, error=Killed):
        super().__init__(io.StringIO(), "test")
        self.events, self._at, self._error = [], at, error

    def send(self, event):
        self.events.append(event)
        if len(self.events) - 1 == self._at:
            raise self._error()

    def progress(self, completed, total, unit):
        """Every one of them, so that each step is a place to die."""
        self.send(("progress", completed, total, unit))


class Workplace:
    """Bases are named after their architecture; `plain` has no head and `three` has three labels (both BERT)."""

    def __init__(self, *bases):
        torch.set_num_threads(1)
        self._folder = tempfile.TemporaryDirectory()
        counts = {"train": 18, "dev": 10, "test": 6}
        self.inputs = {split: write_split(self.path(f"{split}.jsonl"), split, count) for split, count in counts.items()}
        for base in bases:
            special = {"plain": {"plain": True}, "three": {"labels": 3}}.get(base)
            tiny_models.build("bert" if special else base, self.path(base), **(special or {}))

    def cleanup(self):
        self._folder.cleanup()

    def path(self, *names):
        return os.path.join(self._folder.name, *names)

    def make_job(self, out, base="bert", **options):
        return Job(1, "test", "train", self.path(out), {"base": self.path(base), **self.inputs}, {**OPTIONS, **options})

    def run(self, out, base="bert", reporter=None, **options):
        return train.run(self.make_job(out, base, **options), reporter or DyingReporter())

    def results(self, out):
        """Digests of everything outside records/: what the pipeline's key of later stages depends on."""
        root = self.path(out)
        files = [os.path.relpath(os.path.join(at, name), root) for at, _, names in os.walk(root) for name in names]
        return {name: self._digest(out, name) for name in sorted(files) if not name.startswith("records")}

    def _digest(self, *names):
        with open(self.path(*names), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()


class TeacherPlace(Workplace):
    """With a base of every architecture that has layers to spare."""

    def __init__(self):
        super().__init__("plain")
        for kind in tiny_models.KINDS:
            tiny_models.build(kind, self.path(kind), layers=7 if kind == "modernbert" else 4)


class TinyBases(unittest.TestCase):
    """Tests that build models of tiny bases, which lie below `folder`, named after their architecture."""

    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        for kind in tiny_models.KINDS:
            tiny_models.build(kind, f"{cls.folder.name}/{kind}")
