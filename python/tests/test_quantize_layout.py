"""What makes the int8 graph faster must not move a score by one bit: tokens before texts in memory, and residuals by subtraction."""
import os
import tempfile
import unittest
from unittest import mock

import numpy as np
import onnx
import onnxruntime

from rerank_tune_worker.onnx_export.graph import export_graph
from rerank_tune_worker.onnx_export.onnx_files import read_model, write_model
from rerank_tune_worker.quantization import int8
from rerank_tune_worker.quantization.groups import find_groups
from rerank_tune_worker.quantization.search import Choice
from tests import tiny_models
from tests.perturb import perturb

TURNED, OTHER = ("bert", "roberta", "xlm-roberta"), ("modernbert",)


class Layout(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = scratch.name
        for kind in tiny_models.KINDS:
            tiny_models.build(kind, os.path.join(cls.folder, kind))
            perturb(os.path.join(cls.folder, kind))
            export_graph(os.path.join(cls.folder, kind), os.path.join(cls.folder, f"{kind}.onnx"), 17)

    def write(self, kind, form, name):
        model, tensors = read_model(os.path.join(self.folder, f"{kind}.onnx"))
        groups = find_groups(model.graph, tensors)
        choices = {g.x: Choice(form, 0.0, 0.0, np.ones(g.width, np.float32), 0.05 if form == "static" else 1e-8, 128) for g in groups}
        path = os.path.join(self.folder, name)
        write_model(path, *int8.Int8Graph(model, tensors, groups, choices, 127).build())
        return path

    def scores(self, path):
        session, chooser = onnxruntime.InferenceSession(path), np.random.default_rng(0)
        ids, mask = chooser.integers(5, 100, (4, 11)), np.ones((4, 11), np.int64)
        mask[1, 6:] = mask[3, 2:] = 0
        ids[mask == 0] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": (np.arange(11) > 4).astype(np.int64)[None].repeat(4, 0)}
        return session.run(None, {value.name: feed[value.name] for value in session.get_inputs()})[0]

    def plain(self, kind, form):
        """The same graph without both changes."""
        with mock.patch.object(int8, "sequence_first", lambda nodes, _: nodes), mock.patch.object(int8.Int8Graph, "_residuals", lambda _: set()):
            return self.write(kind, form, "plain.onnx")

    def test_scores_are_the_same_to_the_last_bit(self):
        for kind in tiny_models.KINDS:
            for form in ("static", "token", "float32"):
                with self.subTest(kind=kind, form=form):
                    np.testing.assert_array_equal(self.scores(self.write(kind, form, "changed.onnx")), self.scores(self.plain(kind, form)))

    def test_one_transpose_an_attention_is_left(self):
        for kind in TURNED:
            graph, layers = onnx.load(self.write(kind, "static", "turned.onnx")).graph, 2
            transposes = [node for node in graph.node if node.op_type == "Transpose"]
            self.assertEqual(len([node for node in transposes if not node.name.endswith(".turned")]), layers)
            flags = [{a.name for a in node.attribute} for node in graph.node if node.op_type == "FusedMatMul"]
            self.assertEqual(flags, [{"transB", "transBatchA", "transBatchB"}, {"transBatchB"}] * layers)

    def test_rotary_models_keep_their_layout(self):
        for kind in OTHER:
            graph = onnx.load(self.write(kind, "static", "kept.onnx")).graph
            self.assertNotIn("transBatchB", {a.name for node in graph.node for a in node.attribute})

    def test_residuals_are_subtracted(self):
        for kind in tiny_models.KINDS:
            graph = onnx.load(self.write(kind, "static", "residuals.onnx")).graph
            self.assertEqual([node.name for node in graph.node if node.op_type == "Sum" and node.name.endswith("residual")], [])
            layers = len([node for node in graph.node if node.op_type == "Softmax"])
            self.assertEqual(len([node for node in graph.node if node.op_type == "Sub" and node.name.endswith("residual")]), 2 * layers)


if __name__ == "__main__":
    unittest.main()
