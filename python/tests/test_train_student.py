"""Students: what they learn from, what the job makes of them, and what is refused."""
import json
import os
import unittest
from unittest import mock

import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

from rerank_tune_worker.base_model import load_base
from rerank_tune_worker.jobs import train
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.training import teacher as teacher_part
from rerank_tune_worker.training.data import TrainingGroup
from rerank_tune_worker.training.evaluate import mean
from rerank_tune_worker.training.loss import Objective
from rerank_tune_worker.training.losses.margin_mse import all_margins
from rerank_tune_worker.training.losses.table import GroupTable
from tests import tiny_models
from tests.train_workplace import DyingReporter, Killed, TeacherPlace, any_step_counts, refusal
from tests.training_data import OPTIONS, write_split

TOY = {"layers": 2, "weight": 1.0, "loss": "kl"}
ON = {**OPTIONS["interpolate"], "enabled": True}


def setUpModule():
    global PLACE
    PLACE = TeacherPlace()


def tearDownModule():
    PLACE.cleanup()


class WhatItLearnsFrom(unittest.TestCase):
    def table(self, *scores):
        groups = [TrainingGroup(0, tuple(range(len(row))), (1.0,) + (0.0,) * (len(row) - 1)) for row in scores]
        return GroupTable.build(torch.tensor([value for row in scores for value in row]), groups, top_label=1.0)

    def test_margins_count_every_pair_of_a_group_and_every_group_once(self):
        wanted = torch.tensor([[2.0, 0.0, 1.0], [1.0, 4.0, 0.0]])
        # (1-2)^2 + (1-1)^2 + (0-(-1))^2 over 3 pairs, and (2-(-3))^2 over one
        self.assertAlmostEqual(float(all_margins(self.table([1.0, 0.0, 0.0], [2.0, 0.0]), wanted)), 2 / 3 + 25, places=5)
        self.assertEqual(float(all_margins(self.table([3.0]), torch.tensor([[7.0]]))), 0.0)
        self.assertEqual(float(all_margins(self.table([5.0, 3.0]), torch.tensor([[2.0, 0.0]]))), 0.0)

    def test_the_weight_of_the_teacher_is_added_to_the_loss_of_the_labels(self):
        group = TrainingGroup(0, (0, 1), (1.0, 0.0))
        logits = torch.tensor([0.5, 0.0])

        def loss(**student):
            objective = Objective({**OPTIONS, "student": {**TOY, **student}}, 1.0)
            objective.base_scores = {(0, 0): 2.0, (0, 1): 0.0}
            return float(objective.mean(objective.parts(logits, [group])[0], objective.size([group])))

        labels = loss(weight=0)
        self.assertAlmostEqual(loss(loss="margin_mse", weight=3) - labels, 3 * 1.5**2, places=5)
        teacher, own = torch.log_softmax(torch.tensor([2.0, 0.0]), 0), torch.log_softmax(logits, 0)
        self.assertAlmostEqual(loss(weight=2) - labels, 2 * float((teacher.exp() * (teacher - own)).sum()), places=5)


