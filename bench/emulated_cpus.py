"""Do int8 scores hold on a processor that is not here? The same graphs and pairs on this CPU, on AVX2 without VNNI, and on ARM64, both emulated.

run: python bench/emulated_cpus.py --model FOLDER --calibration groups.jsonl --quality groups.jsonl [--pairs 16] [--max-length 64] [--arm-root FOLDER]
needs: qemu-user; for ARM64 a root with Python and onnxruntime of that architecture (docs/guides/other-processors.md says how to make one)
Emulation says what a processor computes, not how fast. Graphs with 8- and 7-bit weights, all inputs in forms of the ladder.
"""
from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile

import made_up_models
import numpy as np
from int8_speed import GRAPHS, prepare
from rerank_tune_worker.onnx_export.batches import make_feed, pad_id
from rerank_tune_worker.pairs import PairEncoder

# What a processor runs: numpy and onnxruntime alone, so that little is emulated.
SCORER = """
import json, sys
import numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
feeds = np.load(sys.argv[2])
count = sum(name.startswith("input_ids.") for name in feeds.files)
names = [value.name for value in session.get_inputs()]
print(json.dumps([float(session.run(["logits"], {name: feeds[f"{name}.{at}"] for name in names})[0][0, 0]) for at in range(count)]))
"""


def processors(arm_root: str | None) -> dict[str, list[str]]:
    """Command that starts Python, by processor."""
    python = os.path.realpath(sys.executable)
    found = {"this CPU": [sys.executable], "AVX2, no VNNI (Haswell)": ["qemu-x86_64", "-cpu", "Haswell-noTSX", "-E", f"PYTHONPATH={os.path.dirname(os.path.dirname(np.__file__))}", python]}
    if arm_root is not None:
        # onnxruntime reads /proc/cpuinfo, and that of x86 would mislead it; qemu looks below -L first.
        site = os.path.join(arm_root, "site")
        found["ARM64 (Neoverse N1)"] = ["qemu-aarch64", "-cpu", "neoverse-n1", "-L", arm_root, "-E", f"PYTHONPATH={site}", os.path.join(arm_root, "usr", "bin", "python3.11")]
    return found


def scores(command: list[str], graph: str, feeds: str) -> np.ndarray:
    done = subprocess.run([*command, "-c", SCORER, graph, feeds], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(command)}: {done.stderr.strip().splitlines()[-1:]}")
    return np.array(json.loads(done.stdout.strip().splitlines()[-1]))


def write_feeds(path: str, folder: str, quality: str, pairs: int, max_length: int) -> None:
    encoder, padding = PairEncoder(folder, max_length), pad_id(folder)
    with open(quality, encoding="utf-8") as file:
        groups = [json.loads(line) for line in file if line.strip()]
    texts = [(group["query"], passage["text"]) for group in groups for passage in group["passages"][:2]][:pairs]
    names = ["input_ids", "attention_mask"]
    np.savez(path, **{f"{name}.{at}": value for at, pair in enumerate(encoder.encode(texts)) for name, value in make_feed([pair], names, padding).items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--model", "--calibration", "--quality"):
        parser.add_argument(name, required=True)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--max-length", type=int, default=64)
    parser.add_argument("--arm-root")
    arguments = parser.parse_args()
    print(f"{made_up_models.machine()}\ncommand: python bench/emulated_cpus.py {shlex.join(sys.argv[1:])}")
    with tempfile.TemporaryDirectory() as scratch:
        feeds = os.path.join(scratch, "feeds.npz")
        write_feeds(feeds, arguments.model, arguments.quality, arguments.pairs, arguments.max_length)
        print(f"{arguments.pairs} pairs of at most {arguments.max_length} tokens; errors: root mean square over the spread of the fp32 scores")
        print(f"  {'':12}{'':26}{'from fp32':>12}{'from this CPU':>15}{'most':>9}")
        for bits in ("8", "7"):
            out = os.path.join(scratch, bits)
            prepare(arguments.model, out, arguments.calibration, 192, bits, False)
            exact = scores([sys.executable], os.path.join(out, GRAPHS["fp32"]), feeds)
            found = {name: scores(command, os.path.join(out, GRAPHS["int8"]), feeds) for name, command in processors(arguments.arm_root).items()}
            here = found["this CPU"]
            for name, values in found.items():
                error = lambda other: float(np.sqrt(np.mean((values - other) ** 2)) / exact.std())  # noqa: B023, E731
                print(f"  {bits + '-bit int8':12}{name:26}{error(exact):12.4f}{error(here):15.4f}{np.abs(values - here).max():9.1e}", flush=True)


if __name__ == "__main__":
    main()
