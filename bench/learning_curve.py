"""What 50, 125, 250 and 500 labelled queries bring: NDCG@10 on the same evaluation queries, over seeds that draw other training queries.

run: python bench/learning_curve.py --base FOLDER --data FOLDER --set gesetze-de --set medquad [--sizes 50 125 250 500] [--seeds 1 2 3] [--results FILE]
needs: a Python with the worker's packages; --data holds BEIR folders with bm25.trec.gz
Training is ours with its defaults. One line in --results a run; a run that is there is not repeated.
"""
from __future__ import annotations

import argparse
import os
import tempfile

import numpy as np
from beir_groups import dev_share, write_splits
from side_by_side_report import interval
from training_runs import read_results, run_once


def main() -> None:
    arguments = parse()
    known = read_results(arguments.results)
    # sizes in the outer loop: an interrupted bench has whole columns for the small sizes
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
        settings = {"set": name, "system": "rerank_tune", "seed": seed, "queries": size, "max_length": arguments.max_length, "depth": arguments.depth}
        base = {**settings, "system": "base", "seed": 0, "queries": 0}
        run_once(arguments.results, known, base, base=arguments.base, folder=folder, counts=counts)
        run_once(arguments.results, known, settings, base=arguments.base, folder=folder, counts=counts)


def print_curve(name: str, rows: list[dict]) -> None:
    base = next(np.array(row["ndcg@10"]) for row in rows if row["system"] == "base")
    print(f"\n{name}: {len(base)} evaluation queries, base NDCG@10 {100 * base.mean():.2f}\n  {'queries':>7}  {'NDCG@10':>8}  {'gain over the base, 95 %':26}  gain of each seed  seconds")
    for size in sorted({row["queries"] for row in rows if row["system"] == "rerank_tune"}):
        runs = [row for row in rows if row["queries"] == size and row["system"] == "rerank_tune"]
        values = np.mean([row["ndcg@10"] for row in runs], axis=0)
        low, middle, high = interval(values - base)
        seeds = " ".join(f"{100 * (np.mean(row['ndcg@10']) - base.mean()):+.2f}" for row in runs)
        seconds = sorted(row["seconds"] for row in runs)
        print(f"  {size:>7}  {100 * values.mean():>8.2f}  {f'{100 * middle:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]':26}  {seeds:17}  {seconds[0]:.0f}-{seconds[-1]:.0f}")


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
