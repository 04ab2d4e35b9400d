"""The export job on tiny models of every supported architecture; needs torch, transformers, onnx and onnxruntime."""
import hashlib
import io
import json
import os
import tempfile
import unittest
from unittest import mock

import numpy as np
import onnx
import onnxruntime

from rerank_tune_worker.jobs import export
from rerank_tune_worker.onnx_export import onnx_files
from rerank_tune_worker.onnx_export.graph import export_graph
from rerank_tune_worker.onnx_export.probes import probe_pairs
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.reporter import Cancelled, JobError, Reporter
from tests import tiny_models
from tests.onnx_workplace import MAX_LENGTH, OnnxWorkplace


def setUpModule():
    global PLACE, DONE
    PLACE = OnnxWorkplace()
    DONE = {kind: run_export(kind, PLACE.out_of(kind)) for kind in tiny_models.KINDS}


def tearDownModule():
    PLACE.cleanup()


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def change_config(folder, **values):
    path = os.path.join(folder, "config.json")
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    os.unlink(path)  # it may be a link
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config | values, file)


def run_export(kind, out_dir, reporter=None):
    job = Job(1, "t", "export", out_dir, {"model": PLACE.model_of(kind)}, {"opset": 17, "max_length": MAX_LENGTH})
    return export.run(job, reporter or Reporter(io.StringIO(), "t"))


def golden_of(kind):
    with open(os.path.join(PLACE.out_of(kind), "golden_pairs.json"), encoding="utf-8") as file:
        return json.load(file)


class EveryArchitecture(unittest.TestCase):
    def each(self):
        for kind in tiny_models.KINDS:
            with self.subTest(kind):
                yield kind

    def test_logits_agree_with_pytorch_alone_and_padded(self):
        for kind in self.each():
            self.assertLessEqual(DONE[kind].outputs["max_abs_diff"], 1e-4)

    def test_the_golden_logits_spread(self):
        # parity between two constants would say nothing
        for kind in self.each():
            self.assertGreater(np.std([pair["logit"] for pair in golden_of(kind)["pairs"]]), 0.01)

    def test_inputs_and_output_are_what_consumers_feed_and_read(self):
        for kind in self.each():
            session = onnxruntime.InferenceSession(PLACE.graph_of(kind))
            wanted = ["input_ids", "attention_mask"] + (["token_type_ids"] if kind == "bert" else [])
            self.assertEqual([(i.name, i.type, i.shape) for i in session.get_inputs()], [(name, "tensor(int64)", ["batch_size", "sequence_length"]) for name in wanted])
            (output,) = session.get_outputs()
            self.assertEqual((output.name, output.type, output.shape), ("logits", "tensor(float)", ["batch_size", 1]))
            self.assertEqual(DONE[kind].outputs["inputs"], wanted)

    def test_versions_load_in_older_runtimes(self):
        for kind in self.each():
            model = onnx.load(PLACE.graph_of(kind))
            self.assertLessEqual(model.ir_version, 10)
            self.assertEqual([(entry.domain, entry.version) for entry in model.opset_import], [("", 17)])
            onnx.checker.check_model(model, full_check=True)

    def test_a_row_of_padding_gives_a_number_and_disturbs_nobody(self):
        for kind in self.each():
            session = onnxruntime.InferenceSession(PLACE.graph_of(kind))
            pair = golden_of(kind)["pairs"][0]
            length = len(pair["input_ids"])
            feed = {
                "input_ids": np.array([pair["input_ids"] + [0] * 5, [0] * (length + 5)]),
                "attention_mask": np.array([[1] * length + [0] * 5, [0] * (length + 5)]),
                "token_type_ids": np.array([pair.get("token_type_ids", [0] * length) + [0] * 5, [0] * (length + 5)]),
            }
            names = [value.name for value in session.get_inputs()]
            if kind in ("roberta", "xlm-roberta"):
                feed["input_ids"][feed["attention_mask"] == 0] = 1  # their positions are counted from what is not padding
            logits = session.run(["logits"], {name: feed[name] for name in names})[0][:, 0]
            self.assertTrue(np.isfinite(logits).all())
            self.assertAlmostEqual(float(logits[0]), pair["logit"], places=4)

    def test_ids_are_those_of_the_shipped_tokenizer_within_the_limit(self):
        for kind in self.each():
            golden = golden_of(kind)
            self.assertEqual((golden["schema"], golden["max_length"], len(golden["pairs"])), (1, MAX_LENGTH, DONE[kind].outputs["golden_pairs"]))
            lengths = [len(pair["input_ids"]) for pair in golden["pairs"]]
            self.assertEqual(max(lengths), MAX_LENGTH)
            self.assertEqual({"token_type_ids" in pair for pair in golden["pairs"]}, {kind == "bert"})

    def test_the_same_model_gives_the_same_bytes(self):
        for kind in self.each():
            again = PLACE.path("again.onnx")
            export_graph(PLACE.model_of(kind), again, 17)
            self.assertEqual(digest_of(again), digest_of(PLACE.graph_of(kind)))

    def test_every_operator_set_of_the_recipe_is_exact(self):
        for kind in self.each():
            for opset in (18, 19, 20):
                path = PLACE.path("opset.onnx")
                exported = export_graph(PLACE.model_of(kind), path, opset)
                self.assertLessEqual(exported.ir_version, 10)
                pair = golden_of(kind)["pairs"][3]
                feed = {"input_ids": np.array([pair["input_ids"]]), "attention_mask": np.ones((1, len(pair["input_ids"])), np.int64), "token_type_ids": np.array([pair.get("token_type_ids", [])])}
                logit = onnxruntime.InferenceSession(path).run(["logits"], {name: feed[name] for name in exported.inputs})[0]
                self.assertAlmostEqual(float(logit[0, 0]), pair["logit"], places=4)


