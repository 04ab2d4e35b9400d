"""Frozen layers: their weights stay, no backward pass enters them, and what trains has transformers' own gradients."""
import unittest
from collections import Counter

import torch
from safetensors.torch import load_file

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training.model import PairModel, encoder_layers
from tests import tiny_models
from tests.train_workplace import DyingReporter, Killed, TinyBases, Workplace, any_step_counts, random_pairs


def graph_of(tensor):
    """Names of the nodes that a backward pass from `tensor` visits, and the parameters it reaches."""
    seen, waiting, leaves = set(), [tensor.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.add(id(node.variable))
        waiting += [following for following, _ in node.next_functions]
    return Counter(node.name().rsplit("::", 1)[-1] for node in seen), leaves


class Gradients(TinyBases):
    def model(self, kind, layers, **options):
        base = inspect_base(f"{self.folder.name}/{kind}")
        settings = {"device": "cpu", "bf16": False, "freeze_embeddings": True, "dropout": False, **options}
        return PairModel(load_base(base, seed=1, attention="eager"), base.model_type, freeze_layers=layers, **settings)

    def gradients(self, model, pairs, logits):
        model.module.zero_grad()
        model.start_step()
        weights = torch.randn(len(pairs), generator=torch.Generator().manual_seed(1))
        (logits(model)(pairs) * weights).sum().backward()
        return {name: parameter.grad.clone() for name, parameter in model.parameters.items()}

    def test_what_trains_is_all_above_the_frozen_layers(self):
        for kind in tiny_models.KINDS:
            model = self.model(kind, 1)
            layers = encoder_layers(model.module)
            frozen = {id(p) for part in (model.module.base_model.embeddings, layers[0]) for p in part.parameters()}
            every = {id(p) for p in model.module.parameters()}
            self.assertEqual({id(p) for p in model.parameters.values()}, every - frozen, kind)

    def test_the_gradient_of_the_rest_is_that_of_transformers_without_freezing(self):
        def transformers_own(model):
            return lambda pairs: model._padded_logits(pairs, torch.float32)

        for kind in tiny_models.KINDS:
            pairs = random_pairs(13, self.model(kind, 0).module.config.vocab_size)
            expected = self.gradients(self.model(kind, 0, freeze_embeddings=False), pairs, transformers_own)
            for layers in (1, 2):
                model = self.model(kind, layers)
                found = self.gradients(model, pairs, lambda model: model.training_logits)
                self.assertEqual(model.packs, kind != "modernbert")
                self.assertLess(len(found), len(expected))
                for name, gradient in found.items():
                    scale = 1 + expected[name].abs().max().item()
                    self.assertLess((gradient - expected[name]).abs().max().item() / scale, 1e-4, f"{kind} {layers} {name}")

    def test_no_backward_pass_enters_a_frozen_layer(self):
        for kind in ("bert", "roberta", "xlm-roberta"):
            for layers, attentions in ((0, (1, 1)), (1, (0, 1)), (2, (0, 0))):
                model = self.model(kind, layers)
                model.start_step()
                nodes, leaves = graph_of(model.training_logits(random_pairs(5, 400)))
                self.assertEqual((nodes["PackedAttentionBackward"], nodes["FirstTokenAttentionBackward"]), attentions, f"{kind} {layers}")
                self.assertEqual(leaves, {id(p) for p in model.parameters.values()})

    def test_no_backward_pass_of_transformers_enters_one_either(self):
        for kind, options in (("modernbert", {}), ("bert", {"dropout": True})):
            counts = []
            for layers in (0, 1, 2):
                model = self.model(kind, layers, **options)
                model.start_step()
                nodes, leaves = graph_of(model.training_logits(random_pairs(5, 400)))
                self.assertEqual(leaves, {id(p) for p in model.parameters.values()}, kind)
                counts.append(nodes["SoftmaxBackward0"])
            self.assertEqual([counts[0] - count for count in counts], [0, 1, 2], kind)

    def test_copies_of_frozen_layers_are_kept_and_those_of_the_rest_follow_the_weights(self):
        for bf16 in (False, True):
            model = self.model("bert", 1, bf16=bf16)
            model.start_step()
            frozen = model._packed._layers[0]
            with torch.no_grad():
                for parameter in model.parameters.values():
                    parameter.add_(0.01)
            model.start_step()
            self.assertIs(model._packed._layers[0], frozen)
            self.assertLess(model.check_parity(random_pairs(5, 400)), 1e-5)  # in fp32, whatever the precision of training
            self.assertEqual(model.packs, True)


class Job(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace("bert", "modernbert")
        cls.addClassCleanup(cls.place.cleanup)

    @any_step_counts
    def test_frozen_weights_do_not_move_and_all_others_do(self):
        for kind, layers, below in (("bert", 1, ("bert.embeddings.", "bert.encoder.layer.0.")), ("modernbert", 2, ("model.embeddings.", "model.layers.0.", "model.layers.1."))):
            self.place.run(f"moved-{kind}", kind, freeze_layers=layers, freeze_embeddings=False)
            before, after = (load_file(self.place.path(*names, "model.safetensors")) for names in ((kind,), (f"moved-{kind}", "model")))
            for name, weights in before.items():
                self.assertEqual(torch.equal(weights, after[name]), name.startswith(below), name)

    def test_with_all_layers_frozen_the_head_still_trains(self):
        self.place.run("head", freeze_layers=2)
        before, after = (load_file(self.place.path(*names, "model.safetensors")) for names in (("bert",), ("head", "model")))
        moved = {name for name, weights in before.items() if not torch.equal(weights, after[name])}
        self.assertEqual(moved, {f"{part}.{kind}" for part in ("bert.pooler.dense", "classifier") for kind in ("weight", "bias")})

    def test_dying_at_a_step_and_starting_again_gives_the_same_bytes(self):
        whole = DyingReporter()
        self.place.run("whole", reporter=whole, freeze_layers=1)
        steps = [at for at, event in enumerate(whole.events) if isinstance(event, tuple) and event[3] == "steps"]
        for at in steps[::3]:
            out = f"died-{at}"
            with self.assertRaises(Killed):
                self.place.run(out, reporter=DyingReporter(at), freeze_layers=1)
            self.place.run(out, freeze_layers=1)
            self.assertEqual(self.place.results(out), self.place.results("whole"), at)

    def test_more_layers_than_there_are_are_refused(self):
        for kind, layers in (("bert", 2), ("modernbert", 3)):
            with self.assertRaises(JobError) as caught:
                self.place.run("refused", kind, freeze_layers=layers + 1)
            self.assertEqual(caught.exception.code, "RECIPE_INVALID")
            self.assertIn(f"train.freeze_layers {layers + 1} is more than the {layers} layers", caught.exception.message)
            self.assertIn("--set train.freeze_layers=", caught.exception.hint)


if __name__ == "__main__":
    unittest.main()
