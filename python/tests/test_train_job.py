"""The train job on tiny real models: results, refusals, cancellation, and exact resume after kills."""
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from rerank_tune_worker.jobs import train
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.reporter import Cancelled, JobError, Reporter
from tests import tiny_models
from tests.training_data import OPTIONS, write_split

WORKER = os.path.join(os.path.dirname(__file__), "..", "worker.py")


class Killed(BaseException):
    """Stands for SIGKILL inside the process: nothing of ours may catch it."""


class DyingReporter(Reporter):
    """Dies at the given event; a negative number never."""

    def __init__(self, at=-1, error=Killed):
        super().__init__(io.StringIO(), "test")
        self.events, self._at, self._error = [], at, error

    def send(self, event):
        self.events.append(event)
        if len(self.events) - 1 == self._at:
            raise self._error()

    def progress(self, completed, total, unit):
        """Every one of them, so that each step is a place to die."""
        self.send(("progress", completed, total, unit))


def setUpModule():
    global FOLDER, INPUTS
    torch.set_num_threads(1)
    FOLDER = tempfile.TemporaryDirectory()
    INPUTS = {split: write_split(path(f"{split}.jsonl"), split, count) for split, count in (("train", 18), ("dev", 10), ("test", 6))}
    for kind in tiny_models.KINDS:
        tiny_models.build(kind, path(kind))
    tiny_models.build("bert", path("plain"), plain=True)
    tiny_models.build("bert", path("three"), labels=3)


def tearDownModule():
    FOLDER.cleanup()


def path(*names):
    return os.path.join(FOLDER.name, *names)


def make_job(out, base="bert", **options):
    return Job(1, "test", "train", path(out), {"base": path(base), **INPUTS}, {**OPTIONS, **options})


def run(out, base="bert", reporter=None, **options):
    return train.run(make_job(out, base, **options), reporter or DyingReporter())


