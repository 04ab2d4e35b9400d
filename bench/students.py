"""What a student of half the layers keeps of its teacher, and how much faster it is: a base tuned on labelled queries, then students of it on the same queries.

run: python bench/students.py --base FOLDER --data FOLDER --set medquad --work FOLDER [--layers 6] [--student kl:1 margin_mse:1 kl:0] [--results FILE]
needs: a Python with the worker's packages; --data holds BEIR folders with bm25.trec.gz; --work keeps the models, so that an interrupted bench goes on
`kl:0` learns from labels alone. One line in --results a model; a model that is there, or finished in --work, is not trained again. Speeds: fp32 PyTorch as training scores, all models in turns.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
from beir_groups import dev_share, write_splits
from made_up_models import machine
from side_by_side_report import interval
from training_runs import _per_query, read_results

HERE = os.path.dirname(os.path.abspath(__file__))


def main() -> None:
    arguments = parse()
    folder = os.path.join(arguments.work, "data")
    os.makedirs(folder, exist_ok=True)
    counts = write_splits(os.path.join(arguments.data, arguments.set), folder, train=arguments.queries, evaluation=arguments.evaluation, depth=arguments.depth, held_out=dev_share(arguments.queries), seed=1)
    known = read_results(arguments.results)
    model = lambda name: os.path.join(arguments.work, name, "model")  # noqa: E731
    once(arguments, known, "teacher", arguments.base, {"epochs": arguments.teacher_epochs}, counts)
    for student in arguments.student:
        loss, weight = student.split(":")
        options = {"epochs": arguments.student_epochs, "student": {"layers": arguments.layers, "loss": loss, "weight": float(weight)}}
        once(arguments, known, student, model("teacher"), options, counts)
    if arguments.rounds > 0:
        measure_speed(arguments, {name: model(name) for name in ("teacher", arguments.student[0])})
    print_results(read_results(arguments.results))


def once(arguments: argparse.Namespace, known: list[dict], name: str, base: str, options: dict, counts: dict) -> None:
    """Trains in a process of its own, as the pipeline does, and adds a row; seconds are those of training."""
    if any(row.get("model") == name for row in known):
        return
    out, data = os.path.join(arguments.work, name), os.path.join(arguments.work, "data")
    row = finished(out) or train(arguments, name, base, data, out, options)
    values = _per_query(data, row.pop("scores", None))
    add(arguments.results, {"model": name, "set": arguments.set, "options": options, "groups": counts, **row, "ndcg@10": values, "machine": machine()})
    print(f"{name}: NDCG@10 {100 * np.mean(values):.2f}, {row.get('seconds', 0):.0f} s", file=sys.stderr, flush=True)


def finished(out: str) -> dict | None:
    """What an interrupted bench had trained; the job removes its checkpoint last."""
    if os.path.exists(os.path.join(out, "checkpoint")) or not os.path.exists(os.path.join(out, "model", "tokenizer_config.json")):
        return None
    with open(os.path.join(out, "records", "throughput.json"), encoding="utf-8") as file:
        seconds = json.load(file)["train_seconds"]
    with open(os.path.join(out, "scores.tuned.test.tsv"), encoding="utf-8") as file:
        return {"scores": [float(line.rstrip("\n").split("\t")[2]) for line in file], "seconds": seconds}


def train(arguments: argparse.Namespace, name: str, base: str, data: str, out: str, options: dict) -> dict:
    command = [sys.executable, os.path.join(HERE, "side_by_side_systems.py"), "rerank_tune", "--base", base, "--data", data, "--out", out]
    command += ["--max-length", str(arguments.max_length), "--seed", "7", "--options", json.dumps({"evaluation_depth": arguments.depth, **options})]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{name} failed:\n{result.stderr[-3000:]}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def measure_speed(arguments: argparse.Namespace, folders: dict[str, str]) -> None:
    """Pairs a second of each model on the same pairs, in turns, so that a slow minute of the machine hits all of them."""
    from rerank_tune_worker.base_model import inspect_base, load_base
    from rerank_tune_worker.pairs import PairEncoder
    from rerank_tune_worker.training.data import read_groups
    from rerank_tune_worker.training.evaluate import encode_groups
    from rerank_tune_worker.training.model import PairModel

    groups = read_groups(os.path.join(arguments.work, "data", "eval.jsonl"))[: arguments.speed_queries]
    pairs = encode_groups(groups, PairEncoder(arguments.base, arguments.max_length))
    models = {name: PairModel(load_base(inspect_base(folder), seed=7, attention="eager"), "xlm-roberta", device="cpu", bf16=False, freeze_embeddings=True, dropout=False) for name, folder in folders.items()}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for round_number in range(arguments.rounds + 1):
        for name, model in models.items():
            started = time.process_time()
            model.score(pairs, exact=True, tokens=4096, between=lambda done: None)
            if round_number > 0:  # the first one warms up
                seconds[name].append(time.process_time() - started)
    tokens = sum(len(pair.ids) for pair in pairs) / len(pairs)
    add(arguments.results, {"speed": {name: [round(value, 4) for value in times] for name, times in seconds.items()}, "pairs": len(pairs), "tokens_per_pair": round(tokens, 1), "machine": machine()})


def print_results(rows: list[dict]) -> None:
    models = {row["model"]: np.array(row["ndcg@10"]) for row in rows if "model" in row}
    teacher = models["teacher"]
    for row in rows:
        if "model" in row:
            low, middle, high = interval(models[row["model"]])
            against = interval(models[row["model"]] - teacher)
            kept = np.percentile(shares(models[row["model"]], teacher), [2.5, 97.5])
            line = f"  {row['model']:14}  NDCG@10 {100 * middle:.2f} [{100 * low:.2f}, {100 * high:.2f}]; {row['seconds']:.0f} s"
            more = f"; {100 * against[1]:+.2f} [{100 * against[0]:+.2f}, {100 * against[2]:+.2f}] against the teacher, keeps {100 * middle / teacher.mean():.1f} % [{100 * kept[0]:.1f}, {100 * kept[1]:.1f}]"
            print(line + (more if row["model"] != "teacher" else f"; {len(teacher)} evaluation queries"))
    for row in (row for row in rows if "speed" in row):
        (teacher_times, student_times), student = row["speed"].values(), list(row["speed"])[1]
        ratios = sorted(slow / fast for slow, fast in zip(teacher_times, student_times, strict=True))
        low, high = np.percentile(ratios, [25, 75])
        print(f"  processor time of the teacher over that of {student}, {row['pairs']} pairs of {row['tokens_per_pair']} tokens: {statistics.median(ratios):.2f} (quartiles {low:.2f}-{high:.2f}, {len(ratios)} rounds)")


def shares(own: np.ndarray, teacher: np.ndarray) -> np.ndarray:
    """Ratios of the means over 10,000 draws of as many queries."""
    chosen = np.random.default_rng(0).integers(0, len(own), (10_000, len(own)))
    return own[chosen].mean(axis=1) / teacher[chosen].mean(axis=1)


def add(path: str, row: dict) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--set", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--student", nargs="+", default=["kl:1", "margin_mse:1", "kl:0"], help="LOSS:WEIGHT of train.student")
    parser.add_argument("--teacher-epochs", type=float, default=2)
    parser.add_argument("--student-epochs", type=float, default=6)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--evaluation", type=int, default=150)
    parser.add_argument("--depth", type=int, default=10)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--speed-queries", type=int, default=30)
    parser.add_argument("--results", default="students.jsonl")
    return parser.parse_args()


if __name__ == "__main__":
    main()
