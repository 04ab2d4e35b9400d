"""What a student's teacher, the whole base, says: score files of the sets that are compared, NDCG@10 on dev, a score for every training passage."""
from __future__ import annotations

import os
from dataclasses import replace

import torch
from safetensors.torch import load_file, save_file

from ..base_model import load_base
from .base_scores import score_sets
from .checkpoint import replace_file
from .data import PairCache, step_plan
from .model import PairModel
from .run_context import Run, TeacherScores


def score_with_teacher(run: Run, pairs_for_parity: list) -> tuple[TeacherScores, float]:
    """Once, before the first step and without gradients; after a kill what is missing. The teacher leaves memory with the end of this function.

    Also returns its speed on the test split (pairs a second, fp32).
    """
    half = run.model.precision == "bf16"
    module = load_base(run.base, seed=run.options["seed"], attention="sdpa" if run.model.device.type == "cuda" else "eager")
    teacher = PairModel(module, run.base.model_type, device=run.model.device.type, bf16=half, freeze_embeddings=True, dropout=False)
    teacher.check_parity(pairs_for_parity)
    as_teacher = replace(run, model=teacher)
    speed = score_sets(as_teacher)
    return _scores(as_teacher), speed


def _scores(run: Run) -> TeacherScores:
    path = run.path("checkpoint", "teacher-scores.safetensors")
    keys = _pairs(run)
    if not os.path.isfile(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        encoded = PairCache(run.splits["train"], run.encoder).get(keys)
        scores = run.model.score(encoded, exact=False, tokens=run.tokens, between=run.between(len(keys)))
        dev = run.dev.values(run.model, run.tokens, run.between(len(run.dev.pairs)))
        tensors = {"pairs": torch.tensor(scores), "dev": torch.tensor(dev, dtype=torch.float64)}
        replace_file(path, lambda temporary: save_file(tensors, temporary))
    known = load_file(path)
    return TeacherScores(dict(zip(keys, known["pairs"].tolist(), strict=True)), known["dev"].tolist())


def _pairs(run: Run) -> list[tuple[int, int]]:
    """Every (group, passage) that some step of some seed sees, unlabelled candidates with the judged ones."""
    plans = (step_plan(run.options, run.splits["train"], seed) for seed in run.seeds)
    return sorted({pair for plan in plans for pair in plan.pairs()})
