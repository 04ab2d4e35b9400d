"""Affine calibration: the fit against known answers, its measures by hand, the exact fold, and the job around it."""
import json
import math
import os
import unittest

import torch
from safetensors.torch import load_file

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.jobs import train
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training.calibration import Affine, calibrate, fit, flipped, fold, measures
from rerank_tune_worker.training.encoder_parts import last_linear
from rerank_tune_worker.training.preflight import check_bias
from tests import tiny_models
from tests.train_workplace import DyingReporter, Workplace


def setUpModule():
    global PLACE
    PLACE = Workplace(*tiny_models.KINDS, "plain")


def tearDownModule():
    PLACE.cleanup()


def double(*values):
    return torch.tensor(values, dtype=torch.float64)


class Fit(unittest.TestCase):
    def test_two_scores_have_their_smoothed_shares_as_answer(self):
        # score 0: 1 of 4 relevant; score 1: 3 of 4. N+ = N- = 4, so a relevant passage counts 5/6 and another 1/6.
        found = fit(double(0, 0, 0, 0, 1, 1, 1, 1), double(1, 0, 0, 0, 1, 1, 1, 0))
        low, high = (1 * 5 + 3 * 1) / 24, (3 * 5 + 1 * 1) / 24
        logit = lambda p: math.log(p / (1 - p))  # noqa: E731
        self.assertAlmostEqual(found.b, logit(low), places=9)
        self.assertAlmostEqual(found.a, logit(high) - logit(low), places=9)

    def test_separable_scores_have_a_finite_answer(self):
        found = fit(double(-3, -2, 5, 6), double(0, 0, 1, 1))
        self.assertTrue(0 < found.a < 10 and math.isfinite(found.b))

    def test_scores_far_from_0_fit_as_well(self):
        generator = torch.Generator().manual_seed(1)
        scores = torch.randn(20_000, generator=generator, dtype=torch.float64)
        grades = (torch.rand(20_000, generator=generator, dtype=torch.float64) < torch.sigmoid(2 * scores - 1)).double()
        for scale, offset in ((1.0, 0.0), (1e-3, 500.0), (1e3, -1e5)):
            found = fit(scale * scores + offset, grades)
            self.assertAlmostEqual(found.a * scale, 2, delta=0.1)
            self.assertAlmostEqual(found.b + found.a * offset, -1, delta=0.1)

    def test_no_other_slope_or_offset_is_likelier(self):
        scores, grades = double(-1, 0.5, 0.7, 2, 2.5, 3), double(0, 1, 0, 0.5, 1, 0.5)
        found = fit(scores, grades)
        total = float(grades.sum())
        targets = grades * (total + 1) / (total + 2) + (1 - grades) / (6 - total + 2)
        loss = lambda affine: float(torch.nn.functional.binary_cross_entropy_with_logits(affine(scores), targets))  # noqa: E731
        for a, b in ((1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3)):
            self.assertGreater(loss(Affine(found.a + a, found.b + b)), loss(found))

    def test_scores_that_fall_with_relevance_or_are_equal_have_none(self):
        self.assertIsNone(fit(double(3, 2, 1, 0), double(0, 0, 1, 1)))
        self.assertIsNone(fit(double(2, 2, 2), double(0, 1, 1)))


class Measures(unittest.TestCase):
    def test_by_hand(self):
        logit = math.log(0.8 / 0.2)
        found = measures(double(logit, logit, -logit), double(1, 0, 0))
        self.assertAlmostEqual(found["log_loss"], -(math.log(0.8) + math.log(0.2) + math.log(0.8)) / 3)
        self.assertAlmostEqual(found["brier"], (0.04 + 0.64 + 0.04) / 3)
        # two in the bin of 0.8, half of them relevant; one in that of 0.2, not relevant
        self.assertAlmostEqual(found["ece"], (2 * 0.3 + 1 * 0.2) / 3)

    def test_out_of_sample_uses_the_fit_of_the_other_half(self):
        scores, grades = [0.0, 1.0, 2.0, 5.0, 7.0, 9.0], [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
        _, record = calibrate(scores, grades, [3, 3])
        first, second = fit(double(0, 1, 2), double(0, 1, 0)), fit(double(5, 7, 9), double(0, 0, 1))
        self.assertIsNone(first)  # 1 lies in the middle: no slope above 0
        self.assertIsNone(record["after_out_of_sample"])
        _, record = calibrate([0.0, 1.0, 3.0, 5.0, 7.0, 9.0], [0.0, 0.0, 1.0, 0.0, 0.0, 1.0], [3, 3])
        first = fit(double(0, 1, 3), double(0, 0, 1))
        crossed = torch.cat((second(double(0, 1, 3)), first(double(5, 7, 9))))
        self.assertEqual(record["after_out_of_sample"], measures(crossed, double(0, 0, 1, 0, 0, 1)))

    def test_one_query_has_no_out_of_sample(self):
        self.assertIsNone(calibrate([0.0, 1.0], [0.0, 1.0], [2])[1]["after_out_of_sample"])


class Folding(unittest.TestCase):
    def test_every_architecture_gives_the_affine_of_its_scores(self):
        ids = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5], [11, 12, 13, 14, 15]])
        for kind in tiny_models.KINDS:
            model = load_base(inspect_base(PLACE.path(kind)), seed=1, attention="eager")
            with torch.no_grad():
                before = model(input_ids=ids).logits
                fold(last_linear(model)[1], Affine(2.5, -1.25))
                after = model(input_ids=ids).logits
            torch.testing.assert_close(after, 2.5 * before - 1.25, rtol=1e-5, atol=1e-5)

    def test_a_head_without_a_bias_is_refused_by_name(self):
        for kind, name in (("xlm-roberta", "classifier.out_proj"), ("modernbert", "classifier")):
            base = inspect_base(PLACE.path(kind))
            model = load_base(base, seed=1, attention="eager")
            last_linear(model)[1].bias = None
            check_bias({"calibrate": False}, base, model)
            with self.assertRaises(JobError) as caught:
                check_bias({"calibrate": True}, base, model)
            self.assertEqual(caught.exception.code, "MODEL_UNSUPPORTED")
            self.assertIn(f"into {name}, which has no bias", caught.exception.message)

    def test_a_changed_order_is_seen_within_a_query_and_rounding_is_not(self):
        before = [1.0, 2.0, 5.0, 4.0]
        self.assertEqual(flipped(before, [2.0, 4.0, 10.0, 8.0], [2, 2], Affine(2.0, 0.0)), 0)
        self.assertEqual(flipped(before, [4.0, 2.0, 10.0, 8.0], [2, 2], Affine(2.0, 0.0)), 1)
        self.assertEqual(flipped(before, [2.0, 4.0, 1.0, 0.0], [2, 2], Affine(2.0, 0.0)), 0)
        self.assertEqual(flipped([1.0, 1.0 + 1e-7], [2.0, 2.0], [2], Affine(2.0, 0.0)), 0)


