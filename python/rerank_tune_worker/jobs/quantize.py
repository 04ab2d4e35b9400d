"""The quantize job: onnx/model.onnx to onnx/model_quantized.onnx (int8) and onnx/model_fp16.onnx, with their measured score errors."""
from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import onnx

from ..onnx_export.batches import pad_id
from ..onnx_export.onnx_files import EXTERNAL_SUFFIX, Tensor, read_model, write_model
from ..pairs import EncodedPair, PairEncoder
from ..protocol import Done, Job
from ..quantization.activations import collect
from ..quantization.calibration import calibration_pairs
from ..quantization.fp16 import HalfGraph
from ..quantization.fused_attention import fuse_attention
from ..quantization.groups import find_groups
from ..quantization.int8 import Int8Graph
from ..quantization.ladder import FORMS, Limits, choose_forms, cost, form_of, int8_tables_suffice
from ..quantization.measure import finite_scores, relative_error, timed_score
from ..quantization.openvino_runtime import compare_with_openvino, require_openvino
from ..quantization.search import Choice, best_choices
from ..quantization.sensitivity import sensitivities
from ..quantization.tables import has_large_table
from ..quantization.tei_runtime import compare_with_tei
from ..reporter import JobError, Reporter

FILES = {"int8": "onnx/model_quantized.onnx", "fp16": "onnx/model_fp16.onnx"}
Result = TypeVar("Result")
WEIGHT_LIMITS = {8: 127, 7: 63}
# Pairs that a rung is tried on; spread over all queries of the search.
TRIED_PAIRS = 48
# Pairs that show what each group does alone: every group scores them once in float32, and a large model takes half a second a pair.
SENSED_PAIRS, SENSED_PAIRS_OF_LARGE, LARGE = 16, 6, 2**30


