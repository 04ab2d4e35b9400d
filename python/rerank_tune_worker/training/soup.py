"""The average of the weights of several seeds ("soup", Wortsman et al. 2203.05482), and whether it or the best single seed goes on."""
from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any, Iterable

import torch

from ..pairs import EncodedPair
from .ending import merge_adapters
from .outcome import Outcome, seed_checkpoint
from .run_context import Run
from .weights import Named, plain_weights, put, swap

WITHIN = 0.005  # NDCG@10 on dev below the best seed from which on a seed is left out of the average (training.md §3: 0.5 points)


@dataclass(frozen=True)
class Soup:
    """`best`: the seed whose best weights are best on dev. `averaged`: seeds, none where there were not two; `average`: their NDCG@10 (0-1) on dev."""

    outcomes: list[Outcome]
    best: Outcome
    averaged: tuple[int, ...] = ()
    average: float | None = None

    @property
    def keeps_average(self) -> bool:
        """An average varies less than a seed, so that it wins a tie."""
        return self.average is not None and self.average >= self.best.dev_ndcg

    @property
    def dev_ndcg(self) -> float:
        """NDCG@10 (0-1) of the weights that were kept, on the dev queries of the evaluations."""
        return self.average if self.average is not None and self.keeps_average else self.best.dev_ndcg

    def record(self) -> dict[str, Any]:
        values = [outcome.dev_ndcg for outcome in self.outcomes if not outcome.collapsed]
        return {
            "runs": [outcome.record() for outcome in self.outcomes],
            "mean": statistics.fmean(values),
            "standard_deviation": statistics.stdev(values) if len(values) > 1 else None,
            "best_seed": self.best.seed,
            "averaged": list(self.averaged),
            "average_dev_ndcg_at_10": self.average,
            "kept": "average" if self.keeps_average else "seed",
        }

    def message(self) -> str:
        """One line for the log; NDCG@10 in points."""
        found = self.record()
        values = ", ".join(f"{outcome.seed}: {'collapsed' if outcome.collapsed else _points(outcome.dev_ndcg)}" for outcome in self.outcomes)
        spread = "" if found["standard_deviation"] is None else f", standard deviation {_points(found['standard_deviation'])}"
        if self.average is None:
            end = f"no two of them are within {100 * WITHIN:g} points of the best and better than the base, so that nothing is averaged: seed {self.best.seed} is kept"
        else:
            members = ", ".join(str(seed) for seed in self.averaged)
            end = f"the average of the weights of seeds {members} has {_points(self.average)}: {'it' if self.keeps_average else f'seed {self.best.seed}'} is kept"
        return f"dev NDCG@10 by seed {values}; mean {_points(found['mean'])}{spread}; {end}"


def best_seed(outcomes: list[Outcome]) -> Outcome:
    """The first among equals. At least one must not have collapsed."""
    return max((outcome for outcome in outcomes if not outcome.collapsed), key=lambda outcome: outcome.dev_ndcg)


def close_seeds(outcomes: list[Outcome]) -> list[Outcome]:
    """Those to average: better than the base, and less than WITHIN below the best. A seed that kept the base would only pull back to it."""
    best = best_seed(outcomes).dev_ndcg
    return [outcome for outcome in outcomes if outcome.learned and best - outcome.dev_ndcg < WITHIN]


def running_mean(weights: Iterable[Named]) -> dict[str, torch.Tensor]:
    """[the same names and shapes each time] -> their mean, in fp32 on the CPU; one set of weights beside the mean at most. Exact where all are equal."""
    mean: dict[str, torch.Tensor] = {}
    for number, tensors in enumerate(weights, 1):
        for name, tensor in tensors:
            mean[name] = tensor.float().cpu().clone() if number == 1 else mean[name].lerp_(tensor.float().cpu(), 1 / number)
    return mean


def keep_best(run: Run, outcomes: list[Outcome], pairs: list[EncodedPair]) -> Soup:
    """Leaves the weights that go on in the model, plain (adapters merged, on `pairs` checked). With one seed the model must hold them already.

    Adapters are averaged merged: the mean of the products of their factors is not the product of the mean factors.
    """
    best = best_seed(outcomes)
    if len(run.seeds) == 1:
        merge_adapters(run, pairs)
        return Soup(outcomes, best)
    run.phase("average")
    close = close_seeds(outcomes)
    mean = running_mean(_weights(run, outcome) for outcome in close) if len(close) > 1 else {}
    put(run.model, _best_tensors(run, best))
    merge_adapters(run, pairs)
    soup = _taste(run, outcomes, best, close, mean) if mean else Soup(outcomes, best)
    run.reporter.log(soup.message(), "info", "train")
    return soup


def _taste(run: Run, outcomes: list[Outcome], best: Outcome, close: list[Outcome], mean: dict[str, torch.Tensor]) -> Soup:
    """Measures the average in the place of the best seed's weights, which come back when they are better."""
    swap(run.model, mean)
    value = run.dev.ndcg(run.model, run.tokens, run.between(len(run.dev.pairs)))
    soup = Soup(outcomes, best, tuple(outcome.seed for outcome in close), value)
    if not soup.keeps_average:
        swap(run.model, mean)
    return soup


def _weights(run: Run, outcome: Outcome) -> Named:
    put(run.model, _best_tensors(run, outcome))
    return plain_weights(run.model)


def _best_tensors(run: Run, outcome: Outcome) -> Named:
    return seed_checkpoint(run, outcome.seed).best_tensors(outcome.progress.weights_step)


def _points(value: float) -> str:
    return f"{100 * value:.2f}"
