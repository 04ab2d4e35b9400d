"""The collapse guard under every loss: it stops flat scores that get nowhere, and nothing else."""
import unittest

import torch

from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training.data import TrainingGroup
from rerank_tune_worker.training.guard import FLAT_STEPS, Guard
from rerank_tune_worker.training.loss import Objective
from rerank_tune_worker.training.losses import LOSSES


def group(labels, teacher):
    return TrainingGroup(0, tuple(range(len(labels))), tuple(map(float, labels)), tuple(map(float, teacher)))


def flat_steps(name, groups, scores):
    """Steps that the guard counted as flat out of 9 (one fewer than it takes to stop)."""
    made = Objective({"loss": name, "bce_weight": 0.2, "kl_to_base": 0.0, "teacher_temperature": 1.0}, 1.0)
    _, sums = made.parts(torch.tensor(scores), groups)
    guard = Guard()
    for step in range(FLAT_STEPS - 1):
        guard.after_step(step + 2, 1, sums, 0.1, made.flat_name)
    return guard, sums, made


class Collapse(unittest.TestCase):
    def test_equal_scores_are_stopped_under_every_loss_and_named(self):
        names = {"group_ce": "ln(group size) = 1.099", "ranknet": "ln 2 = 0.693"}
        for name in LOSSES:
            guard, sums, made = flat_steps(name, [group((1, 0, 0), (4, 0, 1))] * 2, [0.5, 0.5001, 0.5, -2.0, -2.0, -2.0001])
            self.assertEqual(guard.flat, FLAT_STEPS - 1, name)
            with self.assertRaises(JobError) as caught:
                guard.after_step(99, 1, sums, 0.1, made.flat_name)
            self.assertEqual(caught.exception.code, "TRAINING_COLLAPSED")
            self.assertIn(names.get(name, "that of equal scores"), caught.exception.message)

    def test_scores_with_spread_go_on(self):
        for name in LOSSES:
            self.assertEqual(flat_steps(name, [group((1, 0, 0), (4, 0, 1))], [0.3, 0.2, 0.1])[0].flat, 0, name)

    def test_groups_in_which_nothing_is_to_be_told_apart_are_not_flat(self):
        for name in set(LOSSES) - {"group_ce"}:  # its first form counts all-positive groups, and so it stays
            self.assertEqual(flat_steps(name, [group((1, 1), (2, 2)), group((0,), (1,))], [0.5, 0.5, 0.5])[0].flat, 0, name)

    def test_groups_of_one_passage_do_not_make_the_spread_of_the_others_look_small(self):
        for name in set(LOSSES) - {"group_ce"}:
            groups = [group((1, 0), (3, 0)), *[group((1,), (1,))] * 9]
            self.assertEqual(flat_steps(name, groups, [0.004, 0.0] + [0.5] * 9)[0].flat, 0, name)

    def test_a_teacher_of_tiny_margins_that_is_met_is_no_collapse(self):
        for name in ("margin_mse", "kl"):
            self.assertEqual(flat_steps(name, [group((1, 0), (1e-3, 0))], [1e-3, 0.0])[0].flat, 0, name)

    def test_a_pull_to_the_base_that_is_not_finite_stops_training_at_once(self):
        guard, sums, _ = flat_steps("group_ce", [group((1, 0), (1, 0))], [1.0, 0.0])
        sums.to_base = float("nan")
        with self.assertRaises(JobError) as caught:
            guard.after_step(50, 1, sums, 0.1)
        self.assertIn("finite", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
