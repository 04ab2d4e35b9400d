"""Reads one version as Python readers of the Hub do; prints {files: {path: sha256}, scores: {what: [logit, ...]}, seen: {...}}.

run: python hub_readers.py JOB.json
JOB: {"routes": [{"name", "id" (org/name or a folder), "revision"?}], "pairs": [[query, passage], ...], "packages"? (folder with sentence-transformers)}
Which registry is read is told as to any program: HF_ENDPOINT, or HF_HUB_CACHE with HF_HUB_OFFLINE.
"""
import hashlib
import json
import os
import sys

with open(sys.argv[1], encoding="utf-8") as job_file:
    job = json.load(job_file)
if "packages" in job:
    sys.path.append(job["packages"])

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from huggingface_hub import HfApi, constants, hf_hub_download, scan_cache_dir, snapshot_download  # noqa: E402
from transformers import AutoConfig, AutoTokenizer  # noqa: E402

GRAPHS = {"fp32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx", "fp16": "onnx/model_fp16.onnx"}
pairs = [tuple(pair) for pair in job["pairs"]]


def digests(folder):
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder).replace(os.sep, "/")] = hashlib.sha256(file.read()).hexdigest()
    return found


def onnx_scores(path, tokenizer):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    scores = []
    for query, passage in pairs:
        encoded = tokenizer(query, passage, truncation="longest_first", return_token_type_ids=True)
        feed = {name: np.array([encoded[name]], dtype=np.int64) for name in names}
        scores.append(float(session.run(["logits"], feed)[0][0, 0]))
    return scores


def torch_scores(model_id, revision):
    from sentence_transformers import CrossEncoder
    import torch

    model = CrossEncoder(model_id, **revision)
    return [float(score) for score in model.predict(pairs, activation_fn=torch.nn.Identity())]


def read(route):
    model_id = route["id"]
    revision = {"revision": route["revision"]} if "revision" in route else {}
    is_folder = os.path.isdir(model_id)
    folder = model_id if is_folder else snapshot_download(model_id, **revision)
    tokenizer = AutoTokenizer.from_pretrained(model_id, **revision)
    config = AutoConfig.from_pretrained(model_id, **revision)
    place = (lambda path: os.path.join(model_id, path)) if is_folder else (lambda path: hf_hub_download(model_id, path, **revision))
    scores = {name: onnx_scores(place(path), tokenizer) for name, path in GRAPHS.items()}
    if "packages" in job:
        scores["sentence-transformers"] = torch_scores(model_id, revision)
    return {"files": digests(folder), "scores": scores, "model_type": config.model_type}


def asked(route):
    """What else a reader may ask the Hub; only where there is a server."""
    api = HfApi()
    verified = api.verify_repo_checksums(route["id"])
    return {
        "verified": [verified.checked_count, len(verified.mismatches), len(verified.missing_paths), len(verified.extra_paths)],
        "models": [model.id for model in api.list_models(limit=10)],
        "branches": [branch.name for branch in api.list_repo_refs(route["id"]).branches],
        "tree": [entry.path for entry in api.list_repo_tree(route["id"], recursive=True, expand=True)],
        "exists": [api.file_exists(route["id"], "nope"), api.repo_exists("local/nobody"), api.revision_exists(route["id"], "nope")],
        "sha": api.model_info(route["id"], files_metadata=True).sha,
    }


found = {route["name"]: read(route) for route in job["routes"]}
first = job["routes"][0]
if not constants.HF_HUB_OFFLINE:
    found["seen"] = asked(first)
    found["cached"] = [[repo.repo_id, [revision.commit_hash for revision in repo.revisions]] for repo in scan_cache_dir().repos]
print(json.dumps(found))
