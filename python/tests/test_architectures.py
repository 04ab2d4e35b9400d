"""Every architecture of a preset all the way: trained as the presets train, exported, quantized. ModernBERT also as the Hub has it, with mean pooling."""
import io
import json
import os
import unittest

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.jobs import export, quantize
from rerank_tune_worker.onnx_export.graph import export_graph
from rerank_tune_worker.pairs import PairEncoder
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.reporter import JobError, Reporter
from rerank_tune_worker.training.save import save_model
from tests import tiny_models
from tests.perturb import perturb
from tests.train_workplace import Workplace

MAX_LENGTH = 40  # more than the window of sliding attention, which is 16 in tiny models
KINDS = (*tiny_models.KINDS, "modernbert-mean", "modernbert-biased")
# As src/recipe/presets.ts: all weights with dropout and recomputing; adapters with recomputing, here above a frozen layer.
FORMS = {
    "upstream": {"dropout": True, "freeze_embeddings": False, "gradient_checkpointing": True, "bce_weight": 0.0},
    "lora": {"lora": {"rank": 4, "alpha": 8.0, "targets": "all"}, "gradient_checkpointing": True, "weight_decay": 0.0, "freeze_layers": 1},
}
ONE_FORM = {"bert": "lora", "roberta": "lora", "xlm-roberta": "upstream"}  # the others of these are in test_train_*.py, test_export.py and test_quantize.py


def setUpModule():
    global PLACE, DONE
    PLACE = Workplace(*tiny_models.KINDS)
    as_published(PLACE.path("modernbert-mean"), classifier_pooling="mean")
    rebuild(PLACE.path("modernbert-biased"), classifier_pooling="mean", norm_bias=True, attention_bias=True, mlp_bias=True, classifier_bias=True)
    perturb(PLACE.path("modernbert-biased"))
    DONE = {}


def tearDownModule():
    PLACE.cleanup()


def rebuild(folder, **changes):
    """A tiny ModernBERT with other settings and fresh weights."""
    tiny_models.build("modernbert", folder)
    torch.manual_seed(1)
    config = transformers.AutoConfig.from_pretrained(folder)
    for name, value in changes.items():
        setattr(config, name, value)
    transformers.ModernBertForSequenceClassification(config).save_pretrained(folder)


def as_published(folder, **changes):
    """As the rerankers on the Hub are stored: names of transformers 4 in config.json, and half precision."""
    rebuild(folder, **changes)
    path = os.path.join(folder, "config.json")
    config = read(path)
    for name in ("layer_types", "rope_parameters", "dtype", "transformers_version"):
        del config[name]
    config |= {"global_attn_every_n_layers": 2, "global_rope_theta": 1000.0, "local_rope_theta": 100.0, "position_embedding_type": "absolute", "torch_dtype": "float16", "transformers_version": "4.48.0"}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file)
    weights = os.path.join(folder, "model.safetensors")
    save_file({name: tensor.half() for name, tensor in load_file(weights).items()}, weights, {"format": "pt"})


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def quiet():
    return Reporter(io.StringIO(), "test")


def through(kind, form):
    """Outputs of train, export and quantize, and the folder of each; every pair of kind and form runs once."""
    out = f"{kind}-{form}"
    if out not in DONE:
        trained = PLACE.run(out, kind, max_length=MAX_LENGTH, evaluations=2, checkpoint_seconds=9999, **FORMS[form])
        model = PLACE.path(out, "model")
        exported = export.run(Job(1, "t", "export", PLACE.path(out, "export"), {"model": model}, {"opset": 17, "max_length": MAX_LENGTH}), quiet())
        inputs = {"onnx": PLACE.path(out, "export", "onnx", "model.onnx"), "model": model, "calibration": PLACE.inputs["train"]}
        options = {"int8": True, "fp16": True, "calibration_queries": 12, "calibration_depth": 4, "weight_bits": "8", "target_error": 0.05, "max_error": 0.15, "max_length": MAX_LENGTH}
        quantized = quantize.run(Job(1, "t", "quantize", PLACE.path(out, "quantize"), inputs, options), quiet())
        DONE[out] = trained.outputs, exported.outputs, quantized.outputs
    return DONE[out]


