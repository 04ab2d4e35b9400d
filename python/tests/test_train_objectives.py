"""The train job under every loss, with teacher scores and with the pull to the base: it learns, resumes exactly, and refuses by name."""
import json
import math
import os
import random
import unittest
from unittest import mock

from rerank_tune_worker.jobs import train
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training import base_scores
from rerank_tune_worker.training.data import Group, Passage, StepPlan, read_groups
from rerank_tune_worker.training.losses import LOSSES
from tests.train_workplace import DyingReporter, Killed, Workplace


def setUpModule():
    global PLACE, TAUGHT
    PLACE = Workplace("bert", "plain", "modernbert")
    TAUGHT = with_teacher("taught.jsonl")


def tearDownModule():
    PLACE.cleanup()


def with_teacher(name, **replaced):
    """Training groups in which a teacher scores the relevant passage about 3 above the others; `replaced`: line -> teacher_score of its first passage."""
    rng = random.Random(3)
    with open(PLACE.inputs["train"]) as file:
        rows = [json.loads(line) for line in file]
    for number, row in enumerate(rows, 1):
        for passage in row["passages"]:
            passage["teacher_score"] = 3.0 * passage["label"] + rng.gauss(0, 0.3)
        if f"line{number}" in replaced:
            row["passages"][0]["teacher_score"] = replaced[f"line{number}"]
    with open(PLACE.path(name), "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return PLACE.path(name)


def run(out, base="bert", reporter=None, data=None, dev=None, **options):
    job = PLACE.make_job(out, base, **options)
    inputs = {**job.inputs, "train": data or TAUGHT, "dev": dev or job.inputs["dev"]}
    return train.run(Job(**{**vars(job), "inputs": inputs}), reporter or DyingReporter())


def losses(reporter):
    return [event.value for event in reporter.events if getattr(event, "name", "") == "loss"]


class Learning(unittest.TestCase):
    def test_every_loss_learns_to_rank(self):
        for name in LOSSES:
            done = run(f"learns-{name}", loss=name, epochs=16, evaluations=2, checkpoint_seconds=9999, evaluation_queries=18, evaluation_depth=6, learning_rate=5e-3, dev=PLACE.inputs["train"])
            found = done.outputs["dev_ndcg_at_10"]
            self.assertGreater(found["best"], 0.9, name)
            self.assertLess(found["base"], 0.8, name)

    def test_every_loss_resumes_exactly(self):
        for name in LOSSES:
            options = {"loss": name, "epochs": 1, "evaluations": 2, "kl_to_base": 0.2}
            whole = DyingReporter()
            run(f"whole-{name}", reporter=whole, **options)
            at = whole.events.index(("progress", 3, 5, "steps"))
            with self.assertRaises(Killed):
                run(f"died-{name}", reporter=DyingReporter(at), **options)
            run(f"died-{name}", **options)
            self.assertEqual(PLACE.results(f"died-{name}"), PLACE.results(f"whole-{name}"), name)

    def test_passages_without_a_teacher_train_under_the_other_losses(self):
        for name in set(LOSSES) - {"margin_mse", "kl"}:
            self.assertGreater(run(f"untaught-{name}", loss=name, epochs=1, data=PLACE.inputs["train"]).outputs["steps"], 0)


class PullToTheBase(unittest.TestCase):
    def test_it_costs_nothing_while_the_model_still_is_the_base(self):
        with_pull, without = DyingReporter(), DyingReporter()
        run("pulled", reporter=with_pull, kl_to_base=5.0)
        run("free", reporter=without)
        self.assertAlmostEqual(losses(with_pull)[0], losses(without)[0], places=5)
        self.assertGreater(abs(losses(with_pull)[-1] - losses(without)[-1]), 1e-3)

    def test_it_keeps_the_order_of_the_base(self):
        def moved(out, **options):
            run(out, epochs=4, evaluations=1, dev=PLACE.inputs["train"], **options)
            with open(PLACE.path(out, "scores.base.test.tsv")) as base, open(PLACE.path(out, "scores.tuned.test.tsv")) as tuned:
                pairs = [(float(a.split("\t")[2]), float(b.split("\t")[2])) for a, b in zip(base, tuned)]
            shift = sum(b - a for a, b in pairs) / len(pairs)
            return math.sqrt(sum((b - a - shift) ** 2 for a, b in pairs) / len(pairs))

        self.assertLess(moved("held", kl_to_base=10.0), 0.7 * moved("unheld"))

    def test_dying_anywhere_gives_the_same_bytes_and_scores_the_base_once(self):
        options = {"kl_to_base": 0.5, "epochs": 1, "evaluations": 1}
        whole = DyingReporter()
        run("kl-whole", reporter=whole, **options)
        for at in range(2, len(whole.events), 3):
            out = f"kl-died-{at}"
            with self.assertRaises(Killed), mock.patch.object(base_scores, "save_file", wraps=base_scores.save_file) as first:
                run(out, reporter=DyingReporter(at), **options)
            with mock.patch.object(base_scores, "save_file", wraps=base_scores.save_file) as second:
                run(out, **options)
            self.assertEqual(first.call_count + second.call_count, 1, whole.events[at])
            self.assertEqual(PLACE.results(out), PLACE.results("kl-whole"), whole.events[at])

    def test_it_works_where_pairs_are_padded(self):
        self.assertGreater(run("kl-modernbert", "modernbert", kl_to_base=0.5, epochs=1).outputs["steps"], 0)

    def test_it_scores_every_pair_that_a_step_sees_and_no_other(self):
        groups = [Group(f"q{n}", "q", tuple(Passage(f"p{i}", "t", float(i == 0), "bm25") for i in range(9)), ()) for n in range(5)]
        plan = StepPlan(groups, queries_per_step=2, group_size=3, epochs=1.4, seed=7)
        seen = {(g.group, p) for step in range(plan.total) for g in plan.step(step) for p in g.passages}
        self.assertEqual(plan.pairs(), sorted(seen))
        self.assertLess(len(seen), 45)


class Refusals(unittest.TestCase):
    def refused(self, code, **options):
        with self.assertRaises(JobError) as caught:
            run("refused", **options)
        self.assertEqual(caught.exception.code, code)
        self.assertFalse(os.path.exists(PLACE.path("refused", "checkpoint")), "training had begun")
        return caught.exception

    def test_a_pull_to_a_base_without_a_head_is_refused(self):
        error = self.refused("RECIPE_INVALID", base="plain", kl_to_base=0.1)
        self.assertIn("train.kl_to_base 0.1", error.message)
        self.assertIn("train.kl_to_base=0", error.hint)

    def test_passages_without_a_teacher_score_are_counted(self):
        for name in ("margin_mse", "kl"):
            error = self.refused("DATA_INVALID", loss=name, data=with_teacher("gaps.jsonl", line2=None, line5=None))
            self.assertIn(f"train.loss {name}", error.message)
            self.assertIn("2 of 108 passages", error.message)
            self.assertIn("2 of 18 queries", error.message)
            self.assertIn("rerank-tune data score", error.hint)

    def test_teacher_scores_that_are_no_finite_number_count_as_missing(self):
        self.assertIn("1 of 108", self.refused("DATA_INVALID", loss="kl", data=with_teacher("nan.jsonl", line3=math.nan)).message)

    def test_a_teacher_score_that_is_no_number_is_named_by_its_line(self):
        path = with_teacher("text.jsonl", line4="high")
        with self.assertRaises(JobError) as caught:
            read_groups(path)
        self.assertIn(f"{path}:4", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
