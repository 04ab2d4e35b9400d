"""The quantize job: onnx/model.onnx to onnx/model_quantized.onnx (int8) and onnx/model_fp16.onnx, with their measured score errors."""
from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import onnx

from ..onnx_export.onnx_files import EXTERNAL_SUFFIX, Tensor, read_model, write_model
from ..pairs import EncodedPair, PairEncoder
from ..protocol import Done, Job
from ..quantization.activations import collect
from ..quantization.calibration import calibration_pairs
from ..quantization.fp16 import HalfGraph
from ..quantization.fused_attention import fuse_attention
from ..quantization.groups import find_groups
from ..quantization.int8 import Int8Graph
from ..quantization.measure import relative_error, score, timed_score
from ..quantization.mixture import choose_forms, int8_tables_suffice
from ..quantization.search import Choice, best_choices
from ..quantization.tables import has_large_table
from ..reporter import JobError, Reporter

FILES = {"int8": "onnx/model_quantized.onnx", "fp16": "onnx/model_fp16.onnx"}
Result = TypeVar("Result")
WEIGHT_LIMITS = {8: 127, 7: 63}
# Pairs that a mixture of forms is tried on; spread over all queries of the search.
TRIED_PAIRS = 48


def run(job: Job, reporter: Reporter) -> Done:
    """inputs: onnx (file), model (folder with tokenizer), calibration (groups.train.jsonl).

    options: int8, fp16, fp16_attention (plain or fused; plain where absent), calibration_queries, calibration_depth, weight_bits (7 or 8), max_length. Raises JobError DATA_INVALID, WORKER_FAILED.
    """
    scratch = os.path.join(job.out_dir, ".scratch")
    os.makedirs(scratch, exist_ok=True)
    os.makedirs(os.path.join(job.out_dir, "onnx"), exist_ok=True)
    try:
        return _Quantization(job, reporter, scratch).done()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class _Quantization:
    """State of one job."""

    def __init__(self, job: Job, reporter: Reporter, scratch: str):
        self.job, self.reporter, self.scratch = job, reporter, scratch
        self.bits = int(job.options["weight_bits"])
        self.durations: dict[str, float] = {}
        self.tried: list[dict] = []
        self.phases = ["collect activations"]
        self.phases += ["search scales", "choose forms", "write int8"] if job.options["int8"] else []
        self.phases += ["write fp16"] if job.options["fp16"] else []
        self.phases += ["measure errors"]
        self.model, self.tensors = read_model(job.inputs["onnx"])

    def done(self) -> Done:
        encoder = PairEncoder(self.job.inputs["model"], int(self.job.options["max_length"]))
        options = self.job.options
        searched, held_back = calibration_pairs(self.job.inputs["calibration"], encoder, int(options["calibration_queries"]), int(options["calibration_depth"]))
        self.groups = find_groups(self.model.graph, self.tensors)
        self._timed("collect activations", lambda: self._collect(searched))
        choices = self._int8(searched) if options["int8"] else {}
        if options["fp16"]:
            self._timed("write fp16", self._fp16)
        variants = self._timed("measure errors", lambda: self._variants(held_back))
        rows = [self._row(member.node, choices[group.x]) for group in self.groups for member in group.members if group.x in choices]
        metrics = {f"{variant['name']}_relative_error": variant["relative_error"] for variant in variants}
        return Done(outputs={"variants": variants, "choices": rows, "tried": self.tried, "weight_bits": self.bits}, metrics=metrics, durations=self.durations)

    def _timed(self, phase: str, work: Callable[[], Result]) -> Result:
        self.reporter.check_cancelled()
        self.reporter.phase(phase, self.phases.index(phase) + 1, len(self.phases))
        started = time.monotonic()
        result = work()
        self.durations[phase] = time.monotonic() - started
        return result

    def _progress(self, total: float, unit: str) -> Callable[..., None]:
        def step(done: float, *_: float) -> None:
            self.reporter.check_cancelled()
            self.reporter.progress(done, total, unit)

        return step

    def _collect(self, pairs: list[EncodedPair]) -> None:
        step = self._progress(len(pairs), "pairs")
        self.statistics, self.exact, self.largest = collect(self.model, self.tensors, self.groups, pairs, self.scratch, step)
        shutil.rmtree(self.scratch)
        os.makedirs(self.scratch)

    def _int8(self, pairs: list[EncodedPair]) -> dict[str, Choice]:
        found = self._timed("search scales", self._search)
        choices, tables = self._timed("choose forms", lambda: self._choose(found, pairs))
        self._timed("write int8", lambda: self._write("int8", *self._int8_graph(choices, tables)))
        return choices

    def _choose(self, found: dict[str, dict[str, Choice]], pairs: list[EncodedPair]) -> tuple[dict[str, Choice], str]:
        choices, error = choose_forms(found, lambda candidate: self._try(candidate, "fp16", pairs))
        tables = "fp16"
        if has_large_table(self.model.graph, self.tensors) and int8_tables_suffice(self._try(choices, "int8", pairs), error):
            tables = "int8"
        for row in self.tried:
            row["kept"] = (row["token_inputs"], row["tables"]) == (_token_inputs(choices), tables)
        return choices, tables

    def _search(self) -> dict[str, dict[str, Choice]]:
        step, found = self._progress(len(self.groups), "matrices"), {}
        for index, group in enumerate(self.groups):
            found[group.x] = best_choices(group, self.statistics[group.x], WEIGHT_LIMITS[self.bits])
            step(index + 1)
        return found

    def _int8_graph(self, choices: dict[str, Choice], tables: str) -> tuple[onnx.ModelProto, list[Tensor]]:
        return Int8Graph(self.model, self.tensors, self.groups, choices, WEIGHT_LIMITS[self.bits], tables).build()

    def _try(self, choices: dict[str, Choice], tables: str, pairs: list[EncodedPair]) -> float:
        path, every = os.path.join(self.scratch, "candidate.onnx"), -(-len(pairs) // TRIED_PAIRS)
        write_model(path, *self._int8_graph(choices, tables))
        chosen = pairs[::every]
        scores, milliseconds = timed_score(path, chosen, self._progress(len(chosen), "pairs"))
        error, tokens = relative_error(scores, self.exact[::every]), _token_inputs(choices)
        # No times among the outputs: they are kept in the package, whose bytes are those of every equal run.
        self.tried.append({"token_inputs": tokens, "inputs": len(choices), "tables": tables, "error": error, "bytes": os.path.getsize(path)})
        self.reporter.log(f"int8 with {tokens} of {len(choices)} inputs quantized per token, tables in {tables}: score error {error:.3f} of the spread, {milliseconds:.1f} ms a pair")
        return error

    def _fp16(self) -> None:
        graph = self.model, self.tensors, self.largest
        if self.job.options.get("fp16_attention") == "fused":
            graph = fuse_attention(*graph)
        self._write("fp16", *HalfGraph(*graph).build())

    def _write(self, name: str, model: onnx.ModelProto, tensors: list[Tensor]) -> None:
        path = os.path.join(self.job.out_dir, FILES[name])
        write_model(path, model, tensors, lambda done, total: self._progress(total / 2**20, "MiB")(done / 2**20))
        if os.path.exists(path + EXTERNAL_SUFFIX):
            raise JobError("MODEL_UNSUPPORTED", f"the {name} graph is larger than 2 GB", f"set `quantize.{name}: false`")

    def _variants(self, pairs: list[EncodedPair]) -> list[dict]:
        names = [name for name in FILES if self.job.options[name]]
        exact = score(self.job.inputs["onnx"], pairs, self._progress(len(pairs), "pairs"))
        return [self._variant(name, pairs, exact) for name in names]

    def _variant(self, name: str, pairs: list[EncodedPair], exact: np.ndarray) -> dict:
        path = os.path.join(self.job.out_dir, FILES[name])
        scores = score(path, pairs, self._progress(len(pairs), "pairs"))
        if not np.isfinite(scores).all():
            raise JobError("WORKER_FAILED", f"the {name} graph ({FILES[name]}) gives scores that are not numbers on calibration pairs", f"set `quantize.{name}: false`")
        return {"name": name, "file": FILES[name], "bytes": os.path.getsize(path), "relative_error": relative_error(scores, exact)}

    @staticmethod
    def _row(node: str, choice: Choice) -> dict:
        return {"node": node, "form": choice.form, "alpha": choice.alpha, "error": choice.error}


def _token_inputs(choices: dict[str, Choice]) -> int:
    return sum(choice.form == "token" for choice in choices.values())