def run(job: Job, reporter: Reporter) -> Done:
    """inputs: onnx (file), model (folder with tokenizer), calibration (groups.train.jsonl).

    options: int8, fp16, fp16_attention (plain or fused; plain where absent), calibration_queries, calibration_depth, weight_bits (7 or 8), target_error, max_error, max_length, openvino (false where absent).
    Raises JobError DATA_INVALID, WORKER_FAILED, MODEL_UNSUPPORTED, ENVIRONMENT_BROKEN.
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
        self.limits = Limits(float(job.options["target_error"]), float(job.options["max_error"]))
        self.durations: dict[str, float] = {}
        self.tried: list[dict] = []
        self.milliseconds: list[float] = []  # a pair, by rung
        self.openvino_milliseconds: list[float] = []  # a pair, by precision
        self.phases = ["collect activations"]
        self.phases += ["search scales", "choose forms", "write int8"] if job.options["int8"] else []
        self.phases += ["write fp16"] if job.options["fp16"] else []
        self.phases += ["measure errors"]
        self.model, self.tensors = read_model(job.inputs["onnx"])

    def done(self) -> Done:
        if self.job.options.get("openvino"):
            require_openvino()  # before the minutes, not after them
        encoder = PairEncoder(self.job.inputs["model"], int(self.job.options["max_length"]))
        options = self.job.options
        searched, held_back = calibration_pairs(self.job.inputs["calibration"], encoder, int(options["calibration_queries"]), int(options["calibration_depth"]))
        self.groups = find_groups(self.model.graph, self.tensors)
        self._timed("collect activations", lambda: self._collect(searched))
        choices = self._int8(searched) if options["int8"] else {}
        if options["fp16"]:
            self._timed("write fp16", self._fp16)
        variants, tei, openvino = self._timed("measure errors", lambda: self._variants(held_back))
        self._keep_times()
        rows = [self._row(member.node, choices[group.x]) for group in self.groups for member in group.members if group.x in choices]
        metrics = {f"{variant['name']}_relative_error": variant["relative_error"] for variant in variants}
        return Done(outputs={"variants": variants, "choices": rows, "tried": self.tried, "tei_runtime": tei, "openvino": openvino, "weight_bits": self.bits}, metrics=metrics, durations=self.durations)

    def _keep_times(self) -> None:
        """Not among the outputs, which are the same for every equal run."""
        os.makedirs(os.path.join(self.job.out_dir, "records"), exist_ok=True)
        with open(os.path.join(self.job.out_dir, "records", "rungs.json"), "w", encoding="utf-8") as file:
            json.dump({"milliseconds": self.milliseconds, "openvino": self.openvino_milliseconds}, file)

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
        measure = lambda candidate: self._try(candidate, "fp16", pairs)  # noqa: E731
        choices, error = choose_forms(self.groups, found, measure, lambda probes: self._sense(probes, pairs), self.limits)
        tables = "fp16"
        if has_large_table(self.model.graph, self.tensors) and int8_tables_suffice(self._try(choices, "int8", pairs), error, self.limits.target):
            tables = "int8"
        for row in self.tried:
            row["kept"] = (row["forms"], row["tables"], row["cost"]) == (self._count(choices), tables, self._cost(choices))
        return choices, tables

    def _sense(self, probes: dict[str, Choice], pairs: list[EncodedPair]) -> dict[str, float]:
        large = sum(tensor.nbytes for tensor in self.tensors) > LARGE
        some = _spread(pairs, SENSED_PAIRS_OF_LARGE if large else SENSED_PAIRS)
        step = self._progress(len(self.groups), "matrices alone")
        return sensitivities(self.model, self.tensors, self.groups, probes, pairs[some], self.exact[some], self.scratch, step)

    def _count(self, choices: dict[str, Choice]) -> dict[str, int]:
        forms = [form_of(group, choices[group.x]) for group in self.groups]
        return {form: forms.count(form) for form in FORMS}

    def _cost(self, choices: dict[str, Choice]) -> float:
        return round(sum(cost(group, choices[group.x]) for group in self.groups))

    def _search(self) -> dict[str, dict[str, Choice]]:
        step, found = self._progress(len(self.groups), "matrices"), {}
        for index, group in enumerate(self.groups):
            found[group.x] = best_choices(group, self.statistics[group.x], WEIGHT_LIMITS[self.bits])
            step(index + 1)
        return found

    def _int8_graph(self, choices: dict[str, Choice], tables: str) -> tuple[onnx.ModelProto, list[Tensor]]:
        return Int8Graph(self.model, self.tensors, self.groups, choices, WEIGHT_LIMITS[self.bits], tables).build()

    def _try(self, choices: dict[str, Choice], tables: str, pairs: list[EncodedPair]) -> float:
        path, some = os.path.join(self.scratch, "candidate.onnx"), _spread(pairs, TRIED_PAIRS)
        write_model(path, *self._int8_graph(choices, tables))
        chosen = pairs[some]
        scores, milliseconds = timed_score(path, chosen, self._progress(len(chosen), "pairs"))
        error, forms = relative_error(scores, self.exact[some]), self._count(choices)
        self.tried.append({"forms": forms, "cost": self._cost(choices), "tables": tables, "error": error, "bytes": os.path.getsize(path)})
        self.milliseconds.append(milliseconds)
        shown = ", ".join(f"{count} {form}" for form, count in forms.items() if count)
        self.reporter.log(f"int8 rung {len(self.tried)}, inputs {shown}, tables in {tables}: score error {error:.3f} of the spread, {milliseconds:.1f} ms a pair")
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

    def _variants(self, pairs: list[EncodedPair]) -> tuple[list[dict], dict | None, dict | None]:
        """What was written, what TEI's runtime makes of all graphs, and OpenVINO of the float32 one; all with errors against float32 here."""
        paths = {"fp32": self.job.inputs["onnx"]} | {name: os.path.join(self.job.out_dir, path) for name, path in FILES.items() if self.job.options[name]}
        scores = finite_scores(paths, pairs, self._progress(len(pairs), "pairs"))
        variants = [{"name": name, "file": FILES[name], "bytes": os.path.getsize(path), "relative_error": relative_error(scores[name], scores["fp32"])} for name, path in paths.items() if name != "fp32"]
        tei = compare_with_tei(paths, scores, pairs, self.scratch, self.reporter.check_cancelled)
        openvino = None
        if self.job.options.get("openvino"):
            openvino, self.openvino_milliseconds = compare_with_openvino(paths["fp32"], scores["fp32"], pairs, pad_id(self.job.inputs["model"]), self.scratch, self.reporter.check_cancelled)
        return variants, tei, openvino

    @staticmethod
    def _row(node: str, choice: Choice) -> dict:
        return {"node": node, "form": choice.form, "alpha": choice.alpha, "error": choice.error}


def _spread(pairs: list[EncodedPair], most: int) -> slice:
    """At most so many of them, evenly from all queries."""
    return slice(None, None, -(-len(pairs) // most))
