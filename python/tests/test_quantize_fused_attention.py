"""Attention as one node: it changes no score, and float16 keeps its rules; needs torch, onnx and onnxruntime."""
import os
import tempfile
import unittest

import numpy as np
import onnx

from rerank_tune_worker.onnx_export.onnx_files import read_model, write_model
from rerank_tune_worker.quantization.fp16 import HalfGraph
from rerank_tune_worker.quantization.fused_attention import fuse_attention
from rerank_tune_worker.quantization.measure import relative_error
from tests import tiny_models
from tests.onnx_workplace import QuantizeWorkplace, run_graph


def setUpModule():
    global PLACE
    PLACE = QuantizeWorkplace()


def tearDownModule():
    PLACE.cleanup()


class FusedAttention(unittest.TestCase):
    def graphs(self, kind, scratch):
        """Files of the plain graph, the fused one in float32 and the fused one in float16, and the fused nodes."""
        model, tensors = read_model(PLACE.graph_of(kind))
        fused, kept, largest = fuse_attention(model, tensors, {})
        paths = [os.path.join(scratch, name) for name in ("fused.onnx", "half.onnx")]
        write_model(paths[0], fused, kept)
        write_model(paths[1], *HalfGraph(fused, kept, largest).build())
        return PLACE.graph_of(kind), *paths, fused.graph.node

    def test_it_changes_no_score_alone_in_a_batch_or_with_padding(self):
        for kind in tiny_models.KINDS:
            with self.subTest(kind), tempfile.TemporaryDirectory() as scratch:
                plain, fused, _, _ = self.graphs(kind, scratch)
                pairs = PLACE.pairs_of(kind)
                for batch in [pairs, *([pair] for pair in pairs[:4])]:
                    np.testing.assert_allclose(run_graph(fused, kind, batch), run_graph(plain, kind, batch), rtol=0, atol=1e-5)

    def test_every_attention_is_one_node_and_nothing_of_the_old_form_stays(self):
        for kind in tiny_models.KINDS:
            with self.subTest(kind), tempfile.TemporaryDirectory() as scratch:
                plain, fused, _, nodes = self.graphs(kind, scratch)
                softmaxes = [node for node in onnx.load(plain).graph.node if node.op_type == "Softmax"]
                made = [node for node in nodes if node.op_type == "MultiHeadAttention"]
                self.assertEqual(len(made), len(softmaxes))
                self.assertFalse([node for node in nodes if node.op_type == "Softmax"])
                onnx.checker.check_model(onnx.load(fused))

    def test_in_float16_the_cpu_still_opens_it_and_scores_as_the_plain_form_does(self):
        for kind in tiny_models.KINDS:
            with self.subTest(kind), tempfile.TemporaryDirectory() as scratch:
                plain, _, half, _ = self.graphs(kind, scratch)
                pairs = PLACE.pairs_of(kind)
                exact = np.concatenate([run_graph(plain, kind, [pair]) for pair in pairs])
                scores = np.concatenate([run_graph(half, kind, [pair]) for pair in pairs])
                self.assertLess(relative_error(scores, exact), 0.05)
                self.assertTrue(np.isfinite(run_graph(half, kind, pairs)).all())

    def test_scores_that_were_too_large_keep_the_whole_attention_in_float32(self):
        model, tensors = read_model(PLACE.graph_of("bert"))
        fused, kept, largest = fuse_attention(model, tensors, {"layer.0.attention.scores": 7e4, "layer.0.attention.context": 2.0})
        self.assertEqual(largest["layer.0.attention.context"], 7e4)
        half, _ = HalfGraph(fused, kept, largest).build()
        inputs = {node.name: list(node.input) for node in half.graph.node if node.op_type == "MultiHeadAttention"}
        self.assertTrue(inputs["layer.0.attention.context"][0].endswith(".float"))
        self.assertFalse(inputs["layer.1.attention.context"][0].endswith(".float"))

    def test_the_job_makes_it_where_asked(self):
        operators = lambda kind: {node.op_type for node in onnx.load(PLACE.variant_of(kind, "fp16")).graph.node}  # noqa: E731
        done = PLACE.run("bert", PLACE.out_of("bert-fused"), int8=False, fp16_attention="fused")
        self.assertIn("MultiHeadAttention", operators("bert-fused"))
        self.assertLess(done.outputs["variants"][0]["relative_error"], 0.05)
        PLACE.run("bert", PLACE.out_of("bert"), int8=False)
        self.assertNotIn("MultiHeadAttention", operators("bert"))


if __name__ == "__main__":
    unittest.main()
