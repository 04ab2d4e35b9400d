"""Decides the form of every group and of the lookup tables: the cheapest whose measured score error is small enough, rung by rung.

The first rung is static everywhere. Where that is not enough, each group's part in the error is measured alone (sensitivity.py), and groups
change to dearer forms in the order of error taken away per time spent, until a graph that was built and measured is good enough.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .groups import Group
from .search import Choice

# From cheap to dear, as search.py names them.
FORMS = ("static", "smoothed", "token", "block", "float32")
# Tables in int8 halve the largest part of a multilingual model; a score error this many times fp16's is the price at most (decision 10).
TABLES_WORTH = 1.25
# Time of a float32 and of an int8 multiplication in passes over one channel (decision 14): what a form costs is compared in these.
FLOAT_PRODUCT, BLOCK_PRODUCT, INT8_PRODUCT = 0.027, 0.031, 0.0033
# Share of all products that may stay float32; with more, nothing is left of the speed.
FLOAT_SHARE = 0.05
# A cheaper rung is looked for behind one that is good enough while it saves this much of its cost.
WORTH_ANOTHER_TRY = 0.8
# Where no rung reaches the target, one with an error this many times the least that was measured will do: the last steps cost most and bring least.
CLOSE_TO_LEAST = 1.25
# Graphs that are built and measured in one climb at most, and in the second one to the least error; a try costs a minute on a large model.
TRIES, TRIES_CLOSE_TO_LEAST = 6, 4

Choices = dict[str, Choice]


@dataclass(frozen=True)
class Rung:
    """One graph: the form's name by group, what it costs beyond the first rung, and the score error that is expected of it."""

    forms: dict[str, str]
    cost: float
    expected: float


@dataclass(frozen=True)
class Limits:
    """Score errors: at `target` the search ends; above `most` weights by blocks are tried."""

    target: float
    most: float


def choose_forms(
    groups: list[Group], options: dict[str, dict[str, Choice]], measure: Callable[[Choices], float], sense: Callable[[Choices], dict[str, float]], limits: Limits
) -> tuple[Choices, float]:
    """The choices and their score error.

    `options` by group and form. `measure` builds a graph and returns its error; `sense` returns each group's error alone. float32 matrices,
    the dearest step, stay only where they bring the error to the target. Weights by blocks hardly gain time but keep the activations.
    Where nothing reaches the target, the cheapest that comes close to the least error wins, so that the last tenths cost no time.
    """
    pick = lambda forms: {x: options[x][form] for x, form in forms.items()}  # noqa: E731
    spent = lambda forms: sum(cost(group, options[group.x][forms[group.x]]) for group in groups)  # noqa: E731
    measured: list[tuple[float, dict[str, str]]] = []

    def error_of(forms: dict[str, str]) -> float:
        known = next((error for error, before in measured if before == forms), None)
        if known is not None:
            return known
        measured.append((measure(pick(forms)), forms))
        return measured[-1][0]

    def least() -> float:
        return min(error for error, forms in measured if "float32" not in forms.values())

    first = error_of({x: "static" for x in options})
    if first > limits.target:
        probes = {x: found.get("smoothed", found["static"]) for x, found in options.items()}
        alone = sense(probes)
        if not _climb(rungs(groups, options, alone, probes, True), error_of, first, limits.target, TRIES):
            ladder = rungs(groups, options, alone, probes, False)
            error_of(ladder[-1].forms)
            _climb(ladder, error_of, first, max(limits.target, CLOSE_TO_LEAST * least()), TRIES_CLOSE_TO_LEAST)
    if min(error for error, _ in measured) > limits.most and all("block" in found for found in options.values()):
        error_of({x: "block" for x in options})
    enough = [found for found in measured if found[0] <= limits.target]
    close = [found for found in measured if "float32" not in found[1].values() and found[0] <= CLOSE_TO_LEAST * least()]
    error, forms = min(enough or close, key=lambda found: spent(found[1]))
    return pick(forms), error


