"""How training with one seed ended: kept beside its weights, so that a killed run does not train that seed again."""
from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from .checkpoint import Checkpoint, write_text
from .history import Progress
from .run_context import Run

FILE = "outcome.json"


@dataclass(frozen=True)
class Outcome:
    """`collapsed` and `hint`: what the guard said, and then its weights are left out; else empty."""

    seed: int
    progress: Progress
    collapsed: str = ""
    hint: str = ""

    @property
    def learned(self) -> bool:
        """Whether it has weights that are better than those it started from."""
        return not self.collapsed and self.progress.best_step > 0

    @property
    def dev_ndcg(self) -> float:
        """NDCG@10 (0-1) of its best weights on the dev queries of the evaluations."""
        return self.progress.best_ndcg

    def record(self) -> dict[str, Any]:
        """For the outputs of the job."""
        return {
            "seed": self.seed,
            "steps": self.progress.step,
            "best_step": self.progress.best_step,
            "dev_ndcg_at_10": None if self.collapsed else self.dev_ndcg,
            "ended": "collapsed" if self.collapsed else self.progress.ended,
        }

    def explanation(self) -> str:
        """Why these weights and no later ones; empty where training simply went through."""
        if self.collapsed:
            return f"{self.collapsed}; its weights are left out"
        if self.progress.ended == "below_base":
            return f"dev NDCG@10 stayed below the base for three evaluations: training ended at step {self.progress.step}, the weights of step {self.progress.best_step} are kept"
        if self.progress.best_step > 0:
            return ""
        kept = "only mixtures near the base are tried" if self.progress.mixed_step > 0 else "its weights are kept"
        return f"no evaluation on {len(self.progress.base_values)} dev queries was better than what training began with by half a standard error: {kept}"


def seed_checkpoint(run: Run, seed: int) -> Checkpoint:
    """A folder of its own where there are several."""
    return Checkpoint(run.path("checkpoint", *([f"seed-{seed}"] if len(run.seeds) > 1 else [])))


def read_outcome(checkpoint: Checkpoint, seed: int) -> Outcome | None:
    """None while the seed is not done."""
    path = checkpoint.path(FILE)
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8") as file:
        body = json.load(file)
    return Outcome(seed, Progress.restore(body["progress"]), body["collapsed"], body["hint"])


def write_outcome(checkpoint: Checkpoint, outcome: Outcome) -> None:
    """From here on the seed is done: all but its best weights goes, and those too when it collapsed."""
    write_text(checkpoint.path(FILE), json.dumps({"progress": outcome.progress.as_dict(), "collapsed": outcome.collapsed, "hint": outcome.hint}))
    checkpoint.finish(None if outcome.collapsed else outcome.progress.weights_step)
