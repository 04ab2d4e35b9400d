"""The quantize job on tiny models of every supported architecture; needs torch, onnx and onnxruntime."""
import json
import os
import tempfile
import unittest
from unittest import mock

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto

from rerank_tune_worker.jobs import quantize
from rerank_tune_worker.onnx_export import onnx_files
from rerank_tune_worker.onnx_export.batches import make_feed
from rerank_tune_worker.onnx_export.graph import export_graph
from rerank_tune_worker.onnx_export.onnx_files import Tensor, read_model, write_model
from rerank_tune_worker.pairs import PairEncoder
from rerank_tune_worker.quantization import calibration, search
from rerank_tune_worker.quantization.activations import collect
from rerank_tune_worker.quantization.groups import find_groups
from rerank_tune_worker.quantization.int8 import Int8Graph
from rerank_tune_worker.quantization.measure import relative_error
from rerank_tune_worker.reporter import JobError
from tests import tiny_models
from tests.onnx_workplace import QuantizeWorkplace, padding_of, run_graph


def setUpModule():
    global PLACE, DONE
    PLACE = QuantizeWorkplace()
    DONE = {kind: PLACE.run(kind, PLACE.out_of(kind)) for kind in tiny_models.KINDS}


def tearDownModule():
    PLACE.cleanup()


class EveryArchitecture(unittest.TestCase):
    def each(self):
        for kind in tiny_models.KINDS:
            with self.subTest(kind):
                yield kind

    def test_both_variants_are_written_and_described(self):
        for kind in self.each():
            variants = DONE[kind].outputs["variants"]
            self.assertEqual([(v["name"], v["file"]) for v in variants], list(quantize.FILES.items()))
            for variant in variants:
                self.assertEqual(variant["bytes"], os.path.getsize(PLACE.variant_of(kind, variant["name"])))
            self.assertFalse(os.path.exists(os.path.join(PLACE.out_of(kind), ".scratch")))

    def test_every_matrix_of_the_encoder_is_as_its_choice_says(self):
        for kind in self.each():
            model = onnx.load(PLACE.variant_of(kind, "int8"))
            plain = [n.name for n in model.graph.node if n.op_type == "MatMul" and any(n.input[1] == i.name for i in model.graph.initializer)]
            chosen = [f"{choice['node']}.plain" for choice in DONE[kind].outputs["choices"] if choice["form"] == "float32"]
            self.assertEqual([name for name in plain if not name.startswith("head.")], [name for name in chosen if name in plain])
            self.assertLess(len(chosen), len(DONE[kind].outputs["choices"]) / 4)
            integer = [n for n in model.graph.node if n.op_type == "MatMulIntegerToFloat"]
            self.assertEqual(len(integer), sum(choice["form"] in ("static", "token") for choice in DONE[kind].outputs["choices"]))

    def test_int8_is_close_on_pairs_held_back(self):
        for kind in self.each():
            self.assertLess(DONE[kind].outputs["variants"][0]["relative_error"], 0.2)

    def test_an_int8_score_does_not_depend_on_batch_mates_or_padding(self):
        for kind in self.each():
            pairs = PLACE.pairs_of(kind)
            path = PLACE.variant_of(kind, "int8")
            alone = np.concatenate([run_graph(path, kind, [pair]) for pair in pairs])
            for longer in (0, 7):
                np.testing.assert_allclose(run_graph(path, kind, pairs, longer), alone, rtol=0, atol=1e-5)

    def test_fp16_is_close(self):
        for kind in self.each():
            self.assertLess(DONE[kind].outputs["variants"][1]["relative_error"], 0.02)

    def test_fp16_keeps_inputs_outputs_and_halves_the_weights(self):
        for kind in self.each():
            plain, half = onnx.load(PLACE.graph_of(kind)), onnx.load(PLACE.variant_of(kind, "fp16"))
            self.assertEqual(list(plain.graph.input), list(half.graph.input))
            self.assertEqual(list(plain.graph.output), list(half.graph.output))
            large = [i.name for i in half.graph.initializer if i.data_type == TensorProto.FLOAT and len(i.dims) == 2 and not i.name.startswith(("head.", "full_", "sliding_"))]
            self.assertEqual(large, [])

    def test_a_row_of_padding_gives_a_number_in_both(self):
        for kind in self.each():
            for name in quantize.FILES:
                session = onnxruntime.InferenceSession(PLACE.variant_of(kind, name))
                feed = make_feed(PLACE.pairs_of(kind, 2), [value.name for value in session.get_inputs()], padding_of(kind))
                feed["attention_mask"][1] = 0
                feed["input_ids"][1] = padding_of(kind)
                self.assertTrue(np.isfinite(session.run(None, feed)[0]).all())

    def test_both_load_in_older_runtimes(self):
        for kind in self.each():
            for name in quantize.FILES:
                model = onnx.load(PLACE.variant_of(kind, name))
                self.assertLessEqual(model.ir_version, 10)
                self.assertLessEqual({(entry.domain, entry.version) for entry in model.opset_import}, {("", 17), ("com.microsoft", 1)})

    def test_the_same_inputs_give_the_same_bytes(self):
        PLACE.run("bert", PLACE.out_of("bert-again"))
        for name in quantize.FILES:
            with open(PLACE.variant_of("bert", name), "rb") as first, open(PLACE.variant_of("bert-again", name), "rb") as second:
                self.assertEqual(first.read(), second.read())

    def test_seven_bits_reach_the_file(self):
        self.assertEqual(PLACE.run("bert", PLACE.out_of("bert-7"), weight_bits="7", fp16=False).outputs["weight_bits"], 7)
        model = onnx.load(PLACE.variant_of("bert-7", "int8"))
        largest = max(np.abs(onnx.numpy_helper.to_array(i).astype(int)).max() for i in model.graph.initializer if i.data_type == TensorProto.INT8)
        self.assertEqual(largest, 63)

    def test_an_int8_file_says_how_many_bits_its_weights_have(self):
        PLACE.run("bert", PLACE.out_of("bert-7"), weight_bits="7", fp16=False)
        said = {name: {entry.key: entry.value for entry in onnx.load(PLACE.variant_of(name, "int8")).metadata_props} for name in ("bert", "bert-7")}
        self.assertEqual(said, {"bert": {"rerank_tune.weight_bits": "8"}, "bert-7": {"rerank_tune.weight_bits": "7"}})


