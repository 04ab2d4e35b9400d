"""The quantize job on tiny models of every supported architecture, and the arithmetic of its forms; needs torch, onnx and onnxruntime."""
import io
import json
import os
import random
import tempfile
import unittest
from unittest import mock

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper

from rerank_tune_worker.jobs import quantize
from rerank_tune_worker.onnx_export import onnx_files
from rerank_tune_worker.onnx_export.batches import make_feed
from rerank_tune_worker.onnx_export.graph import export_graph
from rerank_tune_worker.onnx_export.onnx_files import Tensor, read_model, write_model
from rerank_tune_worker.pairs import PairEncoder
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.quantization import activations, calibration, search
from rerank_tune_worker.quantization.activations import Statistics, collect
from rerank_tune_worker.quantization.fp16 import HalfGraph
from rerank_tune_worker.quantization.fused_attention import fuse_attention
from rerank_tune_worker.quantization.groups import find_groups
from rerank_tune_worker.quantization.int8 import Int8Graph
from rerank_tune_worker.quantization.measure import relative_error
from rerank_tune_worker.reporter import JobError, Reporter
from tests import tiny_models
from tests.perturb import perturb

MAX_LENGTH = 48


def setUpModule():
    global FOLDER, DONE
    FOLDER = tempfile.TemporaryDirectory()
    write_groups(os.path.join(FOLDER.name, "groups.jsonl"))
    DONE = {}
    for kind in tiny_models.KINDS:
        tiny_models.build(kind, model_of(kind))
        perturb(model_of(kind))
        export_graph(model_of(kind), graph_of(kind), 17)
        DONE[kind] = run_quantize(kind, out_of(kind))


def tearDownModule():
    FOLDER.cleanup()


def write_groups(path, queries=12):
    words, chooser = tiny_models.TEXT.split(), random.Random(1)
    with open(path, "w", encoding="utf-8") as file:
        for number in range(queries):
            passages = [{"id": str(i), "text": " ".join(chooser.choices(words, k=chooser.randint(3, 40))), "label": int(i == 0), "source": "judged"} for i in range(8)]
            file.write(json.dumps({"query_id": str(number), "query": " ".join(chooser.choices(words, k=5)), "passages": passages}) + "\n")


def model_of(kind):
    return os.path.join(FOLDER.name, kind)


def out_of(kind):
    return os.path.join(FOLDER.name, kind + "-out")


def graph_of(kind):
    return os.path.join(out_of(kind), "onnx", "model.onnx")


def variant_of(kind, name):
    return os.path.join(out_of(kind), quantize.FILES[name])


def run_quantize(kind, out_dir, **changes):
    options = {"int8": True, "fp16": True, "calibration_queries": 12, "calibration_depth": 4, "weight_bits": "8", "target_error": 0.05, "max_error": 0.5, "max_length": MAX_LENGTH} | changes
    inputs = {"onnx": graph_of(kind), "model": model_of(kind), "calibration": os.path.join(FOLDER.name, "groups.jsonl")}
    return quantize.run(Job(1, "t", "quantize", out_dir, inputs, options), Reporter(io.StringIO(), "t"))


def pairs_of(kind, count=8):
    encoder = PairEncoder(model_of(kind), MAX_LENGTH)
    return sum(calibration.calibration_pairs(os.path.join(FOLDER.name, "groups.jsonl"), encoder, 12, 4), [])[:count]


def padding_of(kind):
    return 1 if kind in ("roberta", "xlm-roberta") else 0