class ModernBertPooling(unittest.TestCase):
    def test_the_mean_over_real_tokens_is_exact(self):
        folder = PLACE.model_of("modernbert-mean")
        tiny_models.build("modernbert", folder)
        change_config(folder, classifier_pooling="mean")
        self.assertLessEqual(run_export("modernbert-mean", PLACE.out_of("modernbert-mean")).outputs["max_abs_diff"], 1e-4)


class Refusals(unittest.TestCase):
    def changed(self, **values):
        folder = tempfile.mkdtemp(dir=PLACE.folder)
        for name in os.listdir(PLACE.model_of("bert")):
            os.symlink(os.path.join(PLACE.model_of("bert"), name), os.path.join(folder, name))
        change_config(folder, **values)
        return folder

    def refusal(self, **values):
        with self.assertRaises(JobError) as caught:
            export_graph(self.changed(**values), PLACE.path("refused.onnx"), 17)
        self.assertEqual(caught.exception.code, "MODEL_UNSUPPORTED")
        return caught.exception.message

    def test_an_unknown_activation_is_named(self):
        self.assertIn("silu", self.refusal(hidden_act="silu"))

    def test_another_architecture_is_named(self):
        self.assertIn("electra", self.refusal(model_type="electra"))

    def test_two_labels_are_refused(self):
        self.assertIn("2 labels", self.refusal(id2label={"0": "a", "1": "b"}, label2id={"a": 0, "b": 1}))

    def test_missing_weights_are_named(self):
        folder = self.changed()
        os.unlink(os.path.join(folder, "model.safetensors"))
        with self.assertRaises(JobError) as caught:
            export_graph(folder, PLACE.path("refused.onnx"), 17)
        self.assertEqual(caught.exception.code, "MODEL_NOT_FOUND")

    def test_a_graph_that_differs_from_pytorch_does_not_pass(self):
        with mock.patch.object(export, "onnx_differences", lambda *_: 2e-4), self.assertRaises(JobError) as caught:
            run_export("bert", PLACE.out_of("bert-bad"))
        self.assertEqual(caught.exception.code, "GATE_FAILED")
        self.assertIn("2.00e-04", caught.exception.message)

    def test_it_stops_when_asked(self):
        reporter = Reporter(io.StringIO(), "t")
        reporter._cancelled.set()
        with self.assertRaises(Cancelled):
            run_export("bert", PLACE.out_of("bert-cancelled"), reporter)


