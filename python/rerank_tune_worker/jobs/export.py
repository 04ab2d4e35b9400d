"""The export job: a trained model folder to onnx/model.onnx and golden_pairs.json, refused when the two disagree."""
from __future__ import annotations

import math
import os
import time

from ..onnx_export.graph import export_graph
from ..onnx_export.parity import GoldenPair, onnx_differences, padded_row_is_finite, torch_logits, write_golden
from ..onnx_export.probes import probe_pairs
from ..pairs import PairEncoder
from ..protocol import Done, Job
from ..reporter import JobError, Reporter

# Limit of onnx.md §5: both exporters of PyTorch stayed below 2e-7, so 1e-4 leaves room for large models only.
PARITY_LIMIT = 1e-4
PHASES = ("write graph", "score with PyTorch", "score with ONNX Runtime")


def run(job: Job, reporter: Reporter) -> Done:
    """inputs: model (folder). options: opset 17-20, max_length. Raises JobError MODEL_UNSUPPORTED, GATE_FAILED."""
    folder, max_length = job.inputs["model"], int(job.options["max_length"])
    started, durations = time.monotonic(), {}

    def phase(index: int) -> None:
        reporter.check_cancelled()
        reporter.phase(PHASES[index], index + 1, len(PHASES))

    phase(0)
    path = os.path.join(job.out_dir, "onnx", "model.onnx")
    exported = export_graph(folder, path, int(job.options["opset"]), lambda done, total: _step(reporter, done / 2**20, total / 2**20, "MiB"))
    durations["write"] = time.monotonic() - started
    phase(1)
    probes = probe_pairs(max_length)
    encoded = PairEncoder(folder, max_length).encode([(query, passage) for _, query, passage in probes])
    logits = torch_logits(folder, encoded, lambda done: _step(reporter, done, len(probes), "pairs"))
    if not all(map(math.isfinite, logits)):
        raise JobError("WORKER_FAILED", "the trained model gives a score that is not a number on a built-in probe", "train again with a lower `train.learning_rate`")
    phase(2)
    worst = onnx_differences(path, folder, encoded, logits, lambda done: _step(reporter, done, len(probes), "pairs"))
    if worst > PARITY_LIMIT:
        raise JobError("GATE_FAILED", f"the ONNX graph differs from PyTorch by {worst:.2e} on the golden pairs, the limit is {PARITY_LIMIT:.0e}", "please report the model type; another `export.opset` may help")
    if not padded_row_is_finite(path, folder, encoded[0]):
        raise JobError("GATE_FAILED", "the ONNX graph gives no number for a row of padding", "please report the model type")
    pairs = [GoldenPair(*probe, encoded=ids, logit=logit) for probe, ids, logit in zip(probes, encoded, logits)]
    write_golden(os.path.join(job.out_dir, "golden_pairs.json"), max_length, pairs, "token_type_ids" in exported.inputs)
    durations["total"] = time.monotonic() - started
    outputs = {"max_abs_diff": worst, "golden_pairs": len(pairs), "inputs": exported.inputs, "bytes": exported.bytes, "opset": exported.opset, "ir_version": exported.ir_version}
    return Done(outputs=outputs, metrics={"max_abs_diff": worst}, durations=durations)


def _step(reporter: Reporter, done: float, total: float, unit: str) -> None:
    reporter.check_cancelled()
    reporter.progress(done, total, unit)
