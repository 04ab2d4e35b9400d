"""One training run of a bench in a process of its own, as one line of a results file that knows which runs are there already."""
from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import made_up_models


def run_once(path: str, known: list[dict], settings: dict, *, base: str, folder: str, counts: dict, options: dict | None = None) -> dict:
    """The row of `settings` (set, system, seed, max_length, ...) in `known`, or a new one, appended to the file at `path`.

    `folder`: groups written by beir_groups.write_splits. `options`: what of our training options differs from the bench's own.
    """
    found = next((row for row in known if settings.items() <= row.items()), None)
    if found is not None:
        return found
    row = {**settings, "groups": counts, **_run(settings, base, folder, options or {})}
    known.append(row)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    shown = ", ".join(f"{name} {value}" for name, value in settings.items())
    print(f"{shown}: NDCG@10 {100 * sum(row['ndcg@10']) / len(row['ndcg@10']):.2f}, {row.get('seconds', 0):.0f} s", file=sys.stderr, flush=True)
    return row


def read_results(path: str) -> list[dict]:
    """Rows of an earlier, perhaps interrupted run."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _run(settings: dict, base: str, folder: str, options: dict) -> dict:
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "side_by_side_systems.py")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as out:
        _keep_base_scores(folder, out, settings)
        command = [sys.executable, script, settings["system"], "--base", base, "--data", folder, "--out", out]
        command += ["--max-length", str(settings["max_length"]), "--seed", str(settings["seed"]), "--options", json.dumps(options)]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        _keep_base_scores(out, folder, settings)
    if result.returncode != 0:
        raise SystemExit(f"{settings} failed:\n{result.stderr[-3000:]}")
    row = json.loads(result.stdout.strip().splitlines()[-1])
    row["ndcg@10"] = _per_query(folder, row.pop("scores", None))
    if "last_scores" in row:
        row["last_ndcg@10"] = _per_query(folder, row.pop("last_scores"))
    return {**row, "wall_seconds": round(time.monotonic() - started, 1), "machine": made_up_models.machine(), "command": f"python {os.path.relpath(sys.argv[0])} {shlex.join(_without_folders(sys.argv[1:]))}"}


def _keep_base_scores(source: str, target: str, settings: dict) -> None:
    """What our job knows of the base on the evaluation queries is the same for every run on them, so it is measured once and found as after a kill."""
    if not settings["system"].startswith("rerank_tune") or not os.path.isfile(os.path.join(source, "records", "base_speed.json")):
        return
    os.makedirs(os.path.join(target, "records"), exist_ok=True)
    for name in ("scores.base.test.tsv", os.path.join("records", "base_speed.json")):
        shutil.copyfile(os.path.join(source, name), os.path.join(target, name))


def _without_folders(arguments: list[str]) -> list[str]:
    """Where things lie on this machine is nobody's business."""
    return [os.path.basename(os.path.normpath(argument)) if os.sep in argument else argument for argument in arguments]


def _per_query(folder: str, scores: list[float] | None) -> list[float]:
    """NDCG@10 of each evaluation query; the first stage's order where there are no scores: a model that was refused is not shipped."""
    from rerank_tune_worker.training.data import read_groups
    from rerank_tune_worker.training.ndcg import ndcg_at_k

    values, start = [], 0
    for group in read_groups(os.path.join(folder, "eval.jsonl")):
        size = len(group.passages)
        part = [-float(i) for i in range(size)] if scores is None else scores[start : start + size]
        start += size
        values.append(round(ndcg_at_k([p.id for p in group.passages], part, [p.label for p in group.passages], group.missed), 6))
    return values