class InTheJob(unittest.TestCase):
    def scores(self, out, name="scores.tuned.test.tsv"):
        with open(PLACE.path(out, name)) as file:
            return torch.tensor([float(line.split("\t")[2]) for line in file], dtype=torch.float64)

    def run_on(self, out, dev, base="bert", reporter=None, **options):
        job = PLACE.make_job(out, base, **options)
        return train.run(Job(**{**vars(job), "inputs": {**job.inputs, "dev": dev}}), reporter or DyingReporter())

    def test_scores_are_the_affine_of_the_uncalibrated_ones_on_every_architecture(self):
        for base in (*tiny_models.KINDS, "plain"):
            options = {"epochs": 30, "evaluations": 3, "learning_rate": 5e-3, "checkpoint_seconds": 9999}
            self.assertIsNone(self.run_on(f"raw-{base}", PLACE.inputs["train"], base, **options).outputs["calibration"])
            found = self.run_on(f"cal-{base}", PLACE.inputs["train"], base, calibrate=True, **options).outputs["calibration"]
            self.assertGreater(found["a"], 0)
            torch.testing.assert_close(self.scores(f"cal-{base}"), found["a"] * self.scores(f"raw-{base}") + found["b"], rtol=1e-4, atol=1e-4)

    def test_only_the_last_layer_differs_and_the_record_says_what_it_brought(self):
        options = {"epochs": 30, "evaluations": 3, "learning_rate": 5e-3, "checkpoint_seconds": 9999}
        self.run_on("before", PLACE.inputs["train"], **options)
        reporter = DyingReporter()
        done = self.run_on("after", PLACE.inputs["train"], reporter=reporter, calibrate=True, **options)
        before, after = (load_file(PLACE.path(out, "model", "model.safetensors")) for out in ("before", "after"))
        self.assertEqual({name for name in before if not torch.equal(before[name], after[name])}, {"classifier.weight", "classifier.bias"})
        with open(PLACE.path("after", "records", "calibration.json")) as file:
            record = json.load(file)
        self.assertEqual({"a": record["a"], "b": record["b"]}, done.outputs["calibration"])
        self.assertEqual((record["queries"], record["pairs"]), (18, 108))
        for kind in ("before", "after", "after_out_of_sample"):
            self.assertEqual(set(record[kind]), {"log_loss", "brier", "ece"}, kind)
        self.assertLess(record["after"]["log_loss"], record["before"]["log_loss"] + 0.02)  # the smoothing may cost a little
        self.assertTrue(any("scores calibrated on dev" in getattr(event, "message", "") for event in reporter.events))

    def test_scores_that_do_not_rise_with_relevance_stay_with_a_warning(self):
        with open(PLACE.inputs["train"]) as source, open(PLACE.path("contrary.jsonl"), "w") as file:
            for row in map(json.loads, source):
                for passage in row["passages"]:
                    passage["label"] = 1 - passage["label"]
                file.write(json.dumps(row) + "\n")
        reporter = DyingReporter()
        # a base tuned to the labels, then judged by their opposite
        self.run_on("right", PLACE.inputs["train"], epochs=30, evaluations=3, learning_rate=5e-3, checkpoint_seconds=9999)
        os.symlink(PLACE.path("right", "model"), PLACE.path("right-base"))
        done = self.run_on("wrong", PLACE.path("contrary.jsonl"), "right-base", reporter, epochs=1, learning_rate=1e-9, calibrate=True)
        self.assertIsNone(done.outputs["calibration"])
        self.assertTrue(any("do not rise with relevance" in getattr(event, "message", "") for event in reporter.events))

    def test_dev_of_one_label_is_refused_before_training(self):
        for label, said in ((0, "relevance 0"), (1, "relevance 1")):
            with open(PLACE.inputs["dev"]) as source, open(PLACE.path("one.jsonl"), "w") as file:
                for row in map(json.loads, source):
                    for passage in row["passages"]:
                        passage["label"] = label
                    file.write(json.dumps(row) + "\n")
            with self.assertRaises(JobError) as caught:
                self.run_on("refused", PLACE.path("one.jsonl"), calibrate=True)
            self.assertEqual(caught.exception.code, "DATA_INVALID")
            self.assertIn(said, caught.exception.message)
            self.assertIn("train.calibrate=false", caught.exception.hint)
            self.assertFalse(os.path.exists(PLACE.path("refused", "checkpoint")))
            self.run_on(f"unasked-{label}", PLACE.path("one.jsonl"), epochs=1)


if __name__ == "__main__":
    unittest.main()
