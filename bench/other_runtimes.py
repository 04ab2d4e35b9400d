"""Our graphs against PyTorch, ONNX Runtime's dynamic int8 and OpenVINO: the same model, batches and threads, one round after the other.

run: python bench/other_runtimes.py --model NAME=FOLDER --calibration groups.jsonl [--quality groups.jsonl] [--shapes 10x128 50x128 ...]
needs: pip install openvino nncf (one of the runtimes; left out where they are missing)
"""
from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import shlex
import statistics
import sys
import tempfile
import time

import made_up_models
import numpy as np
import runtimes
from int8_speed import GRAPHS, ndcg, prepare
from rerank_tune_worker.onnx_export.batches import make_feed, pad_id
from rerank_tune_worker.pairs import PairEncoder
from rerank_tune_worker.quantization.calibration import calibration_pairs


def open_all(folder: str, out: str, arguments: argparse.Namespace) -> tuple[dict[str, runtimes.Runner], dict[str, int]]:
    """Runners by name, float32 ONNX first, and the size of each one's file where it has one of its own."""
    fp32, threads = os.path.join(out, GRAPHS["fp32"]), arguments.threads
    files = {"onnx fp32": fp32, "onnx int8 (ours)": os.path.join(out, GRAPHS["int8"])}
    found = {name: runtimes.onnx(path, threads) for name, path in files.items()}
    found["pytorch fp32"] = runtimes.pytorch(folder, threads)
    for name, per_channel in (("onnx dynamic", False), ("onnx dynamic, per channel", True)):
        files[name] = os.path.join(out, f"dynamic{per_channel}.onnx")
        found[name] = runtimes.onnx_dynamic(fp32, files[name], threads, per_channel)
    if importlib.util.find_spec("openvino"):
        found["openvino f32"] = runtimes.openvino(fp32, threads, "f32")
        found["openvino bf16"] = runtimes.openvino(fp32, threads, "bf16")
    if importlib.util.find_spec("nncf") and not arguments.no_nncf:
        pairs, _ = calibration_pairs(arguments.calibration, PairEncoder(folder, arguments.max_length), 24, 8)
        found["openvino int8 (nncf)"] = runtimes.openvino_int8(fp32, threads, [make_feed([pair], ["input_ids", "attention_mask"], pad_id(folder)) for pair in pairs])
    return found, {name: os.path.getsize(path) for name, path in files.items()}


def speed(runners: dict[str, runtimes.Runner], candidates: int, tokens: int, pieces: int, rounds: int) -> None:
    chooser, seconds = np.random.default_rng(0), {name: [] for name in runners}
    feed = {"input_ids": chooser.integers(5, pieces, (candidates, tokens)), "attention_mask": np.ones((candidates, tokens), np.int64)}
    for round_ in range(rounds + 1):
        for name, run in runners.items():
            started = time.perf_counter()
            run(feed)
            if round_ > 0:
                seconds[name].append(time.perf_counter() - started)
    print(f"\n{candidates} candidates x {tokens} tokens, {rounds} rounds\n  {'':28}{'p50 ms':>9}{'p95 ms':>9}{'pairs/s':>9}   times onnx fp32 (quartiles)")
    for name, values in seconds.items():
        low, middle, high = statistics.quantiles([base / value for base, value in zip(seconds["onnx fp32"], values)], n=4)
        p50, p95 = np.quantile(values, [0.5, 0.95])
        print(f"  {name:28}{1e3 * p50:9.1f}{1e3 * p95:9.1f}{candidates / p50:9.1f}   {middle:.2f} ({low:.2f} to {high:.2f})", flush=True)


