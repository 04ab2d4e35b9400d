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

    `stale`: evaluations of the second half of the run, since the best one, that were clearly below it.
    """

    step: int = 0
    best_step: int = 0
    base_ndcg: float = 0.0
    best_ndcg: float = 0.0
    base_values: list[float] = field(default_factory=list)
    best_values: list[float] = field(default_factory=list)
    stale: int = 0
    ended: str = ""
    guard: Guard = field(default_factory=Guard)
    rows: list[dict[str, float | int | None]] = field(default_factory=list)

    @classmethod
    def restore(cls, body: dict) -> "Progress":
        return cls(**{**body, "guard": Guard(**body["guard"])})

    def as_dict(self) -> dict:
        return asdict(self)

    def start(self, values: list[float]) -> None:
        """The base as it is: step 0."""
        self.base_values = self.best_values = values
        self.base_ndcg = self.best_ndcg = ndcg = mean(values)
        self.rows = [{"step": 0, "loss": None, "learning_rate": None, "gradient_norm": None, "dev_ndcg@10": ndcg}]

    def record(self, values: list[float], *, loss: float, rate: float, norm: float, early: bool) -> bool:
        """Adds an evaluation; True when it is the best so far. A tie keeps the earlier step. `early`: nothing counts as stale yet.

        Nor does a loss within the noise of the dev queries: a quickstart that stopped on three such losses lost nine points on test.
        """
        ndcg = mean(values)
        self.rows.append({"step": self.step, "loss": loss, "learning_rate": rate, "gradient_norm": norm, "dev_ndcg@10": ndcg})
        better = ndcg > self.best_ndcg
        self.stale = 0 if better or early else self.stale + clearly_below(values, self.best_values)
        if better:
            self.best_step, self.best_ndcg, self.best_values = self.step, ndcg, values
        return better

    def lines(self, seed: int | None = None) -> str:
        """The rows as JSON lines; with `seed` each says first which of several runs it belongs to."""
        return "".join(json.dumps(row if seed is None else {"seed": seed, **row}) + "\n" for row in self.rows)


def clearly_below(values: list[float], reference: list[float]) -> bool:
    """Whether the mean is below the reference's by more than one standard error of the paired difference (Breiman et al. 1984, one-SE rule)."""
    differences = [value - other for value, other in zip(values, reference, strict=True)]
    count, middle = len(differences), mean(differences)
    spread = math.sqrt(sum((difference - middle) ** 2 for difference in differences) / max(1, count - 1))
    return middle < -spread / math.sqrt(max(1, count))


def evaluation_steps(total: int, evaluations: int) -> set[int]:
    """Evenly spread, the last step always among them; fewer when there are fewer steps."""
    count = min(total, evaluations)
    return {round(total * (number + 1) / count) for number in range(count)}
