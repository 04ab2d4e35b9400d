"""One way to call a reranker in each of the runtimes that the bench compares: arrays in, logits out. Needs openvino and nncf for two of them."""
from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

Feed = dict[str, np.ndarray]
Runner = Callable[[Feed], np.ndarray]


def pytorch(folder: str, threads: int) -> Runner:
    """Eager attention in float32: what sentence-transformers runs when nothing is asked for."""
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.set_num_threads(threads)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()

    def run(feed: Feed) -> np.ndarray:
        with torch.inference_mode():
            return model(**{name: torch.from_numpy(value) for name, value in feed.items()}).logits[:, 0].numpy()

    return run


def onnx(path: str, threads: int) -> Runner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda feed: session.run(["logits"], feed)[0][:, 0]


def onnx_dynamic(path: str, out: str, threads: int, per_channel: bool) -> Runner:
    """ONNX Runtime's own dynamic quantization of the matrices, as optimum and sentence-transformers call it."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    if not os.path.exists(out):
        quantize_dynamic(path, out, per_channel=per_channel, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])
    return onnx(out, threads)


def openvino(path: str, threads: int, precision: str) -> Runner:
    """`precision`: f32 or bf16."""
    import openvino as ov

    core = ov.Core()
    return _compiled(core, core.read_model(path), threads, precision)


def openvino_int8(path: str, threads: int, calibration: list[Feed]) -> Runner:
    """Static int8 by NNCF with its transformer preset, what sentence-transformers' export_static_quantized_openvino_model does."""
    import nncf
    import openvino as ov

    core = ov.Core()
    # OpenVINO's own defaults of precision: bf16 where the processor has it.
    model = nncf.quantize(core.read_model(path), nncf.Dataset(calibration), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(calibration))
    return _compiled(core, model, threads, None)


def _compiled(core, model, threads: int, precision: str | None) -> Runner:
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"} | ({} if precision is None else {"INFERENCE_PRECISION_HINT": precision})
    compiled = core.compile_model(model, "CPU", settings)
    return lambda feed: compiled(feed)[0][:, 0].copy()
