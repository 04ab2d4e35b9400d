"""What users of other trainers complain of, provoked, with our answer. docs/reference/complaints.md lists all of it; here stands what no other test shows."""
import json
import math
import os
import shutil
import unittest
from unittest import mock

import torch
from safetensors.torch import load_file, save_file

from rerank_tune_worker.base_model import load_base
from rerank_tune_worker.jobs import train
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training.evaluate import DevSet
from rerank_tune_worker.training.model import PairModel
from tests.train_workplace import DyingReporter, Workplace, any_gain_counts
from tests.training_data import make_group

LEARNS = {"epochs": 20, "evaluations": 4, "evaluation_queries": 18, "evaluation_depth": 6, "learning_rate": 5e-3}
MIXES = {"enabled": True, "alphas": [0.5], "guard_max_drop": 0.01}


def setUpModule():
    global PLACE
    PLACE = Workplace("bert", "xlm-roberta")


def tearDownModule():
    PLACE.cleanup()


def run(out, base="bert", reporter=None, inputs=None, **options):
    job = PLACE.make_job(out, base, **options)
    return train.run(Job(**{**vars(job), "inputs": {**job.inputs, **(inputs or {})}}), reporter or DyingReporter())


def messages(reporter):
    return [event.message for event in reporter.events if getattr(event, "level", "")]


def weights(*names):
    return load_file(PLACE.path(*names, "model.safetensors"))


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def read_json(*names):
    with open(PLACE.path(*names), encoding="utf-8") as file:
        return json.load(file)


def write_contrary(name, seed, count):
    """Groups like those of `seed` in which the labels say the opposite."""
    with open(PLACE.path(name), "w", encoding="utf-8") as file:
        for number in range(count):
            group = make_group(number, seed)
            for passage in group["passages"]:
                passage["label"] = 1 - passage["label"]
            file.write(json.dumps(group) + "\n")
    return PLACE.path(name)


class EqualScores(unittest.TestCase):
    """1: all scores identical, loss flat at ln(group size)."""

    def test_a_rate_that_flattens_all_scores_is_stopped_with_its_cause_and_leaves_no_model(self):
        with self.assertRaises(JobError) as caught:
            run("flat", epochs=8, learning_rate=0.5)
        error = caught.exception
        self.assertEqual(error.code, "TRAINING_COLLAPSED")
        self.assertIn("all passages of a query get the same score", error.message)
        self.assertIn(f"ln(group size) = {math.log(4):.3f}", error.message)
        self.assertIn("train.learning_rate", error.hint)
        self.assertFalse(os.path.exists(PLACE.path("flat", "model")))

    def test_every_other_loss_is_stopped_too_and_names_its_own_level(self):
        levels = {"bce": "that of equal scores", "ranknet": f"ln 2 = {math.log(2):.3f}", "lambda": "that of equal scores"}
        for loss, level in levels.items():
            with self.assertRaises(JobError) as caught:
                run(f"flat-{loss}", epochs=8, evaluations=4, loss=loss, learning_rate=5.0)
            self.assertEqual(caught.exception.code, "TRAINING_COLLAPSED", loss)
            self.assertIn(level, caught.exception.message)
            self.assertFalse(os.path.exists(PLACE.path(f"flat-{loss}", "model")), loss)

    def test_a_rate_that_ruins_without_flattening_gives_the_base_back(self):
        done = run("ruined", epochs=8, evaluations=4, loss="ranknet", learning_rate=0.02)
        self.assertEqual(done.outputs["best_step"], 0)
        self.assertTrue(same(weights("ruined", "model"), weights("bert")))


class WorseThanTheBase(unittest.TestCase):
    """2: the tuned model is worse than the base."""

    def test_labels_that_contradict_a_good_base_end_training_and_give_the_base_back(self):
        run("good", inputs={"dev": PLACE.inputs["train"]}, **LEARNS)
        os.symlink(PLACE.path("good", "model"), PLACE.path("good-base"))
        contrary = write_contrary("contrary.jsonl", "train", 18)
        reporter = DyingReporter()
        done = run("misled", "good-base", reporter, {"train": contrary, "dev": PLACE.inputs["train"]}, **{**LEARNS, "evaluations": 12})
        ndcg = done.outputs["dev_ndcg_at_10"]
        self.assertGreater(ndcg["base"], 0.8)
        self.assertEqual((done.outputs["ended"], done.outputs["best_step"], ndcg["best"]), ("below_base", 0, ndcg["base"]))
        self.assertTrue(same(weights("misled", "model"), weights("good-base")))
        with open(PLACE.path("misled", "scores.base.test.tsv")) as base, open(PLACE.path("misled", "scores.tuned.test.tsv")) as tuned:
            self.assertEqual(base.read(), tuned.read())
        self.assertTrue(any("stayed below the base" in message for message in messages(reporter)))
        with open(PLACE.path("misled", "records", "history.jsonl")) as file:
            self.assertEqual(len(file.readlines()), 1 + 4 + 3)  # the base, the third of the 12 evaluations in which none counts, and three that do


