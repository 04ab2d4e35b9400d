"""`micro_batch_tokens: auto`: what is chosen from which measurements, that the model stays as it was, and that a resumed run chooses alike."""
import json
import os
import tempfile
import unittest
from unittest import mock

import torch

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.reporter import Cancelled, JobError
from rerank_tune_worker.training import micro_batch, preparing, probe
from rerank_tune_worker.training.memory import Shape, predict
from rerank_tune_worker.training.micro_batch import Choice, choose_for_cpu, choose_for_gpu, keep_choice, known_choice
from rerank_tune_worker.training.model import PairModel
from rerank_tune_worker.training.probe import Measurement, budgets, fastest, measure, rising
from tests.train_workplace import DyingReporter, Killed, Workplace
from tests.training_data import OPTIONS

AUTO = {**OPTIONS, "micro_batch_tokens": "auto", "group_size": 8, "queries_per_step": 16}
SHAPE = Shape(
    parameters=1000, trained=600, encoder_weights=500, adapted=0, hidden=8, intermediate=32, heads=2, layers=3,
    bf16=False, packed=True, fused_attention=False, dropout=False, recompute=False,
)
SHORT = {"epochs": 1, "evaluations": 1, "checkpoint_seconds": 0}


def setUpModule():
    global PLACE
    PLACE = Workplace("bert")


def tearDownModule():
    PLACE.cleanup()


def speeds(*values, peak=1):
    return [Measurement(2048 << number, value, peak) for number, value in enumerate(values)]


class Budgets(unittest.TestCase):
    def test_double_from_2048_until_a_step_fits(self):
        self.assertEqual(list(budgets(800, 12_800)), [2048, 4096, 8192, 16384])
        self.assertEqual(list(budgets(800, 8192)), [2048, 4096, 8192])

    def test_begin_with_one_that_holds_a_group(self):
        self.assertEqual(list(budgets(3000, 20_000)), [4096, 8192, 16384, 32768])

    def test_are_one_where_a_step_is_small(self):
        self.assertEqual(list(budgets(100, 1600)), [2048])


class Measuring(unittest.TestCase):
    def attempt(self, rates, *, full_at=None, peaks=None):
        self.tried = []

        def attempt(tokens):
            self.tried.append(tokens)
            if full_at is not None and tokens >= full_at:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return Measurement(tokens, rates[len(self.tried) - 1], (peaks or {}).get(tokens, 0))

        return rising(attempt, [2048, 4096, 8192, 16384, 32768], 100.0)

    def test_goes_up_while_it_gets_faster(self):
        self.assertEqual(len(self.attempt([1.0, 2.0, 3.0, 4.0, 5.0])), 5)

    def test_ends_where_memory_ends(self):
        self.assertEqual([found.tokens for found in self.attempt([1.0, 2.0, 3.0], full_at=8192)], [2048, 4096])
        self.assertEqual(self.tried, [2048, 4096, 8192])
        self.assertEqual(self.attempt([1.0], full_at=2048), [])

    def test_leaves_the_margin(self):
        self.assertEqual([found.tokens for found in self.attempt([1.0, 2.0, 3.0], peaks={4096: 100, 8192: 101})], [2048, 4096])

    def test_ends_after_two_that_were_no_faster(self):
        self.assertEqual([found.tokens for found in self.attempt([2.0, 1.9, 2.0, 9.0, 9.0])], [2048, 4096, 8192])
        self.assertEqual(len(self.attempt([2.0, 1.9, 2.1, 2.0, 9.0])), 5)

    def test_other_failures_pass(self):
        with self.assertRaises(RuntimeError):
            rising(mock.Mock(side_effect=RuntimeError("device-side assert")), [2048], 1.0)

    def test_takes_the_smallest_of_those_close_to_the_fastest(self):
        self.assertEqual(fastest(speeds(100.0, 190.0, 200.0, 199.0)).tokens, 4096)
        self.assertEqual(fastest(speeds(100.0, 189.0, 200.0, 199.0)).tokens, 8192)
        self.assertEqual(fastest(speeds(5.0)).tokens, 2048)


