"""Decides which groups get the dearer token form, and which lookup tables the larger one: as few as the measured score error allows."""
from __future__ import annotations

from collections.abc import Callable

from .search import Choice

# rmse / std at which no more groups change form. onnx.md §10: 0.047 left NDCG@10 within 0.3 %, 0.107 was still harmless.
ENOUGH = 0.05
# Tables in int8 halve the largest part of a multilingual model; a score error this many times fp16's is the price at most (decision 10).
TABLES_WORTH = 1.25
# Share of groups in token form that is tried, in this order.
SHARES = (0.0, 0.125, 0.25, 0.5, 1.0)
# Shares in a row that may bring nothing before the search gives up: a try costs minutes on a large model.
PATIENCE = 2


def choose_forms(options: dict[str, dict[str, Choice]], measure: Callable[[dict[str, Choice]], float]) -> tuple[dict[str, Choice], float]:
    """The choices and their score error. `options` by group: the best choice of each form. `measure` builds a graph and returns its error.

    Groups change in the order in which the token form lowers their own error; the search ends at ENOUGH, or with the best
    share tried when PATIENCE runs out.
    """
    order = sorted(options, key=lambda x: options[x]["token"].error - options[x]["static"].error)
    willing = [x for x in order if options[x]["token"].error < options[x]["static"].error]
    best: tuple[float, dict[str, Choice]] | None = None
    tried: set[int] = set()
    idle = 0
    for share in SHARES:
        count = min(round(share * len(order)), len(willing))
        if count in tried:
            continue
        tried.add(count)
        changed = set(willing[:count])
        choices = {x: found["token" if x in changed else "static"] for x, found in options.items()}
        error = measure(choices)
        idle += 1
        if best is None or error < best[0]:
            best, idle = (error, choices), 0
        if error <= ENOUGH or idle == PATIENCE:
            break
    assert best is not None
    return best[1], best[0]


def int8_tables_suffice(error: float, with_fp16: float) -> bool:
    """Whether the score error with large tables in int8 is good enough, or close to that with tables in fp16."""
    return error <= max(ENOUGH, TABLES_WORTH * with_fp16)
