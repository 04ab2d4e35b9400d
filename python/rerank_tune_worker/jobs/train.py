"""The train job: scores the base, fine-tunes it, keeps the best weights, scores the test split with both. Run again after a kill, it resumes."""
from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import Any, Callable

from ..base_model import BaseModel, inspect_base, load_base
from ..pairs import EncodedPair, PairEncoder
from ..protocol import Done, Job
from ..reporter import JobError, Reporter
from ..training.checkpoint import Checkpoint, write_text
from ..training.data import Group, PairCache, StepPlan, read_groups
from ..training.device import choose_bf16, choose_device, peak_memory_bytes
from ..training.evaluate import DevSet, encode_groups, write_scores
from ..training.loop import TrainingLoop
from ..training.model import PairModel
from ..training.optimizer import check_learning_rate
from ..training.save import save_model

PHASES = ("load_model", "score_base", "train", "score_test", "save")
PARITY_PAIRS = 8


@dataclass
class _Run:
    job: Job
    reporter: Reporter
    base: BaseModel
    model: PairModel
    test: list[Group]
    test_pairs: list[EncodedPair]
    parameters: int

    def phase(self, name: str) -> None:
        _phase(self.reporter, name)

    def path(self, *names: str) -> str:
        return os.path.join(self.job.out_dir, *names)

    def between(self, total: int) -> Callable[[int], None]:
        """Told after each batch of scoring how many pairs are done."""

        def report(done: int) -> None:
            self.reporter.check_cancelled()
            self.reporter.progress(done, total, "pairs")

        return report

    def score_test(self, name: str) -> float:
        tokens = self.job.options["micro_batch_tokens"]
        return write_scores(self.path(name), self.test, self.test_pairs, self.model, tokens, self.between(len(self.test_pairs)))


def run(job: Job, reporter: Reporter) -> Done:
    """inputs: base (folder), train, dev, test (groups files). options: the fields of src/stages/train/schema.ts.

    Raises JobError MODEL_*, DATA_*, RECIPE_INVALID, TRAINING_COLLAPSED; Cancelled after a checkpoint.
    """
    started, options = time.monotonic(), job.options
    os.makedirs(os.path.join(job.out_dir, "records"), exist_ok=True)
    _phase(reporter, "load_model")
    base = inspect_base(job.inputs["base"])
    if options["max_length"] > base.max_tokens:
        raise JobError("RECIPE_INVALID", f"train.max_length {options['max_length']} is more than the {base.max_tokens} tokens of {base.model_type} at {base.folder}", f"use `--set train.max_length={base.max_tokens}` or less")
    splits = {name: read_groups(job.inputs[name]) for name in ("train", "dev", "test")}
    encoder = PairEncoder(base.folder, options["max_length"])
    plan = StepPlan(splits["train"], queries_per_step=options["queries_per_step"], group_size=options["group_size"], epochs=options["epochs"], seed=options["seed"])
    current = _load(job, reporter, base, splits["test"], encoder)
    dev = DevSet(splits["dev"], encoder, queries=options["evaluation_queries"], depth=options["evaluation_depth"])
    _check_parity(current, dev.pairs[:PARITY_PAIRS])
    checkpoint = Checkpoint(current.path("checkpoint"))
    loop = TrainingLoop(current.model, plan, PairCache(splits["train"], encoder), dev, options, checkpoint, reporter, is_reranker=base.is_reranker)
    base_speed = _score_base(current, loop, dev)
    current.phase("train")
    trained = time.monotonic()
    loop.run()
    training_seconds = time.monotonic() - trained
    _explain_end(current, loop)
    loop.use_best()
    current.phase("score_test")
    tuned_speed = current.score_test("scores.tuned.test.tsv")
    current.phase("save")
    save_model(current.model.module, base, current.path("model"), options["max_length"])
    _write_records(current, loop, tuned_speed, base_speed)
    checkpoint.remove()
    return Done(_outputs(current, loop), {"dev_ndcg@10": loop.progress.best_ndcg}, {"train": training_seconds, "total": time.monotonic() - started})


def _phase(reporter: Reporter, name: str) -> None:
    reporter.check_cancelled()
    reporter.phase(name, PHASES.index(name) + 1, len(PHASES))


