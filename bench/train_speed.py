"""Training speed on CPU: sentence-transformers' CrossEncoderTrainer (fp32, bf16) and our worker, on the same pairs, base and epochs.

run: python bench/train_speed.py --base FOLDER --train groups.train.jsonl --dev groups.dev.jsonl [--queries 300] [--epochs 1] [--repeats 2]
needs: a Python with the worker's packages and sentence-transformers 6.0.1, datasets, accelerate
Each system runs in its own process, in turns, so that a slow minute of the machine hits all of them. Prints JSON; --out also writes it.
Tokens are real ones (no padding), counted once with the base's tokenizer. Time: steps with tokenization and optimizer, no evaluation, no imports.
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import recipe_defaults

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "python"))

SYSTEMS = ("sentence_transformers_fp32", "sentence_transformers_bf16", "rerank_tune")
# as set by src/worker/run-job.ts
WORKER_VARIABLES = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "268435456", "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "1000", "TOKENIZERS_PARALLELISM": "false", "PYTHONHASHSEED": "0"}


def main() -> None:
    arguments = parse()
    if arguments.child:
        print(json.dumps(train_with_sentence_transformers(arguments)))
        return
    with tempfile.TemporaryDirectory() as folder:
        prepare(arguments, folder)
        runs = {name: [] for name in SYSTEMS}
        for repeat in range(arguments.repeats):
            for name in SYSTEMS:
                measured = run_worker(arguments, folder, repeat) if name == "rerank_tune" else run_child(arguments, folder, name)
                runs[name].append(measured)
                print(f"{name}: {measured['tokens_per_second']:.0f} tokens/s, dev NDCG@10 {measured['ndcg@10']:.4f}", file=sys.stderr, flush=True)
    report = summarize(arguments, runs)
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            file.write(text + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--train", required=True)
    parser.add_argument("--dev", required=True)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--dev-queries", type=int, default=100)
    parser.add_argument("--group-size", type=int, default=8)
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--max-length", type=int, default=96)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--batch-size", type=int, default=64, help="pairs a step of sentence-transformers")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--same-environment", action="store_true", help="give sentence-transformers the worker's allocator and thread settings too")
    parser.add_argument("--out")
    parser.add_argument("--child", choices=SYSTEMS, help=argparse.SUPPRESS)
    return parser.parse_args()


def prepare(arguments: argparse.Namespace, folder: str) -> None:
    """Cuts every training group to the passages of one draw, so that all epochs of all systems see the same pairs."""
    from rerank_tune_worker.training.data import read_groups, sample_passages

    def write(name: str, source: str, count: int, cut: bool) -> None:
        with open(source, encoding="utf-8") as file:
            rows = [json.loads(line) for line in file if line.strip()][:count]
        if cut:
            for index, (row, group) in enumerate(zip(rows, read_groups(source))):
                row["passages"] = [row["passages"][i] for i in sample_passages(group.passages, arguments.group_size, 0, f"7 {index}")]
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)

    write("train.jsonl", arguments.train, arguments.queries, True)
    write("dev.jsonl", arguments.dev, arguments.dev_queries, False)


def run_worker(arguments: argparse.Namespace, folder: str, repeat: int) -> dict:
    out = os.path.join(folder, f"run-{repeat}")
    os.makedirs(out)
    options = {
        **recipe_defaults.section("train"), "learning_rate": arguments.learning_rate, "epochs": arguments.epochs, "group_size": arguments.group_size, "max_length": arguments.max_length,
        "evaluations": 1, "evaluation_queries": 16, "checkpoint_seconds": 9999, "device": "cpu",
    }
    dev = os.path.join(folder, "dev.jsonl")
    inputs = {"base": os.path.abspath(arguments.base), "train": os.path.join(folder, "train.jsonl"), "dev": dev, "test": dev}
    job = os.path.join(out, "job.json")
    with open(job, "w", encoding="utf-8") as file:
        json.dump({"v": 1, "id": "bench", "kind": "train", "out_dir": out, "inputs": inputs, "options": options}, file)
    worker = os.path.join(ROOT, "python", "worker.py")
    # stdin stays open: its end would mean that the parent is gone
    with subprocess.Popen([sys.executable, "-I", "-u", worker, "--job", job], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **WORKER_VARIABLES}, text=True) as process:
        last = json.loads(list(process.stdout)[-1])
    if last["type"] != "done":
        raise SystemExit(f"the worker failed: {last}")
    with open(os.path.join(out, "records", "throughput.json"), encoding="utf-8") as file:
        throughput = json.load(file)
    with open(os.path.join(out, "scores.tuned.test.tsv"), encoding="utf-8") as file:
        scores = [float(line.rstrip("\n").split("\t")[2]) for line in file]
    return {"tokens_per_second": throughput["train_tokens_per_second"], "seconds": throughput["train_seconds"], "ndcg@10": mean_ndcg(dev, scores)}


def run_child(arguments: argparse.Namespace, folder: str, system: str) -> dict:
    command = [sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--child", system, "--train", os.path.join(folder, "train.jsonl"), "--dev", os.path.join(folder, "dev.jsonl")]
    variables = {name: value for name, value in WORKER_VARIABLES.items() if name.startswith(("MALLOC", "OMP", "GOMP")) and arguments.same_environment}
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **variables})
    if result.returncode != 0:
        raise SystemExit(f"{system} failed:\n{result.stderr[-3000:]}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def train_with_sentence_transformers(arguments: argparse.Namespace) -> dict:
    """BCE with the positive weight that balances a group, as in sentence-transformers' own examples for hard negatives."""
    import sentence_transformers_run

    from rerank_tune_worker.pairs import PairEncoder
    from rerank_tune_worker.training.data import read_groups

    rows = [(group.query, passage.text, min(1.0, passage.label)) for group in read_groups(arguments.train) for passage in group.passages]
    tokens = sum(len(pair.ids) for pair in PairEncoder(arguments.base, arguments.max_length).encode([row[:2] for row in rows]))
    model, seconds = sentence_transformers_run.train(
        arguments.base, rows, positive_weight=float(arguments.group_size - 1), max_length=arguments.max_length, epochs=arguments.epochs, batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate, warmup=0.1, bf16=arguments.child.endswith("bf16"), seed=7,
    )
    pairs = [(group.query, passage.text) for group in read_groups(arguments.dev) for passage in group.passages]
    scores = sentence_transformers_run.predict(model, pairs)
    return {"tokens_per_second": tokens * arguments.epochs / seconds, "seconds": seconds, "ndcg@10": mean_ndcg(arguments.dev, scores)}


