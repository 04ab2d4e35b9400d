"""What the parts of a train job share: its folder, its model, the sets it scores, and whom it tells. Decides nothing."""
from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any, Callable

from ..base_model import BaseModel
from ..pairs import PairEncoder
from ..protocol import Job
from ..reporter import Reporter
from .checkpoint import write_text
from .data import Group
from .distributed import Alone
from .evaluate import DevSet, write_scores
from .model import PairModel
from .student import Cut

GUARD = "guard-"  # how the names of inputs begin that are guard sets


@dataclass(frozen=True)
class TeacherScores:
    """`pairs`: (group, passage) -> logit, of all passages that any seed sees, in the precision of training. `dev`: NDCG@10 (0-1) of each dev query."""

    pairs: dict[tuple[int, int], float]
    dev: list[float]


@dataclass
class Run:
    """`scored`: the test split and the guard sets, whole, by the names of their inputs. `dev`: what evaluations during training see of it.

    `top_label`: the highest label of the training passages. `ranks`: this process among those that train together. `micro_batch`: which budget of tokens was taken, and why (`micro_batch.Choice.record`).
    `cut`: of a student, which layers of the base it has; `teacher`: what the whole base says, known from the phase score_base on.
    """

    job: Job
    reporter: Reporter
    base: BaseModel
    model: PairModel
    encoder: PairEncoder
    splits: dict[str, list[Group]]
    scored: dict[str, DevSet]
    dev: DevSet
    parameters: int
    top_label: float
    ranks: Alone
    micro_batch: dict[str, Any] = field(default_factory=dict)
    cut: Cut | None = None
    teacher: "TeacherScores | None" = None

    @property
    def options(self) -> dict[str, Any]:
        return self.job.options

    @property
    def starts_ranking(self) -> bool:
        """Whether what training starts from is a reranker as it stands: no fresh head, and no student, which has lost layers."""
        return self.base.is_reranker and self.cut is None

    @property
    def tokens(self) -> int:
        """Of a micro-batch, a number even where the recipe leaves it to the machine."""
        return self.micro_batch["tokens"]

    @property
    def seeds(self) -> list[int]:
        return seeds(self.options)

    @property
    def guards(self) -> dict[str, DevSet]:
        return {name: part for name, part in self.scored.items() if name.startswith(GUARD)}

    def phase(self, name: str) -> None:
        start_phase(self.reporter, name, phases(self.options, self.base))

    def path(self, *names: str) -> str:
        return os.path.join(self.job.out_dir, *names)

    def between(self, total: int) -> Callable[[int], None]:
        """Told after each batch of scoring how many pairs are done."""

        def report(done: int) -> None:
            self.reporter.check_cancelled()
            self.reporter.progress(done, total, "pairs")

        return report

    def scores_path(self, kind: str, name: str) -> str:
        return self.path(f"scores.{kind}.{name}.tsv")

    def write_scores(self, kind: str, name: str) -> float:
        """scores.KIND.NAME.tsv of one of `scored`, in fp32. Returns pairs per second."""
        part = self.scored[name]
        return write_scores(self.scores_path(kind, name), part.groups, part.pairs, self.model, self.tokens, self.between(len(part.pairs)))

    def record(self, name: str, body: dict[str, Any]) -> None:
        write_text(self.path("records", name), json.dumps(body, indent=2) + "\n")


def seeds(options: dict[str, Any]) -> list[int]:
    """One run of training each, in this order."""
    return [options["seed"] + number for number in range(options.get("seeds", 1))]


def interpolates(options: dict[str, Any], base: BaseModel) -> bool:
    """There is something to interpolate with only where the base already ranks and has the same layers."""
    return options["interpolate"]["enabled"] and base.is_reranker and not options.get("student")


def phases(options: dict[str, Any], base: BaseModel) -> tuple[str, ...]:
    """The phases of this job, in order."""
    chosen = {"average": len(seeds(options)) > 1, "interpolate": interpolates(options, base), "calibrate": options["calibrate"]}
    return tuple(name for name in ("load_model", "score_base", "train", "average", "interpolate", "calibrate", "score_test", "save") if chosen.get(name, True))


def start_phase(reporter: Reporter, name: str, names: tuple[str, ...]) -> None:
    reporter.check_cancelled()
    reporter.phase(name, names.index(name) + 1, len(names))
