"""The forward pass of BERT-like classifiers on packed rows, over the parameters of the transformers module itself. No dropout, CPU only."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

from .packed_attention import FirstTokenAttention, PackedAttention
from .packed_layout import PackedLayout

PACKABLE = ("bert", "roberta", "xlm-roberta")
Linear = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class _Layer:
    """Weights and biases of one layer in the computing type; layer norms stay fp32 with the residual stream."""

    qkv: Linear
    attention_out: Linear
    attention_norm: torch.nn.LayerNorm
    up: Linear
    down: Linear
    norm: torch.nn.LayerNorm
    activation: Callable[[torch.Tensor], torch.Tensor]


class PackedEncoder:
    """Scores packed pairs. `refresh` must run after every change of the parameters; gradients flow through its copies to the fp32 masters."""

    def __init__(self, model: Any, model_type: str, *, embeddings_frozen: bool, layers_frozen: int = 0, recompute: bool = False):
        self._model, self._base, self._frozen, self._layers_frozen = model, model.base_model, embeddings_frozen, layers_frozen
        self._recompute = recompute
        self._bert = model_type == "bert"
        self._heads = model.config.num_attention_heads
        self._layers: list[_Layer] = []
        self._dtype = torch.float32

    def refresh(self, dtype: torch.dtype) -> None:
        """Copies the weights once an optimizer step, not once a micro-batch; casting keeps nothing, so many backward passes may cross it.

        Copies of frozen layers stay as they are.
        """
        kept = self._layers[: self._layers_frozen] if dtype is self._dtype else []
        self._dtype = dtype
        self._layers = [*kept, *(self._prepare(layer) for layer in self._base.encoder.layer[len(kept) :])]

    def forget(self) -> None:
        """Frees the copies."""
        self._layers = []

    def _prepare(self, layer: Any) -> _Layer:
        own, out = layer.attention.self, layer.attention.output
        parts = (own.query, own.key, own.value)
        qkv = (torch.cat([part.weight for part in parts]).to(self._dtype), torch.cat([part.bias for part in parts]).to(self._dtype))
        return _Layer(qkv, self._cast(out.dense), out.LayerNorm, self._cast(layer.intermediate.dense), self._cast(layer.output.dense), layer.output.LayerNorm, layer.intermediate.intermediate_act_fn)

    def _cast(self, linear: torch.nn.Linear) -> Linear:
        return linear.weight.to(self._dtype), linear.bias.to(self._dtype)

    def logits(self, layout: PackedLayout) -> torch.Tensor:
        """[pairs] fp32, in the order the pairs were given to `pack`."""
        hidden = self._embed(layout)
        for layer in self._layers[:-1]:
            hidden = self._through(self._middle, layer, layout, hidden)
        return self._head(self._through(self._last, self._layers[-1], layout, hidden)).flatten()[layout.order]

    def _through(self, part: Callable[..., torch.Tensor], layer: _Layer, layout: PackedLayout, hidden: torch.Tensor) -> torch.Tensor:
        """One layer; with recomputing only `hidden` is kept for the backward pass, and nothing random is in it."""
        if self._recompute and torch.is_grad_enabled():
            return checkpoint(part, layer, layout, hidden, use_reentrant=False, preserve_rng_state=False)
        return part(layer, layout, hidden)

    def _middle(self, layer: _Layer, layout: PackedLayout, hidden: torch.Tensor) -> torch.Tensor:
        context = PackedAttention.apply(F.linear(hidden.to(self._dtype), *layer.qkv), layout.blocks, self._heads)
        return self._rest(layer, hidden, context)

    def _embed(self, layout: PackedLayout) -> torch.Tensor:
        embeddings = self._base.embeddings
        # RoBERTa knows one segment, whatever its tokenizer says
        types = layout.types if self._bert else torch.zeros_like(layout.types)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self._frozen):
            hidden = embeddings.word_embeddings(layout.ids) + embeddings.token_type_embeddings(types) + embeddings.position_embeddings(layout.positions)
        return embeddings.LayerNorm(hidden)

    def _last(self, layer: _Layer, layout: PackedLayout, hidden: torch.Tensor) -> torch.Tensor:
        """Only first tokens reach the head: query, output and feed-forward of the last layer are computed for them alone."""
        size = hidden.shape[1]
        first = hidden.index_select(0, layout.starts)
        (query_weight, other_weight), (query_bias, other_bias) = (tensor.split([size, 2 * size]) for tensor in layer.qkv)
        query = F.linear(first.to(self._dtype), query_weight, query_bias)
        key_value = F.linear(hidden.to(self._dtype), other_weight, other_bias)
        return self._rest(layer, first, FirstTokenAttention.apply(query, key_value, layout.blocks, self._heads))

    def _rest(self, layer: _Layer, hidden: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        hidden = layer.attention_norm(hidden + F.linear(context, *layer.attention_out))
        inner = layer.activation(F.linear(hidden.to(self._dtype), *layer.up))
        return layer.norm(hidden + F.linear(inner, *layer.down))

    def _head(self, first: torch.Tensor) -> torch.Tensor:
        if self._bert:
            return self._model.classifier(self._base.pooler.activation(self._base.pooler.dense(first)))
        return self._model.classifier.out_proj(torch.tanh(self._model.classifier.dense(first)))
