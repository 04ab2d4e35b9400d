"""A folder with tiny models and their graphs, in which tests run the export and quantize jobs, and what those tests ask of a graph."""
import io
import json
import os
import random
import tempfile

import numpy as np
import onnxruntime

from rerank_tune_worker.jobs import quantize
from rerank_tune_worker.onnx_export.batches import make_feed
from rerank_tune_worker.onnx_export.graph import export_graph
from rerank_tune_worker.pairs import PairEncoder
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.quantization import calibration
from rerank_tune_worker.reporter import Reporter
from tests import tiny_models
from tests.perturb import perturb

MAX_LENGTH = 48


def write_groups(path, queries=12):
    words, chooser = tiny_models.TEXT.split(), random.Random(1)
    with open(path, "w", encoding="utf-8") as file:
        for number in range(queries):
            passages = [{"id": str(i), "text": " ".join(chooser.choices(words, k=chooser.randint(3, 40))), "label": int(i == 0), "source": "judged"} for i in range(8)]
            file.write(json.dumps({"query_id": str(number), "query": " ".join(chooser.choices(words, k=5)), "passages": passages}) + "\n")


def padding_of(kind):
    return 1 if kind in ("roberta", "xlm-roberta") else 0


def run_graph(path, kind, pairs, longer=0):
    """Logits of one batch; `longer` adds that many columns of padding."""
    session = onnxruntime.InferenceSession(path)
    feed = make_feed(pairs, [value.name for value in session.get_inputs()], padding_of(kind))
    fill = {"input_ids": padding_of(kind)}
    feed = {name: np.pad(value, ((0, 0), (0, longer)), constant_values=fill.get(name, 0)) for name, value in feed.items()}
    return session.run(["logits"], feed)[0][:, 0]


class OnnxWorkplace:
    """A model of every architecture, named after it. What is made of one lies beside it."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = self._folder.name
        for kind in tiny_models.KINDS:
            tiny_models.build(kind, self.model_of(kind))
            perturb(self.model_of(kind))

    def cleanup(self):
        self._folder.cleanup()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def model_of(self, kind):
        return self.path(kind)

    def out_of(self, kind):
        return self.path(kind + "-out")

    def graph_of(self, kind):
        return os.path.join(self.out_of(kind), "onnx", "model.onnx")


class QuantizeWorkplace(OnnxWorkplace):
    """With the graph of every model, and groups to calibrate on."""

    def __init__(self):
        super().__init__()
        self.groups = self.path("groups.jsonl")
        write_groups(self.groups)
        for kind in tiny_models.KINDS:
            export_graph(self.model_of(kind), self.graph_of(kind), 17)

    def variant_of(self, kind, name):
        return os.path.join(self.out_of(kind), quantize.FILES[name])

    def pairs_of(self, kind, count=8):
        encoder = PairEncoder(self.model_of(kind), MAX_LENGTH)
        return sum(calibration.calibration_pairs(self.groups, encoder, 12, 4), [])[:count]

    def run(self, kind, out_dir, **changes):
        options = {"int8": True, "fp16": True, "calibration_queries": 12, "calibration_depth": 4, "weight_bits": "8", "target_error": 0.05, "max_error": 0.5, "max_length": MAX_LENGTH} | changes
        inputs = {"onnx": self.graph_of(kind), "model": self.model_of(kind), "calibration": self.groups}
        return quantize.run(Job(1, "t", "quantize", out_dir, inputs, options), Reporter(io.StringIO(), "t"))