class OnAGpu(unittest.TestCase):
    """With a made-up GPU of 1 GB."""

    def choose(self, attempt, check=lambda: None, options=AUTO):
        model = mock.Mock(**{"shape.return_value": SHAPE})
        sizes = mock.patch.multiple(torch.cuda, mem_get_info=lambda _: (8 * 10**8, 10**9), memory_reserved=lambda _: 2 * 10**8)
        with sizes, mock.patch.object(micro_batch, "measure", attempt):
            return choose_for_gpu(model, options, 100, check)

    def test_the_fastest_within_90_percent_is_taken_beside_the_optimizers_bytes(self):
        seen = []

        def attempt(model, tokens, longest, ballast):
            seen.append((longest, ballast))
            return Measurement(tokens, float(tokens), 10**8 * (tokens // 1024))

        choice = self.choose(attempt)
        self.assertEqual((choice.tokens, choice.how), (8192, "measured"))
        self.assertEqual(set(seen), {(100, 2 * 4 * 600)})
        self.assertIn("8192 tokens go through the model at once; measured tokens a second by budget 2048: 2,048, 4096: 4,096, 8192: 8,192", choice.message())

    def test_where_nothing_fits_the_job_ends_with_what_would_help(self):
        with self.assertRaises(JobError) as caught:
            self.choose(mock.Mock(side_effect=torch.OutOfMemoryError("CUDA out of memory")))
        self.assertEqual(caught.exception.code, "WORKER_OUT_OF_MEMORY")
        self.assertIn("train.lora", caught.exception.hint)

    def test_a_step_that_is_one_micro_batch_needs_no_measuring(self):
        attempt = mock.Mock()
        self.assertEqual(self.choose(attempt, options={**AUTO, "queries_per_step": 2}), Choice(2048, "usual", []))
        attempt.assert_not_called()

    def test_a_wish_to_stop_is_heard_between_measurements(self):
        with self.assertRaises(Cancelled):
            self.choose(mock.Mock(), check=mock.Mock(side_effect=Cancelled))


class OnACpu(unittest.TestCase):
    def free_for(self, tokens, longest=100):
        prediction = predict(SHAPE, tokens=tokens, longest=longest)
        return round(prediction.total / 0.95) + 2 - prediction.parameters

    def test_it_is_4096_wherever_that_fits(self):
        for free in (self.free_for(4096), 10**12, None):
            self.assertEqual(choose_for_cpu(SHAPE, AUTO, 100, free), Choice(4096, "usual", []))

    def test_half_as_often_as_needed(self):
        found = choose_for_cpu(SHAPE, AUTO, 100, self.free_for(1024))
        self.assertEqual((found.tokens, found.how), (1024, "memory"))
        self.assertIn("1024 tokens go through the model at once instead of 4096", found.message())

    def test_not_below_a_group_which_stays_whole(self):
        self.assertEqual(choose_for_cpu(SHAPE, AUTO, 250, 0).tokens, 1024)  # of a group's 2,000
        self.assertEqual(choose_for_cpu(SHAPE, AUTO, 600, 0).tokens, 4096)

    def test_no_clock_is_asked(self):
        with mock.patch.object(probe.time, "perf_counter", side_effect=AssertionError):
            choose_for_cpu(SHAPE, AUTO, 100, 0)


class Keeping(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "checkpoint", "micro-batch.json")

    def test_what_was_chosen_is_read_back(self):
        self.assertIsNone(known_choice(self.path, AUTO))
        choice = Choice(8192, "measured", speeds(1.5, 2.5))
        keep_choice(self.path, choice)
        self.assertEqual(known_choice(self.path, AUTO), choice)

    def test_a_number_in_the_recipe_is_obeyed(self):
        keep_choice(self.path, Choice(8192, "measured", []))
        self.assertEqual(known_choice(self.path, OPTIONS), Choice(200, "recipe", []))


class Untouched(unittest.TestCase):
    def check(self, device, **options):
        base = inspect_base(PLACE.path("bert"))
        model = PairModel(load_base(base, seed=1, attention="eager"), "bert", device=device, bf16=False, freeze_embeddings=True, **options)
        before = {name: tensor.clone() for name, tensor in model.module.state_dict().items()}
        torch.manual_seed(5)
        states = self.states(device)
        found = measure(model, 256, 32, ballast=1000)
        self.assertTrue(all(torch.equal(one, other) for one, other in zip(states, self.states(device))))
        self.assertTrue(all(torch.equal(tensor, before[name]) for name, tensor in model.module.state_dict().items()))
        self.assertTrue(all(parameter.grad is None for parameter in model.module.parameters()))
        self.assertFalse(model.module.training)
        self.assertEqual((found.tokens, found.tokens_per_second > 0), (256, True))
        return found

    def states(self, device):
        return [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if device == "cuda" else [])]

    def test_weights_gradients_and_generators_stay(self):
        self.check("cpu", dropout=False)
        self.check("cpu", dropout=True, recompute=True)
        self.check("cpu", dropout=True, adapters={"rank": 4, "alpha": 8.0, "targets": "all", "seed": 7})

    def test_gradients_go_even_when_memory_runs_out(self):
        with mock.patch.object(PairModel, "training_logits", side_effect=torch.OutOfMemoryError("CUDA out of memory")), self.assertRaises(torch.OutOfMemoryError):
            self.check("cpu", dropout=False)

    if torch.cuda.is_available():  # a skipped test counts as a failed one, and most machines have no GPU

        def test_on_a_gpu_too_with_the_peak_of_memory(self):
            self.assertGreater(self.check("cuda", dropout=True).peak_bytes, 1000)


class InTheJob(unittest.TestCase):
    def test_auto_on_a_cpu_is_4096_to_the_last_byte(self):
        done = PLACE.run("auto", **SHORT, micro_batch_tokens="auto", device="cpu")
        PLACE.run("number", **SHORT, micro_batch_tokens=4096)
        self.assertEqual(done.outputs["micro_batch_tokens"], 4096)
        self.assertEqual(PLACE.results("auto"), PLACE.results("number"))
        with open(PLACE.path("auto", "records", "micro_batch.json")) as file:
            self.assertEqual(json.load(file), {"tokens": 4096, "how": "usual", "measured": [], "halved": []})

    def test_a_resumed_run_takes_what_the_killed_one_took(self):
        measured = Choice(160, "measured", [Measurement(160, 5.0, 7)])
        with mock.patch.object(preparing, "_choose", lambda *_: measured):
            whole = DyingReporter()
            PLACE.run("whole", reporter=whole, **SHORT, micro_batch_tokens="auto")
            with self.assertRaises(Killed):
                PLACE.run("killed", reporter=DyingReporter(len(whole.events) - 4), **SHORT, micro_batch_tokens="auto")
        done = PLACE.run("killed", **SHORT, micro_batch_tokens="auto")
        self.assertEqual(done.outputs["micro_batch_tokens"], 160)
        self.assertEqual(PLACE.results("killed"), PLACE.results("whole"))


if __name__ == "__main__":
    unittest.main()
