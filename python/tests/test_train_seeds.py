"""Several seeds in one job: what each trains, which weights go on, the spread that is told, collapse of some, and exact resume."""
import gc
import json
import os
import unittest
from unittest import mock

import torch
from safetensors.torch import load_file

from rerank_tune_worker.protocol import Phase
from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training import soup
from rerank_tune_worker.training.evaluate import DevSet
from rerank_tune_worker.training.guard import Guard
from tests import torchrun_launch
from tests.train_workplace import DyingReporter, Killed, Workplace, any_gain_counts

SHORT = {"epochs": 1, "evaluations": 1, "checkpoint_seconds": 9999}
LEARNS = {"epochs": 3, "evaluations": 3, "learning_rate": 5e-3, "checkpoint_seconds": 9999}
STEPS = 5  # of an epoch


def setUpModule():
    global PLACE
    PLACE = Workplace("bert", "plain")


def tearDownModule():
    PLACE.cleanup()


def weights(out):
    return load_file(PLACE.path(out, "model", "model.safetensors"))


def history(out):
    with open(PLACE.path(out, "records", "history.jsonl")) as file:
        return [json.loads(line) for line in file]


def scores(out):
    with open(PLACE.path(out, "scores.tuned.test.tsv")) as file:
        return torch.tensor([float(line.split("\t")[2]) for line in file])


def messages(reporter, level=None):
    return [event.message for event in reporter.events if hasattr(event, "message") and level in (None, event.level)]


def judged(value):
    """Every average gets this NDCG@10, and every seed takes part that learned."""
    return mock.patch.multiple(soup, WITHIN=9.0), mock.patch.object(DevSet, "ndcg", lambda *_: value)


class EachSeed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reporter = DyingReporter()
        cls.done = PLACE.run("three", reporter=cls.reporter, seeds=3, **LEARNS)

    def test_trains_as_it_does_alone(self):
        runs = self.done.outputs["seeds"]["runs"]
        self.assertEqual([run["seed"] for run in runs], [7, 8, 9])
        for run in runs:
            alone = PLACE.run(f"alone-{run['seed']}", seed=run["seed"], **LEARNS)
            self.assertEqual(run["dev_ndcg_at_10"], alone.outputs["dev_ndcg_at_10"]["best"])
            self.assertEqual((run["steps"], run["best_step"], run["ended"]), tuple(alone.outputs[name] for name in ("steps", "best_step", "ended")))
            rows = [{name: value for name, value in row.items() if name != "seed"} for row in history("three") if row["seed"] == run["seed"]]
            self.assertEqual(rows, history(f"alone-{run['seed']}"))
            self.assertIsNone(alone.outputs["seeds"])

    def test_the_spread_is_told_once_and_is_in_the_outputs(self):
        found = self.done.outputs["seeds"]
        values = [run["dev_ndcg_at_10"] for run in found["runs"]]
        self.assertAlmostEqual(found["mean"], sum(values) / 3, places=12)
        self.assertAlmostEqual(found["standard_deviation"] ** 2, sum((value - found["mean"]) ** 2 for value in values) / 2, places=12)
        self.assertEqual(sum("dev NDCG@10 by seed 7: " in message for message in messages(self.reporter)), 1)
        self.assertEqual(self.done.outputs["dev_ndcg_at_10"]["best"], max(value for value in (*values, found["average_dev_ndcg_at_10"]) if value is not None))

    def test_counts_on_from_the_one_before(self):
        steps = [event[1:3] for event in self.reporter.events if isinstance(event, tuple) and event[3] == "steps"]
        self.assertEqual(steps, [(number, 45) for number in range(1, 46)])
        shown = [event.step for event in self.reporter.events if getattr(event, "name", "") == "ndcg@10"]
        self.assertEqual(shown, sorted(shown))
        phases = [event.name for event in self.reporter.events if isinstance(event, Phase)]
        self.assertEqual(phases, ["load_model", "score_base", "train", "average", "score_test", "save"])

    def test_starts_from_the_same_fresh_head(self):
        PLACE.run("fresh", "plain", seeds=2, **SHORT)
        first = {row["dev_ndcg@10"] for row in history("fresh") if row["step"] == 0}
        last = [row["loss"] for row in history("fresh") if row["step"] == STEPS]
        self.assertEqual(len(first), 1)
        self.assertEqual(len(set(last)), 2)