def run_graph(path, kind, pairs, longer=0):
    """Logits of one batch; `longer` adds that many columns of padding."""
    session = onnxruntime.InferenceSession(path)
    feed = make_feed(pairs, [value.name for value in session.get_inputs()], padding_of(kind))
    fill = {"input_ids": padding_of(kind)}
    feed = {name: np.pad(value, ((0, 0), (0, longer)), constant_values=fill.get(name, 0)) for name, value in feed.items()}
    return session.run(["logits"], feed)[0][:, 0]


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
                self.assertEqual(variant["bytes"], os.path.getsize(variant_of(kind, variant["name"])))
            self.assertFalse(os.path.exists(os.path.join(out_of(kind), ".scratch")))

    def test_every_matrix_of_the_encoder_is_as_its_choice_says(self):
        for kind in self.each():
            model = onnx.load(variant_of(kind, "int8"))
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
            pairs = pairs_of(kind)
            path = variant_of(kind, "int8")
            alone = np.concatenate([run_graph(path, kind, [pair]) for pair in pairs])
            for longer in (0, 7):
                np.testing.assert_allclose(run_graph(path, kind, pairs, longer), alone, rtol=0, atol=1e-5)

    def test_fp16_is_close(self):
        for kind in self.each():
            self.assertLess(DONE[kind].outputs["variants"][1]["relative_error"], 0.02)

    def test_fp16_keeps_inputs_outputs_and_halves_the_weights(self):
        for kind in self.each():
            plain, half = onnx.load(graph_of(kind)), onnx.load(variant_of(kind, "fp16"))
            self.assertEqual(list(plain.graph.input), list(half.graph.input))
            self.assertEqual(list(plain.graph.output), list(half.graph.output))
            large = [i.name for i in half.graph.initializer if i.data_type == TensorProto.FLOAT and len(i.dims) == 2 and not i.name.startswith(("head.", "full_", "sliding_"))]
            self.assertEqual(large, [])

    def test_a_row_of_padding_gives_a_number_in_both(self):
        for kind in self.each():
            for name in quantize.FILES:
                session = onnxruntime.InferenceSession(variant_of(kind, name))
                feed = make_feed(pairs_of(kind, 2), [value.name for value in session.get_inputs()], padding_of(kind))
                feed["attention_mask"][1] = 0
                feed["input_ids"][1] = padding_of(kind)
                self.assertTrue(np.isfinite(session.run(None, feed)[0]).all())

    def test_both_load_in_older_runtimes(self):
        for kind in self.each():
            for name in quantize.FILES:
                model = onnx.load(variant_of(kind, name))
                self.assertLessEqual(model.ir_version, 10)
                self.assertLessEqual({(entry.domain, entry.version) for entry in model.opset_import}, {("", 17), ("com.microsoft", 1)})

    def test_the_same_inputs_give_the_same_bytes(self):
        run_quantize("bert", out_of("bert-again"))
        for name in quantize.FILES:
            with open(variant_of("bert", name), "rb") as first, open(variant_of("bert-again", name), "rb") as second:
                self.assertEqual(first.read(), second.read())

    def test_seven_bits_reach_the_file(self):
        self.assertEqual(run_quantize("bert", out_of("bert-7"), weight_bits="7", fp16=False).outputs["weight_bits"], 7)
        model = onnx.load(variant_of("bert-7", "int8"))
        largest = max(np.abs(onnx.numpy_helper.to_array(i).astype(int)).max() for i in model.graph.initializer if i.data_type == TensorProto.INT8)
        self.assertEqual(largest, 63)

    def test_an_int8_file_says_how_many_bits_its_weights_have(self):
        run_quantize("bert", out_of("bert-7"), weight_bits="7", fp16=False)
        said = {name: {entry.key: entry.value for entry in onnx.load(variant_of(name, "int8")).metadata_props} for name in ("bert", "bert-7")}
        self.assertEqual(said, {"bert": {"rerank_tune.weight_bits": "8"}, "bert-7": {"rerank_tune.weight_bits": "7"}})


