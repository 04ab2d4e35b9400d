"""Graphs in the ONNX Runtime that TEI embeds: every architecture loads and scores there, in every form. Needs that runtime beside the environment."""
import os
import sys
import tempfile
import unittest
from unittest import mock

import numpy as np

from rerank_tune_worker.onnx_export.graph import export_graph
from rerank_tune_worker.onnx_export.onnx_files import read_model, write_model
from rerank_tune_worker.pairs import PairEncoder
from rerank_tune_worker.quantization import tei_runtime
from rerank_tune_worker.quantization.activations import collect
from rerank_tune_worker.quantization.fp16 import HalfGraph
from rerank_tune_worker.quantization.groups import find_groups
from rerank_tune_worker.quantization.int8 import Int8Graph
from rerank_tune_worker.quantization.measure import score
from rerank_tune_worker.quantization.search import best_choices
from rerank_tune_worker.quantization.tei_runtime import compare_with_tei, tei_scores
from rerank_tune_worker.reporter import JobError
from tests import tiny_models
from tests.perturb import perturb

PAIRS = [("who pays", "the tenant pays"), ("a claim", "is late"), ("tax", "on income"), ("when", "in two weeks after it"), ("", "")]


class TeiRuntime(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name

    def graphs(self, kind):
        """fp32, fp16 and int8 in each form that the model can have."""
        folder, path = os.path.join(self.folder, kind), os.path.join(self.folder, f"{kind}.onnx")
        tiny_models.build(kind, folder)
        perturb(folder)
        export_graph(folder, path, 17)
        model, tensors = read_model(path)
        groups, pairs = find_groups(model.graph, tensors), PairEncoder(folder, 48).encode(PAIRS)
        statistics, _, largest = collect(model, tensors, groups, pairs, self.folder, lambda _: None)
        found = {g.x: best_choices(g, statistics[g.x], 127) for g in groups}
        paths = {"fp32": path}
        for form in ("static", "token", "block", "float32"):
            paths[form] = os.path.join(self.folder, f"{kind}.{form}.onnx")
            write_model(paths[form], *Int8Graph(model, tensors, groups, {x: f.get(form, f["float32"]) for x, f in found.items()}, 127).build())
        paths["fp16"] = os.path.join(self.folder, f"{kind}.fp16.onnx")
        write_model(paths["fp16"], *HalfGraph(model, tensors, largest).build())
        return paths, pairs

    def test_it_runs_every_graph_and_says_how_far_off_it_is(self):
        if sys.version_info >= (3, 14):  # no wheel of that runtime
            self.assertFalse(os.path.isdir(os.path.join(tei_runtime.FOLDER, "onnxruntime")))
            return
        for kind in tiny_models.KINDS:
            with self.subTest(kind):
                paths, pairs = self.graphs(kind)
                scores = {name: score(path, pairs) for name, path in paths.items()}
                answer = compare_with_tei(paths, scores, pairs, self.folder, lambda: None)
                self.assertEqual(answer["version"], "1.22.1")
                rows = {row["name"]: row for row in answer["graphs"]}
                self.assertEqual(set(rows), set(paths))
                self.assertLess(rows["fp32"]["largest_difference"], 1e-5)
                self.assertLess(max(row["relative_error"] for row in rows.values()), 0.3)

    def test_without_it_nothing_is_said(self):
        with mock.patch.object(tei_runtime, "FOLDER", os.path.join(self.folder, "none")):
            self.assertIsNone(compare_with_tei({"fp32": "x"}, {"fp32": np.zeros(1)}, [], self.folder, lambda: None))

    def test_a_graph_that_it_refuses_is_named_with_its_reason(self):
        path = os.path.join(self.folder, "broken.onnx")
        with open(path, "wb") as file:
            file.write(b"no graph")
        if sys.version_info >= (3, 14):
            self.assertIsNone(tei_scores(path, [], self.folder))
            return
        with self.assertRaises(JobError) as caught:
            tei_scores(path, [], self.folder)
        self.assertEqual(caught.exception.code, "MODEL_UNSUPPORTED")
        self.assertIn("broken.onnx", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
