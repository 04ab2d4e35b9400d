"""Weights between base and tuned: which alpha is chosen."""
import unittest

from rerank_tune_worker.training.interpolation import Mixture, choose


class Choice(unittest.TestCase):
    def mixtures(self, *values):
        return [Mixture(alpha, dev, {"guard-a": guard}, [dev, dev]) for alpha, dev, guard in values]

    def choose(self, base, *values):
        dev, guards = base
        return choose(Mixture(0.0, dev, guards, [dev, dev]), self.mixtures(*values), 0.01).alpha

    def test_the_best_on_dev_wins(self):
        self.assertEqual(self.choose((0.5, {"guard-a": 0.6}), (1.0, 0.55, 0.6), (0.7, 0.58, 0.6), (0.3, 0.54, 0.6)), 0.7)

    def test_ties_go_to_the_larger_alpha(self):
        self.assertEqual(self.choose((0.5, {"guard-a": 0.6}), (1.0, 0.55, 0.6), (0.7, 0.58, 0.6), (0.8, 0.58, 0.6)), 0.8)

    def test_a_guard_set_may_lose_its_margin_and_no_more(self):
        self.assertEqual(self.choose((0.5, {"guard-a": 0.6}), (1.0, 0.58, 0.59), (0.5, 0.57, 0.6)), 1.0)
        self.assertEqual(self.choose((0.5, {"guard-a": 0.6}), (1.0, 0.58, 0.5899), (0.5, 0.57, 0.6)), 0.5)

    def test_every_guard_set_counts(self):
        base = Mixture(0.0, 0.5, {"guard-a": 0.6, "guard-b": 0.8}, [0.5])
        tuned = [Mixture(1.0, 0.7, {"guard-a": 0.9, "guard-b": 0.7}, [0.7]), Mixture(0.3, 0.6, {"guard-a": 0.6, "guard-b": 0.8}, [0.6])]
        self.assertEqual(choose(base, tuned, 0.01).alpha, 0.3)

    def test_a_larger_alpha_wins_unless_it_is_clearly_worse_on_dev(self):
        base, best = Mixture(0.0, 0.2, {}, [0.2] * 4), Mixture(0.5, 0.6, {}, [0.9, 0.5, 0.5, 0.5])
        # the same mean loss of 0.05: once two queries disagree, once each query loses as much
        lucky, worse = [1.0, 0.2, 0.5, 0.5], [0.85, 0.45, 0.45, 0.45]
        self.assertEqual(choose(base, [Mixture(1.0, 0.55, {}, lucky), best], 0.01).alpha, 1.0)
        self.assertEqual(choose(base, [Mixture(1.0, 0.55, {}, worse), best], 0.01).alpha, 0.5)

    def test_a_gain_that_may_be_luck_leaves_the_base(self):
        base = Mixture(0.0, 0.5, {}, [0.5] * 4)
        # both 0.05 better: once a gain of one query out of four, with a standard error of 0.155, once of each
        self.assertEqual(choose(base, [Mixture(1.0, 0.55, {}, [0.3, 0.4, 0.5, 1.0])], 0.01).alpha, 0.0)
        self.assertEqual(choose(base, [Mixture(1.0, 0.55, {}, [0.55] * 4)], 0.01).alpha, 1.0)

    def test_the_base_stays_unless_something_is_better(self):
        self.assertEqual(self.choose((0.5, {"guard-a": 0.6}), (1.0, 0.5, 0.9), (0.5, 0.49, 0.9)), 0.0)
        self.assertEqual(self.choose((0.5, {"guard-a": 0.6}), (1.0, 0.9, 0.1)), 0.0)


if __name__ == "__main__":
    unittest.main()
