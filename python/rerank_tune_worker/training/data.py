"""Groups of labelled passages, the sampling of training groups, and the order of steps. Everything follows from seed and step number."""
from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from typing import Any, Iterator

from ..pairs import EncodedPair, PairEncoder
from ..reporter import JobError


@dataclass(frozen=True)
class Passage:
    id: str
    text: str
    label: float
    source: str
    teacher_score: float | None = None


@dataclass(frozen=True)
class Group:
    """One query. `missed`: labels of relevant passages that cannot be scored but stay in the ideal of NDCG."""

    query_id: str
    query: str
    passages: tuple[Passage, ...]
    missed: tuple[float, ...]


@dataclass(frozen=True)
class TrainingGroup:
    """Passages of one group in one step: indices into its passages, their labels (>= 0), and a teacher's scores, none unless all have one."""

    group: int
    passages: tuple[int, ...]
    labels: tuple[float, ...]
    teacher: tuple[float, ...] = ()


def read_groups(path: str) -> list[Group]:
    """The canonical JSONL of groups. Raises JobError DATA_NOT_FOUND or DATA_INVALID with the line."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except FileNotFoundError as error:
        raise JobError("DATA_NOT_FOUND", f"{path} does not exist", "run the prepare stage again") from error
    groups = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            groups.append(_group(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise JobError("DATA_INVALID", f"{path}:{number} is not a group: {type(error).__name__} {error}", "run the prepare stage again") from error
    return groups


def _group(row: dict) -> Group:
    passages = tuple(Passage(str(p["id"]), p["text"], float(p["label"]), p.get("source", "judged"), _number(p.get("teacher_score"))) for p in row["passages"])
    return Group(str(row["query_id"]), row["query"], passages, tuple(float(m["label"]) for m in row.get("missed", ())))


def _number(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]


class PairCache:
    """Token ids of (group, passage) pairs, encoded when first needed and kept."""

    def __init__(self, groups: list[Group], encoder: PairEncoder):
        self._groups, self._encoder = groups, encoder
        self._known: dict[tuple[int, int], EncodedPair] = {}

    def get(self, keys: list[tuple[int, int]]) -> list[EncodedPair]:
        absent = [key for key in dict.fromkeys(keys) if key not in self._known]
        if absent:
            texts = [(self._groups[group].query, self._groups[group].passages[passage].text) for group, passage in absent]
            self._known.update(zip(absent, self._encoder.encode(texts)))
        return [self._known[key] for key in keys]


class StepPlan:
    """Which groups and passages each optimizer step sees. Steps count from 0."""

    def __init__(self, groups: list[Group], *, queries_per_step: int, group_size: int, epochs: float, seed: int):
        self._groups = groups
        self._usable = [index for index, group in enumerate(groups) if group.passages]
        if not self._usable:
            raise JobError("DATA_INVALID", "there is no training query with passages", "check `prepare.split` and the labelled data")
        self._queries_per_step, self._group_size, self._seed = queries_per_step, group_size, seed
        self.steps_per_epoch = math.ceil(len(self._usable) / queries_per_step)
        self.total = max(1, round(epochs * self.steps_per_epoch))
        self.top_label = max((p.label for g in groups for p in g.passages), default=1.0)
        self._order: tuple[int, list[int]] | None = None

    def step(self, number: int) -> list[TrainingGroup]:
        """The groups of a step; the last step of an epoch may hold fewer."""
        epoch, place = divmod(number, self.steps_per_epoch)
        if self._order is None or self._order[0] != epoch:
            order = list(self._usable)
            random.Random(f"order {self._seed} {epoch}").shuffle(order)
            self._order = (epoch, order)
        chosen = self._order[1][place * self._queries_per_step : (place + 1) * self._queries_per_step]
        return [self._sample(index, epoch) for index in chosen]

    def query_ids(self, number: int) -> list[str]:
        """Of the groups of a step."""
        return [self._groups[group.group].query_id for group in self.step(number)]

    def pairs(self) -> list[tuple[int, int]]:
        """Every (group, passage) that some step sees, in order."""
        return sorted({(group.group, passage) for number in range(self.total) for group in self.step(number) for passage in group.passages})

    def _sample(self, index: int, epoch: int) -> TrainingGroup:
        passages = self._groups[index].passages
        chosen = sample_passages(passages, self._group_size, epoch, f"{self._seed} {index}")
        teacher = [score for i in chosen if (score := passages[i].teacher_score) is not None]
        labels = tuple(max(0.0, passages[i].label) for i in chosen)
        return TrainingGroup(index, tuple(chosen), labels, tuple(teacher) if len(teacher) == len(chosen) else ())


def sample_passages(passages: tuple[Passage, ...], size: int, epoch: int, seed: str) -> list[int]:
    """At most `size` passages: one positive, another one each epoch, then other grades (up to a third), judged negatives, other negatives.

    Never repeats a passage: a short group stays short. Without negatives it is all-positive, without positives all-negative.
    """
    positives = [i for i, p in enumerate(passages) if p.label > 0]
    random.Random(f"positives {seed}").shuffle(positives)
    rng = random.Random(f"sample {seed} {epoch}")
    chosen = [positives[epoch % len(positives)]] if positives else []
    grades = [i for i in positives if passages[i].label != passages[chosen[0]].label]
    chosen += rng.sample(grades, min(len(grades), (size - 1) // 3))
    for judged in (True, False):
        pool = [i for i, p in enumerate(passages) if p.label <= 0 and (p.source == "judged") is judged]
        chosen += rng.sample(pool, min(len(pool), size - len(chosen)))
    if len(chosen) < 2:
        rest = [i for i in positives if i not in chosen]
        chosen += rng.sample(rest, min(len(rest), size - len(chosen)))
    return chosen


def micro_batches(groups: list[TrainingGroup], pairs: list[list[EncodedPair]], limit: int, *, padded: bool) -> Iterator[list[int]]:
    """Indices of groups whose pairs go through the model together: whole groups by length, at most `limit` tokens (or one group).

    `padded`: count what padding to the longest pair costs, else real tokens.
    """
    longest = [max(len(pair.ids) for pair in group) for group in pairs]
    batch: list[int] = []
    count = real = 0
    for index in sorted(range(len(groups)), key=lambda i: (longest[i], i)):
        more, tokens = len(pairs[index]), sum(len(pair.ids) for pair in pairs[index])
        cost = (count + more) * longest[index] if padded else real + tokens
        if batch and cost > limit:
            yield batch
            batch, count, real = [], 0, 0
        batch.append(index)
        count, real = count + more, real + tokens
    yield batch


def step_plan(options: dict[str, Any], groups: list[Group], seed: int) -> StepPlan:
    """Order and sampling of one seed."""
    return StepPlan(groups, queries_per_step=options["queries_per_step"], group_size=options["group_size"], epochs=options["epochs"], seed=seed)
