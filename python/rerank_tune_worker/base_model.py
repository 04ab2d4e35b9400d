"""Reads and checks a base model folder and loads it as a one-label classifier. Trains nothing."""
from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from .reporter import JobError

# model_type of config.json -> the class of transformers that scores pairs with it
SUPPORTED = {
    "bert": "BertForSequenceClassification",
    "roberta": "RobertaForSequenceClassification",
    "xlm-roberta": "XLMRobertaForSequenceClassification",
    "modernbert": "ModernBertForSequenceClassification",
}
SUPPORTED_HINT = f"use a base whose model_type is one of {', '.join(SUPPORTED)}"
# what transformers' configuration classes take where config.json has no pad_token_id
PAD_IDS = {"bert": 0, "roberta": 1, "xlm-roberta": 1, "modernbert": 50283}
HEAD_PREFIXES = ("classifier.", "head.", "bert.pooler.")


@dataclass(frozen=True)
class BaseModel:
    """What a folder holds. `is_reranker`: it already has a one-label head."""

    folder: str
    model_type: str
    architecture: str
    labels: int
    is_reranker: bool
    max_tokens: int
    pad_token_id: int


def inspect_base(folder: str) -> BaseModel:
    """Reads config.json and the names of the files, not the weights.

    Raises JobError MODEL_NOT_FOUND for missing files, MODEL_UNSUPPORTED for other architectures and pickled weights.
    """
    config = _read_config(folder)
    model_type = str(config.get("model_type"))
    architecture = str((config.get("architectures") or ["none"])[0])
    if model_type not in SUPPORTED:
        raise JobError("MODEL_UNSUPPORTED", f"{folder} is a {architecture} (model_type {model_type!r}), which is not supported", SUPPORTED_HINT)
    _check_files(folder)
    _check_modules(folder, architecture)
    classifier = architecture.endswith("ForSequenceClassification")
    labels = _label_count(config) if classifier else 0
    pad = config.get("pad_token_id")
    pad = int(pad) if pad is not None else PAD_IDS[model_type]
    positions = int(config.get("max_position_embeddings", 512))
    # RoBERTa counts positions from pad_token_id + 1
    max_tokens = positions - pad - 1 if "roberta" in model_type else positions
    return BaseModel(folder, model_type, architecture, labels, labels == 1, max_tokens, pad)