class InTheJob(unittest.TestCase):
    def scores(self, out, system="base", name="test"):
        with open(PLACE.path(out, f"scores.{system}.{name}.tsv")) as file:
            return file.read()

    def test_the_base_of_the_comparison_is_the_whole_teacher(self):
        whole = PLACE.run("whole", epochs=1)
        done = PLACE.run("student", epochs=1, student=TOY)
        self.assertEqual(self.scores("student"), self.scores("whole"))
        self.assertEqual(done.outputs["dev_ndcg_at_10"]["base"], whole.outputs["dev_ndcg_at_10"]["base"])
        self.assertTrue(done.outputs["base_is_reranker"])
        self.assertEqual((done.outputs["student"]["kept_layers"], done.outputs["student"]["teacher_layers"]), ([0, 3], 4))
        self.assertLess(done.outputs["parameters"], whole.outputs["parameters"])
        self.assertIsNone(whole.outputs["student"])

    def test_every_architecture_becomes_a_student_that_is_saved_with_its_layers(self):
        for kind in tiny_models.KINDS:
            PLACE.run(f"kind-{kind}", kind, epochs=1, student={**TOY, "layers": 3})
            with open(PLACE.path(f"kind-{kind}", "model", "config.json")) as file:
                self.assertEqual(json.load(file)["num_hidden_layers"], 3)
            AutoModelForSequenceClassification.from_pretrained(PLACE.path(f"kind-{kind}", "model"))

    def test_the_teachers_scores_are_those_of_the_base_on_every_passage_of_every_seed(self):
        captured = {}
        original = teacher_part._scores

        def spy(run):
            captured["scores"], captured["run"] = original(run), run
            return captured["scores"]

        with mock.patch.object(teacher_part, "_scores", spy):
            PLACE.run("spied", epochs=2, seeds=2, student=TOY)
        run, found = captured["run"], captured["scores"]
        self.assertEqual(len(run.model.module.base_model.encoder.layer), 4)
        texts = {key: (run.splits["train"][key[0]].query, run.splits["train"][key[0]].passages[key[1]].text) for key in found.pairs}
        self.assertGreater(len(texts), 18 * OPTIONS["group_size"])
        module = load_base(run.base, seed=0, attention="eager")
        for key in list(found.pairs)[::17]:
            encoded = run.encoder.encode([texts[key]])[0]
            with torch.no_grad():
                logit = module(input_ids=torch.tensor([encoded.ids]), token_type_ids=torch.tensor([encoded.type_ids])).logits.item()
            self.assertAlmostEqual(found.pairs[key], logit, delta=1e-4)

    @any_step_counts
    def test_a_student_that_hears_its_teacher_alone_comes_near_it(self):
        options = {"epochs": 40, "learning_rate": 5e-3, "bce_weight": 0.0, "queries_per_step": 6, "group_size": 6}
        gap = {}
        for weight in (0.0, 30.0):
            PLACE.run(f"heard-{weight:g}", student={"layers": 2, "weight": weight, "loss": "margin_mse"}, **options)
            base, own = (self.margins(f"heard-{weight:g}", system) for system in ("base", "tuned"))
            gap[weight] = mean([(x - y) ** 2 for x, y in zip(base, own)])
        self.assertLess(gap[30.0], gap[0.0] / 2)

    def margins(self, out, system):
        """Scores of the test split minus the mean of their query."""
        rows = [line.split("\t") for line in self.scores(out, system).splitlines()]
        by_query = {}
        for query, _, score in rows:
            by_query.setdefault(query, []).append(float(score))
        return [value - mean(values) for values in by_query.values() for value in values]

    def test_it_is_not_mixed_with_the_teacher_nor_ended_for_being_below_it(self):
        done = PLACE.run("unmixed", epochs=8, student=TOY, interpolate=ON, learning_rate=1e-6)
        self.assertIsNone(done.outputs["interpolation"])
        self.assertEqual(done.outputs["ended"], "finished")

    def test_it_is_calibrated_and_has_the_layers_it_may_freeze(self):
        done = PLACE.run("calibrated", epochs=4, student=TOY, calibrate=True, freeze_layers=1)
        self.assertIn("calibration", done.outputs)
        self.assertIn("train.freeze_layers 3 is more than the 2 layers", refusal(lambda: PLACE.run("frozen", student=TOY, freeze_layers=3)).args[0])

    def test_guard_sets_are_scored_by_teacher_and_student(self):
        guard = write_split(PLACE.path("guard.jsonl"), "guard", 4)
        job = PLACE.make_job("guarded", epochs=1, student=TOY)
        train.run(Job(**{**vars(job), "inputs": {**job.inputs, "guard-other": guard}}), DyingReporter())
        self.assertNotEqual(self.scores("guarded", "base", "guard-other"), self.scores("guarded", "tuned", "guard-other"))

    def test_seeds_start_from_the_same_student_and_are_averaged(self):
        done = PLACE.run("seeds", epochs=2, seeds=2, student=TOY)
        self.assertEqual([run["seed"] for run in done.outputs["seeds"]["runs"]], [7, 8])
        self.assertEqual(len(load_file(PLACE.path("seeds", "model", "model.safetensors"))), len(load_file(PLACE.path("student-one", "model", "model.safetensors")) if PLACE.run("student-one", epochs=1, student=TOY) else {}))

    def test_a_killed_run_ends_with_the_same_bytes(self):
        whole = DyingReporter()
        PLACE.run("unbroken", reporter=whole, epochs=2, seeds=2, student=TOY)
        wanted = PLACE.results("unbroken")
        for at in range(3, len(whole.events), max(1, len(whole.events) // 9)):
            out = f"broken-{at}"
            with self.assertRaises(Killed):
                PLACE.run(out, reporter=DyingReporter(at), epochs=2, seeds=2, student=TOY)
            PLACE.run(out, epochs=2, seeds=2, student=TOY)
            self.assertEqual(PLACE.results(out), wanted, at)

    def test_it_says_which_layers_stay(self):
        reporter = DyingReporter()
        PLACE.run("spoken", reporter=reporter, epochs=1, student={**TOY, "layers": None, "keep": [0, 1]})
        self.assertIn("the student keeps layers 0, 1 of the teacher's 4 (counted from 0)", [getattr(event, "message", "") for event in reporter.events])


class Refused(unittest.TestCase):
    def refused(self, base="bert", **options):
        error = refusal(lambda: PLACE.run("refused", base, student=TOY, **options))
        self.assertEqual(error.code, "RECIPE_INVALID")
        return error.args[0]

    def test_a_base_without_a_head_is_no_teacher(self):
        self.assertIn("train.student needs a base that already is a reranker", self.refused("plain"))

    def test_adapters_a_second_pull_to_the_base_and_a_second_teacher_by_name(self):
        lora = {"rank": 2, "alpha": 4, "targets": "all"}
        self.assertIn("train.lora does not go with train.student", self.refused(lora=lora))
        self.assertIn("train.kl_to_base does not go with train.student", self.refused(kl_to_base=0.1))
        for loss in ("kl", "margin_mse"):
            self.assertIn(f"train.loss {loss} does not go with train.student", self.refused(loss=loss))
        self.assertFalse(os.path.exists(PLACE.path("refused", "model")))


if __name__ == "__main__":
    unittest.main()
