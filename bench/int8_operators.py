"""Where the time of a graph goes: ONNX Runtime's own profile, by operator, and what a pass and a product cost (decision 14).

run: python bench/int8_operators.py --model FOLDER --calibration groups.jsonl | --random 1024x4
"""
from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import sys
import tempfile
import time
from collections import Counter

import made_up_models
import numpy as np
import onnxruntime
from int8_speed import GRAPHS, prepare

PRODUCTS = ("MatMul", "MatMulIntegerToFloat")


def profile(path: str, candidates: int, tokens: int, pieces: int, rounds: int) -> tuple[float, Counter, Counter]:
    """Median milliseconds of a batch; milliseconds and number of nodes by operator."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.enable_profiling, options.log_severity_level = 2, True, 3
    options.profile_file_prefix = os.path.join(os.path.dirname(path), "profile")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    everything = {"input_ids": np.random.default_rng(0).integers(5, pieces, (candidates, tokens)), "attention_mask": np.ones((candidates, tokens), np.int64), "token_type_ids": np.zeros((candidates, tokens), np.int64)}
    feed, seconds = {value.name: everything[value.name] for value in session.get_inputs()}, []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        session.run(["logits"], feed)
        seconds.append(time.perf_counter() - started)
    with open(session.end_profiling(), encoding="utf-8") as file:
        nodes = [event for event in json.load(file) if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")]
    nodes = nodes[len(nodes) // (rounds + 1) :]  # the first round warms up
    times, counts = Counter(), Counter()
    for event in nodes:
        times[event["args"]["op_name"]] += event["dur"] / 1000 / rounds
        counts[event["args"]["op_name"]] += 1
    return 1000 * statistics.median(seconds[1:]), times, Counter({name: count // rounds for name, count in counts.items()})


def products(folder: str) -> int:
    """Multiplications a token in weight matrices; in the last layer of our graphs only the first token asks."""
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    hidden, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    return (layers - 1) * (4 * hidden * hidden + 2 * hidden * inner) + 2 * hidden * hidden


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="folder")
    parser.add_argument("--random", metavar="HIDDENxLAYERS")
    parser.add_argument("--calibration")
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    print(f"{made_up_models.machine()}; 2 threads, {arguments.rounds} rounds\ncommand: python bench/int8_operators.py {shlex.join(sys.argv[1:])}")
    with tempfile.TemporaryDirectory() as scratch:
        folder, calibration = arguments.model or os.path.join(scratch, "model"), arguments.calibration or os.path.join(scratch, "groups.jsonl")
        if arguments.random:
            made_up_models.make_model(folder, *map(int, arguments.random.split("x")))
        if not arguments.calibration:
            made_up_models.write_groups(calibration)
        prepare(folder, os.path.join(scratch, "out"), calibration, 192, "8", False, 10.0 if arguments.random else 0.03)
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            pieces = json.load(file)["vocab_size"]
        for name in ("fp32", "int8"):
            total, times, counts = profile(os.path.join(scratch, "out", GRAPHS[name]), arguments.candidates, arguments.tokens, pieces, arguments.rounds)
            print(f"\n{name}: {arguments.candidates} x {arguments.tokens} in {total:.0f} ms, of which")
            for operator, value in times.most_common(12):
                print(f"  {operator:24} {value:8.1f} ms in {counts[operator]} nodes")
            spent = sum(times[operator] for operator in PRODUCTS[name == "int8" :])
            print(f"  {1e9 * spent / (products(folder) * arguments.candidates * arguments.tokens):.2f} ps a multiplication with a weight, attention's own products counted as theirs")


if __name__ == "__main__":
    main()
