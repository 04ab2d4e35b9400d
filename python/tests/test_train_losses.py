"""Every loss of training on logits alone: hand-worked values, gradients, groups of every kind, and sums over micro-batches."""
import math
import random
import unittest

import torch

from rerank_tune_worker.training.data import TrainingGroup
from rerank_tune_worker.training.loss import Objective
from rerank_tune_worker.training.losses import LOSSES

PAIRWISE = ("ranknet", "lambda")


def group(labels, teacher=None, number=0):
    return TrainingGroup(number, tuple(range(len(labels))), tuple(map(float, labels)), tuple(map(float, teacher if teacher is not None else labels)))


def objective(name, *, top=1.0, bce_weight=0.2, kl_to_base=0.0, temperature=1.0):
    return Objective({"loss": name, "bce_weight": bce_weight, "kl_to_base": kl_to_base, "teacher_temperature": temperature}, top)


def value(name, scores, groups, **options):
    """Sum of the loss's own terms, in double precision."""
    return objective(name, **options).parts(torch.tensor(scores, dtype=torch.float64), groups)[0].group_loss.item()


def step(made, logits, batches):
    """Loss of a step and its gradient, the groups going through in the given micro-batches."""
    every = [group for batch in batches for group in batch]
    leaf, size, total, start = logits.clone().requires_grad_(), made.size(every), 0.0, 0
    for batch in batches:
        pairs = sum(len(group.labels) for group in batch)
        loss = made.mean(made.parts(leaf[start : start + pairs], batch)[0], size)
        loss.backward()
        total, start = total + loss.item(), start + pairs
    return total, leaf.grad


def mixed_groups(seed=5):
    """Groups of all kinds: graded, tied, all-positive, all-negative, of one, each with a teacher's scores and its own number."""
    rng = random.Random(seed)
    labels = [(1, 0, 0, 0), (2, 0, 1), (1, 1), (0, 0, 0), (1,), (0,), (3, 1, 1, 0, 0)]
    return [group(row, [rng.gauss(0, 2) for _ in row], number) for number, row in enumerate(labels)]


def random_logits(groups, dtype=torch.float64):
    return torch.randn(sum(len(g.labels) for g in groups), generator=torch.Generator().manual_seed(3), dtype=torch.float64).to(dtype)


