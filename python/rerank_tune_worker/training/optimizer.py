"""AdamW with its learning-rate schedule, and the check of learning rates that are known to destroy rerankers."""
from __future__ import annotations

import torch

from ..reporter import JobError
from .lora import is_factor

LARGE = 100_000_000  # parameters
SAFE_RATE, SAFE_QUERIES = 3e-5, 64  # training.md §3: above both, trained rerankers collapsed to one constant score
ADAPTER_RATES = 5e-5, 3e-4  # training.md §3, of adapters (LoRA), which take ten times the rate of full training


def build_optimizer(parameters: dict[str, torch.nn.Parameter], weight_decay: float) -> torch.optim.AdamW:
    """Fused AdamW (about ten times the speed of the default on CPU, training.md §4); decay on matrices only, and not on factors of adapters."""
    matrices = [p for name, p in parameters.items() if p.ndim >= 2 and not is_factor(name)]
    vectors = [p for name, p in parameters.items() if p.ndim < 2 or is_factor(name)]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=0.0, betas=(0.9, 0.999), eps=1e-8, fused=True)


def warmup_steps(total: int, ratio: float) -> int:
    """max(ratio, 20 steps), but at most a third of a short run."""
    return min(max(round(ratio * total), 20), max(1, total // 3))


def learning_rate(step: int, *, total: int, warmup: int, peak: float) -> float:
    """Linear up to `peak`, then linear towards 0. `step` counts from 0; a pure function, so that nothing has to be restored."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (total - step) / max(1, total - warmup)


def check_learning_rate(rate: float, queries_per_step: int, parameters: int, is_reranker: bool, *, adapters: bool = False) -> str | None:
    """A warning for a rate that is known to destroy large trained rerankers (training.md §3); None for any other.

    No refusal: it is FlagEmbedding's published recipe, which people must be able to run, and the collapse guard, the evaluations against
    the base and the kept best weights see to it that nothing worse than the base comes out. Small or fresh models need high rates.
    Raises JobError RECIPE_INVALID with adapters (LoRA) for a rate fit for full training, such as the recipe's default: they would hardly move.
    """
    lowest, highest = ADAPTER_RATES if adapters else (0.0, SAFE_RATE)
    usual = "1.5e-4" if adapters else "1e-5"
    if rate < lowest:
        raise JobError("RECIPE_INVALID", f"train.learning_rate {rate:g} hardly moves the adapters of train.lora", f"use `--set train.learning_rate={usual}` ({lowest:g} to {highest:g})")
    if is_reranker and parameters >= LARGE and rate > highest and queries_per_step < SAFE_QUERIES:
        return (
            f"train.learning_rate {rate:g} with {queries_per_step} queries a step has made rerankers of this size ({parameters / 1e6:.0f} M parameters) collapse to one constant score; "
            f"a collapse is stopped by name, and weights that rank worse than the base are not kept. Safer: `--set train.learning_rate={usual}` (at most {highest:g}), or at least {SAFE_QUERIES} queries a step"
        )
    return None
