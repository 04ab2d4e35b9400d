"""Where each pair lies when all pairs of a micro-batch are put one after another without padding. Only attention sees padded blocks."""
from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch

from ..pairs import EncodedPair

# Pairs whose lengths round up to the same multiple share a block; 16 was the fastest of 8, 16, 32 and one block for all (MiniLM-L6, AMX).
ROUND = 16
# Rows round up too: oneDNN compiles a kernel for every new shape, which took a sixth of the matmul time and 1 GB of memory otherwise.
# The number of pairs in a block rounds up to a multiple of PAIRS for the same reason.
ROWS = 128
PAIRS = 4
MASKED = -30000.0  # exp() of it is 0 in fp32 and bf16 alike, and unlike -inf it never makes NaN


@dataclass(frozen=True)
class Block:
    """Pairs of like length. Tokens start:end of the packed rows, pairs first:first+pairs, padded to `length` and with idle pairs to `count`."""

    start: int
    end: int
    first: int
    pairs: int
    count: int
    length: int
    to_padded: torch.Tensor  # [count * length] row of the block's tokens to read; padding and idle pairs repeat the last row
    to_packed: torch.Tensor  # [end - start] padded row to read
    mask: torch.Tensor  # [count, 1, length] 0 or MASKED
    real: torch.Tensor  # [count, length, 1, 1] 1 for real tokens, 0 for padding


@dataclass(frozen=True)
class PackedLayout:
    """`ids`, `types`, `positions`: [rows], the last ones idle; `starts`: [pairs] row of each first token; `order`: pairs as given -> sorted by length."""

    ids: torch.Tensor
    types: torch.Tensor
    positions: torch.Tensor
    starts: torch.Tensor
    order: torch.Tensor
    blocks: list[Block]


def pack(pairs: list[EncodedPair], padding_offset: int | None) -> PackedLayout:
    """`padding_offset`: None for positions from 0; the padding id for RoBERTa, whose positions count non-padding tokens from padding id + 1."""
    order = sorted(range(len(pairs)), key=lambda i: (len(pairs[i].ids), i))
    ordered = [pairs[i] for i in order]
    lengths = torch.tensor([len(pair.ids) for pair in ordered])
    starts = torch.cumsum(lengths, 0) - lengths
    back = torch.empty(len(pairs), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(pairs))
    return PackedLayout(
        ids=_whole_rows(torch.tensor(list(itertools.chain.from_iterable(pair.ids for pair in ordered)))),
        types=_whole_rows(torch.tensor(list(itertools.chain.from_iterable(pair.type_ids for pair in ordered)))),
        positions=_whole_rows(torch.cat([_positions(pair.ids, padding_offset) for pair in ordered])),
        starts=starts,
        order=back,
        blocks=list(_blocks(lengths, starts)),
    )


def _whole_rows(values: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.pad(values, (0, -len(values) % ROWS))


def _positions(ids: list[int], padding_offset: int | None) -> torch.Tensor:
    if padding_offset is None:
        return torch.arange(len(ids))
    real = torch.tensor(ids) != padding_offset
    return torch.cumsum(real, 0) * real + padding_offset


def _blocks(lengths: torch.Tensor, starts: torch.Tensor):
    first = 0
    for length, members in itertools.groupby(lengths.tolist(), key=lambda n: -(-n // ROUND) * ROUND):
        pairs = len(list(members))
        idle = -pairs % PAIRS
        own = torch.nn.functional.pad(lengths[first : first + pairs], (0, idle))
        start = int(starts[first])
        end = start + int(own.sum())
        places = torch.arange(length)
        valid = places[None] < own[:, None]
        begins = torch.nn.functional.pad(starts[first : first + pairs] - start, (0, idle), value=end - start - 1)
        yield Block(
            start=start,
            end=end,
            first=first,
            pairs=pairs,
            count=pairs + idle,
            length=length,
            to_padded=(begins[:, None] + places[None]).clamp(max=end - start - 1).flatten(),
            to_packed=valid.flatten().nonzero().flatten(),
            mask=torch.zeros(pairs + idle, 1, length).masked_fill(~valid[:, None], MASKED),
            real=valid.view(pairs + idle, length, 1, 1).float(),
        )
        first += pairs