def load_base(base: BaseModel, *, seed: int, attention: str) -> Any:
    """The model in fp32 with one label and in eval mode; a head that the folder lacks is drawn from `seed`."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    cls = getattr(transformers, SUPPORTED[base.model_type])
    model, info = cls.from_pretrained(
        base.folder,
        num_labels=1,
        dtype=torch.float32,
        attn_implementation=attention,
        ignore_mismatched_sizes=base.labels > 1,
        output_loading_info=True,
        local_files_only=True,
        use_safetensors=True,
    )
    fresh = {*info["missing_keys"], *(key for key, *_ in info.get("mismatched_keys", ()))}
    lost = sorted(key for key in fresh if not key.startswith(HEAD_PREFIXES))
    if lost:
        raise JobError("MODEL_UNSUPPORTED", f"{base.folder} lacks {len(lost)} weights of {SUPPORTED[base.model_type]}, such as {lost[0]}", "take the base model's files from their source again")
    if base.is_reranker and fresh:
        raise JobError("MODEL_UNSUPPORTED", f"{base.folder} says {base.architecture} but its weights lack {sorted(fresh)[0]}", "take the base model's files from their source again")
    _check_numbers(model, base.folder)
    _draw_head(model, fresh, seed)
    model.config.pad_token_id = base.pad_token_id
    return model.float().eval()


def _check_numbers(model: Any, folder: str) -> None:
    """Bytes that were changed on the way still load; a value that is no number shows some of them."""
    import torch

    broken = next((name for name, parameter in model.named_parameters() if not torch.isfinite(parameter).all()), None)
    if broken is not None:
        raise JobError("MODEL_UNSUPPORTED", f"the weights in {folder} are damaged: {broken} holds values that are not numbers", "fetch model.safetensors again, and compare its sha256 with its source")


def _draw_head(model: Any, names: set[str], seed: int) -> None:
    import torch

    generator = torch.Generator().manual_seed(seed)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name in sorted(names & parameters.keys()):
            parameter = parameters[name]
            if parameter.ndim >= 2:
                parameter.copy_(torch.normal(0.0, 0.02, parameter.shape, generator=generator))  # BERT's initializer_range
            else:
                parameter.fill_(1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0)


def _read_config(folder: str) -> dict[str, Any]:
    path = os.path.join(folder, "config.json")
    if not os.path.isfile(path):
        raise JobError("MODEL_NOT_FOUND", f"{path} is missing", "point `base_model.path` at a folder with config.json, tokenizer.json and model.safetensors")
    try:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    except ValueError as error:
        raise JobError("MODEL_UNSUPPORTED", f"{path} is not JSON: {error}", "take the base model's files from their source again") from error
    if not isinstance(config, dict):
        raise JobError("MODEL_UNSUPPORTED", f"{path} is not a JSON object", "take the base model's files from their source again")
    return config


def _check_files(folder: str) -> None:
    if not os.path.isfile(os.path.join(folder, "tokenizer.json")):
        raise JobError("MODEL_NOT_FOUND", f"{os.path.join(folder, 'tokenizer.json')} is missing", "use a base model with a fast tokenizer (tokenizer.json)")
    if os.path.isfile(os.path.join(folder, "model.safetensors")):
        return _check_whole(os.path.join(folder, "model.safetensors"))
    index = os.path.join(folder, "model.safetensors.index.json")
    if os.path.isfile(index):
        with open(index, encoding="utf-8") as file:
            shards = sorted(set(json.load(file)["weight_map"].values()))
        absent = [name for name in shards if not os.path.isfile(os.path.join(folder, name))]
        if absent:
            raise JobError("MODEL_NOT_FOUND", f"{os.path.join(folder, absent[0])} is missing", "take the base model's files from their source again")
        for name in shards:
            _check_whole(os.path.join(folder, name))
        return
    if os.path.isfile(os.path.join(folder, "pytorch_model.bin")):
        raise JobError("MODEL_UNSUPPORTED", f"{folder} has pickled weights only (pytorch_model.bin), which can run code when opened", "convert them to model.safetensors on a machine you trust, or use a revision that has it")
    raise JobError("MODEL_NOT_FOUND", f"{os.path.join(folder, 'model.safetensors')} is missing", "point `base_model.path` at a folder with model.safetensors")


def _check_whole(path: str) -> None:
    """Reads the header alone, which says how long the file must be."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"):
            return
    except SafetensorError as error:
        raise JobError("MODEL_UNSUPPORTED", f"{path} is cut off or damaged: {error}", "fetch it again, and compare its sha256 with its source") from error


def _check_modules(folder: str, architecture: str) -> None:
    """A sentence-transformers reranker in parts (encoder, then Dense) would silently lose its head as a plain encoder."""
    path = os.path.join(folder, "modules.json")
    if architecture.endswith("ForSequenceClassification") or not os.path.isfile(path):
        return
    with open(path, encoding="utf-8") as file:
        kinds = [str(module.get("type", "")) for module in json.load(file)]
    if any(kind.endswith((".Dense", ".LogitScore")) for kind in kinds) and any("cross_encoder" in kind for kind in kinds):
        raise JobError("MODEL_UNSUPPORTED", f"{folder} keeps its head in separate sentence-transformers modules", "use a base that is one *ForSequenceClassification model, such as BAAI/bge-reranker-v2-m3")


def _label_count(config: dict[str, Any]) -> int:
    if isinstance(config.get("id2label"), dict):
        return len(config["id2label"])
    return int(config.get("num_labels", 2))  # transformers' default when a config names none