def digest(*names):
    with open(path(*names), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def results(out):
    """Digests of everything outside records/: what the pipeline's key of later stages depends on."""
    root = path(out)
    files = [os.path.relpath(os.path.join(at, name), root) for at, _, names in os.walk(root) for name in names]
    return {name: digest(out, name) for name in sorted(files) if not name.startswith("records")}


class Results(unittest.TestCase):
    def test_every_supported_architecture_trains_and_is_saved_with_one_label(self):
        for kind in tiny_models.KINDS:
            done = run(f"arch-{kind}", kind, epochs=1)
            with open(path(f"arch-{kind}", "model", "config.json")) as file:
                config = json.load(file)
            self.assertEqual((config["id2label"], config["label2id"], config["dtype"]), ({"0": "LABEL_0"}, {"LABEL_0": 0}, "float32"))
            self.assertTrue(config["architectures"][0].endswith("ForSequenceClassification"))
            self.assertEqual(done.outputs["model_type"], kind)
            self.assertFalse(os.path.exists(path(f"arch-{kind}", "checkpoint")))

    def test_training_learns_to_rank(self):
        job = make_job("learns", epochs=40, evaluations=6, evaluation_queries=18, evaluation_depth=6, learning_rate=5e-3)
        done = train.run(Job(**{**vars(job), "inputs": {**job.inputs, "dev": INPUTS["train"]}}), DyingReporter())
        self.assertGreater(done.outputs["dev_ndcg_at_10"]["best"], 0.9)
        self.assertLess(done.outputs["dev_ndcg_at_10"]["base"], 0.8)

    def test_saved_weights_give_the_written_scores(self):
        from transformers import AutoModelForSequenceClassification

        run("scores", epochs=4)
        model = AutoModelForSequenceClassification.from_pretrained(path("scores", "model")).eval()
        tokenizer = Tokenizer.from_file(path("scores", "model", "tokenizer.json"))
        with open(INPUTS["test"]) as file:
            expected = [(g["query_id"], p["id"], g["query"], p["text"]) for g in map(json.loads, file) for p in g["passages"]]
        with open(path("scores", "scores.tuned.test.tsv")) as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        self.assertEqual([(q, p) for q, p, *_ in expected], [(q, p) for q, p, _ in rows])
        for (_, _, query, passage), (_, _, score) in zip(expected, rows):
            encoded = tokenizer.encode(query, passage)
            with torch.no_grad():
                logit = model(input_ids=torch.tensor([encoded.ids]), token_type_ids=torch.tensor([encoded.type_ids])).logits.item()
            self.assertAlmostEqual(logit, float(score), delta=1e-4)

    def test_a_reranker_is_scored_too_and_a_plain_encoder_is_not(self):
        self.assertTrue(run("reranker", epochs=1).outputs["base_is_reranker"])
        self.assertTrue(os.path.isfile(path("reranker", "scores.base.test.tsv")))
        self.assertFalse(run("fresh", "plain", epochs=1).outputs["base_is_reranker"])
        self.assertFalse(os.path.exists(path("fresh", "scores.base.test.tsv")))

    def test_several_labels_become_one_with_a_warning(self):
        reporter = DyingReporter()
        self.assertFalse(run("relabelled", "three", reporter, epochs=1).outputs["base_is_reranker"])
        self.assertTrue(any(getattr(e, "level", "") == "warning" and "3 labels" in e.message for e in reporter.events))
        self.assertEqual(load_file(path("relabelled", "model", "model.safetensors"))["classifier.weight"].shape[0], 1)

    def test_the_tokenizer_is_the_bases_own_without_truncation_and_padding(self):
        shutil.copytree(path("bert"), path("truncating"))
        tokenizer = Tokenizer.from_file(path("bert", "tokenizer.json"))
        tokenizer.enable_truncation(8)
        tokenizer.enable_padding(length=8)
        tokenizer.save(path("truncating", "tokenizer.json"))
        run("untruncated", "truncating", epochs=1)
        with open(path("untruncated", "model", "tokenizer.json")) as saved, open(path("bert", "tokenizer.json")) as original:
            self.assertEqual(json.load(saved), json.load(original))

    def test_frozen_embeddings_stay_and_the_rest_moves(self):
        run("frozen", epochs=4)
        before, after = load_file(path("bert", "model.safetensors")), load_file(path("frozen", "model", "model.safetensors"))
        self.assertTrue(torch.equal(before["bert.embeddings.word_embeddings.weight"], after["bert.embeddings.word_embeddings.weight"]))
        self.assertFalse(torch.equal(before["classifier.weight"], after["classifier.weight"]))

    def test_dropout_trains_with_transformers_own_layers(self):
        self.assertGreater(run("dropout", epochs=1, dropout=True).outputs["steps"], 0)

    def test_the_same_job_gives_the_same_bytes(self):
        run("twice-a")
        run("twice-b")
        self.assertEqual(results("twice-a"), results("twice-b"))

    def test_records_hold_speed_and_history(self):
        run("records", epochs=1)
        with open(path("records", "records", "throughput.json")) as file:
            throughput = json.load(file)
        for name in ("train_tokens_per_second", "train_pairs_per_second", "tuned_pairs_per_second", "base_pairs_per_second", "peak_memory_bytes"):
            self.assertGreater(throughput[name], 0, name)
        with open(path("records", "records", "history.jsonl")) as file:
            rows = [json.loads(line) for line in file]
        self.assertEqual(rows[0]["step"], 0)
        self.assertTrue(all(row["loss"] > 0 and row["gradient_norm"] > 0 for row in rows[1:]))

    def test_patience_ends_training_early(self):
        done = run("patience", epochs=10, learning_rate=1e-9, patience=1, evaluations=10)
        self.assertEqual((done.outputs["ended"], done.outputs["best_step"]), ("early_stop", 0))
        self.assertLess(done.outputs["steps"], 50)


class Refusals(unittest.TestCase):
    def refused(self, base, code, **options):
        with self.assertRaises(JobError) as caught:
            run(f"refused-{base}", base, **options)
        self.assertEqual(caught.exception.code, code)
        return caught.exception

    def copy(self, name, source="bert"):
        shutil.copytree(path(source), path(name))
        return path(name)

    def edit_config(self, folder, **changes):
        with open(os.path.join(folder, "config.json")) as file:
            config = json.load(file)
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump({**config, **changes}, file)

    def test_other_architectures_are_named_with_the_supported_ones(self):
        self.edit_config(self.copy("qwen"), model_type="qwen3", architectures=["Qwen3ForCausalLM"])
        error = self.refused("qwen", "MODEL_UNSUPPORTED")
        self.assertIn("Qwen3ForCausalLM", error.message)
        self.assertIn("modernbert", error.hint)

    def test_a_missing_config_or_tokenizer_is_named(self):
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            os.remove(os.path.join(self.copy(f"no-{name}"), name))
            self.assertIn(name, self.refused(f"no-{name}", "MODEL_NOT_FOUND").message)

    def test_pickled_weights_are_refused(self):
        folder = self.copy("pickled")
        os.rename(os.path.join(folder, "model.safetensors"), os.path.join(folder, "pytorch_model.bin"))
        self.assertIn("pickled", self.refused("pickled", "MODEL_UNSUPPORTED").message)

    def test_weights_that_lack_a_layer_are_refused(self):
        file = os.path.join(self.copy("torso"), "model.safetensors")
        save_file({k: v for k, v in load_file(file).items() if "layer.1" not in k}, file, {"format": "pt"})
        self.assertIn("layer.1", self.refused("torso", "MODEL_UNSUPPORTED").message)

    def test_more_tokens_than_the_model_has_positions_are_refused(self):
        self.assertIn("512", self.refused("bert", "RECIPE_INVALID", max_length=513).message)
        self.assertIn("512", self.refused("roberta", "RECIPE_INVALID", max_length=513).message)

    def test_weights_that_blow_up_are_named(self):
        file = os.path.join(self.copy("nan"), "model.safetensors")
        weights = load_file(file)
        weights["bert.encoder.layer.0.output.dense.weight"].fill_(float("nan"))
        save_file(weights, file, {"format": "pt"})
        self.refused("nan", "TRAINING_COLLAPSED")

    def test_a_rate_that_destroys_the_model_is_stopped_and_named(self):
        file = os.path.join(self.copy("dead"), "model.safetensors")
        weights = load_file(file)
        for name in ("classifier.weight", "bert.pooler.dense.weight"):
            weights[name].zero_()
        save_file(weights, file, {"format": "pt"})
        error = self.refused("dead", "TRAINING_COLLAPSED", epochs=20, learning_rate=1e-9, evaluations=1)
        self.assertIn("ln(group size)", error.message)


class Resume(unittest.TestCase):
    def test_dying_at_any_event_and_starting_again_gives_the_same_bytes(self):
        whole = DyingReporter()
        run("whole", reporter=whole)
        expected = results("whole")
        for at in range(2, len(whole.events)):
            out = f"died-{at}"
            with self.assertRaises(Killed):
                run(out, reporter=DyingReporter(at))
            run(out)
            self.assertEqual(results(out), expected, f"after dying at event {at}: {whole.events[at]}")

    def test_dropout_and_rare_checkpoints_resume_exactly_too(self):
        options = {"dropout": True, "checkpoint_seconds": 0, "epochs": 1}
        run("dropout-whole", **options)
        events = DyingReporter(9)
        with self.assertRaises(Killed):
            run("dropout-died", reporter=events, **options)
        run("dropout-died", **options)
        self.assertEqual(results("dropout-died"), results("dropout-whole"))

    def test_cancelling_saves_a_checkpoint_whatever_its_interval(self):
        whole = DyingReporter()
        run("uncancelled", reporter=whole)
        fifth_step = whole.events.index(("progress", 5, 10, "steps"))
        with self.assertRaises(Cancelled):
            run("cancelled", reporter=DyingReporter(fifth_step, Cancelled), checkpoint_seconds=9999)
        self.assertTrue(os.path.isfile(path("cancelled", "checkpoint", "state.pt")))
        reporter = DyingReporter()
        run("cancelled", reporter=reporter)
        self.assertTrue(any("resumed at step" in getattr(e, "message", "") for e in reporter.events))
        self.assertEqual(results("cancelled"), results("uncancelled"))

    def test_a_process_killed_by_sigkill_again_and_again_ends_with_the_same_bytes(self):
        run("process-whole", epochs=6)
        for losses in (1, 2, 1, None):
            code = self.worker("process-killed", losses, epochs=6)
            self.assertEqual(code, 0 if losses is None else -signal.SIGKILL)
        self.assertEqual(results("process-killed"), results("process-whole"))

    def test_sigterm_saves_and_exits_with_130(self):
        self.assertEqual(self.worker("terminated", 2, stop=signal.SIGTERM, epochs=200, checkpoint_seconds=9999), 130)
        self.assertTrue(os.path.isfile(path("terminated", "checkpoint", "state.pt")))

    def worker(self, out, losses, stop=signal.SIGKILL, **options):
        """Runs the real worker and sends `stop` after so many loss events. Returns its exit code."""
        file = path(f"{out}.json")
        with open(file, "w") as handle:
            json.dump(vars(make_job(out, **options)), handle)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        seen = 0
        with subprocess.Popen([sys.executable, "-u", WORKER, "--job", file], env=environment, **pipes) as process:
            for line in process.stdout:
                seen += b'"loss"' in line
                if seen == losses:
                    process.send_signal(stop)
                    losses = None
            return process.wait()


if __name__ == "__main__":
    unittest.main()
