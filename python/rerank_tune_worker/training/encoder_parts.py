"""Where the parts of a *ForSequenceClassification module are, whatever its architecture, and which of them train."""
from __future__ import annotations

from typing import Any, Iterator

import torch

from ..base_model import HEAD_PREFIXES


def encoder_layers(model: Any) -> list[torch.nn.Module]:
    """From the lowest to the highest."""
    base = model.base_model
    return list(base.encoder.layer if hasattr(base, "encoder") else base.layers)  # the latter: ModernBERT


def set_encoder_layers(model: Any, layers: torch.nn.ModuleList) -> None:
    """Puts others in their place."""
    base = model.base_model
    if hasattr(base, "encoder"):
        base.encoder.layer = layers
    else:
        base.layers = layers


def encoder_weights(model: Any) -> int:
    """Numbers in the matrices of all layers: what computes, without embeddings and head."""
    return sum(parameter.numel() for layer in encoder_layers(model) for parameter in layer.parameters() if parameter.ndim == 2)


def head_parameters(model: Any) -> Iterator[torch.nn.Parameter]:
    """All above the encoder: a pooler counts, since nothing else reads it."""
    return (parameter for name, parameter in model.named_parameters() if name.startswith(HEAD_PREFIXES))


def last_linear(model: Any) -> tuple[str, torch.nn.Linear]:
    """The layer whose only output is the score, with its name: `classifier.out_proj` of RoBERTa and XLM-R, `classifier` of BERT and ModernBERT."""
    head = model.classifier
    return ("classifier.out_proj", head.out_proj) if hasattr(head, "out_proj") else ("classifier", head)


def freeze(model: Any, *, embeddings: bool, layers: int) -> None:
    """All parameters train but, when asked, those of embedding tables; norms beside the tables go on training.

    With `layers` the lowest ones and all that is below them stay, norms too: then nothing under the first trained layer has a gradient,
    so no pass, packed or not, keeps activations of it or goes back through it.
    """
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(not (embeddings and isinstance(module, torch.nn.Embedding)))
    if layers > 0:
        for part in (model.base_model.embeddings, *encoder_layers(model)[:layers]):
            part.requires_grad_(False)
