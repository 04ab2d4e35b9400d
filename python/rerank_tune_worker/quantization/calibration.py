"""Draws calibration pairs out of the training groups. Encodes them; runs nothing."""
from __future__ import annotations

import json
import random

from ..pairs import EncodedPair, PairEncoder
from ..reporter import JobError

SEED = 7


def calibration_pairs(path: str, encoder: PairEncoder, queries: int, depth: int) -> tuple[list[EncodedPair], list[EncodedPair]]:
    """Pairs of the search and pairs held back from it, split by query. The same file and numbers give the same pairs.

    Half of a query's passages are its relevant ones where there are so many, the rest is drawn from the others.
    """
    chooser = random.Random(SEED)
    chosen = _sample_groups(path, queries, chooser)
    if len(chosen) < 2:
        raise JobError("DATA_INVALID", f"{path} holds {len(chosen)} queries with passages, calibration needs at least 2", "give more training queries")
    halves: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
    for index, group in enumerate(chosen):
        halves[index % 2].extend((group["query"], passage["text"]) for passage in _sample_passages(group["passages"], depth, chooser))
    return encoder.encode(halves[0]), encoder.encode(halves[1])


def _sample_groups(path: str, count: int, chooser: random.Random) -> list[dict]:
    """Reservoir sampling (Vitter's algorithm R), so that a large file is read once and not kept."""
    kept: list[dict] = []
    seen = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.strip():
                continue
            group = json.loads(line)
            if not group["passages"]:
                continue
            seen += 1
            place = len(kept) if len(kept) < count else chooser.randrange(seen)
            if place == len(kept):
                kept.append(group)
            elif place < count:
                kept[place] = group
    return kept


def _sample_passages(passages: list[dict], depth: int, chooser: random.Random) -> list[dict]:
    relevant = [passage for passage in passages if passage["label"] > 0]
    others = [passage for passage in passages if passage["label"] <= 0]
    chooser.shuffle(relevant)
    chooser.shuffle(others)
    half = max(1, depth // 2)
    chosen = relevant[:half] + others
    return (chosen + relevant[half:])[:depth]
