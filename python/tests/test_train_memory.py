"""Prediction of memory: the formula by hand and against a measured step, what is free, and the refusal with its hint."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import torch
import transformers

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training import preparing
from rerank_tune_worker.training.memory import Shape, check_memory, fits, free_memory, largest_micro_batch, predict
from rerank_tune_worker.training.model import PairModel
from tests.train_workplace import DyingReporter, Workplace
from tests.training_data import OPTIONS

SHAPE = Shape(
    parameters=1000, trained=600, encoder_weights=500, adapted=0, hidden=8, intermediate=32, heads=2, layers=3,
    bf16=False, packed=True, fused_attention=False, dropout=False, recompute=False,
)
LORA = {"rank": 4, "alpha": 8.0, "targets": "all", "seed": 7}


def shape(**changes):
    return Shape(**{**vars(SHAPE), **changes})


class Formula(unittest.TestCase):
    def test_weights_gradients_and_moments(self):
        found = predict(SHAPE, tokens=100, longest=16)
        self.assertEqual((found.parameters, found.gradients, found.adam), (4000, 2400, 4800))

    def test_activations_of_a_token_by_hand(self):
        # 4 * (6*8 + 2*32) + 2*16*4 + 8*8 = 448 + 128 + 64 = 640 a layer; two layers, 4 * 3 * 8 of the last, and one being computed
        self.assertEqual(predict(SHAPE, tokens=100, longest=16).activations, 100 * (3 * 640 + 96))
        self.assertEqual(predict(shape(layers=0), tokens=100, longest=16).activations, 100 * 640)
        # half: 2 * 112 + 2*16*2 + 64 = 352
        self.assertEqual(predict(shape(bf16=True), tokens=100, longest=16).activations, 100 * (3 * 352 + 48))
        # padded with dropout: 640 + 2 * (128 + 32) = 960
        self.assertEqual(predict(shape(packed=False, dropout=True), tokens=100, longest=16).activations, 100 * 4 * 960)
        # padded half keeps fp32 probabilities too: 224 + 2*16*6 + 64 = 480; fused attention none: 288
        self.assertEqual(predict(shape(bf16=True, packed=False), tokens=100, longest=16).activations, 100 * 4 * 480)
        self.assertEqual(predict(shape(bf16=True, packed=False, fused_attention=True), tokens=100, longest=16).activations, 100 * 4 * 288)

    def test_recomputing_keeps_the_inputs_of_layers_and_one_layer(self):
        self.assertEqual(predict(shape(recompute=True), tokens=100, longest=16).activations, 100 * (3 * 4 * 8 + 2 * 640))

    def test_copies_are_half_of_the_layers_or_what_must_be_made_anew(self):
        self.assertEqual(predict(shape(bf16=True), tokens=1, longest=1).copies, 1000)
        self.assertEqual(predict(SHAPE, tokens=1, longest=1).copies, 4 * 3 * 64 * 3)
        self.assertEqual(predict(shape(packed=False), tokens=1, longest=1).copies, 0)
        self.assertEqual(predict(shape(packed=False, adapted=400), tokens=1, longest=1).copies, 1600)

    def test_full_training_of_bge_reranker_v2_m3_takes_the_known_9_gb_beside_activations(self):
        found = predict(shape(parameters=567_755_777, trained=567_755_777), tokens=1, longest=1)
        self.assertAlmostEqual((found.parameters + found.gradients + found.adam) / 1e9, 9.1, places=1)

    def test_groups_stay_whole_and_no_micro_batch_is_larger_than_a_step(self):
        options = {"group_size": 8, "queries_per_step": 16}
        self.assertEqual(largest_micro_batch(4096, options, 100), 4096)
        self.assertEqual(largest_micro_batch(4096, options, 1000), 8000)
        self.assertEqual(largest_micro_batch(4096, options, 10), 1280)

    def test_a_model_tells_its_own_shape(self):
        place = Workplace("xlm-roberta", "modernbert")
        self.addCleanup(place.cleanup)
        for kind in ("xlm-roberta", "modernbert"):
            base = inspect_base(place.path(kind))

            def model(**options):
                return PairModel(load_base(base, seed=1, attention="eager"), kind, device="cpu", bf16=False, freeze_embeddings=True, dropout=False, **options)

            found = model(freeze_layers=1).shape()
            layers = model().module.config.num_hidden_layers
            self.assertEqual((found.layers, found.hidden, found.intermediate, found.heads, found.packed), (layers - 1, 32, 64, 4, kind != "modernbert"))
            self.assertEqual((found.adapted, model(adapters=LORA).shape().adapted), (0, model().shape().encoder_weights))
            self.assertLess(model(adapters=LORA).shape().trained, found.trained)


@unittest.skipUnless(sys.platform == "linux", "reads /proc")
class Measured(unittest.TestCase):
    def test_the_prediction_is_within_a_factor_of_two_of_a_step(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        values = {"vocab_size": 500, "hidden_size": 192, "num_hidden_layers": 6, "num_attention_heads": 6, "intermediate_size": 768, "max_position_embeddings": 512, "num_labels": 1}
        transformers.BertForSequenceClassification(transformers.BertConfig(**values, pad_token_id=0)).save_pretrained(folder.name)
        open(os.path.join(folder.name, "tokenizer.json"), "w").close()
        measured = {}
        # large blocks go back to the system when freed: the resident size is what lives
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}
        for name, changes in {"full": {}, "padded": {"dropout": True}, "recomputed": {"recompute": True}, "adapters": {"adapters": LORA}}.items():
            options = {"tokens": 4096, "length": 128, "bf16": False, "dropout": False, **changes}
            command = [sys.executable, "-m", "tests.memory_probe", folder.name, json.dumps(options)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=os.path.join(os.path.dirname(__file__), ".."), env=environment)
            found = json.loads(done.stdout)
            measured[name] = found["measured"]
            self.assertGreater(found["predicted"], found["measured"] / 2, f"{name} {found}")
            self.assertLess(found["predicted"], found["measured"] * 2, f"{name} {found}")
        self.assertLess(measured["recomputed"], measured["full"] / 1.5)


class Refusal(unittest.TestCase):
    options = {**OPTIONS, "micro_batch_tokens": 100}

    def check(self, free, tokens=100, found=SHAPE, **options):
        return check_memory(predict(found, tokens=tokens, longest=16), free, {**self.options, **options})

    def test_95_percent_of_what_can_be_had_is_the_limit(self):
        prediction = predict(SHAPE, tokens=100, longest=16)
        enough = round(prediction.total / 0.95) + 2 - prediction.parameters
        self.assertIn("can be had", self.check(enough))
        with self.assertRaises(JobError) as caught:
            self.check(enough - 10)
        self.assertEqual(caught.exception.code, "WORKER_OUT_OF_MEMORY")

    def hint(self, **changes):
        with self.assertRaises(JobError) as caught:
            self.check(0, **changes)
        return caught.exception.hint

    def test_the_hint_begins_with_what_is_largest_and_leaves_out_what_is_on(self):
        hint = self.hint()
        self.assertTrue(hint.startswith("use `--set train.micro_batch_tokens="), hint)
        for name in ("train.gradient_checkpointing=true", "train.freeze_layers", "train.lora"):
            self.assertIn(name, hint)
        self.assertTrue(self.hint(found=shape(parameters=10**9, trained=10**9)).startswith("use a higher `train.freeze_layers`"))
        hint = self.hint(gradient_checkpointing=True, lora={"rank": 4})
        self.assertNotIn("gradient_checkpointing", hint)
        self.assertNotIn("lora", hint)

    def test_where_one_group_is_larger_than_a_micro_batch_the_hint_says_so(self):
        self.assertIn("train.group_size", self.hint(tokens=101))

    def test_a_system_that_does_not_tell_refuses_nothing(self):
        self.assertNotIn("can be had", self.check(None))
        self.assertTrue(fits(predict(SHAPE, tokens=100, longest=16), None))
        self.assertFalse(fits(predict(SHAPE, tokens=100, longest=16), 0))

    def test_what_the_machine_was_left_to_choose_is_no_way_out(self):
        with self.assertRaises(JobError) as caught:
            self.check(0, micro_batch_tokens="auto")
        self.assertNotIn("micro_batch_tokens", caught.exception.hint)

    def test_what_is_free_is_read_from_the_system(self):
        body = "MemTotal:  100 kB\nMemAvailable:   50 kB\n"
        with mock.patch("builtins.open", mock.mock_open(read_data=body)):
            self.assertEqual(free_memory(torch.device("cpu")), 51200)
        with mock.patch("builtins.open", side_effect=FileNotFoundError):
            self.assertIsNone(free_memory(torch.device("cpu")))

    def test_the_job_says_one_line_and_refuses_before_training(self):
        place = Workplace("bert")
        self.addCleanup(place.cleanup)
        reporter = DyingReporter()
        place.run("told", reporter=reporter, epochs=1)
        self.assertEqual(sum("training will take about" in getattr(event, "message", "") for event in reporter.events), 1)
        with mock.patch.object(preparing, "free_memory", return_value=1), self.assertRaises(JobError) as caught:
            place.run("refused")
        self.assertEqual(caught.exception.code, "WORKER_OUT_OF_MEMORY")
        self.assertFalse(os.path.exists(place.path("refused", "checkpoint")))


if __name__ == "__main__":
    unittest.main()