class ExternalData(unittest.TestCase):
    def test_a_graph_with_external_weights_gives_the_same_variants(self):
        # a model above 2 GB comes like this; its values must be found wherever the scratch graphs lie
        os.makedirs(os.path.dirname(graph_of("external")), exist_ok=True)
        with mock.patch.object(onnx_files, "SINGLE_FILE_LIMIT", 1000):
            export_graph(model_of("xlm-roberta"), graph_of("external"), 17)
        self.assertTrue(os.path.exists(graph_of("external") + "_data"))
        os.symlink(model_of("xlm-roberta"), model_of("external"))
        run_quantize("external", out_of("external"))
        for name in quantize.FILES:
            with open(variant_of("external", name), "rb") as first, open(variant_of("xlm-roberta", name), "rb") as second:
                self.assertEqual(first.read(), second.read())


class Smoothing(unittest.TestCase):
    def test_it_moves_into_weights_that_already_run(self):
        model, tensors = read_model(graph_of("xlm-roberta"))
        groups = {group.members[0].node: group for group in find_groups(model.graph, tensors)}
        self.assertEqual(groups["layer.0.attention.output.matmul"].source, "layer.0.attention.value.matmul")
        self.assertFalse(groups["layer.0.down.matmul"].free_smoothing)
        model, tensors = read_model(graph_of("modernbert"))
        groups = {group.members[0].node: group for group in find_groups(model.graph, tensors)}
        self.assertEqual(groups["layer.0.down.matmul"].source, "layer.0.gate.matmul")
        self.assertEqual(groups["layer.1.attention.query.matmul"].norm, "layer.1.attention.norm")

    def test_it_changes_nothing_but_rounding(self):
        # the strongest smoothing everywhere: a divisor that went to the wrong place would change every score
        for kind in tiny_models.KINDS:
            with self.subTest(kind):
                model, tensors = read_model(graph_of(kind))
                groups = find_groups(model.graph, tensors)
                pairs = pairs_of(kind)
                with tempfile.TemporaryDirectory() as scratch:
                    statistics, exact, _ = collect(model, tensors, groups, pairs, scratch, lambda _: None)
                with mock.patch.object(search, "ALPHAS", (0.9,)):
                    choices = {group.x: search.best_choices(group, statistics[group.x], 127)["token"] for group in groups}
                path = os.path.join(FOLDER.name, "smooth.onnx")
                write_model(path, *Int8Graph(model, tensors, groups, choices, 127).build())
                scores = np.concatenate([run_graph(path, kind, [pair]) for pair in pairs])
                self.assertLess(relative_error(scores, exact), 0.4)


class HalfPrecision(unittest.TestCase):
    def test_a_node_that_overflows_stays_in_float32(self):
        model, tensors = read_model(graph_of("bert"))
        name = "layer.0.up.add"
        half, _ = HalfGraph(model, tensors, {name: 7e4}).build()
        (node,) = [node for node in half.graph.node if node.name == name]
        produced = {output: other for other in half.graph.node for output in other.output}
        self.assertEqual(produced[node.input[0]].op_type, "Cast")
        weights = {tensor.name for tensor in tensors}
        self.assertTrue([value for value in node.input if value in weights])


    def scores(self, kind, change):
        """Scores in float32 and float16 of a graph with changed weights; the scan sees half of the pairs, all are scored."""
        model, tensors = read_model(graph_of(kind))
        tensors = [Tensor.of(t.name, change(t.name, np.array(t.load()))) for t in tensors]
        pairs = pairs_of(kind)
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
            model, tensors = read_model(graph_of(kind))
            with tempfile.TemporaryDirectory() as scratch:
                largest = collect(model, tensors, find_groups(model.graph, tensors), pairs_of(kind, 2), scratch, lambda _: None)[2]
            growing = {node.output[0] for node in model.graph.node if node.op_type not in activations.UNWATCHED and not node.name.startswith("positions.")}
            self.assertEqual(set(largest), growing)
            self.assertGreater({node.op_type for node in model.graph.node if node.output[0] in largest}, {"MatMul", "Mul", "LayerNormalization"})