class BestCheckpoint(unittest.TestCase):
    """3: no validation, no best checkpoint, no early stop."""

    def test_dev_is_evaluated_unasked_and_the_best_weights_are_saved_not_the_last(self):
        script, seen = [0.2, 0.5, 0.9, 0.8, 0.7], []

        def values(self, model, *_):
            seen.append({name: parameter.detach().clone() for name, parameter in model.parameters.items()})
            return [script[len(seen) - 1]] * 8

        with mock.patch.object(DevSet, "values", values):
            done = run("best", epochs=4)  # evaluations and patience as the recipe has them: nothing is asked for
        self.assertEqual((len(seen), done.outputs["best_step"], done.outputs["steps"]), (5, 13, 20))
        saved = weights("best", "model")
        for name, best in seen[2].items():
            self.assertTrue(torch.equal(saved[name], best), name)
        self.assertFalse(torch.equal(saved["classifier.weight"], seen[4]["classifier.weight"]))


class Merging(unittest.TestCase):
    """4: merging with the base is broken or loses its files."""

    def test_a_mixture_keeps_the_tokenizer_and_the_config_of_its_base_and_loads(self):
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        done = run("mixed", "xlm-roberta", inputs={"dev": PLACE.inputs["train"]}, **{**LEARNS, "epochs": 8}, interpolate=MIXES)
        self.assertEqual(done.outputs["interpolation"]["alpha"], 0.5)
        saved, base = read_json("mixed", "model", "config.json"), read_json("xlm-roberta", "config.json")
        ours = {"transformers_version", "dtype", "id2label", "label2id"}
        self.assertEqual({key: saved[key] for key in base if key not in ours}, {key: base[key] for key in base if key not in ours})
        self.assertEqual(read_json("mixed", "model", "tokenizer.json"), read_json("xlm-roberta", "tokenizer.json"))
        folder = PLACE.path("mixed", "model")
        tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
        with torch.no_grad():
            self.assertEqual(model(**tokenizer("court", "appeal", return_tensors="pt")).logits.shape, (1, 1))


class NotANumber(unittest.TestCase):
    """5: NaN, or a loss of 0.0."""

    def test_a_loss_that_is_not_finite_is_never_applied_and_its_step_is_named(self):
        logits, calls, before = PairModel.training_logits, [], {}

        def broken(self, pairs):
            calls.append(len(pairs))
            if len(calls) < 4:
                return logits(self, pairs)
            before.update({name: parameter.detach().clone() for name, parameter in self.parameters.items()})
            broken.model = self
            return logits(self, pairs) * float("nan")

        with mock.patch.object(PairModel, "training_logits", broken), self.assertRaises(JobError) as caught:
            run("nan", micro_batch_tokens=100_000)  # one micro-batch a step, so that the fourth call is the fourth step
        self.assertEqual(caught.exception.code, "TRAINING_COLLAPSED")
        self.assertIn("the loss of step 4 is not a finite number", caught.exception.message)
        self.assertRegex(caught.exception.message, r"\(queries of that step: \w+(, \w+)*\)")
        for name, parameter in broken.model.parameters.items():
            self.assertTrue(torch.equal(parameter.detach(), before[name]), name)
        self.assertFalse(os.path.exists(PLACE.path("nan", "model")))


class RawLogits(unittest.TestCase):
    """12: scores squashed before they are ranked, so that sure ones tie."""

    def test_scores_far_beyond_where_a_sigmoid_is_1_still_rank(self):
        shutil.copytree(PLACE.path("bert"), PLACE.path("loud"))
        changed = weights("loud")
        changed["classifier.weight"] *= 1000
        changed["classifier.bias"] += 5000
        save_file(changed, PLACE.path("loud", "model.safetensors"), {"format": "pt"})
        quiet, loud = (run(f"raw-{base}", base, epochs=1, learning_rate=1e-12).outputs["dev_ndcg_at_10"]["base"] for base in ("bert", "loud"))
        self.assertEqual(loud, quiet)
        with open(PLACE.path("raw-loud", "scores.base.test.tsv")) as file:
            scores = [float(line.split("\t")[2]) for line in file]
        self.assertGreater(min(scores), 40)  # a float32 sigmoid of any of them is 1
        self.assertGreater(len(set(scores)), len(scores) // 2)


@any_gain_counts
class Seeds(unittest.TestCase):
    """14: not reproducible, or reproducible by luck."""

    def test_another_seed_gives_other_weights_and_the_same_seed_the_same(self):
        for out, seed in (("seed-7", 7), ("seed-7-again", 7), ("seed-8", 8)):
            run(out, epochs=2, seed=seed)
        self.assertTrue(same(weights("seed-7", "model"), weights("seed-7-again", "model")))
        self.assertFalse(same(weights("seed-7", "model"), weights("seed-8", "model")))

    def test_the_scores_of_the_base_do_not_depend_on_the_seed(self):
        texts = []
        for seed in (1, 2):
            run(f"untouched-{seed}", epochs=1, seed=seed)
            with open(PLACE.path(f"untouched-{seed}", "scores.base.test.tsv")) as file:
                texts.append(file.read())
        self.assertEqual(texts[0], texts[1])


class Loads(unittest.TestCase):
    """15: output that other libraries cannot open, or that lost its head."""

    def test_what_is_saved_is_a_plain_folder_with_its_head_that_is_a_base_again(self):
        run("plain", epochs=1)
        folder = PLACE.path("plain", "model")
        self.assertIn("classifier.weight", weights("plain", "model"))
        config = read_json("plain", "model", "config.json")
        self.assertEqual(config["architectures"], ["BertForSequenceClassification"])
        self.assertNotIn("auto_map", config)
        from rerank_tune_worker.base_model import inspect_base

        found = inspect_base(folder)
        self.assertTrue(found.is_reranker)
        load_base(found, seed=0, attention="eager")


if __name__ == "__main__":
    unittest.main()
