"""Base, sentence-transformers, FlagEmbedding's hyperparameters and ours from the same base on the same pairs: NDCG@10, time, tokens per second, memory.

run: python bench/side_by_side.py --base FOLDER --data FOLDER --set medquad --set gesetze-de [--seeds 7] [--queries 500] [--results FILE]
needs: a Python with the worker's packages and sentence-transformers 6.0.1, datasets, accelerate; --data holds BEIR folders with bm25.trec.gz
Every run is a process of its own and one line in --results; a run that is there is not repeated, so an interrupted bench goes on where it was.
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
from beir_groups import write_splits
from side_by_side_report import print_report

SYSTEMS = ("base", "sentence_transformers", "flag_embedding", "rerank_tune")


def main() -> None:
    arguments = parse()
    known = read_results(arguments.results)
    for name in arguments.set:
        with tempfile.TemporaryDirectory() as folder:
            counts = write_splits(os.path.join(arguments.data, name), folder, train=arguments.queries, evaluation=arguments.evaluation, depth=arguments.depth, held_out=0.15, seed=1)
            for seed in arguments.seeds:
                for system in arguments.systems:
                    settings = {"set": name, "system": system, "seed": seed, "queries": arguments.queries, "max_length": arguments.max_length, "depth": arguments.depth}
                    if system == "base" and seed != arguments.seeds[0] or any(settings.items() <= row.items() for row in known):
                        continue
                    row = {**settings, "groups": counts, **run_one(arguments, system, folder, seed)}
                    known.append(row)
                    append(arguments.results, row)
    print_report(known)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--set", action="append", required=True)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[7])
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--evaluation", type=int, default=200)
    parser.add_argument("--depth", type=int, default=15)
    parser.add_argument("--max-length", type=int, default=192)
    parser.add_argument("--results", default="side_by_side.jsonl")
    return parser.parse_args()


def run_one(arguments: argparse.Namespace, system: str, folder: str, seed: int) -> dict:
    from rerank_tune_worker.training.data import read_groups
    from rerank_tune_worker.training.ndcg import ndcg_at_k

    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "side_by_side_systems.py")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, script, system, "--base", arguments.base, "--data", folder, "--out", out, "--max-length", str(arguments.max_length), "--seed", str(seed)]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{system} failed:\n{result.stderr[-3000:]}")
    row = json.loads(result.stdout.strip().splitlines()[-1])
    scores, values, start = row.pop("scores", None), [], 0
    for group in read_groups(os.path.join(folder, "eval.jsonl")):
        part = None if scores is None else scores[start : start + len(group.passages)]
        start += len(group.passages)
        # the first stage's order where there are no scores: a model that was refused is not shipped
        part = part or [-float(i) for i in range(len(group.passages))]
        values.append(round(ndcg_at_k([p.id for p in group.passages], part, [p.label for p in group.passages], group.missed), 6))
    print(f"{system} seed {seed}: NDCG@10 {100 * sum(values) / len(values):.2f}, {row.get('seconds', 0):.0f} s", file=sys.stderr, flush=True)
    return {**row, "ndcg@10": values, "wall_seconds": round(time.monotonic() - started, 1), "machine": made_up_models.machine(), "command": f"python bench/side_by_side.py {shlex.join(sys.argv[1:])}"}


def read_results(path: str) -> list[dict]:
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def append(path: str, row: dict) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
