"""The train job: scores the base, fine-tunes it, keeps the best weights, scores the test split with both. Run again after a kill, it resumes."""
from __future__ import annotations

import json
import os
import time
from typing import Any

from ..base_model import BaseModel, inspect_base, load_base
from ..pairs import EncodedPair, PairEncoder
from ..protocol import Done, Job
from ..reporter import JobError, Reporter
from ..training.calibration import Affine
from ..training.checkpoint import Checkpoint, write_text
from ..training.data import Group, PairCache, StepPlan, read_groups
from ..training.device import choose_bf16, choose_device, peak_memory_bytes
from ..training.encoder_parts import encoder_layers
from ..training.ending import calibrate_scores, interpolate_weights, merge_adapters
from ..training.evaluate import DevSet
from ..training.interpolation import Sweep
from ..training.loop import TrainingLoop
from ..training.memory import check_memory, free_memory, micro_batch_tokens, predict
from ..training.model import PairModel
from ..training.optimizer import check_learning_rate
from ..training.preflight import check_base, check_bias, check_calibration, check_guard, check_layers, check_teacher
from ..training.run_context import GUARD, Run, phases, start_phase
from ..training.save import save_model

PARITY_PAIRS = 8


def run(job: Job, reporter: Reporter) -> Done:
    """inputs: base (folder), train, dev, test, any guard-NAME (groups files). options: the fields of src/stages/train/schema.ts.

    Raises JobError MODEL_*, DATA_*, RECIPE_INVALID, TRAINING_COLLAPSED, WORKER_OUT_OF_MEMORY; Cancelled after a checkpoint.
    """
    started, options = time.monotonic(), job.options
    os.makedirs(os.path.join(job.out_dir, "records"), exist_ok=True)
    base = inspect_base(job.inputs["base"])
    start_phase(reporter, "load_model", phases(options, base))
    check_base(options, base)
    splits = {name: read_groups(path) for name, path in job.inputs.items() if name != "base"}
    check_teacher(options, splits["train"], job.inputs["train"])
    plan = StepPlan(splits["train"], queries_per_step=options["queries_per_step"], group_size=options["group_size"], epochs=options["epochs"], seed=options["seed"])
    check_calibration(options, splits["dev"], job.inputs["dev"], plan.top_label)
    current = _load(job, reporter, base, splits)
    dev = DevSet(splits["dev"], current.encoder, queries=options["evaluation_queries"], depth=options["evaluation_depth"])
    _check_parity(current, dev.pairs[:PARITY_PAIRS])
    _check_memory(current, dev)
    checkpoint = Checkpoint(current.path("checkpoint"))
    loop = TrainingLoop(current.model, plan, PairCache(splits["train"], current.encoder), dev, options, checkpoint, reporter, is_reranker=base.is_reranker)
    base_speed = _score_base(current, loop, dev)
    current.phase("train")
    trained = time.monotonic()
    loop.run()
    training_seconds = time.monotonic() - trained
    _explain_end(current, loop)
    loop.use_best()
    merge_adapters(current, dev.pairs[:PARITY_PAIRS])
    sweep = interpolate_weights(current, loop.progress.best_step)
    affine = calibrate_scores(current, plan.top_label)
    current.phase("score_test")
    tuned_speed = [current.write_scores("tuned", name) for name in current.scored][0]
    current.phase("save")
    save_model(current.model.module, base, current.path("model"), options["max_length"])
    _write_records(current, loop, tuned_speed, base_speed)
    checkpoint.remove()
    outputs = _outputs(current, loop, sweep, affine)
    return Done(outputs, {"dev_ndcg@10": outputs["dev_ndcg_at_10"]["best"]}, {"train": training_seconds, "total": time.monotonic() - started})


def _load(job: Job, reporter: Reporter, base: BaseModel, splits: dict[str, list[Group]]) -> Run:
    options = job.options
    if base.labels > 1:
        reporter.log(f"the base classifies into {base.labels} labels, which is no reranker: its head is replaced by a fresh one", "warning", "train")
    device = choose_device(options["device"])
    module = load_base(base, seed=options["seed"], attention="sdpa" if device == "cuda" else "eager")
    check_layers(options, base, len(encoder_layers(module)))
    check_bias(options, base, module)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    check_learning_rate(options["learning_rate"], options["queries_per_step"], parameters, base.is_reranker, adapters=bool(options["lora"]))
    bf16 = choose_bf16(options["precision"], device)
    adapters = {**options["lora"], "seed": options["seed"]} if options["lora"] else None
    frozen = {"freeze_embeddings": options["freeze_embeddings"], "freeze_layers": options["freeze_layers"]}
    model = PairModel(module, base.model_type, device=device, bf16=bf16, dropout=options["dropout"], adapters=adapters, recompute=options["gradient_checkpointing"], **frozen)
    encoder = PairEncoder(base.folder, options["max_length"])
    scored = {name: DevSet(groups, encoder) for name, groups in splits.items() if name == "test" or name.startswith(GUARD)}
    for name in scored:
        check_guard(name, scored[name].pairs, job.inputs[name])
    return Run(job, reporter, base, model, encoder, splits, dict(sorted(scored.items(), key=lambda item: (item[0] != "test", item[0]))), parameters)


