"""Measures how fast training goes by the number of tokens that go through the model at once, and picks one. Trains nothing."""
from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable, Iterator

import torch

from ..pairs import EncodedPair
from .budget import out_of_memory, release
from .model import PairModel

SMALLEST = 2048  # tokens; each further budget is twice the one before
CLOSE = 0.05  # a budget at most this much slower than the fastest counts as equal, and the smallest of these is taken
REPEATS = 3  # timed passes, of which the fastest counts; one more goes before them


@dataclass(frozen=True)
class Measurement:
    """Of forward and backward passes over one micro-batch of about so many tokens; bytes with weights, gradients and optimizer."""

    tokens: int
    tokens_per_second: float
    peak_bytes: int


def budgets(group: int, step: int) -> Iterator[int]:
    """Powers of two from one group on, the last the first that holds a whole step (tokens)."""
    tokens = SMALLEST
    while tokens < min(group, step):
        tokens *= 2
    yield tokens
    while tokens < step:
        tokens *= 2
        yield tokens


def rising(attempt: Callable[[int], Measurement], wanted: list[int], limit: float) -> list[Measurement]:
    """Until memory ends or passes `limit` (bytes), or two budgets in a row were no faster than the best before them."""
    found: list[Measurement] = []
    for tokens in wanted:
        measured = _or_none(attempt, tokens)
        if measured is None or measured.peak_bytes > limit:
            break
        found.append(measured)
        speeds = [one.tokens_per_second for one in found]
        if len(speeds) > 2 and max(speeds[-2:]) <= max(speeds[:-2]):
            break
    return found


def fastest(found: list[Measurement]) -> Measurement:
    """The smallest of those that are close to the fastest."""
    best = max(one.tokens_per_second for one in found)
    return next(one for one in found if one.tokens_per_second >= (1 - CLOSE) * best)


def measure(model: PairModel, tokens: int, longest: int, *, ballast: int = 0) -> Measurement:
    """Passes over made-up pairs of `longest` tokens. `ballast`: bytes to hold meanwhile. Changes neither weights nor generators; leaves no gradients."""
    cuda = model.device.type == "cuda"
    pairs = made_up_pairs(model, max(1, tokens // longest), longest)
    try:
        with torch.random.fork_rng(devices=[torch.cuda.current_device()] if cuda else []):
            held = torch.empty(ballast, dtype=torch.uint8, device=model.device)
            if cuda:
                release()
                torch.cuda.reset_peak_memory_stats(model.device)
            seconds = min([_pass(model, pairs) for _ in range(REPEATS + 1)][1:])
            peak = torch.cuda.max_memory_reserved(model.device) if cuda else 0
            del held
    finally:
        for parameter in model.parameters.values():
            parameter.grad = None
        model.module.eval()
    return Measurement(tokens, len(pairs) * longest / max(seconds, 1e-9), peak)


def made_up_pairs(model: PairModel, count: int, length: int) -> list[EncodedPair]:
    """Ids of the model's vocabulary without that of padding."""
    config = model.module.config
    ids = [token for token in range(min(config.vocab_size, 1024)) if token != config.pad_token_id]
    return [EncodedPair([ids[(17 * pair + place) % len(ids)] for place in range(length)], [0] * length) for pair in range(count)]


def _pass(model: PairModel, pairs: list[EncodedPair]) -> float:
    """Seconds."""
    synchronize = torch.cuda.synchronize if model.device.type == "cuda" else lambda: None
    synchronize()
    started = time.perf_counter()
    model.start_step()
    model.training_logits(pairs).sum().backward()
    synchronize()
    return time.perf_counter() - started


def _or_none(attempt: Callable[[int], Measurement], tokens: int) -> Measurement | None:
    """None when memory ran out; what the attempt held is free again."""
    try:
        return attempt(tokens)
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
    release()
    return None
