"""Weights between base and tuned in a job: that the chosen alpha is applied exactly, guard sets, records, and exact resume."""
import json
import os
import unittest
from unittest import mock

import torch
from safetensors.torch import load_file

from rerank_tune_worker.jobs import train
from rerank_tune_worker.protocol import Job, Phase
from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training.interpolation import interpolate
from tests.train_workplace import DyingReporter, Killed, Workplace, any_gain_counts
from tests.training_data import OPTIONS, write_split

ON = {**OPTIONS["interpolate"], "enabled": True}
LEARNS = {"epochs": 30, "evaluations": 3, "learning_rate": 5e-3, "checkpoint_seconds": 9999}


def setUpModule():
    global PLACE
    PLACE = Workplace("bert", "plain")


def tearDownModule():
    PLACE.cleanup()


def run(out, base="bert", reporter=None, inputs=(), **options):
    job = PLACE.make_job(out, base, **{"interpolate": ON, **options})
    return train.run(Job(**{**vars(job), "inputs": {**job.inputs, **dict(inputs)}}), reporter or DyingReporter())


def record(out, name="interpolation.json"):
    with open(PLACE.path(out, "records", name)) as file:
        return json.load(file)


def messages(reporter):
    return [event.message for event in reporter.events if hasattr(event, "message")]


@any_gain_counts
class InTheJob(unittest.TestCase):
    def weights(self, out):
        return load_file(PLACE.path(out, "model", "model.safetensors"))

    def test_the_saved_weights_lie_between_base_and_tuned_head_included(self):
        run("tuned", epochs=6, interpolate={**ON, "enabled": False})
        self.assertIsNone(run("off", epochs=6, interpolate={**ON, "enabled": False}).outputs["interpolation"])
        done = run("third", epochs=6, interpolate={**ON, "alphas": [0.3]})
        self.assertEqual(done.outputs["interpolation"]["alpha"], 0.3)
        base, tuned, mixed = load_file(PLACE.path("bert", "model.safetensors")), self.weights("tuned"), self.weights("third")
        for name, weights in mixed.items():
            torch.testing.assert_close(weights, base[name] + 0.3 * (tuned[name] - base[name]), rtol=1e-6, atol=1e-7)
        self.assertFalse(torch.equal(mixed["classifier.weight"], base["classifier.weight"]))

    def test_alpha_one_gives_the_very_bytes_of_training_without_it(self):
        run("plain-off", epochs=6, interpolate={**ON, "enabled": False})
        self.assertEqual(run("one", epochs=6, interpolate={**ON, "alphas": [1.0]}).outputs["interpolation"]["alpha"], 1.0)
        self.assertEqual(PLACE.results("one"), PLACE.results("plain-off"))

    def test_all_alphas_are_measured_on_the_dev_queries_of_the_evaluations_and_recorded(self):
        reporter = DyingReporter()
        done = run("recorded", reporter=reporter, epochs=6, evaluation_queries=4, evaluation_depth=3)
        found = record("recorded")
        self.assertEqual([mixture["alpha"] for mixture in found["mixtures"]], [1.0, 0.7, 0.5, 0.3])
        self.assertEqual((found["queries"], found["chosen"]), (4, done.outputs["interpolation"]["alpha"]))
        chosen = next(mixture for mixture in found["mixtures"] if mixture["alpha"] == found["chosen"])
        self.assertEqual(done.outputs["interpolation"], {"alpha": chosen["alpha"], "dev_ndcg_at_10": chosen["dev_ndcg@10"]})
        self.assertGreater(chosen["dev_ndcg@10"], found["base"]["dev_ndcg@10"])
        self.assertEqual(sum(f"alpha {chosen['alpha']:g} is kept" in message for message in messages(reporter)), 1)
        self.assertIn("interpolate", [getattr(event, "name", "") for event in reporter.events])

    def test_what_training_has_measured_is_not_measured_again_and_is_the_same(self):
        done, found = run("known", epochs=6), record("known")
        self.assertEqual(found["base"]["dev_ndcg@10"], done.outputs["dev_ndcg_at_10"]["base"])
        self.assertEqual(found["mixtures"][0]["dev_ndcg@10"], done.outputs["dev_ndcg_at_10"]["best"])
        forgetful = lambda model, base, dev, guards, options, tokens, between, known: interpolate(model, base, dev, guards, options, tokens, between)  # noqa: E731
        with mock.patch("rerank_tune_worker.training.ending.interpolate", forgetful):
            run("measured", epochs=6)
        self.assertEqual(record("measured"), found)
        self.assertEqual(PLACE.results("measured"), PLACE.results("known"))

    def test_a_fresh_head_has_nothing_to_mix_with(self):
        reporter = DyingReporter()
        self.assertIsNone(run("fresh", "plain", reporter, epochs=1).outputs["interpolation"])
        self.assertFalse(os.path.exists(PLACE.path("fresh", "records", "interpolation.json")))
        phases = [event for event in reporter.events if isinstance(event, Phase)]
        self.assertEqual([(phase.index, phase.count) for phase in phases], [(n, 5) for n in range(1, 6)])

    def test_where_nothing_moved_the_base_stays(self):
        done = run("unmoved", epochs=1, learning_rate=1e-9)
        self.assertEqual((done.outputs["interpolation"]["alpha"], done.outputs["best_step"]), (0, 0))
        self.assertEqual([mixture["alpha"] for mixture in record("unmoved")["mixtures"]], [0.5, 0.3])


