"""The gradient of one optimizer step, or of one rank's share of it. Adds to the parameters' `grad`, changes nothing else."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Sequence

import torch

from ..pairs import EncodedPair
from .budget import TokenBudget
from .data import PairCache, StepPlan, TrainingGroup, micro_batches
from .loss import LossSums, Objective, StepSize
from .model import PairModel

RANK_SEED = 1_000_000_007  # between the ranks' dropout; rank 0's is that of one process


@dataclass
class StepReport:
    """What a step, or a share of it, computed."""

    sums: LossSums = field(default_factory=LossSums)
    tokens: int = 0
    pairs: int = 0

    def numbers(self) -> list[float]:
        """For adding up over ranks."""
        return [float(value) for value in (*vars(self.sums).values(), self.tokens, self.pairs)]

    @classmethod
    def of_numbers(cls, numbers: Sequence[float]) -> "StepReport":
        names = vars(LossSums())
        *sums, tokens, pairs = numbers
        typed = {name: type(default)(value) for (name, default), value in zip(names.items(), sums, strict=True)}
        return cls(LossSums(**typed), int(tokens), int(pairs))


class StepGradients:
    """`rank` of `world`: whose share of each step is computed. `budget`: how it is cut into micro-batches; else as `options` say."""

    def __init__(self, model: PairModel, plan: StepPlan, cache: PairCache, objective: Objective, options: dict[str, Any], *, rank: int, world: int, budget: TokenBudget | None = None):
        self._model, self._plan, self._cache, self._objective = model, plan, cache, objective
        self._options, self._rank, self._world = options, rank, world
        self._budget = budget or TokenBudget(options["micro_batch_tokens"], options)

    def compute(self, step: int) -> StepReport:
        """Losses are sums over the share, divided by the size of the whole step, so that gradients of shares add up to that of one process."""
        whole = self._plan.step(step)
        encoded = [self._cache.get([(group.group, passage) for passage in group.passages]) for group in whole]
        own = shares([sum(len(pair.ids) for pair in pairs) for pairs in encoded], self._world)[self._rank]
        groups, pairs = [whole[index] for index in own], [encoded[index] for index in own]
        size, report = self._objective.size(whole), StepReport()
        if groups:
            largest = max(sum(len(pair.ids) for pair in group) for group in pairs)
            report.sums = self._budget.spend(step, largest, lambda tokens: self._backward(step, size, groups, pairs, tokens), self._forget)
        report.tokens = sum(len(pair.ids) for group in pairs for pair in group)
        report.pairs = sum(map(len, pairs))
        return report

    def _backward(self, step: int, size: StepSize, groups: list[TrainingGroup], pairs: list[list[EncodedPair]], tokens: int) -> LossSums:
        """All of a share, in micro-batches of so many tokens."""
        sums = LossSums()
        # dropout, where it is on: no generator state to restore
        torch.manual_seed(self._options["seed"] * 1_000_003 + step + RANK_SEED * self._rank)
        self._model.start_step()
        for batch in micro_batches(groups, pairs, tokens, padded=self._model.padded):
            logits = self._model.training_logits([pair for index in batch for pair in pairs[index]])
            parts, part = self._objective.parts(logits, [groups[index] for index in batch])
            self._objective.mean(parts, size).backward()
            sums.add(part)
        return sums

    def _forget(self) -> None:
        """Takes back what `_backward` may have begun."""
        for parameter in self._model.parameters.values():
            parameter.grad = None


def shares(costs: Sequence[int], world: int) -> list[list[int]]:
    """Places of `costs` for each rank, ascending: the costliest first, each to the rank with least so far. Some are empty where there are few.

    Longest processing time first (Graham 1969): the largest total is at most 4/3 of the best possible. One rank gets all, in order.
    """
    totals, chosen = [0] * world, [[] for _ in range(world)]
    for place in sorted(range(len(costs)), key=lambda index: (-costs[index], index)):
        rank = totals.index(min(totals))
        totals[rank] += costs[place]
        chosen[rank].append(place)
    return [sorted(places) for places in chosen]
