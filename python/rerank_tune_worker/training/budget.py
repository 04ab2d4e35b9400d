"""How many tokens may go through the model at once in training: halved, for good, in the step that runs out of memory."""
from __future__ import annotations

import json
import os
from typing import Any, Callable, TypeVar

import torch

from ..reporter import JobError, Reporter
from .checkpoint import write_text
from .memory import ways_out

Result = TypeVar("Result")


class TokenBudget:
    """`tokens` a micro-batch, of one seed. `path` keeps the steps in which they were halved, so that a resumed run cuts each step as the killed one did."""

    def __init__(self, tokens: int, options: dict[str, Any], *, seed: int = 0, reporter: Reporter | None = None, path: str | None = None):
        self._tokens, self._options, self._seed, self._reporter, self._path = tokens, options, seed, reporter, path
        self._halved = read_halved(path)

    def at(self, step: int) -> int:
        """Tokens in a step of this seed; halvings of earlier seeds count in all of its steps."""
        return min([self._tokens, *(row["tokens"] for row in self._halved if row["seed"] < self._seed or (row["seed"] == self._seed and row["step"] <= step))])

    def spend(self, step: int, least: int, work: Callable[[int], Result], undo: Callable[[], None]) -> Result:
        """`work(tokens)`, again with half of the tokens after `undo()` whenever it runs out of memory; it must leave nothing else behind.

        `least`: tokens of the largest group, which stays whole. Raises JobError WORKER_OUT_OF_MEMORY when a smaller budget would not help.
        """
        while True:
            tokens = self.at(step)
            try:
                return work(tokens)
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
            # Only here is the traceback gone, which holds the activations of the step.
            undo()
            release()
            self._halve(step, tokens, least)

    def _halve(self, step: int, tokens: int, least: int) -> None:
        half = tokens // 2
        if tokens <= least:
            hint = ways_out(self._options, one_group=True, activations_first=True)
            raise JobError("WORKER_OUT_OF_MEMORY", f"memory ran out in step {step + 1}, whose largest query has {least} tokens, with {tokens} tokens at once", hint)
        self._halved.append({"seed": self._seed, "step": step, "tokens": half})
        if self._path is not None:
            write_text(self._path, json.dumps(self._halved))
        if self._reporter is not None:
            self._reporter.log(f"memory ran out in step {step + 1}: it is done again, and all further ones, with {half} tokens at once instead of {tokens}", "warning", "train")


def read_halved(path: str | None) -> list[dict[str, int]]:
    """Each halving as seed, step (from 0) and the tokens left; none where there is no such file."""
    if path is None or not os.path.isfile(path):
        return []
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def out_of_memory(error: RuntimeError) -> bool:
    """CUDA has a class for it; the allocator of the CPU says it in words ("can't allocate memory", on Windows "not enough memory")."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in ("can't allocate memory", "not enough memory"))


def release() -> None:
    """Gives cached blocks of a GPU back, so that differently cut ones fit."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
