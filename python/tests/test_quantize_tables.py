"""Lookup tables of the int8 graph: the arithmetic, which ones are made smaller, and when fp16 is kept."""
import io
import os
import tempfile
import unittest
from unittest import mock

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from rerank_tune_worker.jobs import quantize
from rerank_tune_worker.onnx_export.graph import export_graph
from rerank_tune_worker.onnx_export.onnx_files import Tensor, write_model
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.quantization import tables
from rerank_tune_worker.quantization.ladder import int8_tables_suffice
from rerank_tune_worker.reporter import Reporter
from tests import tiny_models
from tests.onnx_workplace import write_groups
from tests.perturb import perturb


class Rows(unittest.TestCase):
    def test_each_row_has_its_own_scale(self):
        table = np.array([[1.0, -0.5, 0.0], [1000.0, 1.0, -1000.0], [0.0, 0.0, 0.0]], np.float32)
        integers, scales = tables.quantize_rows(table)
        self.assertEqual(integers.tolist(), [[127, -64, 0], [127, 0, -127], [0, 0, 0]])
        np.testing.assert_allclose(scales[:2, 0], [1 / 127, 1000 / 127])

    def test_blocks_of_rows_give_what_the_whole_gives(self):
        table = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
        whole = tables.quantize_rows(table)
        with mock.patch.object(tables, "ROWS_AT_A_TIME", 7):
            for one, other in zip(whole, tables.quantize_rows(table)):
                np.testing.assert_array_equal(one, other)


class Lookups(unittest.TestCase):
    def lookup(self, op, table, form):
        """What the smaller lookup of rows 3, 1, 3 (Gather) or 1 and 2 (Slice) gives."""
        bounds = {"first": [1], "end": [3], "axis": [0]}
        inputs = ["table", "rows"] if op == "Gather" else ["table", *bounds]
        node = helper.make_node(op, inputs, ["y"], name="y")
        nodes, tensors = tables.smaller_table(node, Tensor.of("table", table), form)
        tensors += [Tensor.of(name, np.array(value)) for name, value in bounds.items()]
        fed = [helper.make_tensor_value_info("rows", TensorProto.INT64, [None])] if op == "Gather" else []
        graph = helper.make_graph(nodes, "g", fed, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "table.onnx")
            write_model(path, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tensors)
            stored = {item.data_type for item in onnx.load(path).graph.initializer if len(item.dims) == 2 and item.dims[1] > 1}
            return onnxruntime.InferenceSession(path).run(None, {"rows": np.array([3, 1, 3])} if fed else {})[0], stored

    def test_int8_rows_come_back_as_rounded(self):
        table = np.random.default_rng(1).normal(size=(300, 300)).astype(np.float32)
        with mock.patch.object(tables, "INT8_FROM_BYTES", 1000):
            found, stored = self.lookup("Gather", table, "int8")
        integers, scales = tables.quantize_rows(table)
        np.testing.assert_allclose(found, (integers * scales)[[3, 1, 3]], rtol=1e-6)
        self.assertEqual(stored, {TensorProto.INT8})
        self.assertLess(np.abs(found - table[[3, 1, 3]]).max(), np.abs(table).max() / 250)

    def test_small_tables_and_slices_stay_float16(self):
        table = np.random.default_rng(1).normal(size=(300, 300)).astype(np.float32)
        for op, rows in (("Gather", [3, 1, 3]), ("Slice", [1, 2])):
            with self.subTest(op):
                found, stored = self.lookup(op, table, "int8")
                np.testing.assert_array_equal(found, table.astype(np.float16).astype(np.float32)[rows])
                self.assertEqual(stored, {TensorProto.FLOAT16})


class TheJob(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder, self.model = scratch.name, os.path.join(scratch.name, "model")
        write_groups(os.path.join(self.folder, "groups.jsonl"))
        tiny_models.build("xlm-roberta", self.model)
        perturb(self.model)
        export_graph(self.model, os.path.join(self.folder, "onnx", "model.onnx"), 17)
        small = mock.patch.object(tables, "INT8_FROM_BYTES", 1000), mock.patch.object(tables, "HALF_FROM_BYTES", 1000)
        for patch in small:
            patch.start()
            self.addCleanup(patch.stop)

    def quantize(self):
        inputs = {"onnx": os.path.join(self.folder, "onnx", "model.onnx"), "model": self.model, "calibration": os.path.join(self.folder, "groups.jsonl")}
        options = {"int8": True, "fp16": False, "calibration_queries": 12, "calibration_depth": 4, "weight_bits": "8", "target_error": 0.05, "max_error": 0.15, "max_length": 48}
        done = quantize.run(Job(1, "t", "quantize", self.folder, inputs, options), Reporter(io.StringIO(), "t"))
        graph = onnx.load(os.path.join(self.folder, quantize.FILES["int8"])).graph
        return done.outputs["tried"], {item.name for item in graph.initializer}

    def test_takes_int8_where_the_score_error_allows_it_and_says_what_it_tried(self):
        tried, stored = self.quantize()
        self.assertIn("embeddings.word.weight.int8", stored)
        self.assertEqual([row["kept"] for row in tried], [False] * (len(tried) - 1) + [True])
        self.assertEqual([row["tables"] for row in tried], ["fp16"] * (len(tried) - 1) + ["int8"])
        for row in tried:
            self.assertEqual(set(row), {"forms", "cost", "tables", "error", "bytes", "kept"})
        self.assertLess(tried[-1]["bytes"], tried[-2]["bytes"])

    def test_keeps_fp16_where_int8_costs_too_much(self):
        with mock.patch.object(quantize, "int8_tables_suffice", lambda *_: False):
            tried, stored = self.quantize()
        self.assertIn("embeddings.word.weight.half", stored)
        self.assertEqual([row["tables"] for row in tried if row["kept"]], ["fp16"])

    def test_the_price_is_a_quarter_or_nothing_that_matters(self):
        self.assertEqual([int8_tables_suffice(*errors, 0.05) for errors in ((0.049, 0.01), (0.10, 0.095), (0.12, 0.095))], [True, True, False])


if __name__ == "__main__":
    unittest.main()
