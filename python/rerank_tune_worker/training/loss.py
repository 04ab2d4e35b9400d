"""What a training step minimizes: the loss of the recipe, its anchor, and the pull to the base or, for a student, to its teacher. Works on logits only."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Sequence

import torch

from .data import TrainingGroup
from .losses import LOSSES, PULLS
from .losses.bce import anchor
from .losses.table import GroupTable, pad


@dataclass
class LossSums:
    """Sums over the groups of a step, for reports and for the guard.

    `flat_loss`: the group loss if the scores inside each group were equal. `spread`: standard deviations of the logits of the `compared` groups,
    those in which the loss asks for different scores. `terms`: what the group loss is a sum over.
    """

    group_loss: float = 0.0
    anchor: float = 0.0
    to_base: float = 0.0
    flat_loss: float = 0.0
    spread: float = 0.0
    compared: int = 0
    terms: int = 0
    groups: int = 0
    pairs: int = 0

    def add(self, other: "LossSums") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class StepSize(NamedTuple):
    """What the sums of a step are divided by. Known before its first micro-batch."""

    terms: int
    groups: int
    pairs: int


class Parts(NamedTuple):
    """Sums of the three parts over the groups of a micro-batch, tensors with gradients, or over a step, numbers."""

    group_loss: Any
    anchor: Any
    to_base: Any


class Objective:
    """`base_scores`: (group, passage) -> score of the untouched base, of a student the teacher; needed where it `pulls`."""

    def __init__(self, options: dict[str, Any], top_label: float):
        """options: loss, bce_weight, teacher_temperature, kl_to_base, student of the train job."""
        self._loss, self._top_label = LOSSES[options["loss"]], top_label
        self._bce_weight, self._temperature = options["bce_weight"], options["teacher_temperature"]
        pull = options.get("student") or {"loss": "kl", "weight": options["kl_to_base"]}
        self._pull, self._pull_weight = PULLS[pull["loss"]], pull["weight"]
        self.base_scores: dict[tuple[int, int], float] = {}

    @property
    def pulls(self) -> bool:
        """Whether it holds the model to scores of the base."""
        return self._pull_weight > 0

    @property
    def flat_name(self) -> str:
        """Name of the loss at equal scores."""
        return self._loss.flat

    def size(self, groups: Sequence[TrainingGroup]) -> StepSize:
        """A step without a term, such as one of one-class groups under a pairwise loss, is divided by 1: its group loss is 0."""
        return StepSize(max(1, sum(map(self._loss.terms, groups))), len(groups), sum(len(group.labels) for group in groups))

    def parts(self, logits: torch.Tensor, groups: Sequence[TrainingGroup]) -> tuple[Parts, LossSums]:
        """logits: [pairs] fp32 in group order. Sums over whole groups, so that micro-batches add up to the step exactly."""
        table = GroupTable.build(logits, groups, top_label=self._top_label, temperature=self._temperature)
        group_loss, flat_loss = self._loss.sums(table)
        parts = Parts(
            group_loss,
            anchor(table) if self._loss.anchored else logits.new_zeros(()),
            self._pull(table, self._wanted(table)) if self.pulls else logits.new_zeros(()),
        )
        numbers = (float(part.detach()) for part in parts)
        spreads = zip(groups, logits.detach().split([len(group.labels) for group in groups]))
        compared = [float(part.std(correction=0)) for group, part in spreads if self._loss.compares(group)]
        return parts, LossSums(*numbers, flat_loss, sum(compared), len(compared), sum(map(self._loss.terms, groups)), len(groups), len(logits))

    def mean(self, parts: Parts, size: StepSize) -> Any:
        """The weighted sum of the parts over the size of the step; of tensors what to differentiate, of numbers what to report."""
        total = parts.group_loss / size.terms
        if self._loss.anchored:
            total = total + self._bce_weight * parts.anchor / size.pairs
        if self.pulls:
            total = total + self._pull_weight * parts.to_base / size.groups
        return total

    def report(self, sums: LossSums) -> float:
        """The loss of a whole step."""
        return self.mean(Parts(sums.group_loss, sums.anchor, sums.to_base), StepSize(max(1, sums.terms), sums.groups, sums.pairs))

    def _wanted(self, table: GroupTable) -> torch.Tensor:
        return pad([[self.base_scores[group.group, passage] for passage in group.passages] for group in table.groups], table.logits)
