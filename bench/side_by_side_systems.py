"""One system of side_by_side.py in a process of its own: trains on the training groups, scores the evaluation groups, prints one JSON line.

`base` trains nothing. `sentence_transformers`: its default loss for labelled pairs (BCE) with the defaults of CrossEncoderTrainingArguments (5e-5, 3 epochs, batch 8,
no warmup, fp32). `sentence_transformers_example`: as its own examples with hard negatives do (2e-5, one epoch, batch 64, warmup 0.1, positives weighted).
`flag_embedding`: FlagEmbedding cannot run on transformers 5, so its hyperparameters run on our loop: 6e-5, 2 epochs, 4 queries a step, group 8,
group cross-entropy alone, all weights, dropout, the last weights whatever they are. `rerank_tune`: our preset
for a small reranker on CPU. `rerank_tune_and_last`: the same in this process, which also scores the last weights, whatever dev said of them.
"""
from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

import recipe_defaults
import sentence_transformers_run
from train_speed import ROOT, WORKER_VARIABLES

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.pairs import PairEncoder
from rerank_tune_worker.training.data import read_groups, sample_passages
from rerank_tune_worker.training.evaluate import encode_groups
from rerank_tune_worker.training.model import PairModel

GROUP_SIZE = 8
SENTENCE_TRANSFORMERS = {
    "sentence_transformers": {"positive_weight": None, "epochs": 3, "batch_size": 8, "learning_rate": 5e-5, "warmup": 0},
    "sentence_transformers_example": {"positive_weight": float(GROUP_SIZE - 1), "epochs": 1, "batch_size": 64, "learning_rate": 2e-5, "warmup": 0.1},
}
SHARED = {"evaluation_depth": 15, "checkpoint_seconds": 60, "device": "cpu"}
OPTIONS = {
    "rerank_tune": {"epochs": 2},
    "rerank_tune_and_last": {"epochs": 2},
    "flag_embedding": {
        "learning_rate": 6e-5, "epochs": 2, "queries_per_step": 4, "group_size": 8, "bce_weight": 0.0, "dropout": True, "freeze_embeddings": False, "precision": "fp32",
        "evaluations": 1, "evaluation_queries": 4, "patience": 99, "interpolate": {"enabled": False},
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=("base", *SENTENCE_TRANSFORMERS, *OPTIONS))
    parser.add_argument("--base", required=True)
    parser.add_argument("--data", required=True, help="folder written by beir_groups.write_splits")
    parser.add_argument("--out", required=True)
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--options", type=json.loads, default={}, help="JSON of training options that differ from ours here")
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    ours = {"rerank_tune": run_rerank_tune, "rerank_tune_and_last": run_rerank_tune_and_last}
    systems = {"base": run_base, **dict.fromkeys(SENTENCE_TRANSFORMERS, run_sentence_transformers), "flag_embedding": run_flag_embedding, **ours}
    result = systems[arguments.system](arguments)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({**result, "peak_memory_bytes": peak * 1024}))


def run_base(arguments: argparse.Namespace) -> dict:
    base = inspect_base(arguments.base)
    return {"scores": evaluation_scores(arguments, load_base(base, seed=arguments.seed, attention="eager")), "seconds": 0.0, "tokens": 0}


def run_sentence_transformers(arguments: argparse.Namespace) -> dict:
    groups = read_groups(os.path.join(arguments.data, "train.all.jsonl"))
    rows = []
    for index, group in enumerate(groups):
        rows += [(group.query, group.passages[i].text, min(1.0, group.passages[i].label)) for i in sample_passages(group.passages, GROUP_SIZE, 0, f"{arguments.seed} {index}")]
    options = SENTENCE_TRANSFORMERS[arguments.system]
    tokens = options["epochs"] * sum(len(pair.ids) for pair in PairEncoder(arguments.base, arguments.max_length).encode([row[:2] for row in rows]))
    model, seconds = sentence_transformers_run.train(arguments.base, rows, max_length=arguments.max_length, bf16=False, seed=arguments.seed, **options)
    return {"scores": evaluation_scores(arguments, model.model), "seconds": seconds, "tokens": tokens}


