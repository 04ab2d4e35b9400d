"""Bases and options that the train job refuses, each by name."""
import json
import os
import shutil
import unittest

from safetensors.torch import load_file, save_file

from rerank_tune_worker.reporter import JobError
from tests.train_workplace import Workplace


def setUpModule():
    global PLACE
    PLACE = Workplace("bert", "roberta")


def tearDownModule():
    PLACE.cleanup()


class Refusals(unittest.TestCase):
    def refused(self, base, code, **options):
        with self.assertRaises(JobError) as caught:
            PLACE.run(f"refused-{base}", base, **options)
        self.assertEqual(caught.exception.code, code)
        return caught.exception

    def copy(self, name, source="bert"):
        shutil.copytree(PLACE.path(source), PLACE.path(name))
        return PLACE.path(name)

    def edit_config(self, folder, **changes):
        with open(os.path.join(folder, "config.json")) as file:
            config = json.load(file)
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump({**config, **changes}, file)

    def test_other_architectures_are_named_with_the_supported_ones(self):
        self.edit_config(self.copy("qwen"), model_type="qwen3", architectures=["Qwen3ForCausalLM"])
        error = self.refused("qwen", "MODEL_UNSUPPORTED")
        self.assertIn("Qwen3ForCausalLM", error.message)
        self.assertIn("modernbert", error.hint)

    def test_a_missing_config_or_tokenizer_is_named(self):
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            os.remove(os.path.join(self.copy(f"no-{name}"), name))
            self.assertIn(name, self.refused(f"no-{name}", "MODEL_NOT_FOUND").message)

    def test_pickled_weights_are_refused(self):
        folder = self.copy("pickled")
        os.rename(os.path.join(folder, "model.safetensors"), os.path.join(folder, "pytorch_model.bin"))
        self.assertIn("pickled", self.refused("pickled", "MODEL_UNSUPPORTED").message)

    def test_weights_that_are_cut_off_or_no_safetensors_are_named(self):
        for name, change in (("cut", lambda raw: raw[:-100]), ("garbled", lambda raw: b"\xff" * 16 + raw[16:])):
            file = os.path.join(self.copy(name), "model.safetensors")
            with open(file, "rb") as whole:
                raw = whole.read()
            with open(file, "wb") as damaged:
                damaged.write(change(raw))
            self.assertIn(file, self.refused(name, "MODEL_UNSUPPORTED").message)

    def test_weights_that_lack_a_layer_are_refused(self):
        file = os.path.join(self.copy("torso"), "model.safetensors")
        save_file({k: v for k, v in load_file(file).items() if "layer.1" not in k}, file, {"format": "pt"})
        self.assertIn("layer.1", self.refused("torso", "MODEL_UNSUPPORTED").message)

    def test_more_tokens_than_the_model_has_positions_are_refused(self):
        self.assertIn("512", self.refused("bert", "RECIPE_INVALID", max_length=513).message)
        self.assertIn("512", self.refused("roberta", "RECIPE_INVALID", max_length=513).message)

    def test_weights_that_are_no_numbers_are_named(self):
        file = os.path.join(self.copy("nan"), "model.safetensors")
        weights = load_file(file)
        weights["bert.encoder.layer.0.output.dense.weight"].fill_(float("nan"))
        save_file(weights, file, {"format": "pt"})
        self.assertIn("bert.encoder.layer.0.output.dense.weight", self.refused("nan", "MODEL_UNSUPPORTED").message)

    def test_weights_that_blow_up_are_named(self):
        file = os.path.join(self.copy("huge"), "model.safetensors")
        weights = load_file(file)
        weights["classifier.weight"].fill_(3e38)
        weights["classifier.bias"].fill_(float(3e38))
        save_file(weights, file, {"format": "pt"})
        self.refused("huge", "TRAINING_COLLAPSED")

    def test_a_rate_that_destroys_the_model_is_stopped_and_named(self):
        file = os.path.join(self.copy("dead"), "model.safetensors")
        weights = load_file(file)
        for name in ("classifier.weight", "bert.pooler.dense.weight"):
            weights[name].zero_()
        save_file(weights, file, {"format": "pt"})
        error = self.refused("dead", "TRAINING_COLLAPSED", epochs=20, learning_rate=1e-9, evaluations=1)
        self.assertIn("ln(group size)", error.message)


if __name__ == "__main__":
    unittest.main()
