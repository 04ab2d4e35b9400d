"""Weights between base and tuned: base + alpha * (tuned - base), alpha chosen on dev with guard sets that must not suffer (WiSE-FT 2109.01903, LM-Cocktail 2311.13534)."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

import torch

from .evaluate import DevSet, mean
from .history import clearly_below, likely_above
from .model import PairModel

NEAR = 0.5  # alpha up to which any gain on dev counts; beyond it a likely one (docs/decisions/0009)
ROUNDING = 1e-9  # a guard set at the very limit is within it


@dataclass(frozen=True)
class Mixture:
    """NDCG@10 (0-1) on dev and on each guard set. alpha 0 is the base, 1 the tuned weights."""

    alpha: float
    dev: float
    guards: dict[str, float]
    values: list[float] = field(default_factory=list)
    """NDCG@10 of each dev query."""

    def record(self) -> dict[str, Any]:
        return {"alpha": self.alpha, "dev_ndcg@10": self.dev, "guards": self.guards}


@dataclass(frozen=True)
class Sweep:
    """All that was measured, and what was chosen."""

    base: Mixture
    mixtures: list[Mixture]
    chosen: Mixture
    guard_max_drop: float

    def record(self) -> dict[str, Any]:
        mixtures = [{**mixture.record(), "within_guards": within_guards(mixture, self.base, self.guard_max_drop)} for mixture in self.mixtures]
        return {"guard_max_drop": self.guard_max_drop, "base": self.base.record(), "mixtures": mixtures, "chosen": self.chosen.alpha}

    def message(self) -> str:
        values = ", ".join(f"{mixture.alpha:g}: {100 * mixture.dev:.2f}" for mixture in self.mixtures)
        refused = [mixture.alpha for mixture in self.mixtures if not within_guards(mixture, self.base, self.guard_max_drop)]
        guards = f"; {', '.join(f'{alpha:g}' for alpha in refused)} lost more than {self.guard_max_drop:g} on a guard set" if refused else ""
        kept = f"alpha {self.chosen.alpha:g} is kept" if self.chosen.alpha else "none is better than the base: its weights are kept"
        return f"base and tuned weights mixed, dev NDCG@10 by alpha ({100 * self.base.dev:.2f} for the base) {values}{guards}; {kept}"


def mixes_near_base(options: dict[str, Any]) -> bool:
    """Whether there is something to try where no step was kept."""
    return options["enabled"] and min(options["alphas"]) <= NEAR


def within_guards(mixture: Mixture, base: Mixture, max_drop: float) -> bool:
    return all(mixture.guards[name] >= value - max_drop - ROUNDING for name, value in base.guards.items())


def choose(base: Mixture, mixtures: list[Mixture], max_drop: float) -> Mixture:
    """The largest alpha that is not clearly worse on dev than the best of those better than the base and within the guards; else the base.

    Beyond half way to the tuned weights a gain must be likely. Nearer to the base any gain counts: there is less to lose, and mixtures mostly win.

    Between neighbours dev is flat: a base with 43.28 on 150 test queries had 48.73 there with the tuned weights and 46.41 half way, while on
    30 dev queries the two differed by 0.10. So the best by a hair is luck, and what was learnt from the person's own data is the better guess.
    """
    allowed = [mixture for mixture in mixtures if _is_better(mixture, base) and within_guards(mixture, base, max_drop)]
    if not allowed:
        return base
    best = max(allowed, key=lambda mixture: (mixture.dev, mixture.alpha))
    return max((mixture for mixture in allowed if not clearly_below(mixture.values, best.values)), key=lambda mixture: mixture.alpha)


def _is_better(mixture: Mixture, base: Mixture) -> bool:
    return mixture.dev > base.dev if mixture.alpha <= NEAR else likely_above(mixture.values, base.values)


def interpolate(
    model: PairModel,
    base: dict[str, torch.Tensor],
    dev: DevSet,
    guards: dict[str, DevSet],
    options: dict[str, Any],
    tokens: int,
    between: Callable[[int, int], None],
    known: dict[float, list[float]] | None = None,
) -> Sweep:
    """Leaves the chosen weights in `model`, which holds the tuned ones. `base`: the same parameters of the base.

    options: alphas, guard_max_drop. `between(done, all)` counts mixtures, and is called within them as well. `known`: what training has measured
    already on `dev`, by alpha, query by query.
    """
    tuned = {name: parameter.detach().cpu().clone() for name, parameter in model.parameters.items()}
    alphas = sorted(set(options["alphas"]), reverse=True)
    measured = []
    for number, alpha in enumerate((0.0, *alphas)):
        apply_mixture(model, base, tuned, alpha)
        values = (known or {}).get(alpha)
        if values is None:
            values = dev.values(model, tokens, lambda done, at=number: between(at, len(alphas) + 1))
        guarded = {name: part.ndcg(model, tokens, lambda done, at=number: between(at, len(alphas) + 1)) for name, part in guards.items()}
        measured.append(Mixture(alpha, mean(values), guarded, values))
    between(len(alphas) + 1, len(alphas) + 1)
    chosen = choose(measured[0], measured[1:], options["guard_max_drop"])
    apply_mixture(model, base, tuned, chosen.alpha)
    return Sweep(measured[0], measured[1:], chosen, options["guard_max_drop"])


def apply_mixture(model: PairModel, base: dict[str, torch.Tensor], tuned: dict[str, torch.Tensor], alpha: float) -> None:
    """lerp is exact at both ends."""
    with torch.no_grad():
        for name, parameter in model.parameters.items():
            parameter.copy_(torch.lerp(base[name], tuned[name], alpha))
