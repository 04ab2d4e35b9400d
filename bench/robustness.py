"""Can training collapse unnoticed? Learning rates x queries a step x seeds on one small set, from the upstream recipe's own setting to absurd ones.

run: python bench/robustness.py --base FOLDER --data FOLDER [--set cnil-fr] [--rates 1e-5 6e-5 3e-4 2e-3] [--steps 4 16 64] [--seeds 1 2 3 4 5] [--results FILE]
needs: a Python with the worker's packages; --data holds BEIR folders with bm25.trec.gz
Each run is ours with its defaults but for these two settings. Said of each: how it ended, which weights it kept, what it was told, and NDCG@10 against the base on
queries that no run saw. A run whose kept weights are below the base there, without a word about it, is what must not be.
"""
from __future__ import annotations

import argparse
import collections
import os
import tempfile

import numpy as np
from beir_groups import dev_share, write_splits
from training_runs import read_results, run_once

# the sign flip of 10,000 draws that the product's verdict uses; a loss is clear below this one-sided p
CLEAR = 0.05


def main() -> None:
    arguments = parse()
    known = read_results(arguments.results)
    with tempfile.TemporaryDirectory() as folder:
        counts = write_splits(os.path.join(arguments.data, arguments.set), folder, train=arguments.queries, evaluation=arguments.evaluation, depth=arguments.depth, held_out=dev_share(arguments.queries), seed=1)
        common = {"set": arguments.set, "max_length": arguments.max_length, "depth": arguments.depth, "queries": arguments.queries}
        base = run_once(arguments.results, known, {**common, "system": "base", "seed": 0}, base=arguments.base, folder=folder, counts=counts)
        runs = []
        for seed in arguments.seeds:
            for rate in arguments.rates:
                for step in arguments.steps:
                    settings = {**common, "system": "rerank_tune", "seed": seed, "learning_rate": rate, "queries_per_step": step}
                    options = {"learning_rate": rate, "queries_per_step": step, "epochs": arguments.epochs}
                    runs.append(run_once(arguments.results, known, settings, base=arguments.base, folder=folder, counts=counts, options=options))
    print_grid(np.array(base["ndcg@10"]), runs, counts)


def print_grid(base: np.ndarray, runs: list[dict], counts: dict) -> None:
    print(f"{counts['train.all']} training queries, {counts['eval']} evaluation queries, base NDCG@10 {100 * base.mean():.2f}")
    print(f"  {'rate':>7} {'queries/step':>12}  gain over the base, each seed                       endings")
    silent = []
    for rate, step in sorted({(row["learning_rate"], row["queries_per_step"]) for row in runs}):
        cell = [row for row in runs if (row["learning_rate"], row["queries_per_step"]) == (rate, step)]
        gains = [np.array(row["ndcg@10"]) - base if "failed" not in row else None for row in cell]
        shown = " ".join("stopped" if gain is None else f"{100 * gain.mean():+.2f}" for gain in gains)
        endings = collections.Counter(ending(row) for row in cell)
        print(f"  {rate:>7.0e} {step:>12}  {shown:50}  {', '.join(f'{count} {name}' for name, count in sorted(endings.items()))}")
        silent += [(rate, step, row["seed"]) for row, gain in zip(cell, gains) if gain is not None and clear_loss(gain)]
    print(f"  clearly below the base on unseen queries and kept: {len(silent)} of {len(runs)}{''.join(f'; rate {r:.0e}, {q} queries, seed {s}' for r, q, s in silent)}")


def ending(row: dict) -> str:
    """What the run says of itself."""
    if "failed" in row:
        return "collapsed, named"
    if row["best_step"] == 0 or row.get("alpha") == 0:
        return "base kept, named"
    return {"finished": "finished", "early_stop": "ended early", "below_base": "reverted to its best"}.get(row["ended"], row["ended"])


def clear_loss(gain: np.ndarray) -> bool:
    """One-sided paired sign flip: could such a mean loss be chance?"""
    if not gain.any() or gain.mean() >= 0:
        return False
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (10_000, len(gain)))
    return float(((signs * np.abs(gain)).mean(axis=1) <= gain.mean()).mean()) < CLEAR


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--set", default="cnil-fr")
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-5, 6e-5, 3e-4, 2e-3])
    parser.add_argument("--steps", type=int, nargs="+", default=[4, 16, 64])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--queries", type=int, default=64)
    parser.add_argument("--evaluation", type=int, default=74)
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--depth", type=int, default=10)
    parser.add_argument("--max-length", type=int, default=96)
    parser.add_argument("--results", default="robustness.jsonl")
    return parser.parse_args()


if __name__ == "__main__":
    main()
