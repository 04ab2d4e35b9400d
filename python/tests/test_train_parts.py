"""Data, loss, metric and schedule of training, without a model."""
import json
import math
import os
import random
import tempfile
import unittest

import torch

from rerank_tune_worker.pairs import EncodedPair
from rerank_tune_worker.reporter import JobError
from rerank_tune_worker.training.checkpoint import replace_file, write_text
from rerank_tune_worker.training.data import Group, Passage, StepPlan, TrainingGroup, micro_batches, read_groups, sample_passages
from rerank_tune_worker.training.evaluate import DevSet
from rerank_tune_worker.training.loss import Objective
from rerank_tune_worker.training.ndcg import ndcg_at_k
from rerank_tune_worker.training.optimizer import build_optimizer, check_learning_rate, choose_rate, learning_rate, warmup_steps


def passages(*labels_and_sources):
    return tuple(Passage(f"p{i}", f"text {i}", float(label), source) for i, (label, source) in enumerate(labels_and_sources))


def groups(count, labels=(1, 0, 0)):
    return [Group(f"q{i}", "q", passages(*((label, "bm25") for label in labels)), ()) for i in range(count)]


def group_loss(logits, labels, top_label):
    """Sums of cross-entropy and anchor, as a step with the default loss adds them up, and what its guard sees."""
    objective = Objective({"loss": "group_ce", "bce_weight": 0.2, "kl_to_base": 0.0, "teacher_temperature": 1.0}, top_label)
    parts, sums = objective.parts(logits, [TrainingGroup(0, tuple(range(len(group))), group) for group in labels])
    return parts.group_loss, parts.anchor, sums


class Sampling(unittest.TestCase):
    def test_positives_take_turns_over_the_epochs(self):
        pool = passages((1, "judged"), (1, "judged"), (1, "judged"), (0, "bm25"), (0, "bm25"))
        first = [sample_passages(pool, 3, epoch, "s")[0] for epoch in range(3)]
        self.assertEqual(sorted(first), [0, 1, 2])

    def test_a_binary_group_has_one_positive(self):
        pool = passages((1, "judged"), (1, "judged"), *[(0, "bm25")] * 9)
        chosen = sample_passages(pool, 8, 0, "s")
        self.assertEqual((sum(pool[i].label > 0 for i in chosen), len(chosen)), (1, 8))

    def test_judged_negatives_come_first(self):
        pool = passages((1, "judged"), *[(0, "bm25")] * 20, (0, "judged"), (0, "judged"))
        self.assertTrue({21, 22} <= set(sample_passages(pool, 4, 3, "s")))

    def test_other_grades_join(self):
        pool = passages((3, "judged"), (1, "judged"), *[(0, "bm25")] * 9)
        self.assertTrue({0, 1} <= set(sample_passages(pool, 8, 0, "s")))

    def test_a_passage_is_never_repeated(self):
        pool = passages((1, "judged"), (0, "bm25"))
        self.assertEqual(sorted(sample_passages(pool, 8, 0, "s")), [0, 1])

    def test_a_group_of_positives_keeps_several(self):
        self.assertEqual(len(sample_passages(passages((1, "judged"), (1, "judged")), 8, 0, "s")), 2)

    def test_epochs_draw_other_negatives(self):
        pool = passages((1, "judged"), *[(0, "bm25")] * 50)
        self.assertNotEqual(sample_passages(pool, 8, 0, "s"), sample_passages(pool, 8, 1, "s"))


