"""Base, sentence-transformers, FlagEmbedding's hyperparameters and ours from the same base on the same pairs: NDCG@10, time, tokens per second, memory.

run: python bench/side_by_side.py --base FOLDER --data FOLDER --set medquad --set gesetze-de [--seeds 7] [--queries 500] [--results FILE]
needs: a Python with the worker's packages and sentence-transformers 6.0.1, datasets, accelerate; --data holds BEIR folders with bm25.trec.gz
Every run is a process of its own and one line in --results; a run that is there is not repeated, so an interrupted bench goes on where it was.
"""
from __future__ import annotations

import argparse
import os
import tempfile

from beir_groups import dev_share, write_splits
from side_by_side_report import print_report
from training_runs import read_results, run_once

SYSTEMS = ("base", "rerank_tune", "sentence_transformers", "sentence_transformers_example", "flag_embedding")


def main() -> None:
    arguments = parse()
    known = read_results(arguments.results)
    for name in arguments.set:
        with tempfile.TemporaryDirectory() as folder:
            counts = write_splits(os.path.join(arguments.data, name), folder, train=arguments.queries, evaluation=arguments.evaluation, depth=arguments.depth, held_out=dev_share(arguments.queries), seed=1)
            for seed in arguments.seeds:
                for system in arguments.systems:
                    if system == "base" and seed != arguments.seeds[0]:
                        continue
                    settings = {"set": name, "system": system, "seed": seed, "queries": arguments.queries, "max_length": arguments.max_length, "depth": arguments.depth}
                    run_once(arguments.results, known, settings, base=arguments.base, folder=folder, counts=counts)
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


if __name__ == "__main__":
    main()
