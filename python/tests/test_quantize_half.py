"""The float16 graph: what stays in float32, and that nothing overflows; needs torch, onnx and onnxruntime."""
import os
import tempfile
import unittest

import numpy as np

from rerank_tune_worker.onnx_export.onnx_files import Tensor, read_model, write_model
from rerank_tune_worker.quantization import activations
from rerank_tune_worker.quantization.activations import collect
from rerank_tune_worker.quantization.fp16 import HalfGraph
from rerank_tune_worker.quantization.groups import find_groups
from rerank_tune_worker.quantization.measure import relative_error
from tests import tiny_models
from tests.onnx_workplace import QuantizeWorkplace, run_graph


def setUpModule():
    global PLACE
    PLACE = QuantizeWorkplace()


def tearDownModule():
    PLACE.cleanup()


class HalfPrecision(unittest.TestCase):
    def test_a_node_that_overflows_stays_in_float32(self):
        model, tensors = read_model(PLACE.graph_of("bert"))
        name = "layer.0.up.add"
        half, _ = HalfGraph(model, tensors, {name: 7e4}).build()
        (node,) = [node for node in half.graph.node if node.name == name]
        produced = {output: other for other in half.graph.node for output in other.output}
        self.assertEqual(produced[node.input[0]].op_type, "Cast")
        weights = {tensor.name for tensor in tensors}
        self.assertTrue([value for value in node.input if value in weights])

    def scores(self, kind, change):
        """Scores in float32 and float16 of a graph with changed weights; the scan sees half of the pairs, all are scored."""
        model, tensors = read_model(PLACE.graph_of(kind))
        tensors = [Tensor.of(t.name, change(t.name, np.array(t.load()))) for t in tensors]
        pairs = PLACE.pairs_of(kind)
        with tempfile.TemporaryDirectory() as scratch:
            largest = collect(model, tensors, find_groups(model.graph, tensors), pairs[::2], scratch, lambda _: None)[2]
            exact, half = os.path.join(scratch, "exact.onnx"), os.path.join(scratch, "half.onnx")
            write_model(exact, model, tensors)
            write_model(half, *HalfGraph(model, tensors, largest).build())
            scores = [np.concatenate([run_graph(path, kind, [pair]) for pair in pairs]) for path in (exact, half)]
            padded = run_graph(half, kind, pairs)
        return (*scores, padded, largest)

    def test_activations_beyond_float16_stay_in_float32_and_scores_finite(self):
        def grow(name, value):
            # the value projection grows, so that what Reshape, Transpose and MatMul hand on is too large; its output matrix shrinks it back
            factor = {"layer.0.attention.value": 1e6, "layer.0.attention.output": 1e-6, "layer.1.up": 3e5, "layer.1.down": 3e-6}.get(name.rsplit(".", 1)[0], 1)
            return (value * factor if name.endswith("weight") or factor > 1 else value).astype(value.dtype)

        for kind in ("bert", "roberta", "modernbert"):
            with self.subTest(kind):
                exact, half, padded, largest = self.scores(kind, grow)
                self.assertGreater(max(largest.values()), 65504)
                self.assertTrue(np.isfinite(half).all() and np.isfinite(padded).all())
                self.assertLess(relative_error(half, exact), 0.1)

    def test_weights_beyond_float16_are_not_cut(self):
        def grow(name, value):
            factor = {"layer.0.up.weight": 1e7, "layer.0.up.bias": 1e7, "layer.0.down.weight": 1e-7}.get(name, 1)
            return (value * factor).astype(value.dtype)

        exact, half, _, _ = self.scores("bert", grow)
        self.assertTrue(np.isfinite(half).all())
        self.assertLess(relative_error(half, exact), 0.1)

    def test_the_scan_watches_every_operator_that_can_grow(self):
        for kind in tiny_models.KINDS:
            model, tensors = read_model(PLACE.graph_of(kind))
            with tempfile.TemporaryDirectory() as scratch:
                largest = collect(model, tensors, find_groups(model.graph, tensors), PLACE.pairs_of(kind, 2), scratch, lambda _: None)[2]
            growing = {node.output[0] for node in model.graph.node if node.op_type not in activations.UNWATCHED and not node.name.startswith("positions.")}
            self.assertEqual(set(largest), growing)
            self.assertGreater({node.op_type for node in model.graph.node if node.output[0] in largest}, {"MatMul", "Mul", "LayerNormalization"})


if __name__ == "__main__":
    unittest.main()
