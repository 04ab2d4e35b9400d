"""Gradient checkpointing: the very gradients of training without it, less kept in between, and the same results in the job."""
import unittest

import torch

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.training.model import PairModel
from tests import tiny_models
from tests.train_workplace import TinyBases, Workplace, random_pairs

LORA = {"rank": 4, "alpha": 8.0, "targets": "all", "seed": 7}


class Recompute(TinyBases):
    def step(self, kind, recompute, **options):
        """Gradients of a step of two micro-batches, and the bytes that autograd kept for the first one."""
        settings = {"device": "cpu", "bf16": False, "freeze_embeddings": True, "dropout": False, **options}
        module = load_base(inspect_base(f"{self.folder.name}/{kind}"), seed=1, attention="eager")
        model = PairModel(module, kind, recompute=recompute, **settings)
        pairs = random_pairs(16, 400)
        weights = torch.randn(len(pairs), generator=torch.Generator().manual_seed(1))
        kept = {}

        def note(tensor):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        torch.manual_seed(5)
        model.start_step()
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            first = model.training_logits(pairs[:9])
        (first * weights[:9]).sum().backward()
        (model.training_logits(pairs[9:]) * weights[9:]).sum().backward()
        return {name: parameter.grad for name, parameter in model.parameters.items()}, sum(kept.values())

    def test_gradients_are_the_very_same_and_less_is_kept(self):
        cases = [(kind, {}) for kind in tiny_models.KINDS]
        cases += [("bert", {"bf16": True}), ("bert", {"freeze_layers": 1}), ("bert", {"adapters": LORA}), ("bert", {"dropout": True}), ("modernbert", {"adapters": LORA}), ("modernbert", {"bf16": True})]
        for kind, options in cases:
            expected, kept = self.step(kind, False, **options)
            found, less = self.step(kind, True, **options)
            self.assertEqual(found.keys(), expected.keys())
            for name, gradient in expected.items():
                self.assertTrue(torch.equal(found[name], gradient), f"{kind} {options} {name}")
            self.assertLess(less, kept, f"{kind} {options}")

    def test_the_job_ends_with_the_same_bytes(self):
        place = Workplace("bert", "modernbert")
        self.addCleanup(place.cleanup)
        for kind in ("bert", "modernbert"):
            place.run(f"without-{kind}", kind, epochs=1)
            place.run(f"with-{kind}", kind, epochs=1, gradient_checkpointing=True)
            self.assertEqual(place.results(f"with-{kind}"), place.results(f"without-{kind}"))


if __name__ == "__main__":
    unittest.main()