@any_gain_counts
class WhatGoesOn(unittest.TestCase):
    def run_judged(self, out, value, **options):
        within, ndcg = judged(value)
        with within, ndcg:
            return PLACE.run(out, seeds=2, **options)

    def test_an_average_that_is_better_is_saved(self):
        done = self.run_judged("average", 2.0, **LEARNS)
        self.assertEqual((done.outputs["seeds"]["kept"], done.outputs["seeds"]["averaged"], done.outputs["dev_ndcg_at_10"]["best"]), ("average", [7, 8], 2.0))
        first, second = (weights(PLACE.run(f"single-{seed}", seed=seed, **LEARNS) and f"single-{seed}") for seed in (7, 8))
        self.assertFalse(torch.equal(first["classifier.weight"], second["classifier.weight"]))
        for part, tensor in weights("average").items():
            torch.testing.assert_close(tensor, (first[part] + second[part]) / 2, rtol=1e-5, atol=1e-6)

    def test_else_the_best_seed_is_saved_to_the_last_byte(self):
        done = self.run_judged("worse", -1.0, **LEARNS)
        best = done.outputs["seeds"]["best_seed"]
        self.assertEqual(done.outputs["seeds"]["kept"], "seed")
        PLACE.run("best-alone", seed=best, **LEARNS)
        self.assertEqual(PLACE.results("worse"), PLACE.results("best-alone"))

    def test_with_one_usable_seed_nothing_is_averaged(self):
        with mock.patch.multiple(soup, WITHIN=-1.0):
            found = PLACE.run("apart", seeds=2, **LEARNS).outputs["seeds"]
        self.assertEqual((found["kept"], found["averaged"], found["average_dev_ndcg_at_10"]), ("seed", [], None))

    def test_at_most_two_copies_of_the_weights_are_beside_the_model(self):
        shape = load_file(PLACE.path("bert", "model.safetensors"))["bert.encoder.layer.0.intermediate.dense.weight"].shape
        copies = []

        def ndcg(dev, model, *_):
            gc.collect()
            found = {t.untyped_storage().data_ptr() for t in gc.get_objects() if type(t) in (torch.Tensor, torch.nn.Parameter) and t.shape == shape}
            copies.append(len(found) - 2)  # the two layers of the model itself
            return 2.0

        with mock.patch.multiple(soup, WITHIN=9.0), mock.patch.object(DevSet, "ndcg", ndcg):
            PLACE.run("copies", seeds=3, **LEARNS)
        self.assertEqual(len(copies), 1)
        self.assertLessEqual(copies[0], 2 * 2)


class Collapse(unittest.TestCase):
    def collapsing(self, *seeds):
        """Guards raise in the third step of the seeds with these numbers."""
        steps = iter(range(10_000))
        real = Guard.after_step

        def after_step(guard, *arguments):
            number, step = divmod(next(steps), STEPS)
            if number in seeds and step == 2:
                for _ in range(STEPS - 3):
                    next(steps)
                raise JobError("TRAINING_COLLAPSED", "Training collapsed: made up", "lower it")
            return real(guard, *arguments)

        return mock.patch.object(Guard, "after_step", after_step)

    def test_a_seed_that_collapsed_is_left_out_and_named(self):
        reporter = DyingReporter()
        with self.collapsing(1):
            found = PLACE.run("one-collapsed", reporter=reporter, seeds=3, **SHORT).outputs["seeds"]
        self.assertEqual([(run["seed"], run["ended"]) for run in found["runs"]], [(7, "finished"), (8, "collapsed"), (9, "finished")])
        self.assertIsNone(found["runs"][1]["dev_ndcg_at_10"])
        self.assertNotIn(8, [*found["averaged"], found["best_seed"]])
        self.assertTrue(any(message.startswith("seed 8: Training collapsed") for message in messages(reporter, "warning")))
        PLACE.run("ninth", seed=9, **SHORT)
        rows = [{name: value for name, value in row.items() if name != "seed"} for row in history("one-collapsed") if row["seed"] == 9]
        self.assertEqual(rows, history("ninth"))

    def test_only_when_all_collapse_the_job_fails(self):
        with self.collapsing(0, 1), self.assertRaises(JobError) as caught:
            PLACE.run("all-collapsed", seeds=2, **SHORT)
        self.assertEqual((caught.exception.code, caught.exception.hint), ("TRAINING_COLLAPSED", "lower it"))
        self.assertIn("7, 8", caught.exception.message)

    def test_one_seed_alone_fails_as_ever(self):
        with self.collapsing(0), self.assertRaises(JobError) as caught:
            PLACE.run("alone-collapsed", **SHORT)
        self.assertRegex(caught.exception.message, r"^Training collapsed: made up \(queries of that step: ")


