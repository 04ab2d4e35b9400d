"""What a training run has reached so far: one row an evaluation, the best step, why it ended. Plain data that a checkpoint can hold."""
from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field

from .evaluate import mean
from .guard import Guard


@dataclass
class Progress:
    """`step`: optimizer steps done. NDCG values are 0-1 on the evaluation subset of dev, `..._values` query by query.

    `best_step`: the step whose weights are kept, `best_...` its values. `top_values`: those of the highest mean so far, the base's among them.
    `mixed_step`: the last step, where it was not kept and may still be mixed with the base; else 0.
    `stale`: evaluations of the second half of the run, one after another, that were clearly below the top.
    """

    step: int = 0
    best_step: int = 0
    mixed_step: int = 0
    base_ndcg: float = 0.0
    best_ndcg: float = 0.0
    base_values: list[float] = field(default_factory=list)
    best_values: list[float] = field(default_factory=list)
    top_values: list[float] = field(default_factory=list)
    stale: int = 0
    ended: str = ""
    guard: Guard = field(default_factory=Guard)
    rows: list[dict[str, float | int | None]] = field(default_factory=list)

    @property
    def weights_step(self) -> int:
        """Whose weights go on from training."""
        return self.best_step or self.mixed_step

    @classmethod
    def restore(cls, body: dict) -> "Progress":
        return cls(**{**body, "guard": Guard(**body["guard"])})

    def as_dict(self) -> dict:
        return asdict(self)

    def start(self, values: list[float]) -> None:
        """The base as it is: step 0."""
        self.base_values = self.best_values = self.top_values = values
        self.base_ndcg = self.best_ndcg = ndcg = mean(values)
        self.rows = [{"step": 0, "loss": None, "learning_rate": None, "gradient_norm": None, "dev_ndcg@10": ndcg}]

    def record(self, values: list[float], *, loss: float, rate: float, norm: float, early: bool, is_reranker: bool) -> bool:
        """Adds an evaluation; True when its weights are to be kept. `early`: the rate is still high, so nothing is kept and nothing counts as stale.

        Kept is the latest step that is not clearly below the top: among steps that few dev queries cannot tell apart, the one that learnt longest, and
        not the luckiest. A base that already ranks is left only for one that is likely above it. (The best of eight evaluations on 16 dev queries
        was step 1 of 6, and lost three points on unseen queries; a quickstart that stopped on three losses within the noise lost nine.)
        """
        ndcg = mean(values)
        self.rows.append({"step": self.step, "loss": loss, "learning_rate": rate, "gradient_norm": norm, "dev_ndcg@10": ndcg})
        if early:
            return False
        below_top = clearly_below(values, self.top_values)
        self.stale = self.stale + 1 if below_top else 0
        if ndcg > mean(self.top_values):
            self.top_values = values
        above_base = likely_above(values, self.base_values) if is_reranker else ndcg > self.base_ndcg
        kept = above_base and not below_top
        if kept:
            self.best_step, self.best_ndcg, self.best_values = self.step, ndcg, values
        return kept

    def lines(self, seed: int | None = None) -> str:
        """The rows as JSON lines; with `seed` each says first which of several runs it belongs to."""
        return "".join(json.dumps(row if seed is None else {"seed": seed, **row}) + "\n" for row in self.rows)


def clearly_below(values: list[float], reference: list[float]) -> bool:
    """Whether the mean is below the reference's by more than one standard error of the paired difference (Breiman et al. 1984, one-SE rule)."""
    middle, error = _difference(values, reference)
    return middle < -error


def likely_above(values: list[float], reference: list[float]) -> bool:
    """Whether the mean is above the reference's by more than half a standard error of the paired difference (docs/decisions/0009)."""
    middle, error = _difference(values, reference)
    return middle > error / 2


def _difference(values: list[float], reference: list[float]) -> tuple[float, float]:
    """Mean of values - reference, and its standard error."""
    differences = [value - other for value, other in zip(values, reference, strict=True)]
    count, middle = len(differences), mean(differences)
    spread = math.sqrt(sum((difference - middle) ** 2 for difference in differences) / max(1, count - 1))
    return middle, spread / math.sqrt(max(1, count))


def evaluation_steps(total: int, evaluations: int) -> set[int]:
    """A third of them in the first half of the run, for the curve; the others in the second, where weights are kept. Evenly spread in both.

    The last step is always among them; fewer when there are fewer steps.
    """
    half, early = total // 2, evaluations // 3
    late = evaluations - early
    first = {round(half * (number + 1) / early) for number in range(early)}
    return {step for step in first | {half + round((total - half) * (number + 1) / late) for number in range(late)} if step > 0}
