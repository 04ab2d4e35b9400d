"""Notices that a model stopped ranking, and says so by name. Sees numbers only."""
from __future__ import annotations

import math
from dataclasses import dataclass

from ..reporter import JobError
from .loss import LossSums

FLAT_STEPS = 10  # consecutive steps after the warm-up
NEAR_FLAT = 0.02  # |loss - loss of equal scores| / loss of equal scores
NO_SPREAD = 1e-3  # standard deviation of the logits inside a group
BELOW_BASE = 3  # evaluations


@dataclass
class Guard:
    """Counts; kept in checkpoints."""

    flat: int = 0
    below: int = 0

    def after_step(self, step: int, warmup: int, sums: LossSums, gradient_norm: float, flat_name: str = "ln(group size)") -> None:
        """Raises JobError TRAINING_COLLAPSED for non-finite values and for scores that no longer tell passages apart (training.md §3).

        That is: where the loss asks for different scores there is no spread, and no progress either, the loss being that of equal scores
        (`flat_name`; ln(group size) for cross-entropy). A step in which the loss asks for nothing is never flat.
        """
        if not math.isfinite(sums.group_loss + sums.anchor + sums.to_base):
            raise _collapsed(f"the loss of step {step} is not a finite number")
        if not math.isfinite(gradient_norm):
            raise _collapsed(f"the gradient of step {step} is not finite")
        near = sums.flat_loss > 0 and abs(sums.group_loss - sums.flat_loss) < NEAR_FLAT * sums.flat_loss
        flat = near and sums.compared > 0 and sums.spread / sums.compared < NO_SPREAD
        self.flat = self.flat + 1 if flat and step > warmup else 0
        if self.flat >= FLAT_STEPS:
            raise _collapsed(f"at step {step} all passages of a query get the same score and the loss stays at {flat_name} = {sums.flat_loss / max(1, sums.terms):.3f}")

    def after_evaluation(self, below_base: bool, is_reranker: bool) -> bool:
        """True when a base that already ranks was clearly better three times in a row: training should end with the best weights so far."""
        self.below = self.below + 1 if is_reranker and below_base else 0
        return self.below >= BELOW_BASE


def _collapsed(what: str) -> JobError:
    return JobError("TRAINING_COLLAPSED", f"Training collapsed: {what}", "lower it with `--set train.learning_rate=...` (a third of the present value), or raise `train.queries_per_step`")
