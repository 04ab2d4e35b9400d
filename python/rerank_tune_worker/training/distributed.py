"""Who does what where several processes train one model: rank 0 leads and decides everything, the others compute their share of each step's gradient.

An all-reduce is a sum to one rank and its spreading to all. Ours keeps the optimizer between the two: rank 0 sums the gradients, steps, and spreads the
weights before the next step (docs/decisions/0007). So the weights are the same everywhere by construction, and a checkpoint is rank 0's alone.
"""
from __future__ import annotations

import hashlib
import json
import os
import threading
from typing import Any, Callable

import torch

from ..launch import Launch, read_launch
from ..reporter import Cancelled, JobError, RankLost, Reporter
from .collectives import Group
from .step_gradients import StepReport

WAIT, SCORES, STEP, END, CANCEL, LEAVE = range(6)  # the first number of a message; the second is a step or a count
HEARTBEAT = 5.0  # seconds between messages while rank 0 works alone: so it notices a closed connection, and the others do not run into their limit


class Alone:
    """One process. Nothing to tell and nobody to lose."""

    rank, world, local_world = 0, 1, 1

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def check_same(self, facts: Callable[[], dict[str, str]]) -> None:
        """Raises JobError DATA_INVALID when a rank would train on something else. `facts`: digests by name; not computed where nobody compares."""

    def check(self) -> None:
        """Raises RankLost when one was lost while rank 0 works alone."""

    def share_scores(self, scores: list[float]) -> None:
        """Gives every rank the base's scores."""

    def open_step(self, step: int, parameters: dict[str, torch.nn.Parameter]) -> None:
        """Starts a step on every rank, with rank 0's weights."""

    def close_step(self, report: StepReport, parameters: dict[str, torch.nn.Parameter]) -> StepReport:
        """Sums gradients and reports over the ranks. Returns those of the whole step."""
        return report

    def end_loop(self) -> None:
        """No more steps: `TrainingLoop.follow` returns on the other ranks."""

    def dismiss(self) -> None:
        """The other ranks may end; rank 0 goes on alone."""


class Member(Alone):
    """What leader and followers share."""

    def __init__(self, group: Group):
        self._group, self._step = group, 0
        self.rank, self.world, self.local_world = group.launch.rank, group.launch.world, group.launch.local_world

    def check_same(self, facts: Callable[[], dict[str, str]]) -> None:
        first, *others = self._group.compare(facts())
        for rank, other in enumerate(others, 1):
            different = [name for name, digest in first.items() if other.get(name) != digest]
            if different:
                raise JobError("DATA_INVALID", f"rank {rank} has another {' and another '.join(different)} than rank 0", "give every machine the same recipe with the same --set, the same data and the same base")

    def close_step(self, report: StepReport, parameters: dict[str, torch.nn.Parameter]) -> StepReport:
        """A parameter that no rank has a gradient for keeps none, as in one process. Numbers first: a lost rank shows there, before NCCL waits for it."""
        trained = list(parameters.values())
        found = [float(parameter.grad is not None) for parameter in trained]
        numbers = report.numbers()
        total = self._group.sum([*numbers, *found])
        for parameter in trained:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self._group.sum_tensors([parameter.grad for parameter in trained if parameter.grad is not None])
        for parameter, ranks in zip(trained, total[len(numbers) :], strict=True):
            if ranks == 0:
                parameter.grad = None
        return StepReport.of_numbers(total[: len(numbers)])


