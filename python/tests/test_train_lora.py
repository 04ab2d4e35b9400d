"""LoRA: gradients of the factors, frozen weights, the merge into a plain model, its learning rates, and exact resume."""
import os
import unittest

import torch
from safetensors.torch import load_file

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training import ending, lora
from rerank_tune_worker.training.encoder_parts import encoder_layers, head_parameters
from rerank_tune_worker.training.model import PairModel
from rerank_tune_worker.training.optimizer import build_optimizer, check_learning_rate
from tests import tiny_models
from tests.train_workplace import DyingReporter, Killed, TinyBases, Workplace, any_step_counts, random_pairs
from tests.training_data import OPTIONS

SETTINGS = {"rank": 4, "alpha": 8.0, "targets": "all"}


class Adapted(TinyBases):
    def plain(self, kind):
        return load_base(inspect_base(f"{self.folder.name}/{kind}"), seed=1, attention="eager")

    def model(self, kind, layers=0, moved=True, **options):
        settings = {"device": "cpu", "bf16": False, "freeze_embeddings": True, "dropout": False}
        adapters = {**SETTINGS, "seed": 7, **options}
        model = PairModel(self.plain(kind), kind, freeze_layers=layers, adapters=adapters, **settings)
        generator = torch.Generator().manual_seed(2)
        for name, parameter in model.parameters.items():
            if moved and name.endswith(".b"):
                parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
        return model

    def test_gradients_equal_autograds_own_through_transformers(self):
        for kind in tiny_models.KINDS:
            model = self.model(kind)
            pairs = random_pairs(9, model.module.config.vocab_size)
            weights = torch.randn(len(pairs), generator=torch.Generator().manual_seed(1))
            model.start_step()
            (model.training_logits(pairs) * weights).sum().backward()
            self.assertEqual(model.packs, kind != "modernbert")
            found = {name: parameter.grad for name, parameter in model.parameters.items()}

            plain = PairModel(self.plain(kind), kind, device="cpu", bf16=False, freeze_embeddings=True, dropout=False)
            own = {name: parameter.detach().clone().requires_grad_() for name, parameter in model.parameters.items()}
            replaced = {name: own[name] for name in own if not lora.is_factor(name)}
            for name in own:
                if name.endswith(".a"):
                    target, other = name.replace(".parametrizations.weight.0.a", ".weight"), name[:-1] + "b"
                    replaced[target] = dict(plain.module.named_parameters())[target].detach() + 8.0 / 4 * own[other] @ own[name]
            module = plain.module
            plain.module = lambda **inputs: torch.func.functional_call(module, replaced, (), inputs)
            (plain._padded_logits(pairs, torch.float32) * weights).sum().backward()
            self.assertTrue(any(gradient.abs().max() > 1e-3 for name, gradient in found.items() if name.endswith(".a")))
            for name, parameter in own.items():
                scale = 1 + parameter.grad.abs().max().item()
                self.assertLess((found[name] - parameter.grad).abs().max().item() / scale, 1e-4, f"{kind} {name}")

    def test_gradients_of_micro_batches_add_up(self):
        model = self.model("bert")
        pairs = random_pairs(12, 400)
        model.start_step()
        model.training_logits(pairs).sum().backward()
        whole = {name: parameter.grad.clone() for name, parameter in model.parameters.items()}
        model.module.zero_grad()
        model.start_step()
        for part in (pairs[:5], pairs[5:]):
            model.training_logits(part).sum().backward()
        for name, parameter in model.parameters.items():
            self.assertLess((whole[name] - parameter.grad).abs().max().item(), 1e-3 * (1 + whole[name].abs().max().item()), name)

    def test_before_the_first_step_the_model_is_the_base(self):
        for kind in tiny_models.KINDS:
            pairs = random_pairs(5, 400)
            plain = PairModel(self.plain(kind), kind, device="cpu", bf16=False, freeze_embeddings=True, dropout=False)
            scores = [model.score(pairs, exact=True, tokens=4096, between=lambda done: None) for model in (plain, self.model(kind, moved=False))]
            self.assertEqual(*scores)

    def test_targets_name_the_layers_that_are_adapted(self):
        expected = {
            "bert": {"attention": {"query", "key", "value", "dense"}, "mlp": {"dense"}, "all": 6},
            "modernbert": {"attention": {"Wqkv", "Wo"}, "mlp": {"Wi", "Wo"}, "all": 4},
        }
        for kind, targets in expected.items():
            sizes = {}
            for target in ("attention", "mlp", "all"):
                names = [name for name in self.model(kind, targets=target).parameters if name.endswith(".a")]
                layers = len(encoder_layers(self.model(kind).module))
                sizes[target] = len(names) // layers
                if target != "all":
                    self.assertEqual({name.split(".parametrizations.")[0].rsplit(".", 1)[1] for name in names}, targets[target])
                    self.assertTrue(all((".attention." in name or ".attn." in name) == (target == "attention") for name in names))
            self.assertEqual((sizes["all"], sizes["attention"] + sizes["mlp"]), (targets["all"], targets["all"]))

    def test_what_trains_is_factors_above_frozen_layers_and_the_head(self):
        for kind in tiny_models.KINDS:
            model = self.model(kind, layers=1)
            head = {id(parameter) for parameter in head_parameters(model.module)}
            others = [name for name, parameter in model.parameters.items() if id(parameter) not in head]
            self.assertTrue(head <= {id(parameter) for parameter in model.parameters.values()})
            self.assertTrue(others and all(lora.is_factor(name) and "layer.0." not in name and "layers.0." not in name for name in others), kind)

    def test_the_merge_gives_the_same_scores_and_a_plain_module(self):
        for kind in tiny_models.KINDS:
            model = self.model(kind)
            pairs = random_pairs(9, model.module.config.vocab_size)
            before = torch.tensor(model.score(pairs, exact=True, tokens=4096, between=lambda done: None))
            model.merge_adapters()
            after = torch.tensor(model.score(pairs, exact=True, tokens=4096, between=lambda done: None))
            self.assertLessEqual((before - after).abs().max().item(), 1e-5)
            plain = self.plain(kind)
            self.assertCountEqual(model.module.state_dict(), plain.state_dict())
            self.assertEqual([type(part) for part in model.module.modules()], [type(part) for part in plain.modules()])

    def test_factors_do_not_decay(self):
        model = self.model("bert")
        decaying, still = build_optimizer(model.parameters, 0.01).param_groups
        factors = {id(parameter) for name, parameter in model.parameters.items() if lora.is_factor(name)}
        self.assertFalse(factors & {id(parameter) for parameter in decaying["params"]})
        self.assertTrue(factors <= {id(parameter) for parameter in still["params"]})
        self.assertEqual((decaying["weight_decay"], still["weight_decay"]), (0.01, 0.0))


