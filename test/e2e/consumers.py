"""Scores the pairs of a JSON file with every Python consumer of a packaged folder; prints one JSON object {consumer: [logit, ...]}.

run: python consumers.py FOLDER PAIRS.json PACKAGES [ORT_FOLDER]
PACKAGES: folder with sentence-transformers; ORT_FOLDER: another onnxruntime to use instead of the environment's own.
"""
import json
import os
import sys

folder, pairs_file, packages = sys.argv[1:4]
if len(sys.argv) > 4:
    sys.path.insert(0, sys.argv[4])
sys.path.append(packages)
os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

with open(pairs_file, encoding="utf-8") as file:
    pairs = [tuple(pair) for pair in json.load(file)]
with open(os.path.join(folder, "tokenizer_config.json"), encoding="utf-8") as file:
    max_length = json.load(file)["model_max_length"]


def encodings():
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokenizer.enable_truncation(max_length)
    return tokenizer.encode_batch(pairs)


def with_onnxruntime(file):
    session = onnxruntime.InferenceSession(os.path.join(folder, file), providers=["CPUExecutionProvider"])
    names = {value.name for value in session.get_inputs()}
    scores = []
    for encoding in encodings():
        ids = np.array([encoding.ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.array([encoding.type_ids], dtype=np.int64)}
        scores.append(float(session.run(["logits"], {name: value for name, value in feed.items() if name in names})[0][0, 0]))
    return scores


def with_sentence_transformers():
    import torch
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(folder)
    assert model.max_seq_length == max_length, model.max_seq_length
    return [float(score) for score in model.predict(pairs, activation_fn=torch.nn.Identity())]


def with_transformers():
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    scores = []
    for encoding in encodings():
        feed = {"input_ids": torch.tensor([encoding.ids]), "attention_mask": torch.ones((1, len(encoding.ids)), dtype=torch.long)}
        if "bert" == model.config.model_type:
            feed["token_type_ids"] = torch.tensor([encoding.type_ids])
        with torch.no_grad():
            scores.append(float(model(**feed).logits[0, 0]))
    return scores


graphs = {"fp32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx", "fp16": "onnx/model_fp16.onnx"}
found = {f"onnxruntime-{onnxruntime.__version__}-{name}": with_onnxruntime(file) for name, file in graphs.items() if os.path.exists(os.path.join(folder, file))}
if len(sys.argv) == 4:
    found["sentence-transformers"] = with_sentence_transformers()
    found["transformers"] = with_transformers()
print(json.dumps(found))
