"""The train job: scores the base, fine-tunes it, keeps the best weights, scores the test split with both. Run again after a kill, it resumes."""
from __future__ import annotations

import time

from ..protocol import Done, Job
from ..reporter import Reporter
from ..training.base_scores import score_sets
from ..training.checkpoint import Checkpoint
from ..training.device import choose_device
from ..training.distributed import Alone, Follower, join_ranks
from ..training.ending import calibrate_scores, interpolate_weights
from ..training.outputs import outputs, write_records
from ..training.preparing import parity_pairs, prepare
from ..training.run_context import Run
from ..training.save import save_model
from ..training.seeds import follow_seeds, train_seeds
from ..training.soup import keep_best
from ..training.teacher import score_with_teacher


def run(job: Job, reporter: Reporter) -> Done:
    """inputs: base (folder), train, dev, test, any guard-NAME (groups files). options: the fields of src/stages/train/schema.ts.

    Raises JobError MODEL_*, DATA_*, RECIPE_INVALID, TRAINING_COLLAPSED, WORKER_OUT_OF_MEMORY, RankLost; Cancelled after a checkpoint.
    Under torchrun every rank runs it; all but rank 0 end, with nothing done, when training does.
    """
    with join_ranks(lambda: choose_device(job.options["device"]), reporter) as ranks:
        return _run(job, reporter, ranks)


def _run(job: Job, reporter: Reporter, ranks: Alone) -> Done:
    started = time.monotonic()
    current = prepare(job, reporter, ranks)
    if isinstance(ranks, Follower):
        follow_seeds(current, ranks)
        return Done({}, {}, {})
    current.phase("score_base")
    base_speed = _base_scores(current) if current.base.is_reranker else None
    trained = train_seeds(current)
    ranks.dismiss()
    soup = keep_best(current, trained.outcomes, parity_pairs(current))
    sweep = interpolate_weights(current, soup.best.progress, averaged=soup.keeps_average)
    affine = calibrate_scores(current, current.top_label)
    current.phase("score_test")
    tuned_speed = [current.write_scores("tuned", name) for name in current.scored][0]
    current.phase("save")
    save_model(current.model.module, current.base, current.path("model"), current.options["max_length"])
    write_records(current, trained, tuned_speed, base_speed)
    Checkpoint(current.path("checkpoint")).remove()
    found = outputs(current, soup, sweep, affine)
    return Done(found, {"dev_ndcg@10": found["dev_ndcg_at_10"]["best"]}, {"train": trained.seconds, "total": time.monotonic() - started})


def _base_scores(current: Run) -> float:
    """Files of the untouched base. Returns its speed on the test split, pairs a second. Of a student the base is the teacher, and it is asked for more."""
    if current.cut is None:
        return score_sets(current)
    current.teacher, speed = score_with_teacher(current, parity_pairs(current))
    return speed