class FusedAttention(unittest.TestCase):
    def graphs(self, kind, scratch):
        """Files of the plain graph, the fused one in float32 and the fused one in float16, and the fused nodes."""
        model, tensors = read_model(graph_of(kind))
        fused, kept, largest = fuse_attention(model, tensors, {})
        paths = [os.path.join(scratch, name) for name in ("fused.onnx", "half.onnx")]
        write_model(paths[0], fused, kept)
        write_model(paths[1], *HalfGraph(fused, kept, largest).build())
        return graph_of(kind), *paths, fused.graph.node

    def test_it_changes_no_score_alone_in_a_batch_or_with_padding(self):
        for kind in tiny_models.KINDS:
            with self.subTest(kind), tempfile.TemporaryDirectory() as scratch:
                plain, fused, _, _ = self.graphs(kind, scratch)
                pairs = pairs_of(kind)
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
                pairs = pairs_of(kind)
                exact = np.concatenate([run_graph(plain, kind, [pair]) for pair in pairs])
                scores = np.concatenate([run_graph(half, kind, [pair]) for pair in pairs])
                self.assertLess(relative_error(scores, exact), 0.05)
                self.assertTrue(np.isfinite(run_graph(half, kind, pairs)).all())

    def test_scores_that_were_too_large_keep_the_whole_attention_in_float32(self):
        model, tensors = read_model(graph_of("bert"))
        fused, kept, largest = fuse_attention(model, tensors, {"layer.0.attention.scores": 7e4, "layer.0.attention.context": 2.0})
        self.assertEqual(largest["layer.0.attention.context"], 7e4)
        half, _ = HalfGraph(fused, kept, largest).build()
        inputs = {node.name: list(node.input) for node in half.graph.node if node.op_type == "MultiHeadAttention"}
        self.assertTrue(inputs["layer.0.attention.context"][0].endswith(".float"))
        self.assertFalse(inputs["layer.1.attention.context"][0].endswith(".float"))

    def test_the_job_makes_it_where_asked(self):
        out = out_of("bert-fused")
        done = run_quantize("bert", out, int8=False, fp16_attention="fused")
        operators = {node.op_type for node in onnx.load(os.path.join(out, quantize.FILES["fp16"])).graph.node}
        self.assertIn("MultiHeadAttention", operators)
        self.assertLess(done.outputs["variants"][0]["relative_error"], 0.05)
        self.assertNotIn("MultiHeadAttention", {node.op_type for node in onnx.load(variant_of("bert", "fp16")).graph.node})


class Calibration(unittest.TestCase):
    def write(self, text):
        path = os.path.join(FOLDER.name, "other.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_searched_and_held_back_pairs_share_no_query(self):
        halves = calibration.calibration_pairs(os.path.join(FOLDER.name, "groups.jsonl"), PairEncoder(model_of("bert"), 48), 12, 4)
        self.assertEqual([len(half) for half in halves], [24, 24])
        starts = [{tuple(pair.ids[: pair.type_ids.index(1)]) for pair in half if 1 in pair.type_ids} for half in halves]
        self.assertEqual(starts[0] & starts[1], set())

    def test_one_query_is_too_few(self):
        path = self.write(json.dumps({"query": "a", "passages": [{"text": "b", "label": 1}]}) + "\n")
        with self.assertRaises(JobError) as caught:
            calibration.calibration_pairs(path, PairEncoder(model_of("bert"), 48), 4, 4)
        self.assertEqual(caught.exception.code, "DATA_INVALID")

    def test_values_that_are_not_numbers_stop_the_job(self):
        model, tensors = read_model(graph_of("bert"))
        broken = [Tensor.of(t.name, np.full(t.dims, np.nan, np.float32)) if t.name == "layer.0.up.bias" else t for t in tensors]
        with tempfile.TemporaryDirectory() as scratch, self.assertRaises(JobError) as caught:
            collect(model, broken, find_groups(model.graph, tensors), pairs_of("bert", 2), scratch, lambda _: None)
        self.assertIn("not numbers", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
