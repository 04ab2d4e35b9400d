"""Decides how many tokens go through the model at once: what the recipe says, a fixed number on a CPU, measured on a GPU. A resumed run takes the same."""
from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Any, Callable

import torch

from ..reporter import JobError
from .checkpoint import write_text
from .memory import ADAM, Shape, fits, largest_micro_batch, predict, ways_out
from .model import PairModel
from .probe import Measurement, budgets, fastest, measure, rising

# training.md §9: 2,000-4,000 tokens were the fastest on CPUs. Fixed, because what a clock chooses differs from run to run, and with it the last bits of a model.
CPU_TOKENS = 4096
SHARE = 0.9  # of the memory of a GPU that may be taken; the rest is for what fragments


@dataclass(frozen=True)
class Choice:
    """`how`: recipe (a number stands there), usual (on this device), memory (as much as should fit) or measured."""

    tokens: int
    how: str
    measured: list[Measurement]

    def record(self) -> dict[str, Any]:
        return asdict(self)

    def message(self) -> str | None:
        """A line for the log where there is something to tell."""
        if self.how == "memory":
            return f"{self.tokens} tokens go through the model at once instead of {CPU_TOKENS}, so that training fits into memory"
        if self.how != "measured":
            return None
        tried = ", ".join(f"{found.tokens}: {found.tokens_per_second:,.0f}" for found in self.measured)
        return f"{self.tokens} tokens go through the model at once; measured tokens a second by budget {tried}"


def known_choice(path: str, options: dict[str, Any]) -> Choice | None:
    """The recipe's number, or what the run before a kill kept in `path`."""
    if options["micro_batch_tokens"] != "auto":
        return Choice(options["micro_batch_tokens"], "recipe", [])
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8") as file:
        body = json.load(file)
    return Choice(body["tokens"], body["how"], [Measurement(**found) for found in body["measured"]])


def keep_choice(path: str, choice: Choice) -> None:
    """For `known_choice` of a run after a kill: its micro-batches must be cut alike."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_text(path, json.dumps(choice.record()))


def choose_for_cpu(shape: Shape, options: dict[str, Any], longest: int, free: int | None) -> Choice:
    """CPU_TOKENS, or half of it as often as needed to fit into what is free, down to one group."""
    tokens, group = CPU_TOKENS, options["group_size"] * longest
    while tokens > max(group, 128) and not fits(predict(shape, tokens=largest_micro_batch(tokens, options, longest), longest=longest), free):
        tokens //= 2
    return Choice(tokens, "usual" if tokens == CPU_TOKENS else "memory", [])


def choose_for_gpu(model: PairModel, options: dict[str, Any], longest: int, check_cancelled: Callable[[], None]) -> Choice:
    """Measures rising budgets on pairs of the greatest length, beside as many bytes as the optimizer will take.

    Weights, gradients and generators are afterwards as they were. Raises JobError WORKER_OUT_OF_MEMORY when not even the smallest fits.
    """
    group = options["group_size"] * longest
    wanted = list(budgets(group, options["queries_per_step"] * group))
    if len(wanted) == 1:
        return Choice(wanted[0], "usual", [])
    free, _ = torch.cuda.mem_get_info(model.device)
    limit = SHARE * (free + torch.cuda.memory_reserved(model.device))

    def attempt(tokens: int) -> Measurement:
        check_cancelled()
        return measure(model, tokens, longest, ballast=ADAM * model.shape().trained)

    found = rising(attempt, wanted, limit)
    if not found:
        raise JobError("WORKER_OUT_OF_MEMORY", f"a micro-batch of {wanted[0]} tokens does not fit into the {limit / 1e9:.1f} GB of the GPU that can be had", ways_out(options, one_group=True, activations_first=True))
    return Choice(fastest(found).tokens, "measured", found)