class Rates(unittest.TestCase):
    def answer(self, rate, queries=16, parameters=568_000_000, is_reranker=True):
        try:
            warning = check_learning_rate(rate, queries, parameters, is_reranker, adapters=True)
        except JobError as error:
            self.assertEqual(error.code, "RECIPE_INVALID")
            self.assertIn("--set train.learning_rate=1.5e-4", error.hint)
            return "refused"
        self.assertIn("--set train.learning_rate=1.5e-4", warning or "--set train.learning_rate=1.5e-4")
        return "warned of" if warning else "taken"

    def test_take_ten_times_the_ceiling_of_full_training(self):
        answers = [self.answer(rate) for rate in (1e-5, 4.9e-5, 5e-5, 1.5e-4, 3e-4, 3.1e-4)]
        self.assertEqual(answers, ["refused", "refused", "taken", "taken", "taken", "warned of"])

    def test_small_or_fresh_bases_may_go_higher(self):
        self.assertEqual(self.answer(2e-3, parameters=22_000_000), "taken")
        self.assertEqual(self.answer(2e-3, is_reranker=False), "taken")
        self.assertEqual(self.answer(1e-3, queries=64), "taken")


class Job(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace(*tiny_models.KINDS)
        cls.addClassCleanup(cls.place.cleanup)

    @any_step_counts
    def test_the_result_is_a_plain_model_whose_scores_are_those_written(self):
        from transformers import AutoModelForSequenceClassification

        for kind in tiny_models.KINDS:
            self.place.run(f"plain-{kind}", kind, lora=SETTINGS, epochs=3)
            before, after = (load_file(self.place.path(*names, "model.safetensors")) for names in ((kind,), (f"plain-{kind}", "model")))
            self.assertEqual(set(before), set(after))
            moved = {name for name, weights in before.items() if not torch.equal(weights, after[name])}
            self.assertTrue(any("classifier" in name for name in moved))
            self.assertFalse([name for name in moved if "embed" in name.lower() or ("norm" in name.lower() and "head" not in name)], kind)
            folder = self.place.path(f"plain-{kind}", "model")
            model, info = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
            self.assertFalse(info["missing_keys"] or info["unexpected_keys"])
            self.assertFalse(hasattr(model, "peft_config"))

    @any_step_counts
    def test_base_weights_do_not_move_beyond_their_rank(self):
        self.place.run("rank", lora={**SETTINGS, "rank": 2, "targets": "attention"}, epochs=4)
        before, after = (load_file(self.place.path(*names, "model.safetensors")) for names in (("bert",), ("rank", "model")))
        for name, weights in before.items():
            if name.startswith("bert.encoder") and name.endswith("weight") and weights.ndim == 2:
                rank = int(torch.linalg.matrix_rank((after[name] - weights).double(), atol=1e-5))
                self.assertEqual(rank, 2 if ".attention." in name and "LayerNorm" not in name else 0, name)
            elif name.startswith("bert.e"):
                self.assertTrue(torch.equal(weights, after[name]), name)

    def test_it_learns_with_adapters_alone(self):
        job = {"epochs": 40, "evaluations": 4, "evaluation_queries": 18, "evaluation_depth": 6, "learning_rate": 1e-2, "checkpoint_seconds": 9999}
        inputs, self.place.inputs = self.place.inputs, {**self.place.inputs, "dev": self.place.inputs["train"]}
        try:
            done = self.place.run("learns", lora=SETTINGS, interpolate={**OPTIONS["interpolate"], "enabled": True}, **job)
        finally:
            self.place.inputs = inputs
        self.assertGreater(done.outputs["dev_ndcg_at_10"]["best"], 0.9)
        self.assertGreater(done.outputs["interpolation"]["alpha"], 0)

    def test_dying_at_a_step_and_starting_again_gives_the_same_bytes(self):
        for precision in ("fp32", "bf16"):
            options = {"lora": SETTINGS, "precision": precision}
            whole = DyingReporter()
            self.place.run(f"whole-{precision}", reporter=whole, **options)
            for at in range(4, len(whole.events), 11):
                out = f"died-{precision}-{at}"
                with self.assertRaises(Killed):
                    self.place.run(out, reporter=DyingReporter(at), **options)
                self.place.run(out, **options)
                self.assertEqual(self.place.results(out), self.place.results(f"whole-{precision}"), whole.events[at])

    def test_a_merge_that_changes_scores_is_refused(self):
        merged = lora.merge

        def broken(model):
            merged(model)
            model.classifier.bias.data += 2e-5

        lora.merge = broken
        self.addCleanup(setattr, lora, "merge", merged)
        with self.assertRaises(JobError) as caught:
            self.place.run("broken", lora=SETTINGS, epochs=1)
        self.assertIn("merging the adapters", caught.exception.message)
        self.assertGreater(2e-5, ending.MERGE_PARITY)

    def test_adapters_without_a_layer_are_refused(self):
        with self.assertRaises(JobError) as caught:
            self.place.run("none", lora=SETTINGS, freeze_layers=2)
        self.assertEqual(caught.exception.code, "RECIPE_INVALID")
        self.assertIn("leaves no layer", caught.exception.message)

    def test_a_rate_for_full_training_is_refused_before_it_begins(self):
        with self.assertRaises(JobError):
            self.place.run("slow", lora=SETTINGS, learning_rate=1e-5)
        self.assertFalse(os.path.exists(self.place.path("slow", "checkpoint")))


if __name__ == "__main__":
    unittest.main()
