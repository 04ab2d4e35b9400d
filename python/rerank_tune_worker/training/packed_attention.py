"""Self-attention over packed rows with a hand-written backward pass: autograd's own would copy, zero and add every slice of the projections."""
from __future__ import annotations

import torch

from .packed_layout import Block


def _to_heads(rows: torch.Tensor, block: Block, parts: int, heads: int) -> torch.Tensor:
    """[tokens, parts * hidden] -> [parts, pairs * heads, length, head size], padding repeated from the last row."""
    size = rows.shape[1] // parts // heads
    padded = rows[block.start : block.end].index_select(0, block.to_padded)
    return padded.view(block.count, block.length, parts, heads, size).permute(2, 0, 3, 1, 4).reshape(parts, block.count * heads, block.length, size)


def _to_rows(heads_first: torch.Tensor, block: Block, heads: int) -> torch.Tensor:
    """The way back: [parts, pairs * heads, length, head size] -> [block's tokens, parts * hidden]."""
    parts, _, length, size = heads_first.shape
    padded = heads_first.view(parts, block.count, heads, length, size).permute(1, 3, 0, 2, 4).reshape(block.count * length, parts * heads * size)
    return padded.index_select(0, block.to_packed)


def _probabilities(query: torch.Tensor, key: torch.Tensor, block: Block, heads: int) -> torch.Tensor:
    mask = block.mask.to(query.dtype).expand(block.count, heads, block.length).reshape(-1, 1, block.length)
    return torch.softmax(torch.baddbmm(mask, query, key.transpose(1, 2), alpha=query.shape[-1] ** -0.5), -1)


def _score_gradient(out_gradient: torch.Tensor, value: torch.Tensor, probabilities: torch.Tensor) -> torch.Tensor:
    """Gradient of the scaled scores, [pairs * heads, queries, length]."""
    flow = torch.bmm(out_gradient, value.transpose(1, 2))
    return torch._softmax_backward_data(flow, probabilities, -1, probabilities.dtype).mul_(value.shape[-1] ** -0.5)


def _of_pairs(rows: torch.Tensor, block: Block, size: int) -> torch.Tensor:
    """The block's part of [pairs, hidden] -> [count * heads, 1, head size]; idle pairs are 0."""
    own = rows[block.first : block.first + block.pairs]
    return torch.nn.functional.pad(own, (0, 0, 0, block.count - block.pairs)).view(-1, 1, size)


def _rows_for(blocks: list[Block], rows: int, width: int, like: torch.Tensor) -> torch.Tensor:
    """Room for [rows, width]; the idle rows behind the last block are 0, so that they carry neither NaN forward nor gradients back."""
    out = like.new_empty(rows, width)
    out[blocks[-1].end :] = 0
    return out


class PackedAttention(torch.autograd.Function):
    """qkv [rows, 3 * hidden] -> context [rows, hidden]."""

    @staticmethod
    def forward(ctx, qkv: torch.Tensor, blocks: list[Block], heads: int) -> torch.Tensor:
        out = _rows_for(blocks, qkv.shape[0], qkv.shape[1] // 3, qkv)
        saved = []
        for block in blocks:
            parts = _to_heads(qkv, block, 3, heads)
            probabilities = _probabilities(parts[0], parts[1], block, heads)
            out[block.start : block.end] = _to_rows(torch.bmm(probabilities, parts[2])[None], block, heads)
            saved += [parts, probabilities]
        ctx.save_for_backward(*saved)
        ctx.blocks, ctx.heads = blocks, heads
        return out

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        heads, saved = ctx.heads, ctx.saved_tensors
        out = _rows_for(ctx.blocks, gradient.shape[0], gradient.shape[1] * 3, gradient)
        for index, block in enumerate(ctx.blocks):
            parts, probabilities = saved[2 * index], saved[2 * index + 1]
            incoming = _to_heads(gradient, block, 1, heads)[0]
            # padded query rows repeat a real one: their gradient must not count twice
            incoming = (incoming.view(block.count, heads, block.length, -1) * block.real.view(block.count, 1, block.length, 1).to(incoming.dtype)).view_as(incoming)
            scores = _score_gradient(incoming, parts[2], probabilities)
            result = torch.empty_like(parts)
            torch.bmm(scores, parts[1], out=result[0])
            torch.bmm(scores.transpose(1, 2), parts[0], out=result[1])
            torch.bmm(probabilities.transpose(1, 2), incoming, out=result[2])
            out[block.start : block.end] = _to_rows(result, block, heads)
        return out, None, None


class FirstTokenAttention(torch.autograd.Function):
    """The last layer: only the first token of each pair asks. query [pairs, hidden], key_value [rows, 2 * hidden] -> [pairs, hidden]."""

    @staticmethod
    def forward(ctx, query: torch.Tensor, key_value: torch.Tensor, blocks: list[Block], heads: int) -> torch.Tensor:
        out, saved = torch.empty_like(query), [query]
        size = query.shape[1] // heads
        for block in blocks:
            parts = _to_heads(key_value, block, 2, heads)
            asked = _of_pairs(query, block, size)
            probabilities = _probabilities(asked, parts[0], block, heads)
            out[block.first : block.first + block.pairs] = torch.bmm(probabilities, parts[1]).view(block.count, -1)[: block.pairs]
            saved += [parts, probabilities]
        ctx.save_for_backward(*saved)
        ctx.blocks, ctx.heads, ctx.rows = blocks, heads, key_value.shape[0]
        return out

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        query, *saved = ctx.saved_tensors
        size = query.shape[1] // ctx.heads
        query_out, out = torch.empty_like(query), _rows_for(ctx.blocks, ctx.rows, 2 * query.shape[1], query)
        for index, block in enumerate(ctx.blocks):
            parts, probabilities = saved[2 * index], saved[2 * index + 1]
            incoming = _of_pairs(gradient, block, size)
            scores = _score_gradient(incoming, parts[1], probabilities)
            result = torch.empty_like(parts)
            torch.bmm(scores.transpose(1, 2), _of_pairs(query, block, size), out=result[0])
            torch.bmm(probabilities.transpose(1, 2), incoming, out=result[1])
            query_out[block.first : block.first + block.pairs] = torch.bmm(scores, parts[0]).view(block.count, -1)[: block.pairs]
            out[block.start : block.end] = _to_rows(result, block, ctx.heads)
        return query_out, out, None, None
