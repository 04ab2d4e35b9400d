"""fp32 against int8 against fp16 on ONNX Runtime's CPU provider, interleaved in one run; with labelled groups also their ranking quality.

run: python bench/int8_speed.py --model NAME=FOLDER --random 1024x4 --calibration groups.jsonl [--quality NAME=groups.jsonl]
"""
from __future__ import annotations

import argparse
import io
import json
import os
import shlex
import statistics
import sys
import tempfile
import time

import made_up_models
import numpy as np
import onnxruntime

from rerank_tune_worker.jobs import quantize
from rerank_tune_worker.onnx_export.batches import make_feed, pad_id
from rerank_tune_worker.onnx_export.graph import export_graph
from rerank_tune_worker.pairs import PairEncoder
from rerank_tune_worker.protocol import Job
from rerank_tune_worker.reporter import Reporter

GRAPHS = {"fp32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx", "fp16": "onnx/model_fp16.onnx"}


def prepare(folder: str, out_dir: str, calibration: str, max_length: int, bits: str, fp16: bool, target_error: float = 0.03) -> dict:
    """Exports and quantizes as the stages do; returns the quantize job's outputs."""
    export_graph(folder, os.path.join(out_dir, GRAPHS["fp32"]), 17)
    inputs = {"onnx": os.path.join(out_dir, GRAPHS["fp32"]), "model": folder, "calibration": calibration}
    options = {"int8": True, "fp16": fp16, "calibration_queries": 24, "calibration_depth": 8, "weight_bits": bits, "target_error": target_error, "max_error": 0.15 if target_error < 1 else target_error, "max_length": max_length}
    return quantize.run(Job(1, "bench", "quantize", out_dir, inputs, options), Reporter(io.StringIO(), "bench")).outputs


def open_sessions(out_dir: str, threads: int) -> dict[str, onnxruntime.InferenceSession]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    paths = {name: os.path.join(out_dir, path) for name, path in GRAPHS.items()}
    return {name: onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]) for name, path in paths.items() if os.path.exists(path)}


def speed(sessions: dict[str, onnxruntime.InferenceSession], candidates: int, tokens: int, pieces: int, rounds: int) -> None:
    """One batch of `candidates` pairs of `tokens` tokens, every graph once a round, in turn; ratios are taken within rounds."""
    chooser, seconds = np.random.default_rng(0), {name: [] for name in sessions}
    shape = candidates, tokens
    everything = {"input_ids": chooser.integers(5, pieces, shape), "attention_mask": np.ones(shape, np.int64), "token_type_ids": np.zeros(shape, np.int64)}
    for round_ in range(rounds + 1):
        for name, session in sessions.items():
            feed = {value.name: everything[value.name] for value in session.get_inputs()}
            started = time.perf_counter()
            session.run(["logits"], feed)
            if round_ > 0:  # the first round warms up
                seconds[name].append(time.perf_counter() - started)
    for name, values in seconds.items():
        ratios = [base / value for base, value in zip(seconds["fp32"], values)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"  {candidates} x {tokens:<4} {name:5} {statistics.median(values) * 1e3:9.1f} ms (fastest {min(values) * 1e3:8.1f})   {middle:5.2f} x fp32 (quartiles {low:.2f} to {high:.2f})", flush=True)


def ndcg(labels: list[float], ideal: list[float], scores: np.ndarray) -> float | None:
    """NDCG@10 with gain 2^label - 1; ties keep the first stage's order."""
    gain = lambda values: sum((2**value - 1) / np.log2(rank + 2) for rank, value in enumerate(values[:10]))  # noqa: E731
    best = gain(sorted(ideal, reverse=True))
    return gain([labels[i] for i in np.argsort(-scores, kind="stable")]) / best if best > 0 else None