class Values(unittest.TestCase):
    def test_bce_is_a_sum_over_passages_against_the_share_of_the_highest_label(self):
        self.assertAlmostEqual(value("bce", [0.0, math.log(3)], [group((1, 0))]), math.log(2) + math.log(4))
        self.assertAlmostEqual(value("bce", [math.log(3)], [group((1,))], top=2.0), 0.5 * math.log(4 / 3) + 0.5 * math.log(4))

    def test_ranknet_asks_each_better_passage_to_win(self):
        self.assertAlmostEqual(value("ranknet", [2.0, 1.0, 0.0], [group((0, 1, 1))]), math.log(1 + math.e) + math.log(1 + math.e**2))

    def test_lambda_of_two_passages_in_the_wrong_order(self):
        # ideal DCG 1; |1/D1 - 1/D2| = 1 - 1/log2(3) both as delta (times mu = 10) and as rho
        expected = 11 * (1 - 1 / math.log2(3)) * math.log2(1 + math.e)
        self.assertAlmostEqual(value("lambda", [0.0, 1.0], [group((1, 0))]), expected)

    def test_lambda_of_three_grades(self):
        # by score the labels are 0, 2, 1: gains 0, 3, 1 over the ideal 3/1 + 1/log2(3); discounts 1, log2(3), 2
        second, ideal = 1 / math.log2(3), 3 + 1 / math.log2(3)
        lost = {1: math.log2(1 + math.e), 2: math.log2(1 + math.e**2)}
        expected = (
            (10 * (1 - second) + 1 - second) * 3 / ideal * lost[1]  # ranks 2 and 1
            + (10 * (second - 0.5) + 0.5) * 1 / ideal * lost[2]  # ranks 3 and 1
            + (10 * (1 - second) + second - 0.5) * 2 / ideal * (lost[1] - math.log2(math.e))  # ranks 2 and 3, in the right order
        )
        self.assertAlmostEqual(value("lambda", [1.0, 3.0, 2.0], [group((1, 0, 2))]), expected)

    def test_lambda_stays_finite_where_the_power_of_a_sigmoid_would_be_zero(self):
        logits = torch.tensor([-500.0, 500.0, 0.0], requires_grad=True)
        objective("lambda").parts(logits, [group((1e3, 0, 1))])[0].group_loss.backward()
        self.assertTrue(torch.isfinite(logits.grad).all())
        self.assertLess(logits.grad[0].item(), -1)

    def test_margin_mse_compares_margins_of_passages_with_different_labels(self):
        self.assertAlmostEqual(value("margin_mse", [1.0, 0.0, 0.0], [group((1, 0, 0), (3, 0, 1))]), 4 + 1)
        self.assertAlmostEqual(value("margin_mse", [1.0, 0.0, 0.0], [group((1, 0, 0), (3, 0, 1))], temperature=2.0), 0.25 + 0)

    def test_margin_mse_compares_all_passages_where_labels_tell_none_apart(self):
        for labels in ((0, 0, 0), (1, 1, 1)):
            self.assertAlmostEqual(value("margin_mse", [1.0, 0.0, 0.0], [group(labels, (3, 0, 1))]), 4 + 1 + 1)

    def test_kl_is_measured_from_the_teacher_at_its_temperature(self):
        expected = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
        self.assertAlmostEqual(value("kl", [0.0, 0.0], [group((1, 0), (math.log(3), 0))]), expected)
        self.assertAlmostEqual(value("kl", [5.0, 5.0], [group((0, 0), (2 * math.log(3), 0))], temperature=2.0), expected)
        self.assertAlmostEqual(value("kl", [7.0, 4.0], [group((0, 1), (3, 0))]), 0.0)

    def test_the_pull_to_the_base_is_the_divergence_from_its_softmax_times_its_weight(self):
        made = objective("group_ce", bce_weight=0.0, kl_to_base=0.5)
        made.base_scores = {(4, 0): math.log(3), (4, 1): 0.0}
        groups = [group((0, 0), number=4)]
        loss, _ = step(made, torch.zeros(2, dtype=torch.float64), [groups])
        self.assertAlmostEqual(loss, 0.5 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5)))

    def test_the_report_of_a_step_is_the_mean_over_its_terms(self):
        made = objective("ranknet", bce_weight=0.5)
        _, sums = made.parts(torch.zeros(5), [group((1, 0, 0)), group((1, 0))])
        self.assertEqual((sums.terms, sums.groups, sums.pairs), (3, 2, 5))
        self.assertAlmostEqual(made.report(sums), math.log(2) + 0.5 * math.log(2), places=6)


class DefaultStaysAsItWas(unittest.TestCase):
    """The first release's formula, written out: value and gradient must have the same bits."""

    def formula(self, logits, groups, top):
        width = max(len(g.labels) for g in groups)
        places, targets, start = torch.full((len(groups), width), -1), torch.zeros(len(groups), width), 0
        for row, g in enumerate(groups):
            places[row, : len(g.labels)] = torch.arange(start, start + len(g.labels))
            targets[row, : len(g.labels)] = torch.tensor(g.labels)
            start += len(g.labels)
        mask = places >= 0
        table = logits[places.clamp(min=0)].masked_fill(~mask, -math.inf)
        weights = targets / targets.sum(1, keepdim=True).clamp(min=1e-12)
        cross_entropy = -(weights * torch.log_softmax(table, 1).masked_fill(~mask, 0.0)).sum()
        anchor = torch.nn.functional.binary_cross_entropy_with_logits(logits, (targets[mask] / top).clamp(0, 1), reduction="sum")
        return cross_entropy / len(groups) + 0.2 * anchor / len(logits)

    def test_value_and_gradient_have_the_same_bits(self):
        for seed in range(20):
            groups = mixed_groups(seed)
            random.Random(seed).shuffle(groups)
            ours, theirs = (random_logits(groups, torch.float32).mul(3).requires_grad_() for _ in range(2))
            made = objective("group_ce", top=3.0)
            loss, expected = made.mean(made.parts(ours, groups)[0], made.size(groups)), self.formula(theirs, groups, 3.0)
            loss.backward()
            expected.backward()
            self.assertEqual(loss.item(), expected.item())
            self.assertTrue(torch.equal(ours.grad, theirs.grad))