class AllTheWay(unittest.TestCase):
    def each(self):
        for kind in KINDS:
            for form in FORMS:
                if form == ONE_FORM.get(kind, form):
                    with self.subTest(kind=kind, form=form):
                        yield kind, form, through(kind, form)

    def test_training_moves_the_weights_that_it_should(self):
        kept = 0
        for kind, form, (trained, *_) in self.each():
            before, after = (load_file(PLACE.path(*names, "model.safetensors")) for names in ((kind,), (f"{kind}-{form}", "model")))
            self.assertEqual(set(before), set(after))
            moved = {name for name in before if not torch.equal(before[name].float(), after[name])}
            self.assertEqual(trained["best_step"] > 0, bool(moved))
            kept += not moved
            if moved:
                words = [name for name in moved if "tok_embeddings" in name or "word_embeddings" in name]
                self.assertEqual(bool(words), form == "upstream")
                self.assertTrue(any(name.startswith("classifier") for name in moved))
        self.assertLess(kept, 5)  # where no step was better, the base is kept: not of most

    def test_onnx_agrees_with_pytorch(self):
        for _, _, (_, exported, _) in self.each():
            self.assertLessEqual(exported["max_abs_diff"], 1e-4)

    def test_int8_and_fp16_keep_the_scores(self):
        for _, _, (_, _, quantized) in self.each():
            errors = {variant["name"]: variant["relative_error"] for variant in quantized["variants"]}
            self.assertLess(errors["int8"], 0.2)
            self.assertLess(errors["fp16"], 0.02)

    def test_the_folder_is_a_plain_reranker_with_one_label(self):
        for kind, form, (_, exported, _) in self.each():
            folder = PLACE.path(f"{kind}-{form}", "model")
            self.assertTrue(inspect_base(folder).is_reranker)
            model, info = transformers.AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
            self.assertFalse(info["missing_keys"] or info["unexpected_keys"])
            pair = read(PLACE.path(f"{kind}-{form}", "export", "golden_pairs.json"))["pairs"][0]
            feed = {"input_ids": torch.tensor([pair["input_ids"]])} | ({"token_type_ids": torch.tensor([pair["token_type_ids"]])} if "token_type_ids" in pair else {})
            with torch.no_grad():
                self.assertAlmostEqual(model.eval()(**feed).logits.item(), pair["logit"], places=4)


class Published(unittest.TestCase):
    def logits(self, folder):
        model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        pairs = PairEncoder(PLACE.path("modernbert-mean"), MAX_LENGTH).encode([("court appeal", "deadline " * 30), ("fever", "heart water router"), ("a", "")])
        with torch.no_grad():
            return np.array([model(input_ids=torch.tensor([pair.ids])).logits.item() for pair in pairs])

    def test_windows_rotations_and_pooling_survive_saving(self):
        base = inspect_base(PLACE.path("modernbert-mean"))
        saved = PLACE.path("saved")
        save_model(load_base(base, seed=1, attention="eager"), base, saved, MAX_LENGTH)
        np.testing.assert_allclose(self.logits(saved), self.logits(base.folder), atol=1e-6)
        config = transformers.AutoConfig.from_pretrained(saved)
        self.assertEqual(config.layer_types, ["full_attention", "sliding_attention", "full_attention"])
        self.assertEqual([config.rope_parameters[kind]["rope_theta"] for kind in ("full_attention", "sliding_attention")], [1000.0, 100.0])

    def test_each_of_them_matters(self):
        # otherwise the parity of the export would say nothing about them
        wanted = self.logits(PLACE.path("modernbert-mean"))
        for change in ({"classifier_pooling": "cls"}, {"global_attn_every_n_layers": 1}, {"global_rope_theta": 1e5}, {"local_rope_theta": 1e5}, {"local_attention": 128}):
            folder = PLACE.path("changed-" + next(iter(change)))
            os.mkdir(folder)
            for name in ("model.safetensors", "tokenizer.json"):
                os.symlink(PLACE.path("modernbert-mean", name), os.path.join(folder, name))
            with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
                json.dump(read(PLACE.path("modernbert-mean", "config.json")) | change, file)
            self.assertGreater(np.abs(self.logits(folder) - wanted).max(), 1e-4, change)


class Refusals(unittest.TestCase):
    def refusal(self, **changes):
        folder = PLACE.path("refused-" + next(iter(changes)))
        os.mkdir(folder)
        os.symlink(PLACE.path("modernbert", "model.safetensors"), os.path.join(folder, "model.safetensors"))
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(read(PLACE.path("modernbert", "config.json")) | changes, file)
        with self.assertRaises(JobError) as caught:
            export_graph(folder, PLACE.path("refused.onnx"), 17)
        self.assertEqual(caught.exception.code, "MODEL_UNSUPPORTED")
        return caught.exception

    def test_a_head_with_an_unknown_activation_is_named(self):
        self.assertIn("silu", self.refusal(classifier_activation="silu").message)

    def test_scaled_rotations_are_refused(self):
        rope = read(PLACE.path("modernbert", "config.json"))["rope_parameters"]
        error = self.refusal(rope_parameters={**rope, "full_attention": {**rope["full_attention"], "rope_type": "linear", "factor": 2.0}})
        self.assertIn("linear", error.message)
        self.assertTrue(error.hint)


if __name__ == "__main__":
    unittest.main()
