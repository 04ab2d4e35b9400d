"""A *ForSequenceClassification folder: its configuration, checked, and its weights, read one at a time. Builds nothing."""
from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from safetensors import safe_open

from ..reporter import JobError

SUPPORTED = {
    "bert": "BertForSequenceClassification",
    "roberta": "RobertaForSequenceClassification",
    "xlm-roberta": "XLMRobertaForSequenceClassification",
    "modernbert": "ModernBertForSequenceClassification",
}
ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu")


class Checkpoint:
    """Configuration (`config`, as transformers completes it) and weights of a model folder."""

    def __init__(self, folder: str):
        from transformers import AutoConfig

        self.folder = folder
        self.config: Any = AutoConfig.from_pretrained(folder)
        self._files = _weight_files(folder)
        _check(self.config)

    def has(self, name: str) -> bool:
        return name in self._files

    def shape(self, name: str) -> tuple[int, ...]:
        with safe_open(self._file(name), framework="pt") as weights:
            return tuple(weights.get_slice(name).get_shape())

    def array(self, name: str) -> np.ndarray:
        """Values as float32, whatever they are stored in."""
        with safe_open(self._file(name), framework="pt") as weights:
            return weights.get_tensor(name).float().numpy()

    def vector(self, name: str) -> Callable[[], np.ndarray]:
        return lambda: self.array(name)

    def optional(self, name: str) -> Callable[[], np.ndarray] | None:
        return self.vector(name) if self.has(name) else None

    def transposed(self, name: str) -> Callable[[], np.ndarray]:
        """torch's Linear keeps [outputs, inputs]; MatMul wants [inputs, outputs]."""
        return lambda: np.ascontiguousarray(self.array(name).T)

    def _file(self, name: str) -> str:
        if name not in self._files:
            raise JobError("MODEL_UNSUPPORTED", f"{self.folder} has no weight named {name}", "use a model folder as transformers saves it, with its classification head")
        return self._files[name]


def _weight_files(folder: str) -> dict[str, str]:
    index, single = os.path.join(folder, "model.safetensors.index.json"), os.path.join(folder, "model.safetensors")
    if os.path.isfile(single):
        with safe_open(single, framework="pt") as weights:
            return dict.fromkeys(weights.keys(), single)
    if os.path.isfile(index):
        with open(index, encoding="utf-8") as file:
            return {name: os.path.join(folder, shard) for name, shard in json.load(file)["weight_map"].items()}
    raise JobError("MODEL_NOT_FOUND", f"{single} is missing", "run the train stage again: `rerank-tune train RECIPE`")


def _check(config: Any) -> None:
    hint = f"use one of {', '.join(SUPPORTED)} with absolute or rotary positions and one label"
    problem = None
    if config.model_type not in SUPPORTED:
        problem = f"model_type {config.model_type!r}"
    elif config.num_labels != 1:
        problem = f"a head with {config.num_labels} labels"
    elif getattr(config, "position_embedding_type", None) not in (None, "absolute"):
        problem = f"position_embedding_type {config.position_embedding_type!r}"
    elif not set(activations(config)) <= set(ACTIVATIONS):
        problem = f"activation {' and '.join(repr(name) for name in activations(config) if name not in ACTIVATIONS)}"
    elif getattr(config, "is_decoder", False) or getattr(config, "add_cross_attention", False):
        problem = "a decoder"
    if problem is not None:
        raise JobError("MODEL_UNSUPPORTED", f"{problem} cannot be exported", hint)


def activations(config: Any) -> list[str]:
    """Every activation that a graph is made of; a ModernBERT has another one in its head, the head of the others is always tanh."""
    return [activation(config), config.classifier_activation] if config.model_type == "modernbert" else [activation(config)]


def activation(config: Any) -> str:
    """Name of the feed-forward activation; ModernBERT calls it otherwise."""
    return config.hidden_activation if config.model_type == "modernbert" else config.hidden_act
