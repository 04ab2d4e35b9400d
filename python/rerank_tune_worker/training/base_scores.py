"""Scores of the untouched base: files of the sets that are compared, and on every pair that training will see, to which `train.kl_to_base` holds the model."""
from __future__ import annotations

import json
import os
from typing import Callable

import torch
from safetensors.torch import load_file, save_file

from .checkpoint import replace_file, write_text
from .data import PairCache, StepPlan
from .model import PairModel
from .run_context import Run


def score_sets(run: Run) -> float:
    """scores.base.NAME.tsv of the test split and the guard sets, but those that a killed run left; `run.model` must be the base.

    Returns pairs a second on the test split (fp32), kept beside its file.
    """
    speed_file = run.path("records", "base_speed.json")
    for name in run.scored:
        if name == "test" and not os.path.isfile(speed_file):
            write_text(speed_file, json.dumps(run.write_scores("base", name)))
        elif not os.path.isfile(run.scores_path("base", name)):
            run.write_scores("base", name)
    with open(speed_file, encoding="utf-8") as file:
        return json.load(file)


def base_scores(path: str, plan: StepPlan, cache: PairCache, model: PairModel, tokens: int, between: Callable[[int], None]) -> dict[tuple[int, int], float]:
    """(group, passage) -> logit. Read from `path` where a killed run left them, else computed and kept there.

    `model` must still hold the base's weights. In the precision of training, so that the tuned model's rounding is compared with its own kind.
    """
    keys = plan.pairs()
    if not os.path.isfile(path):
        scores = torch.tensor(model.score(cache.get(keys), exact=False, tokens=tokens, between=between))
        replace_file(path, lambda temporary: save_file({"scores": scores}, temporary))
    return dict(zip(keys, load_file(path)["scores"].tolist(), strict=True))