class Steps(unittest.TestCase):
    def plan(self, count=10, epochs=2.0):
        return StepPlan(groups(count), queries_per_step=4, group_size=3, epochs=epochs, seed=7)

    def test_an_epoch_sees_every_query_once_with_a_smaller_last_step(self):
        plan = self.plan()
        steps = [[group.group for group in plan.step(number)] for number in range(3)]
        self.assertEqual([len(step) for step in steps], [4, 4, 2])
        self.assertEqual(sorted(sum(steps, [])), list(range(10)))

    def test_a_step_depends_on_its_number_alone(self):
        forward, jumped = self.plan(), self.plan()
        for number in range(5):
            forward.step(number)
        self.assertEqual(forward.step(5), jumped.step(5))

    def test_epochs_may_be_fractions(self):
        self.assertEqual(self.plan(epochs=1.5).total, round(1.5 * 3))

    def test_no_training_query_is_an_error(self):
        with self.assertRaises(JobError) as caught:
            StepPlan([], queries_per_step=4, group_size=3, epochs=1, seed=7)
        self.assertEqual(caught.exception.code, "DATA_INVALID")

    def test_micro_batches_keep_groups_whole_within_the_budget(self):
        rng = random.Random(0)
        chosen = [TrainingGroup(i, (0, 1), (1.0, 0.0)) for i in range(20)]
        pairs = [[EncodedPair([1] * rng.randint(5, 60), []) for _ in range(2)] for _ in chosen]
        for padded in (False, True):
            batches = list(micro_batches(chosen, pairs, 200, padded=padded))
            self.assertEqual(sorted(sum(batches, [])), list(range(20)))
            for batch in batches:
                lengths = [len(pair.ids) for index in batch for pair in pairs[index]]
                self.assertLessEqual(len(lengths) * max(lengths) if padded else sum(lengths), 200)

    def test_a_group_beyond_the_budget_goes_alone(self):
        chosen = [TrainingGroup(i, (0,), (1.0,)) for i in range(2)]
        pairs = [[EncodedPair([1] * 300, [])], [EncodedPair([1] * 10, [])]]
        self.assertEqual(list(micro_batches(chosen, pairs, 100, padded=False)), [[1], [0]])


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "file")
        self.addCleanup(self.folder.cleanup)

    def test_a_broken_group_is_named_by_its_line(self):
        write_text(self.path, json.dumps({"query_id": "q", "query": "a", "passages": []}) + '\n{"query_id": "r"}\n')
        with self.assertRaises(JobError) as caught:
            read_groups(self.path)
        self.assertIn(f"{self.path}:2", caught.exception.message)

    def test_line_separators_inside_texts_do_not_end_a_line(self):
        write_text(self.path, json.dumps({"query_id": "q", "query": "a\u2028b\x85c", "passages": []}, ensure_ascii=False) + "\n")
        self.assertEqual(read_groups(self.path)[0].query, "a\u2028b\x85c")

    def test_a_writer_that_dies_leaves_the_old_file(self):
        write_text(self.path, "old")

        def die(temporary):
            with open(temporary, "w") as file:
                file.write("ne")
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            replace_file(self.path, die)
        with open(self.path) as file:
            self.assertEqual(file.read(), "old")


class Loss(unittest.TestCase):
    def test_one_positive_is_the_cross_entropy_of_its_place(self):
        loss, _, _ = group_loss(torch.tensor([2.0, 1.0, 0.0]), [(1.0, 0.0, 0.0)], 1.0)
        self.assertAlmostEqual(loss.item(), math.log(math.e**2 + math.e + 1) - 2, places=6)

    def test_grades_are_a_distribution(self):
        loss, _, _ = group_loss(torch.tensor([1.0, 0.0]), [(3.0, 1.0)], 3.0)
        normal = math.log(math.e + 1)
        self.assertAlmostEqual(loss.item(), 0.75 * (normal - 1) + 0.25 * normal, places=6)

    def test_a_group_without_a_positive_adds_nothing_but_the_anchor(self):
        logits = torch.tensor([1.0, -1.0], requires_grad=True)
        loss, anchor, _ = group_loss(logits, [(0.0, 0.0)], 1.0)
        loss.backward(retain_graph=True)
        self.assertEqual((loss.item(), logits.grad.abs().sum().item()), (0.0, 0.0))
        self.assertAlmostEqual(anchor.item(), math.log(1 + math.e) + math.log(1 + 1 / math.e), places=6)

    def test_a_group_of_positives_has_finite_gradients(self):
        logits = torch.tensor([1.0, 3.0], requires_grad=True)
        group_loss(logits, [(1.0, 1.0)], 1.0)[0].backward()
        self.assertAlmostEqual(logits.grad.sum().item(), 0.0, places=6)
        self.assertLess(logits.grad[0].item(), 0)

    def test_the_anchor_is_measured_against_the_highest_grade(self):
        _, anchor, _ = group_loss(torch.tensor([0.5, 0.0]), [(2.0, 0.0)], 4.0)
        expected = torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor([0.5, 0.0]), torch.tensor([0.5, 0.0]), reduction="sum")
        self.assertAlmostEqual(anchor.item(), expected.item(), places=6)

    def test_groups_of_any_size_add_up(self):
        values, labels = torch.randn(6, generator=torch.Generator().manual_seed(1)), [(1.0, 0.0), (0.0, 2.0, 1.0), (1.0,)]
        whole = group_loss(values, labels, 2.0)
        parts = [group_loss(part, [label], 2.0) for part, label in zip(values.split([2, 3, 1]), labels)]
        for index in (0, 1):
            self.assertAlmostEqual(whole[index].item(), sum(part[index].item() for part in parts), places=5)
        self.assertEqual(whole[2].pairs, 6)


