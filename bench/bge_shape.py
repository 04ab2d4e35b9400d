"""The full shape of bge-reranker-v2-m3 (24 x 1024, 250,002 pieces, 568 M) with random weights through export, quantize, package and a short verify.

run: python bench/bge_shape.py [--folder DIR]     needs `npm run build`, 12 GB of memory and 14 GB of disk below DIR
Prints the time of each and the largest process it had.
"""
from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time

import made_up_models

ROOT = os.path.dirname(made_up_models.PYTHON)
WORKER = os.path.join(made_up_models.PYTHON, "worker.py")


def run_job(kind: str, out_dir: str, inputs: dict[str, str], options: dict) -> None:
    """One worker process; prints its wall time, peak memory and files."""
    os.makedirs(out_dir, exist_ok=True)
    job = os.path.join(out_dir, "job.json")
    with open(job, "w", encoding="utf-8") as file:
        json.dump({"v": 1, "id": kind, "kind": kind, "out_dir": out_dir, "inputs": inputs, "options": options}, file)
    started = time.monotonic()
    with open(os.path.join(out_dir, "worker.log"), "w", encoding="utf-8") as log:
        child = subprocess.Popen([sys.executable, "-I", "-u", WORKER, "--job", job], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        events = [json.loads(line) for line in child.stdout]
        _, status, usage = os.wait4(child.pid, 0)
    seconds, last = time.monotonic() - started, events[-1]
    print(f"\n{kind}: {seconds:.0f} s, peak {usage.ru_maxrss / 2**20:.2f} GB, exit {os.waitstatus_to_exitcode(status)}")
    for event in events:
        if event["type"] == "log":
            print(f"  {event['message']}")
    if last["type"] != "done":
        raise SystemExit(f"  {last.get('message')}")
    print("  " + ", ".join(f"{phase} {value:.0f} s" for phase, value in last["durations"].items()))
    shown = {key: value for key, value in last["outputs"].items() if key != "choices"}
    print(f"  {json.dumps(shown)}", flush=True)


def run_node(name: str, arguments: list[str]) -> dict:
    """One of our Node programs, with its child processes; prints wall time and the largest of them. Returns its JSON."""
    started = time.monotonic()
    child = subprocess.Popen(["node", *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    print(f"\n{name}: {time.monotonic() - started:.0f} s, peak {usage.ru_maxrss / 2**20:.2f} GB, exit {os.waitstatus_to_exitcode(status)}")
    return json.loads(text)


def verify(folder: str) -> None:
    answer = run_node("verify", ["dist/cli.js", "verify", folder, "--json"])
    report = answer["data"] if answer["ok"] else answer["error"].get("data", answer["error"])
    if "variants" not in report:
        raise SystemExit(f"  {report.get('message')}")
    for variant in report["variants"]:
        print(f"  {variant['name']}: cold start {variant['cold_start_ms'] / 1000:.1f} s, {variant['memory_bytes'] / 2**30:.2f} GB, " + ", ".join(f"{gate['gate']} {gate['outcome']}" for gate in variant["gates"]))
    for row in report["latency"]:
        print(f"  {row['variant']}: {row['candidates']} candidates p50 {row['p50_ms']:.0f} ms, p95 {row['p95_ms']:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", help="keep the files there instead of a temporary folder")
    parser.add_argument("--max-length", type=int, default=256)
    parser.add_argument("--target-error", type=float, default=10.0, help="as quantize.target_error; large, which takes the first rung, as the scores of random weights are mostly noise")
    parser.add_argument("--layers", type=int, default=24)
    arguments = parser.parse_args()
    print(f"{made_up_models.machine()}\ncommand: python bench/bge_shape.py {shlex.join(sys.argv[1:])}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or scratch
        os.makedirs(folder, exist_ok=True)
        model, groups = os.path.join(folder, "model"), os.path.join(folder, "groups.jsonl")
        # In a child, so that its memory is given back before the jobs run.
        code = f"import made_up_models as m; m.make_model({model!r}, 1024, {arguments.layers}, 250002); m.write_groups({groups!r})"
        subprocess.run([sys.executable, "-c", code], cwd=os.path.dirname(os.path.abspath(__file__)), check=True, stderr=subprocess.DEVNULL)
        exported = os.path.join(folder, "export")
        run_job("export", exported, {"model": model}, {"opset": 17, "max_length": arguments.max_length})
        inputs = {"onnx": os.path.join(exported, "onnx", "model.onnx"), "model": model, "calibration": groups}
        options = {"int8": True, "fp16": True, "calibration_queries": 24, "calibration_depth": 8, "weight_bits": "8", "target_error": arguments.target_error, "max_error": arguments.target_error, "max_length": arguments.max_length}
        run_job("quantize", os.path.join(folder, "quantize"), inputs, options)
        print("  " + json.dumps(run_node("package", ["bench/bge_package.mjs", os.path.abspath(folder), str(arguments.max_length)])))
        verify(os.path.join(os.path.abspath(folder), "package", "model"))


if __name__ == "__main__":
    main()