class Unkept(unittest.TestCase):
    """No step was likely better than the base: its middle with the base is tried, and nothing beyond."""

    def scripted(self, out, values, **options):
        """`values`: NDCG@10 of the eight dev queries, base first, then as they are asked for."""
        script = iter(values)
        with mock.patch("rerank_tune_worker.training.evaluate.DevSet.values", lambda *_: [next(script)] * 8):
            return run(out, **{"epochs": 2, "evaluations": 3, **options})

    def test_the_last_weights_may_be_mixed_near_the_base(self):
        # the base; one early evaluation; two late ones as good as the base; then the mixtures of 0.5 and 0.3
        done = self.scripted("middle", [0.5, 0.4, 0.5, 0.5, 0.6, 0.55])
        self.assertEqual(done.outputs["interpolation"], {"alpha": 0.5, "dev_ndcg_at_10": 0.6})
        self.assertEqual((done.outputs["best_step"], done.outputs["steps"]), (10, 10))
        self.assertEqual(done.outputs["dev_ndcg_at_10"], {"base": 0.5, "best": 0.6})
        self.scripted("last", [0.5, 0.6, 0.7, 0.8], interpolate={**ON, "enabled": False})
        base, last, mixed = (load_file(PLACE.path(*names, "model.safetensors")) for names in (["bert"], ["last", "model"], ["middle", "model"]))
        for name, weights in mixed.items():
            torch.testing.assert_close(weights, (base[name] + last[name]) / 2, rtol=1e-6, atol=1e-7)

    def test_a_middle_that_is_no_better_gives_the_base_back(self):
        done = self.scripted("no-middle", [0.5, 0.4, 0.5, 0.5, 0.5, 0.4])
        self.assertEqual((done.outputs["interpolation"]["alpha"], done.outputs["best_step"]), (0, 0))
        base, kept = load_file(PLACE.path("bert", "model.safetensors")), load_file(PLACE.path("no-middle", "model", "model.safetensors"))
        self.assertTrue(all(torch.equal(weights, kept[name]) for name, weights in base.items()))

    def test_weights_that_stayed_far_below_are_not_mixed_at_all(self):
        done = self.scripted("far", [0.5, 0.4, 0.3, 0.3, 0.3, 0.3, 0.3], patience=9, evaluations=5)
        self.assertEqual((done.outputs["interpolation"], done.outputs["best_step"]), (None, 0))

    def test_nothing_near_the_base_among_the_shares_means_nothing_to_try(self):
        done = self.scripted("none-near", [0.5, 0.4, 0.5, 0.5], interpolate={**ON, "alphas": [1.0, 0.7]})
        self.assertEqual((done.outputs["interpolation"], done.outputs["best_step"]), (None, 0))

    def test_dying_anywhere_gives_the_same_bytes(self):
        options, whole = {"epochs": 2, "evaluations": 3, "checkpoint_seconds": 0}, DyingReporter()
        module = "rerank_tune_worker.training"
        with mock.patch(f"{module}.history.likely_above", lambda *_: False), mock.patch(f"{module}.interpolation._is_better", lambda *_: True):
            done = run("unkept-whole", reporter=whole, **options)
            self.assertEqual((done.outputs["interpolation"]["alpha"], done.outputs["best_step"]), (0.5, 10))
            for at in range(4, len(whole.events), 5):
                with self.assertRaises(Killed):
                    run(f"unkept-{at}", reporter=DyingReporter(at), **options)
                self.assertEqual(run(f"unkept-{at}", **options).outputs, done.outputs, whole.events[at])
                self.assertEqual(PLACE.results(f"unkept-{at}"), PLACE.results("unkept-whole"), whole.events[at])


