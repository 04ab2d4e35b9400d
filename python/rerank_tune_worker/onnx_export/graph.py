"""One call from a model folder to model.onnx. The architectures live in bert.py and modernbert.py."""
from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from .bert import BertGraph
from .checkpoint import Checkpoint
from .graph_builder import GraphBuilder
from .modernbert import ModernBertGraph
from .onnx_files import EXTERNAL_SUFFIX, write_model


@dataclass(frozen=True)
class Exported:
    path: str
    inputs: list[str]
    bytes: int
    opset: int
    ir_version: int


def export_graph(folder: str, path: str, opset: int, on_tensor: Callable[[int, int], None] = lambda *_: None) -> Exported:
    """Writes the float32 graph of the model in `folder` to `path`. Raises JobError MODEL_UNSUPPORTED or MODEL_NOT_FOUND."""
    checkpoint, builder = Checkpoint(folder), GraphBuilder(opset)
    graph = (ModernBertGraph if checkpoint.config.model_type == "modernbert" else BertGraph)(checkpoint, builder)
    output = graph.emit()
    model = builder.model(graph.inputs, output)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_model(path, model, list(builder.tensors.values()), on_tensor)
    files = [file for file in (path, path + EXTERNAL_SUFFIX) if os.path.exists(file)]
    return Exported(path, list(graph.inputs), sum(map(os.path.getsize, files)), opset, model.ir_version)