class Schedule(unittest.TestCase):
    def test_warm_up_has_twenty_steps_but_at_most_a_third(self):
        self.assertEqual([warmup_steps(total, 0.1) for total in (1, 30, 100, 1000)], [1, 10, 20, 100])

    def test_the_rate_rises_to_its_peak_and_falls_to_the_end(self):
        rates = [learning_rate(step, total=100, warmup=20, peak=1.0) for step in range(100)]
        self.assertEqual((max(rates), rates.index(1.0)), (1.0, 19))
        self.assertEqual(rates[20:], sorted(rates[20:], reverse=True))
        self.assertGreater(rates[-1], 0)

    def test_only_matrices_decay(self):
        parameters = {"w": torch.nn.Parameter(torch.ones(2, 2)), "b": torch.nn.Parameter(torch.ones(2))}
        found = {p.ndim: group["weight_decay"] for group in build_optimizer(parameters, 0.5).param_groups for p in group["params"]}
        self.assertEqual(found, {2: 0.5, 1: 0.0})

    def test_a_high_rate_for_a_large_reranker_is_warned_of_with_a_safer_one(self):
        warning = check_learning_rate(6e-5, 4, 302_000_000, True)
        for part in ("6e-05 with 4 queries a step", "302 M", "--set train.learning_rate=auto", "at least 64 queries"):
            self.assertIn(part, warning)

    def test_high_rates_for_small_fresh_or_large_batch_models_pass(self):
        self.assertIsNone(check_learning_rate(1e-4, 16, 22_000_000, True))
        self.assertIsNone(check_learning_rate(1e-4, 16, 568_000_000, False))
        self.assertIsNone(check_learning_rate(6e-5, 96, 568_000_000, True))
        self.assertIsNone(check_learning_rate(3e-5, 16, 568_000_000, True))

    def test_auto_is_the_notes_rate_for_a_large_reranker_and_grows_as_encoders_shrink(self):
        def chosen(weights: int, is_reranker: bool = True, adapters: bool = False) -> float:
            return choose_rate("auto", encoder_weights=weights, is_reranker=is_reranker, adapters=adapters)

        self.assertEqual(chosen(302_000_000), 1e-5)
        self.assertEqual(chosen(302_000_000, is_reranker=False), 2e-5)
        self.assertEqual(chosen(302_000_000 // 8), 8e-5)
        self.assertEqual(chosen(85_000_000), 3e-5)  # the ceiling of large rerankers
        self.assertEqual(chosen(85_000_000, is_reranker=False), 7.1e-5)
        self.assertEqual(chosen(1000), 2e-4)  # the ceiling of all
        self.assertEqual(chosen(302_000_000, adapters=True), 1.5e-4)
        self.assertEqual(choose_rate(4e-5, encoder_weights=1, is_reranker=False, adapters=True), 4e-5)
        for weights in (85_000_000, 302_000_000, 560_000_000):
            self.assertIsNone(check_learning_rate(chosen(weights), 4, weights, True))


if __name__ == "__main__":
    unittest.main()