def run_flag_embedding(arguments: argparse.Namespace) -> dict:
    """In this process, so that the last weights can be kept as upstream keeps them, where our own job would go back to the best ones."""
    from rerank_tune_worker.training.loop import TrainingLoop

    TrainingLoop.use_best = lambda _: None
    return run_here(arguments, "train.all")


def run_rerank_tune_and_last(arguments: argparse.Namespace) -> dict:
    from rerank_tune_worker.training.loop import TrainingLoop

    use_best, last = TrainingLoop.use_best, []

    def score_last(loop: TrainingLoop) -> None:
        last.extend(evaluation_scores(arguments, loop._model.module))
        use_best(loop)

    TrainingLoop.use_best = score_last
    return {**run_here(arguments, "train.fit"), "last_scores": last}


def run_here(arguments: argparse.Namespace, train: str) -> dict:
    from rerank_tune_worker.jobs import train as job
    from rerank_tune_worker.protocol import read_job
    from rerank_tune_worker.reporter import JobError, Reporter

    try:
        done = job.run(read_job(write_job(arguments, train)), Reporter(io.StringIO(), "bench"))
    except JobError as error:
        return {"failed": f"{error.code}: {error.message}"}
    return measured(arguments, vars(done))


def run_rerank_tune(arguments: argparse.Namespace) -> dict:
    """Our worker as the pipeline starts it."""
    command = [sys.executable, "-I", "-u", os.path.join(ROOT, "python", "worker.py"), "--job", write_job(arguments, "train.fit")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **WORKER_VARIABLES}, text=True) as process:
        last = json.loads(list(process.stdout)[-1])
    return measured(arguments, last) if last["type"] == "done" else {"failed": last.get("message", "no result")}


def write_job(arguments: argparse.Namespace, train: str) -> str:
    path = lambda name: os.path.abspath(os.path.join(arguments.data, f"{name}.jsonl"))  # noqa: E731
    inputs = {"base": os.path.abspath(arguments.base), "train": path(train), "dev": path("train.select"), "test": path("eval")}
    options = {**recipe_defaults.section("train"), **SHARED, **OPTIONS[arguments.system], **arguments.options, "max_length": arguments.max_length, "seed": arguments.seed}
    job = os.path.join(arguments.out, "job.json")
    with open(job, "w", encoding="utf-8") as file:
        json.dump({"v": 1, "id": "bench", "kind": "train", "out_dir": os.path.abspath(arguments.out), "inputs": inputs, "options": options}, file)
    return job


def measured(arguments: argparse.Namespace, done: dict) -> dict:
    """The seconds are those of the training phase with its evaluations; scoring of base and test is apart."""
    with open(os.path.join(arguments.out, "records", "throughput.json"), encoding="utf-8") as file:
        throughput = json.load(file)
    with open(os.path.join(arguments.out, "scores.tuned.test.tsv"), encoding="utf-8") as file:
        scores = [float(line.rstrip("\n").split("\t")[2]) for line in file]
    tokens = round(throughput["train_tokens_per_second"] * throughput["train_seconds"])
    outputs = done["outputs"]
    kept = {"alpha": outputs["interpolation"]["alpha"]} if outputs.get("interpolation") else {}
    return {"scores": scores, "seconds": done["durations"]["train"], "tokens": tokens, **{name: outputs[name] for name in ("steps", "best_step", "ended")}, **kept}


def evaluation_scores(arguments: argparse.Namespace, module: Any) -> list[float]:
    """Logits of a transformers module in fp32, one a pair of the evaluation groups; all systems are scored the same way."""
    model = PairModel(module, module.config.model_type, device="cpu", bf16=False, freeze_embeddings=True, dropout=False)
    pairs = encode_groups(read_groups(os.path.join(arguments.data, "eval.jsonl")), PairEncoder(arguments.base, arguments.max_length))
    return model.score(pairs, exact=True, tokens=4096, between=lambda done: None)


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"{time.monotonic() - started:.0f} s in all", file=sys.stderr)