def rungs(groups: list[Group], options: dict[str, dict[str, Choice]], alone: dict[str, float], probes: Choices, with_float32: bool) -> list[Rung]:
    """All rungs from the first one on, each one change dearer than the last. Errors of groups add up as squares, as independent errors do."""
    weight = {x: (alone[x] / max(probes[x].error, 1e-9)) ** 2 for x in options}
    part = lambda x, form: weight[x] * options[x][form].error ** 2  # noqa: E731
    costs = {group.x: {form: cost(group, choice) for form, choice in options[group.x].items()} for group in groups}
    floats = FLOAT_SHARE * sum(map(products, groups)) if with_float32 else 0
    rung = lambda forms: Rung(forms, sum(costs[x][name] for x, name in forms.items()), sum(part(x, name) for x, name in forms.items()) ** 0.5)  # noqa: E731
    forms = {group.x: "static" for group in groups}
    found = [rung(forms)]
    while True:
        steps = [(part(g.x, forms[g.x]) - part(g.x, form), costs[g.x][form] - costs[g.x][forms[g.x]], g, form) for g in groups for form in options[g.x] if form != "block"]
        steps = [step for step in steps if step[0] > 0 and step[1] > 0 and (step[3] != "float32" or products(step[2]) <= floats)]
        if not steps:
            return found
        _, _, group, form = max(steps, key=lambda step: step[0] / step[1])
        forms = forms | {group.x: form}
        floats -= products(group) if form == "float32" else 0
        found.append(rung(forms))


def form_of(group: Group, choice: Choice) -> str:
    """The rung's name for a choice: smoothing that costs a pass is one of its own."""
    return "smoothed" if choice.form == "static" and _is_paid(group, choice) else choice.form


def _is_paid(group: Group, choice: Choice) -> bool:
    return choice.alpha > 0 and not group.free_smoothing


def cost(group: Group, choice: Choice) -> float:
    """Time a token beyond the static form, in passes over one channel."""
    outputs = sum(member.weight.dims[1] for member in group.members)
    paid = group.width if _is_paid(group, choice) else 0
    if choice.form == "token":  # the largest value of each token is looked for, and every output is multiplied and shifted on its own
        return paid + 1.5 * group.width + 2 * outputs
    extra = {"block": BLOCK_PRODUCT, "float32": FLOAT_PRODUCT}.get(choice.form, INT8_PRODUCT) - INT8_PRODUCT
    return paid + extra * products(group)


def products(group: Group) -> int:
    """Multiplications a token."""
    return sum(member.weight.dims[0] * member.weight.dims[1] for member in group.members)


def _climb(ladder: list[Rung], error_of: Callable[[dict[str, str]], float], first: float, target: float, tries: int) -> bool:
    """Whether a rung was good enough. Measures the cheapest that should be, between the dearest that was not and the cheapest that was.

    `first` is the measured error of the first rung; what was measured corrects what is expected of the others.
    """
    low, high, correction = 0, len(ladder), _correction(first, ladder[0])
    for _ in range(tries - 1):
        limit = ladder[high].cost * WORTH_ANOTHER_TRY if high < len(ladder) else float("inf")
        wanted = [at for at in range(low + 1, high) if ladder[at].expected * correction <= 0.95 * target and ladder[at].cost < limit]
        if not wanted and (high < len(ladder) or low == len(ladder) - 1):
            break
        at = wanted[0] if wanted else len(ladder) - 1  # nothing should do: the dearest says whether anything does
        error = error_of(ladder[at].forms)
        correction = _correction(error, ladder[at])
        low, high = (low, at) if error <= target else (at, high)
    return high < len(ladder)


def _correction(measured: float, rung: Rung) -> float:
    """Errors of one direction add up as they are and not as squares; bounded, as one measurement of few pairs says little."""
    return min(3.0, max(0.5, measured / max(rung.expected, 1e-9)))


def int8_tables_suffice(error: float, with_fp16: float, target: float) -> bool:
    """Whether the score error with large tables in int8 is good enough, or close to that with tables in fp16."""
    return error <= max(target, TABLES_WORTH * with_fp16)
