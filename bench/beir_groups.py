"""Canonical groups out of a BEIR folder with a TREC run: training queries with their judged and first-stage passages, and an evaluation split."""
from __future__ import annotations

import collections
import gzip
import json
import os
import random


def read_lines(path: str):
    with (gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")) as file:
        yield from (line for line in file if line.strip())


def write_splits(folder: str, out: str, *, train: int, evaluation: int, depth: int, held_out: float, seed: int, train_seed: int | None = None) -> dict[str, int]:
    """Writes train.all, train.fit, train.select (a share of the training queries, for early stopping) and eval JSONL to `out`; returns counts.

    `seed` chooses the evaluation queries, `train_seed` (else `seed`) the training ones; fewer of them are a part of more of them.
    Training groups hold the judged passages and the first `depth` of the run, so a relevant passage that the run missed is there too.
    Groups of train.select and eval hold the run's passages alone, as `prepare` gives them to dev and test; a relevant one that it missed stays in the ideal of NDCG.
    """
    judged = {split: _judgements(os.path.join(folder, "qrels", f"{split}.tsv")) for split in ("train", "dev")}
    run = _read_run(os.path.join(folder, "bm25.trec.gz"), depth)
    seeds = {"train": seed if train_seed is None else train_seed, "dev": seed}
    chosen = {split: _choose(judged[split], run, count, f"{seeds[split]} {split}") for split, count in (("train", train), ("dev", evaluation))}
    queries = {row["_id"]: row["text"] for row in map(json.loads, read_lines(os.path.join(folder, "queries.jsonl.gz")))}
    wanted = {passage for split, ids in chosen.items() for query in ids for passage in (*run[query], *(judged[split][query] if split == "train" else ()))}
    corpus = {}
    for row in map(json.loads, read_lines(os.path.join(folder, "corpus.jsonl.gz"))):
        if row["_id"] in wanted:
            corpus[row["_id"]] = f"{row.get('title', '')} {row['text']}".strip()
    group = lambda split, query, add: _group(query, queries[query], judged[split][query], run[query], corpus, add)  # noqa: E731
    training = [group("train", query, True) for query in chosen["train"]]
    kept = round(len(training) * (1 - held_out))
    select, dev = ([group(split, query, False) for query in ids] for split, ids in (("train", chosen["train"][kept:]), ("dev", chosen["dev"])))
    files = {"train.all": training, "train.fit": training[:kept], "train.select": select, "eval": dev}
    for name, groups in files.items():
        with open(os.path.join(out, f"{name}.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(group, ensure_ascii=False) + "\n" for group in groups)
    return {name: len(groups) for name, groups in files.items()}


def dev_share(queries: int) -> float:
    """What `prepare.split.dev: auto` holds out: a tenth, but 40 queries where that is more and at most a fifth."""
    return min(0.2, max(0.1, 40 / queries))


def _judgements(path: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = collections.defaultdict(dict)
    for number, line in enumerate(read_lines(path)):
        if number > 0:
            query, passage, label = line.rstrip("\n").split("\t")
            found[query][passage] = int(label)
    return found


def _read_run(path: str, depth: int) -> dict[str, list[str]]:
    run: dict[str, list[str]] = collections.defaultdict(list)
    for line in read_lines(path):
        query, _, passage, *_ = line.split()
        if len(run[query]) < depth:
            run[query].append(passage)
    return run


def _choose(judged: dict, run: dict, count: int, seed: str) -> list[str]:
    ids = sorted(query for query in judged if run.get(query))
    random.Random(seed).shuffle(ids)
    return ids[:count]


def _group(query_id: str, query: str, labels: dict[str, int], ranked: list[str], corpus: dict[str, str], add_judged: bool) -> dict:
    extra = [passage for passage in labels if passage not in ranked and passage in corpus] if add_judged else []
    passages = [{"id": i, "text": corpus[i], "label": labels.get(i, 0), "source": "judged" if i in labels else "run"} for i in [*ranked, *extra] if i in corpus]
    shown = {passage["id"] for passage in passages}
    return {"query_id": query_id, "query": query, "passages": passages, "missed": [{"id": i, "label": v} for i, v in labels.items() if i not in shown]}