class OnnxFiles(unittest.TestCase):
    def test_external_data_is_one_file_that_runtimes_find(self):
        folder = tempfile.mkdtemp(dir=PLACE.folder)
        path = os.path.join(folder, "model.onnx")
        with mock.patch.object(onnx_files, "SINGLE_FILE_LIMIT", 1000):
            export_graph(PLACE.model_of("xlm-roberta"), path, 17)
        self.assertEqual(sorted(os.listdir(folder)), ["model.onnx", "model.onnx_data"])
        pair = golden_of("xlm-roberta")["pairs"][0]
        feed = {"input_ids": np.array([pair["input_ids"]]), "attention_mask": np.ones((1, len(pair["input_ids"])), np.int64)}
        self.assertAlmostEqual(float(onnxruntime.InferenceSession(path).run(None, feed)[0][0, 0]), pair["logit"], places=4)

    def test_weights_outside_the_folder_are_refused(self):
        for location in ("../weights", "/etc/weights", "part\\..\\..\\weights"):
            path = os.path.join(tempfile.mkdtemp(dir=PLACE.folder), "model.onnx")
            model = onnx.ModelProto(ir_version=8, graph=onnx.GraphProto(name="g"))
            tensor = model.graph.initializer.add(name="w", data_type=onnx.TensorProto.FLOAT, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
            tensor.external_data.add(key="location", value=location)
            with open(path, "wb") as file:
                file.write(model.SerializeToString())
            with self.assertRaises(JobError) as caught:
                onnx_files.read_model(path)
            self.assertEqual(caught.exception.code, "MODEL_UNSUPPORTED")
            self.assertIn(repr(location), caught.exception.message)

    def test_reading_gives_back_nodes_and_values_of_both_forms(self):
        plain = onnx.load(PLACE.graph_of("bert"))
        folder = tempfile.mkdtemp(dir=PLACE.folder)
        external = os.path.join(folder, "model.onnx")
        with mock.patch.object(onnx_files, "SINGLE_FILE_LIMIT", 1000):
            export_graph(PLACE.model_of("bert"), external, 17)
        for path in (PLACE.graph_of("bert"), external):
            model, tensors = onnx_files.read_model(path)
            self.assertEqual(list(model.graph.node), list(plain.graph.node))
            values = {tensor.name: tensor.load() for tensor in tensors}
            for initializer in plain.graph.initializer:
                np.testing.assert_array_equal(values[initializer.name], onnx.numpy_helper.to_array(initializer))

    def test_a_tensor_that_is_not_what_it_said_is_refused(self):
        model = onnx.load(PLACE.graph_of("bert"), load_external_data=False)
        wrong = onnx_files.Tensor("wrong", onnx.TensorProto.FLOAT, (3,), lambda: np.zeros(2, np.float32))
        with self.assertRaisesRegex(ValueError, "wrong"):
            onnx_files.write_model(PLACE.path("wrong.onnx"), model, [wrong])


class Probes(unittest.TestCase):
    def test_names_are_unique_and_texts_valid_unicode(self):
        probes = probe_pairs(256)
        self.assertEqual(len({name for name, _, _ in probes}), len(probes))
        for _, query, passage in probes:
            (query + passage).encode("utf-8")

    def test_they_hold_what_the_list_asks_for(self):
        texts = "".join(query + passage for _, query, passage in probe_pairs(256))
        needed = ("\u200d", "\x00", "\uff46\u0301", "\uff76\uff9e", "\u1112\u1161\u11ab", "\ufdf2", "\u0344")
        self.assertEqual([part for part in needed if part not in texts], [])


if __name__ == "__main__":
    unittest.main()
