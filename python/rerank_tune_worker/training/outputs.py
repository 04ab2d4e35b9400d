"""What a train job tells of itself when it is done: the outputs of its manifest, and the records of its course and speed."""
from __future__ import annotations

from typing import Any

from .budget import read_halved
from .calibration import Affine
from .checkpoint import write_text
from .device import peak_memory_bytes
from .evaluate import mean
from .interpolation import Sweep
from .run_context import Run
from .seeds import Trained, halved_file
from .soup import Soup


def write_records(run: Run, trained: Trained, tuned_speed: float, base_speed: float | None) -> None:
    """records/throughput.json, micro_batch.json and history.jsonl. Speeds in pairs a second."""
    work = trained.work
    seconds = work.seconds if work.seconds > 0 else None
    throughput = {
        "processes": work.processes,
        "train_tokens_per_second": work.tokens / seconds if seconds else None,
        "train_pairs_per_second": work.pairs / seconds if seconds else None,
        "train_seconds": work.seconds,
        "tuned_pairs_per_second": tuned_speed,
        "base_pairs_per_second": base_speed,
        "peak_memory_bytes": peak_memory_bytes(),
    }
    run.record("throughput.json", throughput)
    run.record("micro_batch.json", {**run.micro_batch, "halved": read_halved(halved_file(run))})
    write_text(run.path("records", "history.jsonl"), history(run, trained))


def history(run: Run, trained: Trained) -> str:
    """Rows of all seeds, one after another; which seed is said where there are several."""
    several = len(run.seeds) > 1
    return "".join(outcome.progress.lines(outcome.seed if several else None) for outcome in trained.outcomes)


def outputs(run: Run, soup: Soup, sweep: Sweep | None, affine: Affine | None) -> dict[str, Any]:
    """Steps and end are those of the best seed. Weights that the sweep put back to the base's are those of step 0. A student's base is its teacher."""
    progress = soup.best.progress
    mixed = sweep is not None and progress.best_step == 0
    base_kept = progress.weights_step == 0 or (sweep is not None and sweep.chosen.alpha == 0)
    best = progress.base_ndcg if base_kept else sweep.chosen.dev if mixed else soup.dev_ndcg
    return {
        "base_is_reranker": run.base.is_reranker,
        "model_type": run.base.model_type,
        "max_length": run.options["max_length"],
        "parameters": run.parameters,
        "steps": progress.step,
        "best_step": 0 if base_kept else progress.weights_step,
        "dev_ndcg_at_10": {"base": mean(run.teacher.dev) if run.teacher else progress.base_ndcg, "best": best},
        "learning_rate": run.options["learning_rate"],
        "device": run.model.device.type,
        "precision": run.model.precision,
        "ended": progress.ended,
        "micro_batch_tokens": run.tokens,
        "seeds": soup.record() if len(run.seeds) > 1 else None,
        "interpolation": {"alpha": sweep.chosen.alpha, "dev_ndcg_at_10": sweep.chosen.dev} if sweep else None,
        "student": _student(run, progress.base_ndcg),
        "calibration": {"a": affine.a, "b": affine.b} if affine else None,
    }


def _student(run: Run, start: float) -> dict[str, Any] | None:
    """`start`: dev NDCG@10 (0-1) of the cut model before its first step."""
    if run.cut is None:
        return None
    return {"kept_layers": list(run.cut.kept), "teacher_layers": run.cut.teacher_layers, "start_dev_ndcg_at_10": start}
