"""Refuses, before the first step, what the options ask of a base or of data that cannot give it."""
from __future__ import annotations

import math
from typing import Any

from ..base_model import BaseModel
from ..pairs import EncodedPair
from ..reporter import JobError
from .data import Group
from .encoder_parts import last_linear
from .evaluate import grades
from .losses import LOSSES


def check_base(options: dict[str, Any], base: BaseModel) -> None:
    """Raises JobError RECIPE_INVALID for more tokens than the base has positions, and for a pull to a base that does not rank."""
    if options["max_length"] > base.max_tokens:
        raise JobError("RECIPE_INVALID", f"train.max_length {options['max_length']} is more than the {base.max_tokens} tokens of {base.model_type} at {base.folder}", f"use `--set train.max_length={base.max_tokens}` or less")
    if options["kl_to_base"] > 0 and not base.is_reranker:
        raise JobError("RECIPE_INVALID", f"train.kl_to_base {options['kl_to_base']:g} needs a base that already ranks, but {base.folder} has no one-label head: its scores would be those of a fresh one", "use `--set train.kl_to_base=0`, or a base that is a reranker, such as BAAI/bge-reranker-v2-m3")


def check_layers(options: dict[str, Any], base: BaseModel, layers: int) -> None:
    """Raises JobError RECIPE_INVALID when more layers should be frozen than there are, or all of them where adapters should be in some."""
    if options["freeze_layers"] > layers:
        raise JobError("RECIPE_INVALID", f"train.freeze_layers {options['freeze_layers']} is more than the {layers} layers of {base.model_type} at {base.folder}", f"use `--set train.freeze_layers={layers // 2}`, or any number up to {layers}, which trains the head alone")


    if options["lora"] and options["freeze_layers"] == layers:
        raise JobError("RECIPE_INVALID", f"train.freeze_layers {layers} leaves no layer of {base.model_type} at {base.folder} to train.lora", f"use `--set train.freeze_layers=0`, or leave `train.lora` out to train the head alone")


def check_calibration(options: dict[str, Any], dev: list[Group], path: str, top_label: float) -> None:
    """Raises JobError DATA_INVALID when dev has passages of one label only, from which no probability can be learned."""
    found = set(grades(dev, top_label)) if options["calibrate"] else {0.0, 1.0}
    if len(found) < 2:
        labels = f"all have relevance {found.pop():g}" if found else "there are none"
        raise JobError("DATA_INVALID", f"train.calibrate needs relevant and other passages among the dev candidates in {path}, but {labels}", "raise `prepare.split.dev` or `prepare.candidates.depth`, or use `--set train.calibrate=false`")


def check_guard(name: str, pairs: list[EncodedPair], path: str) -> None:
    """Raises JobError DATA_INVALID for a guard set without a passage, which would guard nothing."""
    if name != "test" and not pairs:
        raise JobError("DATA_INVALID", f"{path} ({name}) has no query with passages", "give the guard set queries with passages, or leave it out")


def check_bias(options: dict[str, Any], base: BaseModel, model: Any) -> None:
    """Raises JobError MODEL_UNSUPPORTED when a calibration has nowhere to put its offset."""
    name, linear = last_linear(model)
    if options["calibrate"] and linear.bias is None:
        raise JobError("MODEL_UNSUPPORTED", f"train.calibrate folds an offset into {name}, which has no bias in {base.architecture} at {base.folder}", "use `--set train.calibrate=false`, or a base whose head has a bias")


def check_teacher(options: dict[str, Any], groups: list[Group], path: str) -> None:
    """Raises JobError DATA_INVALID with their number when the loss needs a teacher and training passages lack its score, or it is not finite."""
    if not LOSSES[options["loss"]].needs_teacher:
        return
    lacking = [sum(not _scored(passage.teacher_score) for passage in group.passages) for group in groups]
    if not any(lacking):
        return
    total, queries = sum(len(group.passages) for group in groups), sum(count > 0 for count in lacking)
    raise JobError(
        "DATA_INVALID",
        f"train.loss {options['loss']} learns from a teacher, but {sum(lacking)} of {total} passages in {path} have no teacher_score that is a finite number (in {queries} of {len(groups)} queries)",
        "score the data with `rerank-tune data score --teacher MODEL` and set `prepare.negatives.from: judged`, so that only scored passages are sampled; or use `--set train.loss=group_ce`",
    )


def _scored(score: float | None) -> bool:
    return score is not None and math.isfinite(score)
