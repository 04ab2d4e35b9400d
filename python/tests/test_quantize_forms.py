"""The arithmetic of the int8 forms."""
import os
import tempfile
import unittest

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper

from rerank_tune_worker.jobs import quantize
from rerank_tune_worker.onnx_export.onnx_files import Tensor, write_model
from rerank_tune_worker.quantization import search
from rerank_tune_worker.quantization.activations import Statistics
from rerank_tune_worker.quantization.groups import find_groups
from rerank_tune_worker.quantization.int8 import Int8Graph


class Forms(unittest.TestCase):
    """One MatMul of each form against the arithmetic it stands for."""

    def graph(self, width, outputs, rows, **range_of_rows):
        weight, bias = torch.randn(width, outputs).numpy(), torch.randn(outputs).numpy()
        nodes = [helper.make_node("MatMul", ["x", "w"], ["m"], name="m"), helper.make_node("Add", ["m", "b"], ["logits"], name="a")]
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "tokens", width])]
        graph = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "tokens", outputs])])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        tensors = [Tensor.of("w", weight), Tensor.of("b", bias)]
        groups = find_groups(model.graph, tensors)
        flat = rows.reshape(-1, width)
        return model, tensors, groups, Statistics(flat.min(0), flat.max(0), flat), rows @ weight + bias

    def run_form(self, parts, choice, x, limit=127):
        model, tensors, groups = parts[:3]
        path = os.path.join(self.folder, "form.onnx")
        write_model(path, *Int8Graph(model, tensors, groups, {"x": choice}, limit).build())
        return onnxruntime.InferenceSession(path).run(None, {"x": x})[0]

    def setUp(self):
        torch.manual_seed(0)
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name

    def test_each_form_gives_what_its_error_was_measured_on(self):
        x = (torch.randn(3, 20, 32) * torch.linspace(0.2, 4, 32)).numpy()
        parts = self.graph(32, 16, x)
        for form, choice in search.best_choices(parts[2][0], parts[3], 127).items():
            with self.subTest(form):
                result = self.run_form(parts, choice, x)
                matrix = lambda y: torch.from_numpy(y.reshape(-1, 16) - parts[1][1].load())  # noqa: E731
                difference = (matrix(result) - matrix(parts[4])).norm(dim=1) / matrix(parts[4]).norm(dim=1)
                self.assertAlmostEqual(float(difference.mean()), choice.error, places=3 if form == "block" else 4)
                self.assertLess(choice.error, 0.02)

    def test_token_scales_follow_each_token(self):
        x = torch.randn(1, 8, 32).numpy()
        x[0, 3] *= 1000  # one huge token leaves the others no steps in the static form
        parts = self.graph(32, 16, x)
        found = search.best_choices(parts[2][0], parts[3], 127)
        self.assertGreater(found["static"].error, 10 * found["token"].error)
        np.testing.assert_allclose(self.run_form(parts, found["token"], x)[0, :3], parts[4][0, :3], atol=0.3)

    def test_one_sided_inputs_use_all_levels(self):
        x = torch.nn.functional.gelu(torch.randn(1, 64, 32) * 3).numpy()
        parts = self.graph(32, 16, x)
        found = search.best_choices(parts[2][0], parts[3], 127)
        self.assertLess(found["static"].zero_point, 32)
        self.assertEqual(found["token"].zero_point, 16)
        self.assertLess(max(choice.error for choice in found.values()), 0.02)

    def test_smoothing_that_costs_a_pass_is_a_form_of_its_own(self):
        x = torch.randn(3, 40, 32).numpy()
        x[..., 5] *= 100  # one loud channel takes the steps of all others
        parts = self.graph(32, 16, x)
        found = search.best_choices(parts[2][0], parts[3], 127)
        self.assertEqual((found["static"].alpha, found["smoothed"].form), (0.0, "static"))
        self.assertGreater(found["smoothed"].alpha, 0)
        self.assertLess(found["smoothed"].error, 0.5 * found["static"].error)
        parts[2][0].norm = "before"  # a LayerNormalization that takes the divisors for nothing
        free = search.best_choices(parts[2][0], parts[3], 127)
        self.assertNotIn("smoothed", free)
        self.assertEqual(free["static"].alpha, found["smoothed"].alpha)

    def test_blocks_need_whole_blocks_and_whole_bytes(self):
        parts = self.graph(24, 16, torch.randn(1, 8, 24).numpy())
        self.assertNotIn("block", search.best_choices(parts[2][0], parts[3], 127))
        parts = self.graph(32, 16, torch.randn(1, 8, 32).numpy())
        self.assertNotIn("block", search.best_choices(parts[2][0], parts[3], 63))

    def test_seven_bit_weights_cannot_saturate_16_bit_sums(self):
        weight = torch.randn(64, 8) * 10
        limit = quantize.WEIGHT_LIMITS[7]
        rounded, _ = search.quantize_weight(weight, limit)
        self.assertEqual(int(rounded.abs().max()), limit)
        self.assertLessEqual(2 * 255 * limit, 2**15 - 1)


if __name__ == "__main__":
    unittest.main()
