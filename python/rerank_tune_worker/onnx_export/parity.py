"""Golden pairs with PyTorch's logits, and how far an ONNX graph is from them. Says what is; the export job decides."""
from __future__ import annotations

import gc
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..pairs import EncodedPair
from .batches import make_feed, pad_id


@dataclass(frozen=True)
class GoldenPair:
    name: str
    query: str
    passage: str
    encoded: EncodedPair
    logit: float


def torch_logits(folder: str, pairs: list[EncodedPair], on_pair: Callable[[int], None]) -> list[float]:
    """float32 logits of the transformers model, eager attention, one pair at a time and so without any padding."""
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    with_types = model.config.model_type == "bert" and model.config.type_vocab_size > 1
    logits = []
    with torch.inference_mode():
        for index, pair in enumerate(pairs):
            feed = {"input_ids": torch.tensor([pair.ids]), "attention_mask": torch.ones(1, len(pair.ids), dtype=torch.long)}
            if with_types:
                feed["token_type_ids"] = torch.tensor([pair.type_ids])
            logits.append(float(model(**feed).logits[0, 0]))
            on_pair(index + 1)
    del model
    gc.collect()
    return logits


def onnx_differences(path: str, folder: str, pairs: list[EncodedPair], expected: list[float], on_pair: Callable[[int], None]) -> float:
    """Largest |logit - expected| over all pairs, each alone and each in a padded batch with its neighbours."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs, padding = [value.name for value in session.get_inputs()], pad_id(folder)
    worst, size = 0.0, 4
    for start in range(0, len(pairs), size):
        chunk, want = pairs[start : start + size], np.array(expected[start : start + size])
        alone = [session.run(["logits"], make_feed([pair], inputs, padding))[0][0, 0] for pair in chunk]
        together = session.run(["logits"], make_feed(chunk, inputs, padding))[0][:, 0]
        difference = np.maximum(np.abs(np.array(alone) - want), np.abs(together - want)).max()
        worst = float("inf") if not np.isfinite(difference) else max(worst, float(difference))
        on_pair(min(start + size, len(pairs)))
    return worst


def padded_row_is_finite(path: str, folder: str, pair: EncodedPair) -> bool:
    """Whether a row of nothing but padding gives a number and leaves its neighbour's logit a number."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feed = make_feed([pair, pair], [value.name for value in session.get_inputs()], pad_id(folder))
    feed["input_ids"][1], feed["attention_mask"][1] = pad_id(folder), 0
    return bool(np.isfinite(session.run(["logits"], feed)[0]).all())


def write_golden(path: str, max_length: int, pairs: list[GoldenPair], with_types: bool) -> None:
    """golden_pairs.json as src/model-folder/layout.ts describes it."""
    rows = []
    for pair in pairs:
        row = {"name": pair.name, "query": pair.query, "passage": pair.passage, "input_ids": pair.encoded.ids, "logit": pair.logit}
        rows.append(row | ({"token_type_ids": pair.encoded.type_ids} if with_types else {}))
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        json.dump({"schema": 1, "max_length": max_length, "pairs": rows}, file, ensure_ascii=False, allow_nan=False, indent=1)
        file.write("\n")