class EveryLoss(unittest.TestCase):
    def each(self, **options):
        return [(name, objective(name, top=3.0, **options)) for name in LOSSES]

    def test_gradients_are_those_of_the_values(self):
        groups = mixed_groups()
        for name, made in self.each(kl_to_base=0.3):
            made.base_scores = {(g.group, p): math.sin(g.group + 3 * p) for g in groups for p in g.passages}
            logits = random_logits(groups).requires_grad_()
            self.assertTrue(torch.autograd.gradcheck(lambda x: made.mean(made.parts(x, groups)[0], made.size(groups)), (logits,)), name)

    def test_micro_batches_add_up_to_the_whole(self):
        groups = mixed_groups()
        logits = random_logits(groups)
        for name, made in self.each(kl_to_base=0.3):
            made.base_scores = {(g.group, p): math.cos(g.group + p) for g in groups for p in g.passages}
            whole, gradient = step(made, logits, [groups])
            for batches in ([[g] for g in groups], [groups[:3], groups[3:]], [groups[:1], groups[1:6], groups[6:]]):
                parts, summed = step(made, logits, batches)
                self.assertAlmostEqual(parts, whole, places=12, msg=name)
                self.assertLess((summed - gradient).abs().max().item(), 1e-12, name)

    def test_the_last_smaller_step_counts_each_group_as_a_larger_one_does(self):
        small = mixed_groups()[:2]
        logits = random_logits(small)
        for name, made in self.each():
            self.assertAlmostEqual(step(made, logits, [small])[0], step(made, logits.repeat(3), [small * 3])[0], places=12, msg=name)

    def test_groups_of_every_kind_have_finite_values_and_gradients(self):
        for name, made in self.each():
            for g in mixed_groups():
                for scores in (torch.zeros(len(g.labels)), torch.linspace(-300, 300, len(g.labels))):
                    loss, gradient = step(made, scores, [[g]])
                    self.assertTrue(math.isfinite(loss) and torch.isfinite(gradient).all(), f"{name} {g}")

    def test_a_group_in_which_nothing_can_be_told_apart_asks_for_nothing(self):
        one_class = {name: [group((0, 0)), group((1, 1))] if name in PAIRWISE else [] for name in LOSSES}
        for name, made in self.each(bce_weight=0.0):
            for g in [] if name == "bce" else [group((1,)), group((0,)), *one_class[name]]:
                loss, gradient = step(made, torch.arange(float(len(g.labels))), [[g]])
                self.assertEqual((loss, gradient.abs().sum().item()), (0.0, 0.0), name)

    def test_the_better_passage_is_pulled_up_and_the_worse_ones_down(self):
        for name, made in self.each(bce_weight=0.0):
            _, gradient = step(made, torch.zeros(3), [[group((0, 2, 0), (-1, 2, -1))]])
            self.assertLess(gradient[1].item(), 0, name)
            self.assertTrue(all(gradient[place].item() > 0 for place in (0, 2)), name)

    def test_only_bce_sees_the_level_of_scores(self):
        groups = mixed_groups()
        logits = random_logits(groups)
        for name, made in self.each(bce_weight=0.0):
            same = abs(step(made, logits, [groups])[0] - step(made, logits + 7, [groups])[0]) < 1e-9
            self.assertEqual(same, name != "bce", name)

    def test_the_value_at_equal_scores_is_what_equal_scores_give(self):
        groups = mixed_groups()
        logits = torch.cat([torch.full((len(g.labels),), 0.1 * g.group, dtype=torch.float64) for g in groups])
        for name, made in self.each():
            _, sums = made.parts(logits, groups)
            self.assertAlmostEqual(sums.group_loss, sums.flat_loss, places=9, msg=name)
            self.assertGreater(sums.flat_loss, 0)


if __name__ == "__main__":
    unittest.main()
