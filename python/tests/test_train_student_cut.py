"""Students: which layers stay, and that the cut model is the teacher without the others."""
import json
import shutil
import unittest

import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.training.student import choose_cut, cut, spread_layers
from tests.train_workplace import TeacherPlace, refusal

FULL, LOCAL = "full_attention", "sliding_attention"


def setUpModule():
    global PLACE
    PLACE = TeacherPlace()


def tearDownModule():
    PLACE.cleanup()


class WhichLayersStay(unittest.TestCase):
    def test_they_are_spread_evenly_from_the_first_to_the_last(self):
        for total, count, wanted in ((12, 6, (0, 2, 4, 7, 9, 11)), (12, 3, (0, 5, 11)), (24, 2, (0, 23)), (6, 5, (0, 1, 2, 4, 5)), (4, 1, (0,))):
            self.assertEqual(spread_layers([FULL] * total, count), wanted)

    def test_of_modernbert_each_has_the_attention_that_the_teacher_has_at_its_new_place(self):
        kinds = [FULL if number % 3 == 0 else LOCAL for number in range(22)]
        for count in range(2, 22):
            kept = spread_layers(kinds, count)
            self.assertEqual([kinds[number] for number in kept], kinds[:count])
            self.assertEqual((kept[0], len(set(kept)), list(kept)), (0, count, sorted(kept)))
        self.assertEqual(spread_layers(kinds, 4), (0, 7, 14, 21))
        self.assertEqual(spread_layers(kinds, 7), (0, 4, 7, 9, 14, 17, 21))

    def cut_of(self, base, **student):
        found = inspect_base(PLACE.path(base))
        return choose_cut(student, load_base(found, seed=0, attention="eager"), found)

    def test_more_layers_than_there_are_and_lists_that_are_none_are_refused(self):
        self.assertIn("not fewer than the 4 layers of bert", refusal(lambda: self.cut_of("bert", layers=4)).args[0])
        for keep in ([0, 4], [2, 1], [1, 1], [0, 1, 2, 3]):
            self.assertIn("is no rising list of some of the 4 layers", refusal(lambda keep=keep: self.cut_of("bert", keep=keep)).args[0])
        self.assertEqual(self.cut_of("bert", keep=[1, 3]).kept, (1, 3))

    def test_of_modernbert_a_pattern_that_no_consumer_can_be_told_is_refused(self):
        # layers 0, 3 and 6 are global
        self.assertIn("leaves out layer 0", refusal(lambda: self.cut_of("modernbert", keep=[1, 3])).args[0])
        self.assertIn("keep the distance between global layers (0, 3, 6) even", refusal(lambda: self.cut_of("modernbert", keep=[0, 1, 3, 6])).hint)
        for keep in ([0, 1, 2, 3], [0, 3, 6], [0, 1, 3, 4], [0, 1, 2]):
            self.assertEqual(self.cut_of("modernbert", keep=keep).kept, tuple(keep))


class TheCutModel(unittest.TestCase):
    def cut(self, kind, kept):
        model = load_base(inspect_base(PLACE.path(kind)), seed=0, attention="eager")
        cut(model, kept)
        return model

    def test_has_the_kept_layers_at_their_new_places_and_all_the_rest_of_the_teacher(self):
        for kind, kept in (("bert", (0, 2)), ("roberta", (1, 3)), ("xlm-roberta", (0, 3)), ("modernbert", (0, 2, 5, 6))):
            stem = "model.layers." if kind == "modernbert" else f"{'bert' if kind == 'bert' else 'roberta'}.encoder.layer."
            place = {f"{stem}{number}.": f"{stem}{at}." for at, number in enumerate(kept)}
            expected = {}
            for name, tensor in load_file(PLACE.path(kind, "model.safetensors")).items():
                layer = name[: name.index(".", len(stem)) + 1] if name.startswith(stem) else None
                if layer is None or layer in place:
                    expected[name if layer is None else name.replace(layer, place[layer])] = tensor
            found = self.cut(kind, kept).state_dict()
            self.assertEqual({name for name in found if not name.endswith("position_ids")}, set(expected))
            for name, tensor in expected.items():
                self.assertTrue(torch.equal(found[name], tensor), name)

    def test_scores_as_transformers_does_with_its_saved_folder_and_counts_its_layers_everywhere(self):
        ids = torch.tensor([[5, 9, 12, 40, 33, 7, 21, 60] * 4])
        for kind, kept in (("bert", (0, 2)), ("roberta", (1, 3)), ("xlm-roberta", (0, 3)), ("modernbert", (0, 1, 3, 4))):
            model = self.cut(kind, kept)
            model.save_pretrained(PLACE.path(f"saved-{kind}"))
            with open(PLACE.path(f"saved-{kind}", "config.json")) as file:
                config = json.load(file)
            self.assertEqual(config["num_hidden_layers"], len(kept))
            if kind == "modernbert":
                self.assertEqual(config["layer_types"], [FULL, LOCAL, FULL, LOCAL])
            again = AutoModelForSequenceClassification.from_pretrained(PLACE.path(f"saved-{kind}"), attn_implementation="eager").eval()
            with torch.no_grad():
                torch.testing.assert_close(again(input_ids=ids).logits, model(input_ids=ids).logits, rtol=0, atol=1e-6)

    def test_names_the_new_pattern_of_an_older_configuration_too(self):
        shutil.copytree(PLACE.path("modernbert"), PLACE.path("older"))
        with open(PLACE.path("older", "config.json")) as file:
            config = json.load(file)
        config.pop("layer_types")
        with open(PLACE.path("older", "config.json"), "w") as file:
            json.dump({**config, "global_attn_every_n_layers": 3}, file)
        model = self.cut("older", (0, 1, 3, 4))
        self.assertEqual(model.config.layer_types, [FULL, LOCAL, FULL, LOCAL])
        self.assertEqual(getattr(model.config, "global_attn_every_n_layers", 2), 2)


if __name__ == "__main__":
    unittest.main()