class Guards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kind = write_split(PLACE.path("kind.jsonl"), "train", 12)  # what training teaches
        # the word decides the other way round here: what training teaches ruins it
        with open(cls.kind) as source, open(PLACE.path("contrary.jsonl"), "w") as file:
            for row in map(json.loads, source):
                for passage in row["passages"]:
                    passage["label"] = 1 - passage["label"]
                file.write(json.dumps(row) + "\n")
        cls.contrary = PLACE.path("contrary.jsonl")

    def test_a_guard_set_that_suffers_keeps_the_base(self):
        reporter = DyingReporter()
        done = run("ruined", reporter=reporter, inputs={"dev": PLACE.inputs["train"], "guard-contrary": self.contrary}, interpolate={**ON, "alphas": [1.0]}, **LEARNS)
        found = record("ruined")
        self.assertGreater(found["mixtures"][0]["dev_ndcg@10"], found["base"]["dev_ndcg@10"])
        self.assertLess(found["mixtures"][0]["guards"]["guard-contrary"], found["base"]["guards"]["guard-contrary"] - 0.01)
        self.assertFalse(found["mixtures"][0]["within_guards"])
        self.assertEqual(done.outputs["interpolation"], {"alpha": 0, "dev_ndcg_at_10": found["base"]["dev_ndcg@10"]})
        self.assertEqual((done.outputs["best_step"], done.outputs["dev_ndcg_at_10"]["best"]), (0, done.outputs["dev_ndcg_at_10"]["base"]))
        base, kept = load_file(PLACE.path("bert", "model.safetensors")), load_file(PLACE.path("ruined", "model", "model.safetensors"))
        self.assertTrue(all(torch.equal(weights, kept[name]) for name, weights in base.items()))
        self.assertTrue(any("its weights are kept" in message and "on a guard set" in message for message in messages(reporter)))

    def test_one_that_gains_lets_the_tuned_weights_pass(self):
        done = run("passed", inputs={"dev": PLACE.inputs["train"], "guard-kind": self.kind}, **LEARNS)
        self.assertGreater(done.outputs["interpolation"]["alpha"], 0)
        found = record("passed")
        chosen = next(mixture for mixture in found["mixtures"] if mixture["alpha"] == found["chosen"])
        self.assertGreater(chosen["guards"]["guard-kind"], found["base"]["guards"]["guard-kind"])

    def test_scores_of_base_and_final_weights_are_written_for_each(self):
        inputs = {"guard-kind": self.kind, "guard-contrary": self.contrary}
        run("scored", inputs=inputs, epochs=6)
        run("scored-fresh", "plain", inputs=inputs, epochs=1)
        for name, path in inputs.items():
            with open(path) as file:
                expected = [(row["query_id"], passage["id"]) for row in map(json.loads, file) for passage in row["passages"]]
            for out, kind in (("scored", "base"), ("scored", "tuned"), ("scored-fresh", "tuned")):
                with open(PLACE.path(out, f"scores.{kind}.{name}.tsv")) as file:
                    self.assertEqual([tuple(line.split("\t")[:2]) for line in file], expected)
            self.assertFalse(os.path.exists(PLACE.path("scored-fresh", f"scores.base.{name}.tsv")))

    def test_the_final_scores_are_those_of_the_mixed_weights(self):
        run("mixed", inputs={"guard-kind": self.kind}, epochs=6, interpolate={**ON, "alphas": [0.5]})
        # the saved model as a base: its own scores must be the final ones
        os.symlink(PLACE.path("mixed", "model"), PLACE.path("mixed-base"))
        run("again", "mixed-base", inputs={"guard-kind": self.kind}, epochs=1, learning_rate=1e-9)
        for first, second in (("scores.tuned.test.tsv", "scores.base.test.tsv"), ("scores.tuned.guard-kind.tsv", "scores.base.guard-kind.tsv")):
            with open(PLACE.path("mixed", first)) as tuned, open(PLACE.path("again", second)) as base:
                self.assertEqual(tuned.read(), base.read())

    def test_a_guard_set_without_passages_is_refused(self):
        open(PLACE.path("empty.jsonl"), "w").close()
        with self.assertRaises(JobError) as caught:
            run("refused", inputs={"guard-empty": PLACE.path("empty.jsonl")})
        self.assertEqual(caught.exception.code, "DATA_INVALID")
        self.assertIn("guard-empty", caught.exception.message)

    def test_dying_anywhere_gives_the_same_bytes(self):
        options = {"inputs": {"guard-kind": self.kind}, "epochs": 2, "evaluations": 1, "interpolate": {**ON, "alphas": [1.0, 0.5]}, "calibrate": True}
        whole = DyingReporter()
        done = run("whole", reporter=whole, **options)
        self.assertGreater(done.outputs["interpolation"]["alpha"], 0)
        ended = whole.events.index(("progress", 10, 10, "steps"))
        for at in [*range(2, ended, 9), *range(ended + 1, len(whole.events), 4)]:
            with self.assertRaises(Killed):
                run(f"died-{at}", reporter=DyingReporter(at), **options)
            self.assertEqual(run(f"died-{at}", **options).outputs, done.outputs, whole.events[at])
            self.assertEqual(PLACE.results(f"died-{at}"), PLACE.results("whole"), whole.events[at])


if __name__ == "__main__":
    unittest.main()
