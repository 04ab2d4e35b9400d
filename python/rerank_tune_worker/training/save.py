"""Writes the tuned model as a plain *ForSequenceClassification folder with one label. Adds nothing for particular consumers; `package` does."""
from __future__ import annotations

import json
import os
import shutil
from typing import Any

import torch

from ..base_model import SUPPORTED, BaseModel


def save_model(model: Any, base: BaseModel, folder: str, max_length: int) -> None:
    """config.json, model.safetensors (float32), tokenizer.json, tokenizer_config.json. A folder left by a killed run is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    model.to("cpu", torch.float32).save_pretrained(folder)
    _tidy_config(os.path.join(folder, "config.json"), base)
    _copy_tokenizer(base.folder, folder)
    _tokenizer_config(base, folder, max_length)
    for name in os.listdir(folder):
        os.chmod(os.path.join(folder, name), 0o644)  # safetensors leaves its files to their owner alone


def _tidy_config(path: str, base: BaseModel) -> None:
    config = _read(path)
    config.update(architectures=[SUPPORTED[base.model_type]], id2label={"0": "LABEL_0"}, label2id={"LABEL_0": 0}, pad_token_id=base.pad_token_id, dtype="float32")
    for name in ("_name_or_path", "problem_type", "num_labels"):
        config.pop(name, None)
    _write(path, dict(sorted(config.items())))


def _copy_tokenizer(source: str, folder: str) -> None:
    """The base's own file; only truncation and padding go, because a consumer would apply them silently."""
    path = os.path.join(source, "tokenizer.json")
    tokenizer = _read(path)
    if tokenizer.get("truncation") is None and tokenizer.get("padding") is None:
        shutil.copyfile(path, os.path.join(folder, "tokenizer.json"))
        return
    tokenizer["truncation"] = tokenizer["padding"] = None
    _write(os.path.join(folder, "tokenizer.json"), tokenizer)


def _tokenizer_config(base: BaseModel, folder: str, max_length: int) -> None:
    path = os.path.join(base.folder, "tokenizer_config.json")
    config = _read(path) if os.path.isfile(path) else {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": _token(base)}
    for name in ("name_or_path", "tokenizer_file", "special_tokens_map_file", "max_length", "stride", "truncation_side", "truncation_strategy", "padding_side", "pad_to_multiple_of"):
        config.pop(name, None)
    config["model_max_length"] = max_length
    _write(os.path.join(folder, "tokenizer_config.json"), config)


def _token(base: BaseModel) -> str:
    added = _read(os.path.join(base.folder, "tokenizer.json")).get("added_tokens", [])
    return next((token["content"] for token in added if token["id"] == base.pad_token_id), "[PAD]")


def _read(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _write(path: str, body: dict[str, Any]) -> None:
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        json.dump(body, file, ensure_ascii=False, indent=2)
        file.write("\n")
