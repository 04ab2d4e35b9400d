"""The score job on tiny real models: what it writes, and what it refuses."""
import io
import json
import os
import tempfile
import unittest
from unittest import mock

import torch
from tokenizers import Tokenizer

from rerank_tune_worker import runner
from rerank_tune_worker.jobs import score
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.reporter import Cancelled, JobError
from tests import tiny_models
from tests.train_workplace import DyingReporter

LONG = "the court dismissed the appeal because the deadline had passed " * 4
GROUPS = [
    {"query_id": "q1", "query": "appeal deadline", "passages": [{"id": "a", "text": LONG}, {"id": "b", "text": ""}, {"id": "c", "text": "water and smoke"}]},
    {"query_id": "none", "query": "no candidates", "passages": []},
    {"query_id": "q2", "query": LONG, "passages": [{"id": "a", "text": LONG}, {"id": "d", "text": "half of a pair \ud83d here"}]},
]
MAX_LENGTH = 40


def setUpModule():
    global FOLDER
    torch.set_num_threads(1)
    FOLDER = tempfile.TemporaryDirectory()
    for kind in tiny_models.KINDS:
        tiny_models.build(kind, path(kind))
    tiny_models.build("bert", path("three"), labels=3)
    tiny_models.build("bert", path("plain"), plain=True)
    with open(path("groups.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(group) + "\n" for group in GROUPS)


def tearDownModule():
    FOLDER.cleanup()


def path(*names):
    return os.path.join(FOLDER.name, *names)


def run(model, reporter=None, groups="groups.jsonl", out=None, **options):
    out = path(out or f"out-{model}")
    os.makedirs(out, exist_ok=True)
    job = Job(1, "test", "score", out, {"model": path(model), "groups": path(groups)}, {"max_length": MAX_LENGTH, "device": "cpu", "batch_tokens": 200, **options})
    return score.run(job, reporter or DyingReporter())


def rows(model):
    with open(path(f"out-{model}", "scores.tsv"), encoding="utf-8") as file:
        return [tuple(line.rstrip("\n").split("\t")) for line in file]


def logits(model, pairs):
    """transformers' own forward pass, one pair at a time, over the ids of the folder's tokenizer.json."""
    from transformers import AutoModelForSequenceClassification

    module = AutoModelForSequenceClassification.from_pretrained(path(model)).eval()
    tokenizer = Tokenizer.from_file(path(model, "tokenizer.json"))
    tokenizer.enable_truncation(MAX_LENGTH, strategy="longest_first")
    for query, passage in pairs:
        encoded = tokenizer.encode(query, passage)
        inputs = {"input_ids": torch.tensor([encoded.ids])}
        if model == "bert":
            inputs["token_type_ids"] = torch.tensor([encoded.type_ids])
        with torch.no_grad():
            yield module(**inputs).logits.item()


class Scores(unittest.TestCase):
    def test_every_supported_architecture_gives_the_logits_of_transformers(self):
        pairs = [(group["query"], passage["text"].replace("\ud83d", "\ufffd")) for group in GROUPS for passage in group["passages"]]
        for kind in tiny_models.KINDS:
            with self.subTest(kind):
                run(kind)
                for (_, _, written), expected in zip(rows(kind), logits(kind, pairs), strict=True):
                    self.assertAlmostEqual(float(written), expected, delta=1e-4)

    def test_rows_follow_the_groups_and_read_back_to_the_same_float32(self):
        run("bert")
        self.assertEqual([row[:2] for row in rows("bert")], [("q1", "a"), ("q1", "b"), ("q1", "c"), ("q2", "a"), ("q2", "d")])
        for _, _, written in rows("bert"):
            self.assertEqual(torch.tensor(float(written), dtype=torch.float32).item(), float(written))

    def test_the_block_size_changes_no_order_and_no_score(self):
        run("bert")
        whole = rows("bert")
        with mock.patch.object(score, "BLOCK_PAIRS", 1):
            done = run("bert")
        self.assertEqual([row[:2] for row in rows("bert")], [row[:2] for row in whole])
        for (_, _, small), (_, _, large) in zip(rows("bert"), whole):
            self.assertAlmostEqual(float(small), float(large), delta=1e-5)
        self.assertEqual(done.outputs["pairs"], 5)

    def test_outputs_say_how_many_pairs_fill_the_length_and_how_long_it_took(self):
        outputs = run("bert").outputs
        self.assertEqual((outputs["pairs"], outputs["pairs_at_max_length"], outputs["device"]), (5, 3, "cpu"))
        self.assertGreater(outputs["seconds"], 0)

    def test_progress_ends_at_the_number_of_pairs(self):
        reporter = DyingReporter()
        run("bert", reporter)
        progress = [event[1:3] for event in reporter.events if isinstance(event, tuple)]
        self.assertEqual(progress[-1], (5, 5))

    def test_a_cancelled_job_leaves_no_scores(self):
        reporter = DyingReporter()
        reporter._cancelled.set()
        with self.assertRaises(Cancelled):
            run("bert", reporter, out="cancelled")
        self.assertEqual(os.listdir(path("cancelled")), [])

    def test_groups_without_any_passage_give_an_empty_file(self):
        with open(path("empty.jsonl"), "w") as file:
            file.write(json.dumps(GROUPS[1]) + "\n")
        self.assertEqual(run("bert", groups="empty.jsonl").outputs["pairs"], 0)
        self.assertEqual(rows("bert"), [])

    def test_the_runner_knows_the_job(self):
        self.assertIn("score", runner.JOB_KINDS)
        event = runner._unexpected(MemoryError("x"), "score", "trace")
        self.assertEqual((event.code, "--max-length" in event.hint), ("WORKER_OUT_OF_MEMORY", True))
        self.assertIn("train.micro_batch_tokens", runner._unexpected(MemoryError("x"), "train", "trace").hint)


class ServedByTei(unittest.TestCase):
    """As text-embeddings-inference on a GPU: float16 weights and tanh-GELU."""

    def test_scores_are_those_of_rounded_weights_with_tanh_gelu(self):
        from transformers import AutoModelForSequenceClassification

        done = run("bert", out="out-tei", served_as="tei_gpu")
        module = AutoModelForSequenceClassification.from_pretrained(path("bert"), hidden_act="gelu_pytorch_tanh").eval()
        module.load_state_dict({name: value.half().float() if value.is_floating_point() else value for name, value in module.state_dict().items()})
        tokenizer = Tokenizer.from_file(path("bert", "tokenizer.json"))
        tokenizer.enable_truncation(MAX_LENGTH, strategy="longest_first")
        encoded = tokenizer.encode(GROUPS[0]["query"], LONG)
        with torch.no_grad():
            expected = module(input_ids=torch.tensor([encoded.ids]), token_type_ids=torch.tensor([encoded.type_ids])).logits.item()
        self.assertAlmostEqual(float(rows("tei")[0][2]), expected, delta=1e-5)
        self.assertEqual(done.outputs["activations_replaced"], module.config.num_hidden_layers)

    def test_every_architecture_has_its_activations_replaced_and_scores_that_moved_a_little(self):
        for kind in tiny_models.KINDS:
            with self.subTest(kind):
                run(kind)
                replaced = run(kind, out="out-served", served_as="tei_gpu").outputs["activations_replaced"]
                self.assertGreaterEqual(replaced, 2)
                moved = [abs(float(served) - float(exact)) for (*_, served), (*_, exact) in zip(rows("served"), rows(kind), strict=True)]
                self.assertTrue(0 < max(moved) < 0.05, moved)

    def test_only_the_first_whole_groups_are_scored_where_pairs_are_limited(self):
        for most, pairs in ((1, 3), (3, 3), (4, 3), (5, 5), (None, 5)):
            with self.subTest(most=most):
                self.assertEqual(run("bert", out="out-first", max_pairs=most).outputs["pairs"], pairs)


class Refusals(unittest.TestCase):
    def refused(self, code, model="bert", **options):
        with self.assertRaises(JobError) as caught:
            run(model, **options)
        self.assertEqual(caught.exception.code, code)
        return caught.exception.message

    def test_several_labels_are_refused_by_name(self):
        message = self.refused("MODEL_UNSUPPORTED", "three")
        self.assertIn("3 labels", message)
        self.assertIn("BertForSequenceClassification", message)

    def test_an_encoder_without_a_head_is_refused(self):
        self.assertIn("BertModel", self.refused("MODEL_UNSUPPORTED", "plain"))

    def test_more_tokens_than_the_model_has_are_refused(self):
        self.assertIn("512", self.refused("MODEL_UNSUPPORTED", max_length=513))

    def test_a_folder_that_is_no_model_is_refused(self):
        os.makedirs(path("nothing"), exist_ok=True)
        self.assertIn("config.json", self.refused("MODEL_NOT_FOUND", "nothing"))

    def test_groups_that_are_not_there_are_refused(self):
        self.refused("DATA_NOT_FOUND", groups="absent.jsonl")

    def test_a_wrong_line_is_named_without_its_text(self):
        for number, line in enumerate(("{secret", '{"query_id": "q", "query": "secret"}', '["secret"]', '{"query_id": "q\\t", "query": "secret", "passages": []}')):
            name = f"wrong-{number}.jsonl"
            with open(path(name), "w") as file:
                file.write(json.dumps(GROUPS[1]) + "\n" + line + "\n")
            message = self.refused("DATA_INVALID", groups=name)
            self.assertIn(f"{name}:2", message)
            self.assertNotIn("secret", message)


if __name__ == "__main__":
    unittest.main()
