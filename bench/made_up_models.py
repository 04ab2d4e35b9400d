"""Random-weight rerankers and calibration groups for the speed benches; nothing that could rank."""
from __future__ import annotations

import json
import os
import sys

PYTHON = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python")
sys.path.insert(0, PYTHON)


def make_model(folder: str, hidden: int, layers: int, pieces: int | None = None) -> None:
    """An XLM-RoBERTa of the given shape with 64 dimensions a head (32 below 512) and the tokenizer of the tests; `pieces` rows of embeddings."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

    from tests import tiny_models

    tiny_models.build("xlm-roberta", folder)
    config = XLMRobertaConfig.from_pretrained(folder)
    config.hidden_size, config.num_hidden_layers, config.intermediate_size = hidden, layers, 4 * hidden
    config.num_attention_heads = hidden // (64 if hidden >= 512 else 32)
    config.initializer_range = 0.02
    if pieces is not None:
        config.vocab_size, config.max_position_embeddings = pieces, 8194
    torch.manual_seed(0)
    XLMRobertaForSequenceClassification(config).save_pretrained(folder)


def write_groups(path: str) -> None:
    """Groups for calibration, out of the built-in probe texts: every query with every passage."""
    from rerank_tune_worker.onnx_export.probes import PHRASES

    passages = [{"id": str(i), "text": passage, "label": 0, "source": "judged"} for i, (_, _, passage) in enumerate(PHRASES)]
    with open(path, "w", encoding="utf-8") as file:
        for number, (_, query, _) in enumerate(PHRASES):
            marked = [entry | {"label": int(i == number)} for i, entry in enumerate(passages)]
            file.write(json.dumps({"query_id": str(number), "query": query, "passages": marked}) + "\n")


def machine() -> str:
    """Processor, cores and versions, for the head of a result file."""
    from importlib.metadata import version

    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = file.read().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        flags = next(line.split(":", 1)[1].split() for line in lines if line.startswith("flags"))
    except (OSError, StopIteration):
        model, flags = "unknown processor", []
    sets = [flag for flag in ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8", "amx_bf16") if flag in flags]
    return f"{model}, {os.cpu_count()} cores, {' '.join(sets)}; onnxruntime {version('onnxruntime')}, torch {version('torch')}"
