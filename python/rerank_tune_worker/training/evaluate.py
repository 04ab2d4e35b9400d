"""Scores whole splits: NDCG@10 on dev and on guard sets, and score files of the test split."""
from __future__ import annotations

import time
from typing import Callable

from ..pairs import EncodedPair, PairEncoder
from .checkpoint import write_text
from .data import Group
from .model import PairModel
from .ndcg import ndcg_at_k


class DevSet:
    """Queries of dev, or of a guard set, with their candidates, encoded once. `queries`, `depth`: only the first ones; None is all."""

    def __init__(self, groups: list[Group], encoder: PairEncoder, *, queries: int | None = None, depth: int | None = None):
        self.groups = [group if depth is None else _cut(group, depth) for group in groups[:queries]]
        self.pairs = encode_groups(self.groups, encoder)

    @property
    def sizes(self) -> list[int]:
        """Candidates of each query."""
        return [len(group.passages) for group in self.groups]

    def grades(self, top_label: float) -> list[float]:
        """Labels of `pairs` over the top label, 0-1."""
        return grades(self.groups, top_label)

    def ndcg(self, model: PairModel, tokens: int, between: Callable[[int], None]) -> float:
        """Mean NDCG@10, 0-1."""
        return mean(self.values(model, tokens, between))

    def values(self, model: PairModel, tokens: int, between: Callable[[int], None]) -> list[float]:
        """NDCG@10 of each query, 0-1. Computed in the precision of training: only the order counts here."""
        scores = model.score(self.pairs, exact=False, tokens=tokens, between=between)
        values, start = [], 0
        for group in self.groups:
            part = scores[start : start + len(group.passages)]
            start += len(group.passages)
            values.append(ndcg_at_k([p.id for p in group.passages], part, [p.label for p in group.passages], group.missed))
        return values


def mean(values: list[float]) -> float:
    return sum(values) / max(1, len(values))


def encode_groups(groups: list[Group], encoder: PairEncoder) -> list[EncodedPair]:
    return encoder.encode([(group.query, passage.text) for group in groups for passage in group.passages])


def grades(groups: list[Group], top_label: float) -> list[float]:
    """Labels over the top label, 0-1, passage by passage."""
    return [min(1.0, max(0.0, passage.label / max(top_label, 1e-12))) for group in groups for passage in group.passages]


def write_scores(path: str, groups: list[Group], pairs: list[EncodedPair], model: PairModel, tokens: int, between: Callable[[int], None]) -> float:
    """Scores all pairs in fp32 and writes query_id, passage_id, score in the order of the groups. Returns pairs per second."""
    started = time.perf_counter()
    scores = model.score(pairs, exact=True, tokens=tokens, between=between)
    seconds = time.perf_counter() - started
    names = [(group.query_id, passage.id) for group in groups for passage in group.passages]
    lines = [f"{query}\t{passage}\t{score!r}\n" for (query, passage), score in zip(names, scores, strict=True)]
    write_text(path, "".join(lines))
    return len(pairs) / max(seconds, 1e-9)


def _cut(group: Group, depth: int) -> Group:
    """Relevant passages below the depth count as missed, so that the ideal stays the same."""
    below = tuple(p.label for p in group.passages[depth:] if p.label > 0)
    return Group(group.query_id, group.query, group.passages[:depth], group.missed + below)
