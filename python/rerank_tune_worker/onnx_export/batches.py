"""Encoded pairs to the arrays that an ONNX session is fed with."""
from __future__ import annotations

import json
import os

import numpy as np

from ..pairs import EncodedPair


def pad_id(folder: str) -> int:
    """The padding id of the model in `folder`; 0 where its configuration names none."""
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        return json.load(file).get("pad_token_id") or 0


def make_feed(pairs: list[EncodedPair], inputs: list[str], padding: int) -> dict[str, np.ndarray]:
    """int64 arrays [pairs, longest pair], padded on the right; only the inputs that the graph has."""
    shape = len(pairs), max(len(pair.ids) for pair in pairs)
    feed = {"input_ids": np.full(shape, padding, np.int64), "attention_mask": np.zeros(shape, np.int64), "token_type_ids": np.zeros(shape, np.int64)}
    for row, pair in enumerate(pairs):
        length = len(pair.ids)
        feed["input_ids"][row, :length] = pair.ids
        feed["attention_mask"][row, :length] = 1
        feed["token_type_ids"][row, :length] = pair.type_ids
    return {name: feed[name] for name in inputs}
