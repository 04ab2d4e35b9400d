"""The train job on tiny real models: what it leaves behind."""
import json
import os
import re
import shutil
import unittest
from unittest import mock

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from rerank_tune_worker.jobs import train
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.training.evaluate import DevSet
from tests import tiny_models
from tests.train_workplace import DyingReporter, Workplace, any_gain_counts


def setUpModule():
    global PLACE
    PLACE = Workplace(*tiny_models.KINDS, "plain", "three")


def tearDownModule():
    PLACE.cleanup()


class Results(unittest.TestCase):
    def test_every_supported_architecture_trains_and_is_saved_with_one_label(self):
        for kind in tiny_models.KINDS:
            done = PLACE.run(f"arch-{kind}", kind, epochs=1)
            with open(PLACE.path(f"arch-{kind}", "model", "config.json")) as file:
                config = json.load(file)
            self.assertEqual((config["id2label"], config["label2id"], config["dtype"]), ({"0": "LABEL_0"}, {"LABEL_0": 0}, "float32"))
            self.assertTrue(config["architectures"][0].endswith("ForSequenceClassification"))
            self.assertEqual(done.outputs["model_type"], kind)
            self.assertFalse(os.path.exists(PLACE.path(f"arch-{kind}", "checkpoint")))

    def test_training_learns_to_rank(self):
        job = PLACE.make_job("learns", epochs=40, evaluations=6, evaluation_queries=18, evaluation_depth=6, learning_rate=5e-3)
        done = train.run(Job(**{**vars(job), "inputs": {**job.inputs, "dev": PLACE.inputs["train"]}}), DyingReporter())
        self.assertGreater(done.outputs["dev_ndcg_at_10"]["best"], 0.9)
        self.assertLess(done.outputs["dev_ndcg_at_10"]["base"], 0.8)

    def test_saved_weights_give_the_written_scores(self):
        from transformers import AutoModelForSequenceClassification

        PLACE.run("scores", epochs=4)
        model = AutoModelForSequenceClassification.from_pretrained(PLACE.path("scores", "model")).eval()
        tokenizer = Tokenizer.from_file(PLACE.path("scores", "model", "tokenizer.json"))
        with open(PLACE.inputs["test"]) as file:
            expected = [(g["query_id"], p["id"], g["query"], p["text"]) for g in map(json.loads, file) for p in g["passages"]]
        with open(PLACE.path("scores", "scores.tuned.test.tsv")) as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        self.assertEqual([(q, p) for q, p, *_ in expected], [(q, p) for q, p, _ in rows])
        for (_, _, query, passage), (_, _, score) in zip(expected, rows):
            encoded = tokenizer.encode(query, passage)
            with torch.no_grad():
                logit = model(input_ids=torch.tensor([encoded.ids]), token_type_ids=torch.tensor([encoded.type_ids])).logits.item()
            self.assertAlmostEqual(logit, float(score), delta=1e-4)

    def test_a_reranker_is_scored_too_and_a_plain_encoder_is_not(self):
        self.assertTrue(PLACE.run("reranker", epochs=1).outputs["base_is_reranker"])
        self.assertTrue(os.path.isfile(PLACE.path("reranker", "scores.base.test.tsv")))
        self.assertFalse(PLACE.run("fresh", "plain", epochs=1).outputs["base_is_reranker"])
        self.assertFalse(os.path.exists(PLACE.path("fresh", "scores.base.test.tsv")))

    def test_it_says_what_a_step_is_and_which_rate_auto_took(self):
        reporter = DyingReporter()
        done = PLACE.run("spoken", "bert", reporter, epochs=1, learning_rate="auto")
        said = [getattr(event, "message", "") for event in reporter.events]
        self.assertTrue(any(re.fullmatch(r"\d+ steps of \d+ queries, \d+ pairs and about \d+ tokens", text) for text in said), said)
        self.assertEqual(done.outputs["learning_rate"], 2e-4)  # the ceiling: this encoder is tiny
        self.assertIn("learning rate 0.0002, for 0 M weights in the layers", said)

    def test_a_rate_that_large_rerankers_collapse_at_is_warned_of_and_runs(self):
        reporter = DyingReporter()
        with mock.patch("rerank_tune_worker.training.optimizer.LARGE", 0):
            done = PLACE.run("risky", "bert", reporter, epochs=1, learning_rate=6e-5)
        said = [event.message for event in reporter.events if getattr(event, "level", "") == "warning"]
        self.assertIn("6e-05 with 4 queries a step", said[0])
        self.assertEqual(done.outputs["ended"], "finished")

    def test_several_labels_become_one_with_a_warning(self):
        reporter = DyingReporter()
        self.assertFalse(PLACE.run("relabelled", "three", reporter, epochs=1).outputs["base_is_reranker"])
        self.assertTrue(any(getattr(e, "level", "") == "warning" and "3 labels" in e.message for e in reporter.events))
        self.assertEqual(load_file(PLACE.path("relabelled", "model", "model.safetensors"))["classifier.weight"].shape[0], 1)

    def test_the_tokenizer_is_the_bases_own_without_truncation_and_padding(self):
        shutil.copytree(PLACE.path("bert"), PLACE.path("truncating"))
        tokenizer = Tokenizer.from_file(PLACE.path("bert", "tokenizer.json"))
        tokenizer.enable_truncation(8)
        tokenizer.enable_padding(length=8)
        tokenizer.save(PLACE.path("truncating", "tokenizer.json"))
        PLACE.run("untruncated", "truncating", epochs=1)
        with open(PLACE.path("untruncated", "model", "tokenizer.json")) as saved, open(PLACE.path("bert", "tokenizer.json")) as original:
            self.assertEqual(json.load(saved), json.load(original))

    @any_gain_counts
    def test_frozen_embeddings_stay_and_the_rest_moves(self):
        PLACE.run("frozen", epochs=4)
        before, after = load_file(PLACE.path("bert", "model.safetensors")), load_file(PLACE.path("frozen", "model", "model.safetensors"))
        self.assertTrue(torch.equal(before["bert.embeddings.word_embeddings.weight"], after["bert.embeddings.word_embeddings.weight"]))
        self.assertFalse(torch.equal(before["classifier.weight"], after["classifier.weight"]))

    def test_dropout_trains_with_transformers_own_layers(self):
        self.assertGreater(PLACE.run("dropout", epochs=1, dropout=True).outputs["steps"], 0)

    def test_the_same_job_gives_the_same_bytes(self):
        PLACE.run("twice-a")
        PLACE.run("twice-b")
        self.assertEqual(PLACE.results("twice-a"), PLACE.results("twice-b"))

    def test_records_hold_speed_and_history(self):
        PLACE.run("records", epochs=1)
        with open(PLACE.path("records", "records", "throughput.json")) as file:
            throughput = json.load(file)
        for name in ("train_tokens_per_second", "train_pairs_per_second", "tuned_pairs_per_second", "base_pairs_per_second", "peak_memory_bytes"):
            self.assertGreater(throughput[name], 0, name)
        with open(PLACE.path("records", "records", "history.jsonl")) as file:
            rows = [json.loads(line) for line in file]
        self.assertEqual(rows[0]["step"], 0)
        self.assertTrue(all(row["loss"] > 0 and row["gradient_norm"] > 0 for row in rows[1:]))

    def test_patience_ends_training_early(self):
        worse = iter([[0.9] * 8, *[[0.5 - 0.01 * number] * 8 for number in range(20)]])
        with mock.patch.object(DevSet, "values", lambda *_: next(worse)):
            done = PLACE.run("patience", epochs=10, patience=1, evaluations=10)
        self.assertEqual((done.outputs["ended"], done.outputs["best_step"]), ("early_stop", 0))
        self.assertLess(done.outputs["steps"], 50)


if __name__ == "__main__":
    unittest.main()
