"""The float32 graph in OpenVINO: every architecture scores there as in ONNX Runtime. Needs `rerank-tune env --openvino`."""
import os
import tempfile
import unittest
from unittest import mock

import numpy as np

from rerank_tune_worker.onnx_export.batches import pad_id
from rerank_tune_worker.onnx_export.graph import export_graph
from rerank_tune_worker.pairs import PairEncoder
from rerank_tune_worker.quantization import openvino_runtime
from rerank_tune_worker.quantization.measure import score
from rerank_tune_worker.quantization.openvino_runtime import compare_with_openvino, require_openvino
from rerank_tune_worker.reporter import JobError
from tests import tiny_models
from tests.perturb import perturb

PAIRS = [("who pays", "the tenant pays"), ("a claim", "is late"), ("tax", "on income"), ("when", "in two weeks after it"), ("", "")]


class Openvino(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name

    def compare(self, kind):
        folder, path = os.path.join(self.folder, kind), os.path.join(self.folder, f"{kind}.onnx")
        tiny_models.build(kind, folder)
        perturb(folder)
        export_graph(folder, path, 17)
        pairs = PairEncoder(folder, 48).encode(PAIRS)
        return compare_with_openvino(path, score(path, pairs), pairs, pad_id(folder), self.folder, lambda: None)

    def test_float32_scores_are_those_of_onnx_runtime_in_every_architecture(self):
        for kind in tiny_models.KINDS:
            with self.subTest(kind):
                found, milliseconds = self.compare(kind)
                rows = {row["precision"]: row for row in found["rows"]}
                self.assertEqual(found["version"], "2026.4.1")
                self.assertLess(rows["f32"]["relative_error"], 1e-3)
                self.assertLess(rows["f32"]["moved_by_batch"], 1e-4)
                self.assertEqual(len(milliseconds), len(rows))
                self.assertTrue(all(value > 0 for value in milliseconds))

    def test_a_precision_that_the_processor_lacks_has_no_row(self):
        answer = {"version": "1", "precision": "f32", "scores": [0.0, 1.0], "milliseconds": 1.0, "moved_by_batch": 0.0}
        with mock.patch.object(openvino_runtime, "_scored", return_value=answer):
            found, milliseconds = compare_with_openvino("x", np.array([0.0, 1.0]), [], 0, self.folder, lambda: None)
        self.assertEqual(([row["precision"] for row in found["rows"]], milliseconds), (["f32"], [1.0]))

    def test_where_it_is_not_installed_the_command_that_fetches_it_is_named(self):
        with mock.patch.object(openvino_runtime, "FOLDER", os.path.join(self.folder, "none")), self.assertRaises(JobError) as caught:
            require_openvino()
        self.assertEqual(caught.exception.code, "ENVIRONMENT_BROKEN")
        self.assertIn("rerank-tune env --openvino", caught.exception.hint)

    def test_a_graph_that_it_refuses_is_named_with_its_reason(self):
        path = os.path.join(self.folder, "broken.onnx")
        with open(path, "wb") as file:
            file.write(b"no graph")
        with self.assertRaises(JobError) as caught:
            compare_with_openvino(path, np.zeros(0), [], 0, self.folder, lambda: None)
        self.assertEqual(caught.exception.code, "MODEL_UNSUPPORTED")
        self.assertIn("broken.onnx", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