def quality(runners: dict[str, runtimes.Runner], sizes: dict[str, int], folder: str, path: str, max_length: int) -> None:
    """NDCG@10 with its difference to float32 and a bootstrap interval over queries, score error, and how far a score moves with its batch."""
    encoder, padding, names = PairEncoder(folder, max_length), pad_id(folder), ["input_ids", "attention_mask"]
    with open(path, encoding="utf-8") as file:
        groups = [json.loads(line) for line in file if line.strip()]
    encoded = [encoder.encode([(group["query"], passage["text"]) for passage in group["passages"]]) for group in groups]
    labels = [([p["label"] for p in g["passages"]], [p["label"] for p in g["passages"] + g.get("missed", [])]) for g in groups]
    tokens = sum(len(pair.ids) for pairs in encoded for pair in pairs)
    print(f"\n{os.path.basename(path)}: {len(groups)} queries, {sum(map(len, encoded))} pairs, {tokens} tokens\n  {'':28}{'NDCG@10':>9}{'- fp32 [95 %]':>26}{'rmse/std':>10}{'batch':>9}{'tokens/s':>10}{'MB':>9}")
    exact, first = None, None
    for name, run in runners.items():
        started = time.perf_counter()
        scores = [run(make_feed(pairs, names, padding)) for pairs in encoded]
        seconds = time.perf_counter() - started
        moved = max(float(np.abs(scores[i] - np.concatenate([run(make_feed([pair], names, padding)) for pair in encoded[i]])).max()) for i in range(min(8, len(encoded))))
        flat = np.concatenate(scores)
        values = np.array([value for value in (ndcg(own, all_, s) for (own, all_), s in zip(labels, scores)) if value is not None])
        exact, first = (flat, values) if exact is None else (exact, first)
        draws = np.random.default_rng(1).integers(0, len(values), (2000, len(values)))
        low, high = np.quantile((values - first)[draws].mean(1), [0.025, 0.975]) * 100
        error = float(np.sqrt(np.mean((flat - exact) ** 2)) / exact.std())
        size = f"{sizes[name] / 1e6:9.1f}" if name in sizes else ""
        difference = f"{100 * (values - first).mean():+.2f} [{low:+.2f}, {high:+.2f}]"
        print(f"  {name:28}{100 * values.mean():9.2f}{difference:>26}{error:10.4f}{moved:9.1e}{tokens / seconds:10.0f}{size}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="NAME=FOLDER")
    parser.add_argument("--random", metavar="HIDDENxLAYERS", help="random weights: for speed alone; every input in its cheapest form")
    parser.add_argument("--calibration")
    parser.add_argument("--quality", action="append", default=[], metavar="GROUPS")
    parser.add_argument("--shapes", nargs="*", default=[f"{candidates}x{tokens}" for tokens in (128, 256, 512) for candidates in (10, 50, 100)])
    parser.add_argument("--max-length", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-nncf", action="store_true")
    arguments = parser.parse_args()
    print(f"{made_up_models.machine()}; {arguments.threads} threads\ncommand: python bench/other_runtimes.py {shlex.join(sys.argv[1:])}")
    with tempfile.TemporaryDirectory() as scratch:
        name, folder = arguments.model.split("=", 1) if arguments.model else (f"random {arguments.random}", os.path.join(scratch, "model"))
        if arguments.random:
            made_up_models.make_model(folder, *map(int, arguments.random.split("x")))
        if arguments.calibration is None:
            arguments.calibration = os.path.join(scratch, "groups.jsonl")
            made_up_models.write_groups(arguments.calibration)
        out = os.path.join(scratch, "out")
        made = prepare(folder, out, arguments.calibration, arguments.max_length, "8", False, 10.0 if arguments.random else 0.03)
        kept = next(row for row in made["tried"] if row["kept"])
        print(f"{name}; ours: " + ", ".join(f"{count} {form}" for form, count in kept["forms"].items() if count) + f" inputs, tables {kept['tables']}")
        runners, sizes = open_all(folder, out, arguments)
        for path in arguments.quality:
            quality(runners, sizes, folder, path, arguments.max_length)
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            pieces = json.load(file)["vocab_size"]
        for shape in arguments.shapes:
            speed(runners, *map(int, shape.split("x")), pieces, arguments.rounds)
        print(f"\npeak of the one process that held all of them: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


if __name__ == "__main__":
    main()