def mean_ndcg(path: str, scores: list[float]) -> float:
    from rerank_tune_worker.training.data import read_groups
    from rerank_tune_worker.training.ndcg import ndcg_at_k

    values, start = [], 0
    for group in read_groups(path):
        part = scores[start : start + len(group.passages)]
        start += len(part)
        values.append(ndcg_at_k([p.id for p in group.passages], part, [p.label for p in group.passages], group.missed))
    return sum(values) / len(values)


def summarize(arguments: argparse.Namespace, runs: dict[str, list[dict]]) -> dict:
    """Medians over the repeats with their spread; ratios within one repeat, so that both sides met the same machine."""
    ours = runs["rerank_tune"]
    systems = {
        name: {
            "tokens_per_second": statistics.median(run["tokens_per_second"] for run in measured),
            "tokens_per_second_range": [min(run["tokens_per_second"] for run in measured), max(run["tokens_per_second"] for run in measured)],
            "ndcg@10": statistics.median(run["ndcg@10"] for run in measured),
        }
        for name, measured in runs.items()
    }
    ratios = {name: [mine["tokens_per_second"] / other["tokens_per_second"] for mine, other in zip(ours, runs[name])] for name in SYSTEMS[:-1]}
    settings = {name: getattr(arguments, name) for name in ("queries", "group_size", "epochs", "max_length", "learning_rate", "batch_size", "repeats", "same_environment")}
    machine = {"processor": processor(), "cores": os.cpu_count(), "python": platform.python_version()}
    return {"settings": settings, "machine": machine, "systems": systems, "times_faster_than": {name: {"median": statistics.median(values), "each": values} for name, values in ratios.items()}}


def processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.processor())
    except OSError:
        return platform.processor()


if __name__ == "__main__":
    main()
