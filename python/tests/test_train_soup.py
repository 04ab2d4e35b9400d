"""The average of seeds in itself: who takes part, its arithmetic, adapters, and what is told of it."""
import unittest

import torch

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.training.history import Progress
from rerank_tune_worker.training.lora import adapted
from rerank_tune_worker.training.model import PairModel
from rerank_tune_worker.training.outcome import Outcome
from rerank_tune_worker.training.soup import Soup, best_seed, close_seeds, running_mean
from rerank_tune_worker.training.weights import plain_weights, put, swap
from tests.train_workplace import Workplace


def setUpModule():
    global PLACE
    PLACE = Workplace("bert")


def tearDownModule():
    PLACE.cleanup()


def outcomes(*values, collapsed=(), unlearned=()):
    return [
        Outcome(seed, Progress(step=20, best_step=0 if seed in unlearned else 10, best_ndcg=value, ended="finished"), "Training collapsed: x" if seed in collapsed else "")
        for seed, value in enumerate(values, 7)
    ]


def model(adapters=None):
    base = inspect_base(PLACE.path("bert"))
    return PairModel(load_base(base, seed=1, attention="eager"), "bert", device="cpu", bf16=False, freeze_embeddings=True, dropout=False, adapters=adapters)


class WhoTakesPart(unittest.TestCase):
    def seeds(self, found):
        return [outcome.seed for outcome in close_seeds(found)]

    def test_seeds_less_than_half_a_point_below_the_best(self):
        self.assertEqual(self.seeds(outcomes(0.7040, 0.7000, 0.6989, 0.6991)), [7, 8, 10])

    def test_no_collapsed_seed_even_if_it_was_best_before(self):
        found = outcomes(0.700, 0.704, 0.702, collapsed=[8])
        self.assertEqual(self.seeds(found), [7, 9])
        self.assertEqual(best_seed(found).seed, 9)

    def test_no_seed_that_kept_the_base(self):
        self.assertEqual(self.seeds(outcomes(0.700, 0.701, unlearned=[7])), [8])
        self.assertEqual(self.seeds(outcomes(0.700, 0.700, unlearned=[7, 8])), [])

    def test_the_first_seed_wins_among_equals(self):
        self.assertEqual(best_seed(outcomes(0.7, 0.71, 0.71)).seed, 8)


class Telling(unittest.TestCase):
    def test_mean_and_standard_deviation_by_hand(self):
        found = Soup(outcomes(0.70, 0.72, 0.1, 0.74, collapsed=[9]), outcomes(0, 0, 0, 0.74)[3]).record()
        self.assertAlmostEqual(found["mean"], 0.72)
        self.assertAlmostEqual(found["standard_deviation"], 0.02)
        self.assertEqual([run["dev_ndcg_at_10"] for run in found["runs"]], [0.70, 0.72, None, 0.74])
        self.assertIsNone(Soup(outcomes(0.7, 0.1, collapsed=[8]), outcomes(0.7)[0]).record()["standard_deviation"])

    def test_an_average_wins_a_tie(self):
        found = outcomes(0.70, 0.702)
        for average, kept, value in ((0.702, True, 0.702), (0.7019, False, 0.702), (0.71, True, 0.71)):
            soup = Soup(found, found[1], (7, 8), average)
            self.assertEqual((soup.keeps_average, soup.dev_ndcg, soup.record()["kept"]), (kept, value, "average" if kept else "seed"))

    def test_the_line_names_seeds_spread_and_what_is_kept(self):
        found = outcomes(0.70, 0.702, 0.5, collapsed=[9])
        line = Soup(found, found[1], (7, 8), 0.71).message()
        self.assertEqual(line, "dev NDCG@10 by seed 7: 70.00, 8: 70.20, 9: collapsed; mean 70.10, standard deviation 0.14; the average of the weights of seeds 7, 8 has 71.00: it is kept")
        self.assertIn("seed 8 is kept", Soup(found, found[1], (7, 8), 0.70).message())
        self.assertIn("nothing is averaged: seed 8 is kept", Soup(found, found[1]).message())


class Arithmetic(unittest.TestCase):
    def test_the_mean_of_three_by_hand(self):
        mean = running_mean([("w", torch.tensor([value, 0.0]))] for value in (1.0, 3.0, 8.0))
        torch.testing.assert_close(mean["w"], torch.tensor([4.0, 0.0]))

    def test_equal_weights_keep_every_bit(self):
        same = torch.randn(1000, generator=torch.Generator().manual_seed(1))
        self.assertTrue(torch.equal(running_mean([("w", same)] for _ in range(7))["w"], same))

    def test_the_first_set_of_weights_is_not_written_to(self):
        first = torch.ones(2)
        running_mean([[("w", first)], [("w", torch.zeros(2))]])
        self.assertTrue(torch.equal(first, torch.ones(2)))

    def test_swapping_twice_changes_nothing(self):
        one = model()
        before = {name: parameter.detach().clone() for name, parameter in one.parameters.items()}
        other = {name: tensor + 1 for name, tensor in before.items()}
        swap(one, other)
        self.assertTrue(all(torch.equal(one.parameters[name], before[name] + 1) and torch.equal(other[name], before[name]) for name in before))
        swap(one, other)
        self.assertTrue(all(torch.equal(one.parameters[name], before[name]) for name in before))


class Adapters(unittest.TestCase):
    def test_are_averaged_merged_and_not_factor_by_factor(self):
        one = model({"rank": 4, "alpha": 8.0, "targets": "all", "seed": 7})
        base = {name: linear.parametrizations.weight.original.detach().clone() for name, linear in self.linears(one)}
        sets = [self.factors(one, seed) for seed in (1, 2)]

        def merged(factors):
            put(one, factors.items())
            return plain_weights(one)

        mean = running_mean(map(merged, sets))
        name = "bert.encoder.layer.0.attention.self.query"
        a, b = ([factors[f"{name}.parametrizations.weight.0.{part}"] for factors in sets] for part in "ab")
        scale = 8.0 / 4
        expected = base[name] + scale * (b[0] @ a[0] + b[1] @ a[1]) / 2
        of_factors = base[name] + scale * ((b[0] + b[1]) / 2) @ ((a[0] + a[1]) / 2)
        torch.testing.assert_close(mean[f"{name}.weight"], expected)
        self.assertGreater(float((expected - of_factors).abs().max()), 0.01)
        torch.testing.assert_close(mean["classifier.bias"], (sets[0]["classifier.bias"] + sets[1]["classifier.bias"]) / 2)

    def test_plain_weights_are_those_of_the_merged_model(self):
        one = model({"rank": 4, "alpha": 8.0, "targets": "mlp", "seed": 7})
        put(one, self.factors(one, 3).items())
        plain = {name: tensor.clone() for name, tensor in plain_weights(one)}
        one.merge_adapters()
        self.assertEqual(set(plain), set(one.parameters))
        self.assertTrue(all(torch.equal(plain[name], parameter) for name, parameter in one.parameters.items()))

    def linears(self, one):
        known = set(map(id, adapted(one.module)))
        return [(name, module) for name, module in one.module.named_modules() if id(module) in known]

    def factors(self, one, seed):
        generator = torch.Generator().manual_seed(seed)
        return {name: torch.randn(parameter.shape, generator=generator) for name, parameter in one.parameters.items()}


if __name__ == "__main__":
    unittest.main()
