"""The packed encoder against transformers' own forward and backward pass, on tiny models with random weights."""
import unittest

import torch

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.pairs import EncodedPair
from rerank_tune_worker.training.model import PairModel
from rerank_tune_worker.training.packed_layout import pack
from tests.train_workplace import TinyBases, random_pairs

KINDS = ("bert", "roberta", "xlm-roberta")


class Packed(TinyBases):
    def model(self, kind, **options):
        base = inspect_base(f"{self.folder.name}/{kind}")
        settings = {"device": "cpu", "bf16": False, "freeze_embeddings": True, "dropout": False, **options}
        return PairModel(load_base(base, seed=1, attention="eager"), base.model_type, **settings)

    def pairs(self, model, count=23):
        return random_pairs(count, model.module.config.vocab_size)

    def test_logits_equal_those_of_transformers(self):
        for kind in KINDS:
            model = self.model(kind)
            difference = model.check_parity(self.pairs(model))
            self.assertTrue(model.packs, kind)
            self.assertLess(difference, 2e-5, kind)

    def test_gradients_equal_those_of_transformers(self):
        for kind in KINDS:
            for frozen in (True, False):
                model = self.model(kind, freeze_embeddings=frozen)
                pairs = self.pairs(model)
                weights = torch.randn(len(pairs), generator=torch.Generator().manual_seed(1))
                model.start_step()
                (model.training_logits(pairs) * weights).sum().backward()
                packed = {name: p.grad.clone() for name, p in model.parameters.items()}
                model.module.zero_grad()
                (model._padded_logits(pairs, torch.float32) * weights).sum().backward()
                for name, parameter in model.parameters.items():
                    scale = 1 + parameter.grad.abs().max().item()
                    self.assertLess((packed[name] - parameter.grad).abs().max().item() / scale, 1e-4, f"{kind} {name}")

    def test_gradients_of_micro_batches_add_up(self):
        model = self.model("bert")
        pairs = self.pairs(model, 12)
        model.start_step()
        model.training_logits(pairs).sum().backward()
        whole = {name: p.grad.clone() for name, p in model.parameters.items()}
        model.module.zero_grad()
        model.start_step()
        for start in (0, 5):
            model.training_logits(pairs[start : start + 5 if start == 0 else 12]).sum().backward()
        for name, parameter in model.parameters.items():
            self.assertLess((whole[name] - parameter.grad).abs().max().item(), 1e-3 * (1 + whole[name].abs().max().item()), name)

    def test_a_score_does_not_depend_on_its_batch_mates(self):
        model = self.model("xlm-roberta")
        pairs = self.pairs(model)
        together = model.score(pairs, exact=True, tokens=4096, between=lambda done: None)
        for pair, score in zip(pairs, together):
            alone = model.score([pair], exact=True, tokens=4096, between=lambda done: None)[0]
            self.assertAlmostEqual(alone, score, delta=1e-5)

    def test_half_precision_stays_near(self):
        model = self.model("bert", bf16=True)
        pairs = self.pairs(model)
        exact = torch.tensor(model.score(pairs, exact=True, tokens=4096, between=lambda done: None))
        half = torch.tensor(model.score(pairs, exact=False, tokens=4096, between=lambda done: None))
        self.assertLess((exact - half).std().item(), 0.1 * exact.std().item() + 1e-3)
        self.assertGreater((exact - half).abs().max().item(), 0)

    def test_a_model_that_computes_otherwise_falls_back(self):
        model = self.model("bert")
        model.module.bert.encoder.layer[0].attention.self.scaling = 0.5
        model.module.bert.encoder.layer[0].attention.self.register_forward_hook(lambda module, inputs, output: (output[0] * 2, *output[1:]))
        self.assertGreater(model.check_parity(self.pairs(model)), 1e-4)
        self.assertFalse(model.packs)
        self.assertTrue(model.padded)

    def test_modernbert_uses_transformers(self):
        model = self.model("modernbert")
        self.assertFalse(model.packs)
        self.assertIsNone(model.check_parity(self.pairs(model)))

    def test_frozen_embeddings_have_no_gradient_but_their_norm_trains(self):
        names = self.model("bert").parameters
        self.assertNotIn("bert.embeddings.word_embeddings.weight", names)
        self.assertIn("bert.embeddings.LayerNorm.weight", names)
        self.assertIn("bert.embeddings.word_embeddings.weight", self.model("bert", freeze_embeddings=False).parameters)

    def test_positions_of_roberta_skip_padding_tokens_in_the_text(self):
        layout = pack([EncodedPair([0, 7, 1, 8, 2], [0] * 5)], 1)
        self.assertEqual(layout.positions[:5].tolist(), [2, 3, 1, 4, 5])


if __name__ == "__main__":
    unittest.main()