def _check_parity(current: Run, pairs: list[EncodedPair]) -> None:
    if not pairs:
        raise JobError("DATA_INVALID", "the dev split has no pairs", "raise `prepare.split.dev`")
    difference = current.model.check_parity(pairs)
    if difference is not None and not current.model.packs:
        current.reporter.log(f"packed scoring differs from transformers by {difference:.1e}; training uses the slower padded form", "warning", "train")


def _check_memory(current: Run, dev: DevSet) -> None:
    """One line for the log, or a refusal. Lengths are those of dev and test, whose texts are of one kind with those of training."""
    longest = max((len(pair.ids) for pair in (*dev.pairs, *current.scored["test"].pairs)), default=current.options["max_length"])
    prediction = predict(current.model.shape(), tokens=micro_batch_tokens(current.options, longest), longest=longest)
    current.reporter.log(check_memory(prediction, free_memory(current.model.device), current.options), "info", "train")


def _score_base(current: Run, loop: TrainingLoop, dev: DevSet) -> float | None:
    """NDCG@10 of step 0, and all scores of a base that already ranks; skipped where a killed run did it. Returns pairs per second."""
    current.phase("score_base")
    speed = _base_scores(current) if current.base.is_reranker else None
    loop.score_base(lambda done, total: current.between(total)(done))
    if loop.restore():
        current.reporter.log(f"resumed at step {loop.progress.step}", "info", "train")
    else:
        loop.start(dev.values(current.model, current.job.options["micro_batch_tokens"], current.between(len(dev.pairs))))
    last = loop.progress.rows[-1]
    current.reporter.metric("ndcg@10", last["dev_ndcg@10"], step=last["step"], split="dev")
    return speed


def _base_scores(current: Run) -> float:
    """Files of the untouched base. Returns the speed on the test split, kept beside its file."""
    speed_file = current.path("records", "base_speed.json")
    for name in current.scored:
        if name == "test" and not os.path.isfile(speed_file):
            write_text(speed_file, json.dumps(current.write_scores("base", name)))
        elif not os.path.isfile(current.scores_path("base", name)):
            current.write_scores("base", name)
    with open(speed_file, encoding="utf-8") as file:
        return json.load(file)


def _explain_end(current: Run, loop: TrainingLoop) -> None:
    progress = loop.progress
    if progress.ended == "below_base":
        current.reporter.log(f"dev NDCG@10 stayed below the base for three evaluations: training ended at step {progress.step}, the weights of step {progress.best_step} are kept", "warning", "train")
    elif progress.best_step == 0:
        current.reporter.log("no evaluation was better than the base: its weights are kept", "warning", "train")


def _write_records(current: Run, loop: TrainingLoop, tuned_speed: float, base_speed: float | None) -> None:
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
    current.record("throughput.json", throughput)
    write_text(current.path("records", "history.jsonl"), loop.progress.lines())


def _outputs(current: Run, loop: TrainingLoop, sweep: Sweep | None, affine: Affine | None) -> dict[str, Any]:
    """Weights that the sweep put back to the base's are those of step 0."""
    progress = loop.progress
    base_kept = sweep is not None and sweep.chosen.alpha == 0
    return {
        "base_is_reranker": current.base.is_reranker,
        "model_type": current.base.model_type,
        "max_length": current.job.options["max_length"],
        "parameters": current.parameters,
        "steps": progress.step,
        "best_step": 0 if base_kept else progress.best_step,
        "dev_ndcg_at_10": {"base": progress.base_ndcg, "best": progress.base_ndcg if base_kept else progress.best_ndcg},
        "device": current.model.device.type,
        "precision": current.model.precision,
        "ended": progress.ended,
        "interpolation": {"alpha": sweep.chosen.alpha, "dev_ndcg_at_10": sweep.chosen.dev} if sweep else None,
        "calibration": {"a": affine.a, "b": affine.b} if affine else None,
    }