def quality(sessions: dict[str, onnxruntime.InferenceSession], folder: str, path: str, max_length: int) -> None:
    """NDCG@10, score error, and how far a score moves between its group's padded batch and its own run."""
    encoder, padding = PairEncoder(folder, max_length), pad_id(folder)
    with open(path, encoding="utf-8") as file:
        groups = [json.loads(line) for line in file if line.strip()]
    encoded = [encoder.encode([(group["query"], passage["text"]) for passage in group["passages"]]) for group in groups]
    exact = None
    for name, session in sessions.items():
        inputs = [value.name for value in session.get_inputs()]
        run = lambda pairs: session.run(["logits"], make_feed(pairs, inputs, padding))[0][:, 0]  # noqa: B023, E731
        scores = [run(pairs) for pairs in encoded]
        moved = max(float(np.abs(scores[i] - np.concatenate([run([pair]) for pair in encoded[i]])).max()) for i in range(min(8, len(encoded))))
        flat = np.concatenate(scores)
        exact = flat if exact is None else exact
        values = [ndcg([p["label"] for p in g["passages"]], [p["label"] for p in g["passages"] + g.get("missed", [])], s) for g, s in zip(groups, scores)]
        known = [value for value in values if value is not None]
        error = float(np.sqrt(np.mean((flat - exact) ** 2)) / exact.std())
        print(f"  {os.path.basename(path)} {name:5} NDCG@10 {100 * np.mean(known):.2f} on {len(known)} queries, rmse/std {error:.4f}, batch and padding move a score by {moved:.1e}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--random", action="append", default=[], metavar="HIDDENxLAYERS", help="random weights: for speed only")
    parser.add_argument("--calibration", help="groups.train.jsonl; built-in texts when left out")
    parser.add_argument("--quality", action="append", default=[], metavar="NAME=GROUPS", help="labelled groups to rank with that model")
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--tokens", type=int, nargs="+", default=[40, 128])
    parser.add_argument("--max-length", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bits", choices=("7", "8"), default="8")
    parser.add_argument("--target-error", type=float, default=0.03, help="as quantize.target_error; a large one takes the first rung, as the scores of random weights are mostly noise")
    parser.add_argument("--no-fp16", action="store_true")
    arguments = parser.parse_args()
    print(f"{made_up_models.machine()}; {arguments.threads} threads, {arguments.rounds} rounds")
    print(f"command: python bench/int8_speed.py {shlex.join(sys.argv[1:])}")
    with tempfile.TemporaryDirectory() as scratch:
        models = dict(entry.split("=", 1) for entry in arguments.model)
        for shape in arguments.random:
            models[f"random {shape}"] = os.path.join(scratch, shape)
            made_up_models.make_model(models[f"random {shape}"], *map(int, shape.split("x")))
        calibration = arguments.calibration or os.path.join(scratch, "groups.jsonl")
        if arguments.calibration is None:
            made_up_models.write_groups(calibration)
        for name, folder in models.items():
            report(name, folder, os.path.join(scratch, f"{name}-out"), calibration, arguments)


def report(name: str, folder: str, out_dir: str, calibration: str, arguments: argparse.Namespace) -> None:
    outputs = prepare(folder, out_dir, calibration, arguments.max_length, arguments.bits, not arguments.no_fp16, arguments.target_error)
    sizes = ", ".join(f"{variant} {os.path.getsize(os.path.join(out_dir, path)) / 1e6:.1f} MB" for variant, path in GRAPHS.items() if os.path.exists(os.path.join(out_dir, path)))
    errors = ", ".join(f"{variant['name']} {variant['relative_error']:.4f}" for variant in outputs["variants"])
    print(f"\n{name}: {sizes}; held-back rmse/std {errors}", flush=True)
    for row in outputs["tried"]:
        forms = ", ".join(f"{count} {form}" for form, count in row["forms"].items() if count)
        print(f"  tried {forms} inputs, tables in {row['tables']}: {row['bytes'] / 1e6:.1f} MB, rmse/std {row['error']:.4f}{', kept' if row['kept'] else ''}")
    sessions = open_sessions(out_dir, arguments.threads)
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        pieces = json.load(file)["vocab_size"]
    for length in arguments.tokens:
        speed(sessions, arguments.candidates, length, pieces, arguments.rounds)
    for entry in arguments.quality:
        owner, path = entry.split("=", 1)
        if owner == name:
            quality({key: sessions[key] for key in ("fp32", "int8")}, folder, path, arguments.max_length)


if __name__ == "__main__":
    main()