class ExternalData(unittest.TestCase):
    def test_a_graph_with_external_weights_gives_the_same_variants(self):
        # a model above 2 GB comes like this; its values must be found wherever the scratch graphs lie
        os.makedirs(os.path.dirname(PLACE.graph_of("external")), exist_ok=True)
        with mock.patch.object(onnx_files, "SINGLE_FILE_LIMIT", 1000):
            export_graph(PLACE.model_of("xlm-roberta"), PLACE.graph_of("external"), 17)
        self.assertTrue(os.path.exists(PLACE.graph_of("external") + "_data"))
        os.symlink(PLACE.model_of("xlm-roberta"), PLACE.model_of("external"))
        PLACE.run("external", PLACE.out_of("external"))
        for name in quantize.FILES:
            with open(PLACE.variant_of("external", name), "rb") as first, open(PLACE.variant_of("xlm-roberta", name), "rb") as second:
                self.assertEqual(first.read(), second.read())


class Smoothing(unittest.TestCase):
    def test_it_moves_into_weights_that_already_run(self):
        model, tensors = read_model(PLACE.graph_of("xlm-roberta"))
        groups = {group.members[0].node: group for group in find_groups(model.graph, tensors)}
        self.assertEqual(groups["layer.0.attention.output.matmul"].source, "layer.0.attention.value.matmul")
        self.assertFalse(groups["layer.0.down.matmul"].free_smoothing)
        model, tensors = read_model(PLACE.graph_of("modernbert"))
        groups = {group.members[0].node: group for group in find_groups(model.graph, tensors)}
        self.assertEqual(groups["layer.0.down.matmul"].source, "layer.0.gate.matmul")
        self.assertEqual(groups["layer.1.attention.query.matmul"].norm, "layer.1.attention.norm")

    def test_it_changes_nothing_but_rounding(self):
        # the strongest smoothing everywhere: a divisor that went to the wrong place would change every score
        for kind in tiny_models.KINDS:
            with self.subTest(kind):
                model, tensors = read_model(PLACE.graph_of(kind))
                groups = find_groups(model.graph, tensors)
                pairs = PLACE.pairs_of(kind)
                with tempfile.TemporaryDirectory() as scratch:
                    statistics, exact, _ = collect(model, tensors, groups, pairs, scratch, lambda _: None)
                with mock.patch.object(search, "ALPHAS", (0.9,)):
                    choices = {group.x: search.best_choices(group, statistics[group.x], 127)["token"] for group in groups}
                path = PLACE.path("smooth.onnx")
                write_model(path, *Int8Graph(model, tensors, groups, choices, 127).build())
                scores = np.concatenate([run_graph(path, kind, [pair]) for pair in pairs])
                self.assertLess(relative_error(scores, exact), 0.4)


class Calibration(unittest.TestCase):
    def write(self, text):
        path = PLACE.path("other.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_searched_and_held_back_pairs_share_no_query(self):
        halves = calibration.calibration_pairs(PLACE.groups, PairEncoder(PLACE.model_of("bert"), 48), 12, 4)
        self.assertEqual([len(half) for half in halves], [24, 24])
        starts = [{tuple(pair.ids[: pair.type_ids.index(1)]) for pair in half if 1 in pair.type_ids} for half in halves]
        self.assertEqual(starts[0] & starts[1], set())

    def test_one_query_is_too_few(self):
        path = self.write(json.dumps({"query": "a", "passages": [{"text": "b", "label": 1}]}) + "\n")
        with self.assertRaises(JobError) as caught:
            calibration.calibration_pairs(path, PairEncoder(PLACE.model_of("bert"), 48), 4, 4)
        self.assertEqual(caught.exception.code, "DATA_INVALID")

    def test_values_that_are_not_numbers_stop_the_job(self):
        model, tensors = read_model(PLACE.graph_of("bert"))
        broken = [Tensor.of(t.name, np.full(t.dims, np.nan, np.float32)) if t.name == "layer.0.up.bias" else t for t in tensors]
        with tempfile.TemporaryDirectory() as scratch, self.assertRaises(JobError) as caught:
            collect(model, broken, find_groups(model.graph, tensors), PLACE.pairs_of("bert", 2), scratch, lambda _: None)
        self.assertIn("not numbers", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
