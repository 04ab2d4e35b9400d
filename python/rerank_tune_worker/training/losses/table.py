"""The groups of a micro-batch as one padded table, and what a loss must tell about itself. Every loss reads this and nothing else."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Sequence

import torch

from ..data import TrainingGroup


@dataclass(frozen=True)
class GroupTable:
    """Tensors are [groups, width]; places behind the end of a shorter group are False in `real`, hold label 0 and any finite score.

    `logits`: [pairs] in group order, with gradients; `grades`: [pairs] labels over the highest label of the training data, 0-1.
    `temperature` divides the teacher's scores.
    """

    groups: Sequence[TrainingGroup]
    logits: torch.Tensor
    scores: torch.Tensor
    labels: torch.Tensor
    real: torch.Tensor
    grades: torch.Tensor
    temperature: float

    @classmethod
    def build(cls, logits: torch.Tensor, groups: Sequence[TrainingGroup], *, top_label: float, temperature: float = 1.0) -> "GroupTable":
        width = max(len(group.labels) for group in groups)
        places = torch.full((len(groups), width), -1, dtype=torch.long)
        start = 0
        for row, group in enumerate(groups):
            places[row, : len(group.labels)] = torch.arange(start, start + len(group.labels))
            start += len(group.labels)
        places = places.to(logits.device)
        real, labels = places >= 0, pad([group.labels for group in groups], logits)
        grades = (labels[real] / max(top_label, 1e-12)).clamp(0, 1)
        return cls(groups, logits, logits[places.clamp(min=0)], labels, real, grades, temperature)

    def teacher(self) -> torch.Tensor:
        """[groups, width] scores of the teacher over its temperature; 0 behind the end of a group."""
        return pad([group.teacher for group in self.groups], self.logits) / self.temperature

    def log_softmax(self, scores: torch.Tensor) -> torch.Tensor:
        """Over the real places of each group; 0 elsewhere, so that products stay finite."""
        return torch.log_softmax(scores.masked_fill(~self.real, -math.inf), 1).masked_fill(~self.real, 0.0)


@dataclass(frozen=True)
class Loss:
    """One loss of the table in `losses`.

    `sums(table)`: the sum of its terms, and that sum as it would be if the scores of each group were equal (what the guard compares with).
    `terms(group)`: how many terms a group has; the loss of a step is the sum over the terms of the step, so micro-batches add up exactly.
    `compares(group)`: whether the loss asks for different scores in it. `flat`: name of the value at equal scores, for messages.
    `anchored`: whether the binary cross-entropy anchor goes beside it.
    """

    sums: Callable[[GroupTable], tuple[torch.Tensor, float]]
    terms: Callable[[TrainingGroup], int]
    compares: Callable[[TrainingGroup], bool]
    flat: str = "that of equal scores"
    needs_teacher: bool = False
    anchored: bool = True


def pad(rows: Sequence[Sequence[float]], like: torch.Tensor) -> torch.Tensor:
    """[rows, longest row] with 0 behind each end; type and device of `like`."""
    out = torch.zeros(len(rows), max(map(len, rows)), dtype=like.dtype)
    for row, values in enumerate(rows):
        out[row, : len(values)] = torch.tensor(values, dtype=like.dtype)
    return out.to(like.device)


def differences(values: torch.Tensor) -> torch.Tensor:
    """[groups, width] -> [groups, width, width]: the first place's value minus the second's."""
    return values[:, :, None] - values[:, None, :]


def both(real: torch.Tensor) -> torch.Tensor:
    """[groups, width] -> [groups, width, width] True where both places are."""
    return real[:, :, None] & real[:, None, :]


def better(labels: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """[groups, width] each -> [groups, width, width] True where both places are real and the first has the higher label."""
    return (differences(labels) > 0) & both(real)


def one(group: TrainingGroup) -> int:
    """A term a group, whatever is in it."""
    return 1


def label_pairs(group: TrainingGroup) -> int:
    """Unordered pairs of passages with different labels."""
    total = len(group.labels)
    same = sum(group.labels.count(label) ** 2 for label in set(group.labels))
    return (total * total - same) // 2


def labels_differ(group: TrainingGroup) -> bool:
    return len(set(group.labels)) > 1


def teacher_differs(group: TrainingGroup) -> bool:
    return len(set(group.teacher)) > 1
