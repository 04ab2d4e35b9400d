"""AdamW with its learning-rate schedule, and the check of learning rates that are known to destroy rerankers."""
from __future__ import annotations

import torch

from ..reporter import JobError
from .lora import is_factor

LARGE = 60_000_000  # encoder weights: what training.md §3 calls 100 M parameters and more has 85 M of them beside its embeddings
SAFE_RATE, SAFE_QUERIES = 3e-5, 64  # training.md §3: above both, trained rerankers collapsed to one constant score
USUAL_RATE, USUAL_WEIGHTS = 1e-5, 302_000_000  # training.md §3, for bge-reranker-v2-m3 and its encoder weights
HIGHEST_RATE = 2e-4  # for the smallest encoders: no higher one was measured
USUAL_ADAPTER_RATE = 1.5e-4  # training.md §3
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


def choose_rate(wanted: float | str, *, encoder_weights: int, is_reranker: bool, adapters: bool) -> float:
    """The peak rate; `auto` follows the size of the encoder, of which embeddings are no part: 1e-5 * 302 M / weights, two digits.

    Large encoders stay within SAFE_RATE, and nothing takes more than HIGHEST_RATE. A fresh head takes twice as much; adapters take 1.5e-4
    at any size. Measured on hidden size 384: docs/decisions/0008.
    """
    if wanted != "auto":
        return float(wanted)
    if adapters:
        return USUAL_ADAPTER_RATE
    rate = USUAL_RATE * USUAL_WEIGHTS / max(1, encoder_weights) * (1 if is_reranker else 2)
    ceiling = SAFE_RATE if is_reranker and encoder_weights >= LARGE else HIGHEST_RATE
    return min(ceiling, float(f"{rate:.1e}"))


def check_learning_rate(rate: float, queries_per_step: int, encoder_weights: int, is_reranker: bool, *, adapters: bool = False) -> str | None:
    """A warning for a rate that is known to destroy large trained rerankers (training.md §3); None for any other.

    No refusal: it is FlagEmbedding's published recipe, which people must be able to run, and the collapse guard, the evaluations against
    the base and the kept best weights see to it that nothing worse than the base comes out. Small or fresh models need high rates.
    Raises JobError RECIPE_INVALID with adapters (LoRA) for a rate fit for full training, such as the recipe's default: they would hardly move.
    """
    lowest, highest = ADAPTER_RATES if adapters else (0.0, SAFE_RATE)
    usual = "1.5e-4" if adapters else "auto"
    if rate < lowest:
        raise JobError("RECIPE_INVALID", f"train.learning_rate {rate:g} hardly moves the adapters of train.lora", f"use `--set train.learning_rate={usual}` ({lowest:g} to {highest:g})")
    if is_reranker and encoder_weights >= LARGE and rate > highest and queries_per_step < SAFE_QUERIES:
        return (
            f"train.learning_rate {rate:g} with {queries_per_step} queries a step has made rerankers of this size ({encoder_weights / 1e6:.0f} M weights in its layers) collapse to one constant score; "
            f"a collapse is stopped by name, and weights that rank worse than the base are not kept. Safer: `--set train.learning_rate={usual}` (at most {highest:g}), or at least {SAFE_QUERIES} queries a step"
        )
    return None