class Leader(Member):
    """Rank 0. The heartbeat shares the connections with the steps, so both take turns by a lock; inside a step there is none."""

    def __init__(self, group: Group, reporter: Reporter):
        super().__init__(group)
        self._reporter, self._lock, self._ended = reporter, threading.Lock(), threading.Event()
        self._listened_to = self._stepping = False
        self._lost: RankLost | None = None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """A lost rank may look like a wish to stop: torchrun tells of it by SIGTERM. Whether all answer tells them apart."""
        if self._listened_to and not self._ended.is_set():
            if kind is None:
                self.dismiss()
            elif issubclass(kind, Cancelled):
                self._say(CANCEL)
                self._group.sum([1.0])
        self._ended.set()

    def check_same(self, facts: Callable[[], dict[str, str]]) -> None:
        """From here on the others listen."""
        super().check_same(facts)
        self._listened_to = True
        threading.Thread(target=self._beat, daemon=True).start()

    def check(self) -> None:
        if self._lost is not None:
            raise self._lost

    def share_scores(self, scores: list[float]) -> None:
        self._say(SCORES, len(scores), torch.tensor(scores, dtype=torch.float64))

    def open_step(self, step: int, parameters: dict[str, torch.nn.Parameter]) -> None:
        self._group.where = f"at step {step + 1}"
        with self._lock:
            self.check()
            self._stepping = True
            self._group.tell((STEP, step))
            self._group.spread_tensors(list(parameters.values()))

    def close_step(self, report: StepReport, parameters: dict[str, torch.nn.Parameter]) -> StepReport:
        with self._lock:
            total = super().close_step(report, parameters)
            self._stepping = False
        return total

    def end_loop(self) -> None:
        self._say(END)
        self._group.sum([1.0])

    def dismiss(self) -> None:
        self._say(LEAVE)
        self._group.sum([1.0])
        self._ended.set()

    def _say(self, kind: int, number: int = 0, values: torch.Tensor | None = None) -> None:
        with self._lock:
            self.check()
            self._group.tell((kind, number))
            if values is not None:
                self._group.tell_all(values)

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT):
            with self._lock:
                if self._stepping or self._ended.is_set():
                    continue
                try:
                    self._group.tell((WAIT, 0))
                except RankLost as error:
                    self._lost = error
                    self._reporter.cancel()  # whatever rank 0 does, it stops at its next look
                    return


class Follower(Member):
    """Every rank but 0: does what it is told."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._listen(LEAVE)
            self._group.sum([1.0])

    def scores(self) -> list[float]:
        """The base's scores, from rank 0."""
        _, count = self._listen(SCORES)
        return self._group.tell_all(torch.zeros(count, dtype=torch.float64)).tolist()

    def next_step(self, parameters: dict[str, torch.nn.Parameter]) -> int | None:
        """Its number, with rank 0's weights in `parameters`; None after the last one. Raises Cancelled when rank 0 was told to stop."""
        kind, step = self._listen(STEP, END)
        if kind == END:
            self._group.sum([1.0])
            return None
        self._group.where = f"at step {step + 1}"
        self._group.spread_tensors(list(parameters.values()))
        return step

    def _listen(self, *wanted: int) -> tuple[int, int]:
        while True:
            kind, number = self._group.tell((WAIT, 0))
            if kind in wanted:
                return kind, number
            if kind == CANCEL:
                self._group.sum([1.0])
                raise Cancelled()
            if kind != WAIT:
                raise RuntimeError(f"rank 0 said {kind} where one of {wanted} was expected")


def digests(options: dict[str, Any], training_data: object, module: torch.nn.Module) -> dict[str, str]:
    """What every rank must have alike, by names for messages. `training_data`: anything whose `repr` says all of it."""
    weights = hashlib.sha256()
    for name, parameter in sorted(module.named_parameters()):
        weights.update(name.encode() + parameter.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    texts = {"`train` section of the recipe": json.dumps(options, sort_keys=True), "training split": repr(training_data)}
    return {**{name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}, "base model": weights.hexdigest()}


def join_ranks(choose_device: Callable[[], str], reporter: Reporter) -> Alone:
    """The place of this process among those that torchrun started; `Alone` without torchrun."""
    launch: Launch = read_launch(os.environ)
    if launch.world == 1:
        return Alone()
    group = Group(launch, choose_device())
    return Leader(group, reporter) if launch.rank == 0 else Follower(group)