@any_gain_counts
class Resume(unittest.TestCase):
    def check(self, name, every, **options):
        within, ndcg = mock.patch.multiple(soup, WITHIN=9.0), mock.patch.object(soup.Soup, "keeps_average", True)
        whole = DyingReporter()
        with within, ndcg:
            done = PLACE.run(f"{name}-whole", reporter=whole, seeds=2, **options)
            self.assertEqual(done.outputs["seeds"]["averaged"], [7, 8])
            for at in range(3, len(whole.events), every):
                with self.assertRaises(Killed):
                    PLACE.run(f"{name}-{at}", reporter=DyingReporter(at), seeds=2, **options)
                self.assertEqual(PLACE.run(f"{name}-{at}", seeds=2, **options).outputs, done.outputs, whole.events[at])
                self.assertEqual(PLACE.results(f"{name}-{at}"), PLACE.results(f"{name}-whole"), whole.events[at])

    def test_dying_in_any_seed_gives_the_same_bytes(self):
        self.check("full", 13, **{**SHORT, "epochs": 2, "checkpoint_seconds": 0}, kl_to_base=0.1)

    def test_dying_gives_the_same_bytes_with_adapters_mixing_and_calibration_too(self):
        ending = {"interpolate": {"enabled": True, "alphas": [1.0, 0.5], "guard_max_drop": 0.01}, "calibrate": True}
        self.check("ending", 17, **SHORT, **ending, lora={"rank": 4, "alpha": 8.0, "targets": "all"}, **{"warmup_ratio": 0.0})

    def test_a_seed_that_is_done_is_not_trained_again(self):
        whole = DyingReporter()
        PLACE.run("done-whole", reporter=whole, seeds=2, **SHORT)
        second = whole.events.index(("progress", STEPS + 2, 2 * STEPS, "steps"))
        with self.assertRaises(Killed):
            PLACE.run("done", reporter=DyingReporter(second), seeds=2, **SHORT)
        self.assertEqual(sorted(os.listdir(PLACE.path("done", "checkpoint", "seed-7"))), ["best-5.safetensors", "outcome.json"])
        resumed = DyingReporter()
        PLACE.run("done", reporter=resumed, seeds=2, **SHORT)
        steps = [event[1] for event in resumed.events if isinstance(event, tuple) and event[3] == "steps"]
        self.assertEqual(steps, [6, 7, 8, 9, 10])
        self.assertTrue(any(message == "seed 7: resumed at step 5" for message in messages(resumed)))


class SeveralProcesses(unittest.TestCase):
    def launch(self, out, **options):
        agent = torchrun_launch.start(torchrun_launch.write_job(PLACE, out, **options), *torchrun_launch.one_machine(2))
        events, log = torchrun_launch.finish(agent)
        self.assertEqual((agent.returncode, events[-1]["type"]), (0, "done"), log[-2000:])
        return events[-1]["outputs"]["seeds"]

    def test_train_every_seed_that_is_not_done(self):
        options = {"seeds": 2, "kl_to_base": 0.1, **SHORT}
        whole = DyingReporter()
        expected = PLACE.run("processes-one", reporter=whole, **options).outputs["seeds"]
        second = whole.events.index(("progress", STEPS + 2, 2 * STEPS, "steps"))
        with self.assertRaises(Killed):
            PLACE.run("processes-rest", reporter=DyingReporter(second), **options)
        for out in ("processes-all", "processes-rest"):
            found = self.launch(out, **options)
            self.assertEqual([run["steps"] for run in found["runs"]], [STEPS, STEPS])
            for run, other in zip(found["runs"], expected["runs"], strict=True):
                self.assertAlmostEqual(run["dev_ndcg_at_10"], other["dev_ndcg_at_10"], places=6)
            # not weights: a bias of keys changes no score, and Adam moves it by the rounding of its gradient
            torch.testing.assert_close(scores(out), scores("processes-one"), rtol=0, atol=1e-3)


if __name__ == "__main__":
    unittest.main()
