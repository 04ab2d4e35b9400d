"""How a run is judged while it trains: collapse, the choice of its weights, patience."""
import math
import unittest

from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training.guard import Guard
from rerank_tune_worker.training.history import Progress, clearly_below, evaluation_steps
from rerank_tune_worker.training.loss import LossSums


class Collapse(unittest.TestCase):
    FLAT = LossSums(group_loss=4 * math.log(8), anchor=1.0, flat_loss=4 * math.log(8), spread=4e-4, compared=4, terms=4, groups=4, pairs=32)

    def test_scores_without_spread_at_chance_stop_training(self):
        guard = Guard()
        with self.assertRaises(JobError) as caught:
            for step in range(1, 100):
                guard.after_step(step, 20, self.FLAT, 0.1)
        self.assertEqual((caught.exception.code, guard.flat, step), ("TRAINING_COLLAPSED", 10, 30))

    def test_chance_with_spread_goes_on(self):
        guard = Guard()
        for step in range(100):
            guard.after_step(step, 20, LossSums(**{**vars(self.FLAT), "spread": 4.0}), 0.1)
        self.assertEqual(guard.flat, 0)

    def test_values_that_are_not_finite_stop_training_at_once(self):
        for sums, norm in ((LossSums(group_loss=math.nan), 1.0), (self.FLAT, math.inf)):
            with self.assertRaises(JobError) as caught:
                Guard().after_step(1, 20, sums, norm)
            self.assertIn("finite", caught.exception.message)

    def test_three_evaluations_below_a_reranker_end_training(self):
        guard = Guard()
        self.assertEqual([guard.after_evaluation(below, True) for below in (True, True, False, True, True, True)], [False] * 5 + [True])

    def test_a_fresh_head_is_not_measured_against_its_base(self):
        guard = Guard()
        self.assertFalse(any(guard.after_evaluation(True, False) for _ in range(9)))


class Choice(unittest.TestCase):
    def test_evaluations_are_spread_and_include_the_last_step(self):
        self.assertEqual(evaluation_steps(96, 6), {24, 48, 60, 72, 84, 96})
        self.assertEqual(evaluation_steps(22, 6), {6, 11, 14, 17, 19, 22})
        self.assertEqual(evaluation_steps(3, 8), {1, 2, 3})
        self.assertEqual([evaluation_steps(total, 1) for total in (1, 2, 50)], [{1}, {2}, {50}])

    def kept_steps(self, base, *evaluations, early=(), is_reranker=True):
        """Steps 1, 2 and so on, those that were kept when they came."""
        progress = Progress()
        progress.start(base)
        kept = []
        for progress.step, values in enumerate(evaluations, 1):
            if progress.record(values, loss=1.0, rate=1e-5, norm=1.0, early=progress.step in early, is_reranker=is_reranker):
                kept.append(progress.step)
        self.assertEqual(progress.best_step, kept[-1] if kept else 0)
        return kept

    def test_a_reranker_is_left_only_for_what_is_likely_above_it(self):
        base = [0.5, 0.5, 0.5, 0.5]
        # means 0.55: differences -0.2, -0.1, 0.0, 0.5 (standard error 0.155, half of it 0.078) and 0.3, -0.1, 0.0, 0.0 (0.087, 0.043)
        lucky, likely = [0.3, 0.4, 0.5, 1.0], [0.8, 0.4, 0.5, 0.5]
        self.assertEqual(self.kept_steps(base, base, lucky), [])
        self.assertEqual(self.kept_steps(base, lucky, likely), [2])
        self.assertEqual(self.kept_steps(base, lucky, is_reranker=False), [1])

    def test_of_steps_that_dev_cannot_tell_apart_the_latest_is_kept(self):
        base, best = [0.1, 0.1, 0.1, 0.1], [0.9, 0.5, 0.5, 0.5]
        lower, clearly_lower = [1.0, 0.2, 0.5, 0.5], [0.85, 0.45, 0.45, 0.45]  # both lose 0.05 in the mean
        self.assertEqual(self.kept_steps(base, best, best), [1, 2])
        self.assertEqual(self.kept_steps(base, best, lower), [1, 2])
        self.assertEqual(self.kept_steps(base, best, clearly_lower), [1])

    def test_nothing_is_kept_while_the_rate_is_high(self):
        self.assertEqual(self.kept_steps([0.1] * 4, [0.9] * 4, [0.5] * 4, early=(1,)), [2])

    def record(self, progress, *evaluations):
        for values in evaluations:
            progress.record(values, loss=1.0, rate=1e-5, norm=1.0, early=False, is_reranker=True)
        return progress.stale

    def test_a_loss_within_the_noise_of_the_queries_does_not_count_as_stale(self):
        progress = Progress()
        progress.start([0.0, 1.0, 0.5, 0.5])
        # one query falls by 0.6 and one rises by 0.5: the mean is lower, and its standard error is ten times that
        self.assertEqual(self.record(progress, [0.5, 0.4, 0.5, 0.5]), 0)

    def test_clear_losses_count_until_there_is_a_gain(self):
        progress = Progress()
        progress.start([0.5, 0.6, 0.7, 0.8])
        lower = [0.4, 0.5, 0.6, 0.75]
        self.assertEqual(self.record(progress, lower, lower), 2)
        self.assertEqual(self.record(progress, [0.5, 0.6, 0.7, 0.9]), 0)

    def test_clearly_below_is_more_than_one_standard_error_of_the_paired_difference(self):
        # differences -0.3, -0.1, +0.1, +0.1: mean -0.05, standard deviation 0.1915, standard error 0.0957
        self.assertFalse(clearly_below([0.2, 0.4, 0.6, 0.6], [0.5] * 4))
        # differences -0.3, -0.1, -0.1, +0.1: mean -0.1, standard deviation 0.1633, standard error 0.0816
        self.assertTrue(clearly_below([0.2, 0.4, 0.4, 0.6], [0.5] * 4))
        self.assertFalse(clearly_below([0.5], [0.5]))


if __name__ == "__main__":
    unittest.main()
