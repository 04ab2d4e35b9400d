"""One way to score encoded pairs, whatever computes it: the packed encoder on CPU, else the transformers module with padding."""
from __future__ import annotations

import contextlib
from typing import Any, Callable

import torch

from ..pairs import EncodedPair
from . import lora
from .encoder_parts import encoder_layers, encoder_weights, freeze
from .memory import Shape
from .packed_encoder import PACKABLE, PackedEncoder
from .packed_layout import pack

PARITY = 1e-4  # |logit difference| between the packed encoder and transformers' own forward pass, fp32


class PairModel:
    """A classifier with its device, precision and way of computing. `parameters` are those that train.

    `adapters`: `train.lora` (rank, alpha, targets) and its seed; the base's weights then stay. `recompute`: keep no activations inside layers.
    """

    def __init__(
        self, model: Any, model_type: str, *, device: str, bf16: bool, freeze_embeddings: bool, dropout: bool, freeze_layers: int = 0, adapters: dict[str, Any] | None = None, recompute: bool = False
    ):
        self.module, self._type, self.device = model.to(device), model_type, torch.device(device)
        self._recompute = recompute
        self._compute = torch.bfloat16 if bf16 else torch.float32
        self._dropout = dropout
        self._pad = model.config.pad_token_id
        self._uses_types = model_type == "bert"
        freeze(model, embeddings=freeze_embeddings, layers=freeze_layers)
        if adapters:
            lora.adapt(model, frozen_layers=freeze_layers, **adapters)
        if recompute:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        still = freeze_embeddings or freeze_layers > 0 or adapters is not None
        packable = model_type in PACKABLE and device == "cpu"
        self._packed = PackedEncoder(model, model_type, embeddings_frozen=still, layers_frozen=freeze_layers, recompute=recompute) if packable else None

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        return {name: parameter for name, parameter in self.module.named_parameters() if parameter.requires_grad}

    @property
    def packs(self) -> bool:
        """Whether pairs are scored without padding."""
        return self._packed is not None

    @property
    def precision(self) -> str:
        return "bf16" if self._compute is torch.bfloat16 else "fp32"

    def shape(self) -> Shape:
        """What predicts the memory of training."""
        config, layers = self.module.config, encoder_layers(self.module)
        return Shape(
            parameters=sum(parameter.numel() for parameter in self.module.parameters()),
            trained=sum(parameter.numel() for parameter in self.parameters.values()),
            encoder_weights=encoder_weights(self.module),
            adapted=sum(linear.weight.numel() for linear in lora.adapted(self.module)),
            hidden=config.hidden_size,
            intermediate=config.intermediate_size,
            heads=config.num_attention_heads,
            layers=sum(any(parameter.requires_grad for parameter in layer.parameters()) for layer in layers),
            bf16=self._compute is torch.bfloat16,
            packed=not self.padded,
            fused_attention=self.device.type == "cuda",
            dropout=self._dropout,
            recompute=self._recompute,
        )

    @property
    def padded(self) -> bool:
        """Whether training pads its micro-batches."""
        return self._packed is None or self._dropout

    def check_parity(self, pairs: list[EncodedPair]) -> float | None:
        """Largest |logit difference| of the packed encoder, which is dropped when it is too large; None when there is none."""
        if self._packed is None:
            return None
        with torch.no_grad():
            difference = float((self._packed_logits(pairs, torch.float32) - self._padded_logits(pairs, torch.float32)).abs().max())
        if not difference <= PARITY:
            self._packed = None
        return difference

    def start_step(self) -> None:
        """Takes over the parameters as the optimizer left them; call it before the micro-batches of a step."""
        self.module.train(self._dropout)
        for layer in encoder_layers(self.module) if self._recompute else ():
            layer.training = True  # what transformers asks for; its dropout is in the modules inside, which stay as they are
        if not self.padded and self._packed is not None:
            self._packed.refresh(self._compute)

    def training_logits(self, pairs: list[EncodedPair]) -> torch.Tensor:
        """[pairs] fp32 with gradients."""
        if self.padded or self._packed is None:
            return self._padded_logits(pairs, self._compute)
        return self._packed.logits(pack(pairs, self._offset)).float()

    def merge_adapters(self) -> None:
        """Makes the module plain: adapters are added to their weights, which from now on are among `parameters`."""
        lora.merge(self.module)

    @torch.no_grad()
    def score(self, pairs: list[EncodedPair], *, exact: bool, tokens: int, between: Callable[[int], None]) -> list[float]:
        """Logits of many pairs, sorted by length on the way. `exact`: fp32. `between(done)` is called after each batch."""
        self.module.eval()
        dtype = torch.float32 if exact else self._compute
        if self._packed is not None:
            self._packed.refresh(dtype)
        scores = [0.0] * len(pairs)
        done = 0
        for batch in _by_length(pairs, tokens):
            chosen = [pairs[i] for i in batch]
            logits = self._padded_logits(chosen, dtype) if self._packed is None else self._packed.logits(pack(chosen, self._offset))
            for place, value in zip(batch, logits.float().tolist()):
                scores[place] = value
            done += len(batch)
            between(done)
        if self._packed is not None:
            self._packed.forget()
        return scores

    @property
    def _offset(self) -> int | None:
        return None if self._type == "bert" else self._pad

    def _packed_logits(self, pairs: list[EncodedPair], dtype: torch.dtype) -> torch.Tensor:
        assert self._packed is not None
        self._packed.refresh(dtype)
        return self._packed.logits(pack(pairs, self._offset))

    def _padded_logits(self, pairs: list[EncodedPair], dtype: torch.dtype) -> torch.Tensor:
        length = max(len(pair.ids) for pair in pairs)
        inputs = {
            "input_ids": torch.tensor([pair.ids + [self._pad] * (length - len(pair.ids)) for pair in pairs]),
            "attention_mask": torch.tensor([[1] * len(pair.ids) + [0] * (length - len(pair.ids)) for pair in pairs]),
        }
        if self._uses_types:
            inputs["token_type_ids"] = torch.tensor([pair.type_ids + [0] * (length - len(pair.ids)) for pair in pairs])
        half = torch.autocast(self.device.type, torch.bfloat16) if dtype is torch.bfloat16 else contextlib.nullcontext()
        with half:
            logits = self.module(**{name: tensor.to(self.device) for name, tensor in inputs.items()}).logits
        return logits.float().flatten()


def _by_length(pairs: list[EncodedPair], tokens: int):
    batch: list[int] = []
    for index in sorted(range(len(pairs)), key=lambda i: (len(pairs[i].ids), i)):
        if batch and (len(batch) + 1) * len(pairs[index].ids) > tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
