"""What 50, 125, 250 and 500 labelled queries bring: NDCG@10 on the same evaluation queries, over seeds that draw other training queries.

run: python bench/learning_curve.py --base FOLDER --data FOLDER --set gesetze-de --set medquad [--sizes 50 125 250 500] [--seeds 1 2 3] [--results FILE]
needs: a Python with the worker's packages; --data holds BEIR folders with bm25.trec.gz
Training is ours with its defaults. Two things are told of a run: what the weights that dev chose bring, which are the base's where dev saw no gain, and what the last
weights bring, whatever dev said: what the pairs hold, and what the caution costs or saves. One line in --results a run; a run that is there is not repeated.
"""
from __future__ import annotations

import argparse
import os
import tempfile

import numpy as np
from beir_groups import dev_share, write_splits
from side_by_side_report import interval
from training_runs import read_results, run_once

SYSTEM = "rerank_tune_and_last"


def main() -> None:
    arguments = parse()
    known = read_results(arguments.results)
    for seed in arguments.seeds:
        for name in arguments.set:
            for size in arguments.sizes:
                run_size(arguments, known, name, size, seed)
    for name in arguments.set:
        print_curve(name, [row for row in known if row["set"] == name])


def run_size(arguments: argparse.Namespace, known: list[dict], name: str, size: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        counts = write_splits(
            os.path.join(arguments.data, name), folder, train=size, evaluation=arguments.evaluation, depth=arguments.depth, held_out=dev_share(size), seed=1, train_seed=seed
        )
        settings = {"set": name, "system": SYSTEM, "seed": seed, "queries": size, "max_length": arguments.max_length, "depth": arguments.depth}
        base = {**settings, "system": "base", "seed": 0, "queries": 0}
        run_once(arguments.results, known, base, base=arguments.base, folder=folder, counts=counts)
        run_once(arguments.results, known, settings, base=arguments.base, folder=folder, counts=counts)


def print_curve(name: str, rows: list[dict]) -> None:
    base = next(np.array(row["ndcg@10"]) for row in rows if row["system"] == "base")
    print(f"\n{name}: {len(base)} evaluation queries, base NDCG@10 {100 * base.mean():.2f}\n  {'queries':>7}  {'gain, last weights, 95 %':26}  {'each seed':20}  {'gain, chosen weights, 95 %':26}  {'each seed':20}  seconds")
    for size in sorted({row["queries"] for row in rows if row["system"] == SYSTEM}):
        runs = [row for row in rows if row["queries"] == size and row["system"] == SYSTEM]
        seconds = sorted(row["seconds"] for row in runs)
        gains = "  ".join(gain_cells([row[kind] for row in runs], base) for kind in ("last_ndcg@10", "ndcg@10"))
        print(f"  {size:>7}  {gains}  {seconds[0]:.0f}-{seconds[-1]:.0f}")


def gain_cells(values: list[list[float]], base: np.ndarray) -> str:
    low, middle, high = interval(np.mean(values, axis=0) - base)
    seeds = " ".join(f"{100 * (np.mean(each) - base.mean()):+.2f}" for each in values)
    return f"{f'{100 * middle:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]':26}  {seeds:20}"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--set", action="append", required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 125, 250, 500])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--evaluation", type=int, default=200)
    parser.add_argument("--depth", type=int, default=15)
    parser.add_argument("--max-length", type=int, default=192)
    parser.add_argument("--results", default="learning_curve.jsonl")
    return parser.parse_args()


if __name__ == "__main__":
    main()