def _load(job: Job, reporter: Reporter, base: BaseModel, test: list[Group], encoder: PairEncoder) -> _Run:
    options = job.options
    if base.labels > 1:
        reporter.log(f"the base classifies into {base.labels} labels, which is no reranker: its head is replaced by a fresh one", "warning", "train")
    device = choose_device(options["device"])
    module = load_base(base, seed=options["seed"], attention="sdpa" if device == "cuda" else "eager")
    parameters = sum(parameter.numel() for parameter in module.parameters())
    check_learning_rate(options["learning_rate"], options["queries_per_step"], parameters, base.is_reranker)
    bf16 = choose_bf16(options["precision"], device)
    model = PairModel(module, base.model_type, device=device, bf16=bf16, freeze_embeddings=options["freeze_embeddings"], dropout=options["dropout"])
    return _Run(job, reporter, base, model, test, encode_groups(test, encoder), parameters)


def _check_parity(current: _Run, pairs: list[EncodedPair]) -> None:
    if not pairs:
        raise JobError("DATA_INVALID", "the dev split has no pairs", "raise `prepare.split.dev`")
    difference = current.model.check_parity(pairs)
    if difference is not None and not current.model.packs:
        current.reporter.log(f"packed scoring differs from transformers by {difference:.1e}; training uses the slower padded form", "warning", "train")


def _score_base(current: _Run, loop: TrainingLoop, dev: DevSet) -> float | None:
    """NDCG@10 of step 0, and the test scores of a base that already ranks; skipped where a killed run did it. Returns pairs per second."""
    current.phase("score_base")
    scores = current.path("scores.base.test.tsv")
    speed_file = current.path("records", "base_speed.json")
    speed = None
    if current.base.is_reranker and not (os.path.isfile(scores) and os.path.isfile(speed_file)):
        speed = current.score_test("scores.base.test.tsv")
        write_text(speed_file, json.dumps(speed))
    elif current.base.is_reranker:
        with open(speed_file, encoding="utf-8") as file:
            speed = json.load(file)
    if loop.restore():
        current.reporter.log(f"resumed at step {loop.progress.step}", "info", "train")
    else:
        loop.start(dev.ndcg(current.model, current.job.options["micro_batch_tokens"], current.between(len(dev.pairs))))
    last = loop.progress.rows[-1]
    current.reporter.metric("ndcg@10", last["dev_ndcg@10"], step=last["step"], split="dev")
    return speed


def _explain_end(current: _Run, loop: TrainingLoop) -> None:
    progress = loop.progress
    if progress.ended == "below_base":
        current.reporter.log(f"dev NDCG@10 stayed below the base for three evaluations: training ended at step {progress.step}, the weights of step {progress.best_step} are kept", "warning", "train")
    elif progress.best_step == 0:
        current.reporter.log("no evaluation was better than the base: its weights are kept", "warning", "train")


def _write_records(current: _Run, loop: TrainingLoop, tuned_speed: float, base_speed: float | None) -> None:
    work = loop.work
    seconds = work.seconds if work.seconds > 0 else None
    throughput = {
        "train_tokens_per_second": work.tokens / seconds if seconds else None,
        "train_pairs_per_second": work.pairs / seconds if seconds else None,
        "train_seconds": work.seconds,
        "tuned_pairs_per_second": tuned_speed,
        "base_pairs_per_second": base_speed,
        "peak_memory_bytes": peak_memory_bytes(),
    }
    write_text(current.path("records", "throughput.json"), json.dumps(throughput, indent=2) + "\n")
    write_text(current.path("records", "history.jsonl"), loop.progress.lines())


def _outputs(current: _Run, loop: TrainingLoop) -> dict[str, Any]:
    progress = loop.progress
    return {
        "base_is_reranker": current.base.is_reranker,
        "model_type": current.base.model_type,
        "max_length": current.job.options["max_length"],
        "parameters": current.parameters,
        "steps": progress.step,
        "best_step": progress.best_step,
        "dev_ndcg_at_10": {"base": progress.base_ndcg, "best": progress.best_ndcg},
        "device": current.model.device.type,
        "precision": current.model.precision,
        "ended": progress.ended,
    }
