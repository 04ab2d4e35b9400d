"""Everything of a train job before its first score: reads, checks, loads, and settles how many tokens go through the model at once."""
from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from ..base_model import BaseModel, inspect_base, load_base
from ..pairs import EncodedPair, PairEncoder
from ..protocol import Job
from ..reporter import JobError, Reporter
from .data import Group, StepPlan, read_groups, step_plan
from .device import choose_bf16, choose_device
from .distributed import Alone, digests
from .encoder_parts import encoder_layers, encoder_weights
from .evaluate import DevSet
from .memory import check_memory, free_memory, largest_micro_batch, predict
from .micro_batch import Choice, choose_for_cpu, choose_for_gpu, keep_choice, known_choice
from .model import PairModel
from .optimizer import check_learning_rate, choose_rate
from .preflight import check_base, check_bias, check_calibration, check_guard, check_layers, check_teacher
from .probe import SMALLEST
from .run_context import GUARD, Run, phases, seeds, start_phase
from .student import check_student, choose_cut, cut

PARITY_PAIRS = 8


def prepare(job: Job, reporter: Reporter, ranks: Alone) -> Run:
    """Phase `load_model`. Raises JobError MODEL_*, DATA_*, RECIPE_INVALID, ENVIRONMENT_BROKEN, WORKER_OUT_OF_MEMORY before anything is trained."""
    options = job.options
    os.makedirs(os.path.join(job.out_dir, "records"), exist_ok=True)
    base = inspect_base(job.inputs["base"])
    start_phase(reporter, "load_model", phases(options, base))
    check_base(options, base)
    check_student(options, base)
    splits = {name: read_groups(path) for name, path in job.inputs.items() if name != "base"}
    check_teacher(options, splits["train"], job.inputs["train"])
    plan = step_plan(options, splits["train"], seeds(options)[0])
    check_calibration(options, splits["dev"], job.inputs["dev"], plan.top_label)
    run = _load(job, reporter, base, splits, plan.top_label, ranks)
    _check_parity(run, parity_pairs(run))
    _settle_micro_batch(run)
    _say_step(run, plan)
    ranks.check_same(lambda: digests(options, splits["train"], run.model.module))
    return run


def parity_pairs(run: Run) -> list[EncodedPair]:
    """On which two ways of computing the same scores are compared."""
    return run.dev.pairs[:PARITY_PAIRS]


def _load(job: Job, reporter: Reporter, base: BaseModel, splits: dict[str, list[Group]], top_label: float, ranks: Alone) -> Run:
    options = job.options
    if base.labels > 1:
        reporter.log(f"the base classifies into {base.labels} labels, which is no reranker: its head is replaced by a fresh one", "warning", "train")
    device = choose_device(options["device"])
    module = load_base(base, seed=options["seed"], attention="sdpa" if device == "cuda" else "eager")
    chosen = choose_cut(options["student"], module, base) if options.get("student") else None
    if chosen:
        cut(module, chosen.kept)
        reporter.log(chosen.message(), "info", "train")
    check_layers(options, base, len(encoder_layers(module)))
    check_bias(options, base, module)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    job = replace(job, options={**options, "learning_rate": _settle_rate(options, reporter, module, is_reranker=base.is_reranker and chosen is None)})
    bf16 = choose_bf16(options["precision"], device)
    adapters = {**options["lora"], "seed": options["seed"]} if options["lora"] else None
    frozen = {"freeze_embeddings": options["freeze_embeddings"], "freeze_layers": options["freeze_layers"]}
    model = PairModel(module, base.model_type, device=device, bf16=bf16, dropout=options["dropout"], adapters=adapters, recompute=options["gradient_checkpointing"], **frozen)
    encoder = PairEncoder(base.folder, options["max_length"])
    dev = DevSet(splits["dev"], encoder, queries=options["evaluation_queries"], depth=options["evaluation_depth"])
    return Run(job, reporter, base, model, encoder, splits, _scored(job, splits, encoder), dev, parameters, top_label, ranks, cut=chosen)


def _settle_rate(options: dict[str, Any], reporter: Reporter, module: Any, *, is_reranker: bool) -> float:
    """What `auto` takes is said in the log; a rate that is known to destroy models of this size is warned of."""
    weights, adapters = encoder_weights(module), bool(options["lora"])
    rate = choose_rate(options["learning_rate"], encoder_weights=weights, is_reranker=is_reranker, adapters=adapters)
    if options["learning_rate"] == "auto":
        reporter.log(f"learning rate {rate:g}, for {weights / 1e6:.0f} M weights in the layers", "info", "train")
    risky = check_learning_rate(rate, options["queries_per_step"], weights, is_reranker, adapters=adapters)
    if risky:
        reporter.log(risky, "warning", "train")
    return rate


def _scored(job: Job, splits: dict[str, list[Group]], encoder: PairEncoder) -> dict[str, DevSet]:
    """The test split first, then the guard sets by name."""
    names = ["test", *sorted(name for name in splits if name.startswith(GUARD))]
    scored = {name: DevSet(splits[name], encoder) for name in names}
    for name, part in scored.items():
        check_guard(name, part.pairs, job.inputs[name])
    return scored


def _check_parity(run: Run, pairs: list[EncodedPair]) -> None:
    if not pairs:
        raise JobError("DATA_INVALID", "the dev split has no pairs", "raise `prepare.split.dev`")
    difference = run.model.check_parity(pairs)
    if difference is not None and not run.model.packs:
        run.reporter.log(f"packed scoring differs from transformers by {difference:.1e}; training uses the slower padded form", "warning", "train")


def _settle_micro_batch(run: Run) -> None:
    """Lengths are those of dev and test, whose texts are of one kind with those of training. Refuses what cannot fit before it keeps its choice."""
    path = run.path("checkpoint", "micro-batch.json")
    longest = max((len(pair.ids) for pair in (*run.dev.pairs, *run.scored["test"].pairs)), default=run.options["max_length"])
    choice = known_choice(path, run.options)
    if choice is None:
        choice = _choose(run, longest)
    if choice.how != "measured":
        run.reporter.log(_checked(run, choice.tokens, longest), "info", "train")
    if choice.message():
        run.reporter.log(choice.message(), "info", "train")
    if run.ranks.rank == 0 and choice.how != "recipe":
        keep_choice(path, choice)
    run.micro_batch = choice.record()


def _say_step(run: Run, plan: StepPlan) -> None:
    """What a batch means here, in queries, pairs and tokens; token lengths are those of dev."""
    groups = plan.step(0)
    pairs = sum(len(group.passages) for group in groups)
    tokens = pairs * sum(len(pair.ids) for pair in run.dev.pairs) / len(run.dev.pairs)
    run.reporter.log(f"{plan.total} steps of {len(groups)} queries, {pairs} pairs and about {tokens:.0f} tokens", "info", "train")


def _choose(run: Run, longest: int) -> Choice:
    if run.model.device.type == "cuda":
        _checked(run, SMALLEST, longest)
        return choose_for_gpu(run.model, run.options, longest, run.reporter.check_cancelled)
    return choose_for_cpu(run.model.shape(), run.options, longest, _free(run))


def _checked(run: Run, tokens: int, longest: int) -> str:
    """The line for the log, or a refusal."""
    prediction = predict(run.model.shape(), tokens=largest_micro_batch(tokens, run.options, longest), longest=longest)
    return check_memory(prediction, _free(run), run.options)


def _free(run: Run) -> int | None:
    """Bytes for this process: those on one machine share its memory, but each has a GPU of its own."""
    free = free_memory(run.model.device)
    return free // run.ranks.local_world if free is not None and run.model.device.type == "cpu" else free
