"""The training loop: steps, evaluations, early stop, checkpoints. Everything it decides follows from data, options and step number, never from time."""
from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable

import torch

from ..reporter import Cancelled, JobError, RankLost, Reporter
from .base_scores import base_scores
from .budget import TokenBudget
from .checkpoint import Checkpoint
from .data import PairCache, StepPlan
from .distributed import Alone, Follower
from .evaluate import DevSet, mean
from .history import Progress, clearly_below, evaluation_steps
from .interpolation import mixes_near_base
from .loss import LossSums, Objective
from .model import PairModel
from .optimizer import build_optimizer, learning_rate, warmup_steps
from .step_gradients import StepGradients
from .weights import put

LOSS_EVERY = 5  # steps between loss events
IDS_SHOWN = 8


@dataclass
class Work:
    """What was done since this process started, by all processes together; goes into records, never into results."""

    processes: int = 1
    seconds: float = 0.0
    tokens: int = 0
    pairs: int = 0


class TrainingLoop:
    """One run, from step 0 or from a checkpoint, to its end. Rank 0 leads it; the other ranks `follow`."""

    def __init__(
        self, model: PairModel, plan: StepPlan, cache: PairCache, dev: DevSet, options: dict[str, Any], checkpoint: Checkpoint, reporter: Reporter, *, is_reranker: bool, ranks: Alone | None = None, budget: TokenBudget | None = None
    ):
        self._model, self._plan, self._cache, self._dev = model, plan, cache, dev
        self._options, self._checkpoint, self._reporter, self._is_reranker = options, checkpoint, reporter, is_reranker
        self._ranks = ranks or Alone()
        self._objective = Objective(options, plan.top_label)
        self._gradients = StepGradients(model, plan, cache, self._objective, options, rank=self._ranks.rank, world=self._ranks.world, budget=budget)
        self._optimizer = build_optimizer(model.parameters, options["weight_decay"])
        self._mixes = is_reranker and mixes_near_base(options["interpolate"])
        self._warmup = warmup_steps(plan.total, options["warmup_ratio"])
        self._evaluations = evaluation_steps(plan.total, options["evaluations"])
        self._saved_at = time.monotonic()
        self._loss_sum, self._loss_steps = 0.0, 0
        self.progress = Progress()
        self.work = Work(self._ranks.world)

    def score_base(self, between: Callable[[int, int], None], known: dict[tuple[int, int], float] | None = None) -> None:
        """What `train.kl_to_base` needs; call it while the model still is the base, before `restore`. `between(done, all)` as `PairModel.score`.

        `known`: what a student's teacher said, which the model itself cannot say.
        """
        if not self._objective.pulls:
            return
        if known is None:
            total = len(self._plan.pairs())
            path = self._checkpoint.path("base-scores.safetensors")
            self._objective.base_scores = base_scores(path, self._plan, self._cache, self._model, self._options["micro_batch_tokens"], lambda done: between(done, total))
        else:
            self._objective.base_scores = {pair: known[pair] for pair in self._plan.pairs()}
        self._ranks.share_scores(list(self._objective.base_scores.values()))

    def restore(self) -> bool:
        """Takes up the last checkpoint; False when there is none."""
        state = self._checkpoint.load()
        if state is None:
            return False
        put(self._model, state["weights"].items())
        self._optimizer.load_state_dict(state["optimizer"])
        self._loss_sum, self._loss_steps = state["loss"]
        self.progress = Progress.restore(state["progress"])
        return True

    def start(self, base_values: list[float]) -> None:
        """Begins at step 0; the base itself is the first best."""
        self.progress.start(base_values)
        self._checkpoint.save_best(0, self._model.parameters)

    def follow(self, leader: Follower) -> None:
        """All that a rank other than 0 does: gradients of its share, step after step, until rank 0 says that it is over. Raises Cancelled, RankLost."""
        if self._objective.pulls:
            self._objective.base_scores = dict(zip(self._plan.pairs(), leader.scores(), strict=True))
        while (step := leader.next_step(self._model.parameters)) is not None:
            leader.close_step(self._gradients.compute(step), self._model.parameters)
            self._optimizer.zero_grad(set_to_none=True)

    def run(self) -> None:
        """Raises Cancelled and RankLost after saving a checkpoint, and JobError TRAINING_COLLAPSED."""
        while not self.progress.ended:
            try:
                self._reporter.check_cancelled()
                self._advance()
            except Cancelled:
                self.save()
                raise
        self.save()
        self._ranks.end_loop()

    def use_best(self) -> None:
        """Puts the weights that go on into the model."""
        put(self._model, self._checkpoint.best_tensors(self.progress.weights_step))

    def save(self) -> None:
        self._checkpoint.save(
            {
                "weights": {name: parameter.detach() for name, parameter in self._model.parameters.items()},
                "optimizer": self._optimizer.state_dict(),
                "loss": (self._loss_sum, self._loss_steps),
                "progress": self.progress.as_dict(),
                "best_step": self.progress.weights_step,
            }
        )
        self._saved_at = time.monotonic()

    def _advance(self) -> None:
        """One optimizer step with all that belongs to it. The state changes only when all of it is done, so a cancelled evaluation repeats the step."""
        step = self.progress.step
        rate = learning_rate(step, total=self._plan.total, warmup=self._warmup, peak=self._options["learning_rate"])
        sums, norm = self._optimize(step, rate)
        self._guard(step, sums, norm)
        loss = self._objective.report(sums)
        self._loss_sum, self._loss_steps = self._loss_sum + loss, self._loss_steps + 1
        self.progress.step = step + 1
        self._reporter.progress(step + 1, self._plan.total, "steps")
        if (step + 1) % LOSS_EVERY == 0 or step == 0:
            self._reporter.metric("loss", loss, step=step + 1, split="train")
        if step + 1 in self._evaluations:
            self._evaluate(rate, norm)
        if not self.progress.ended and self.progress.step >= self._plan.total:
            self.progress.ended = "finished"
        if time.monotonic() - self._saved_at >= self._options["checkpoint_seconds"]:
            self.save()

    def _guard(self, step: int, sums: LossSums, norm: float) -> None:
        """Raises JobError TRAINING_COLLAPSED with the ids of the queries that the step saw: what is wrong may be in their texts or labels."""
        try:
            self.progress.guard.after_step(step + 1, self._warmup, sums, norm, self._objective.flat_name)
        except JobError as error:
            ids = self._plan.query_ids(step)
            more = f" and {len(ids) - IDS_SHOWN} more" if len(ids) > IDS_SHOWN else ""
            raise JobError(error.code, f"{error.message} (queries of that step: {', '.join(ids[:IDS_SHOWN])}{more})", error.hint) from error

    def _optimize(self, step: int, rate: float) -> tuple[LossSums, float]:
        """Gradients of the whole step, from all ranks, then one update. A lost rank leaves the weights as they were, so that they can be saved."""
        started, parameters = time.perf_counter(), self._model.parameters
        try:
            self._ranks.open_step(step, parameters)
            report = self._ranks.close_step(self._gradients.compute(step), parameters)
        except RankLost:
            self.save()
            raise
        norm = self._update(rate)
        self.work.seconds += time.perf_counter() - started
        self.work.tokens += report.tokens
        self.work.pairs += report.pairs
        return report.sums, norm

    def _update(self, rate: float) -> float:
        """Clips and applies; a gradient that is not finite is never applied. Returns the norm before clipping."""
        parameters = list(self._model.parameters.values())
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, self._options["clip_norm"]))
        if torch.isfinite(torch.tensor(norm)):
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return norm

    def _evaluate(self, rate: float, norm: float) -> None:
        values = self._dev.values(self._model, self._options["micro_batch_tokens"], lambda done: self._ranks.check())
        self._reporter.metric("ndcg@10", mean(values), step=self.progress.step, split="dev")
        # While the rate is high the weights swing; it falls linearly, so the second half of a run is where they settle.
        early = self.progress.step <= max(self._warmup, self._plan.total // 2)
        kept = self.progress.record(values, loss=self._loss_sum / max(1, self._loss_steps), rate=rate, norm=norm, early=early, is_reranker=self._is_reranker)
        self._loss_sum, self._loss_steps = 0.0, 0
        below = not early and self.progress.guard.after_evaluation(clearly_below(values, self.progress.base_values), self._is_reranker)
        last = self.progress.step >= self._plan.total
        if last and self.progress.best_step == 0 and not below and self._mixes:
            self.progress.mixed_step = self.progress.step
        if kept or self.progress.mixed_step > 0:
            self._checkpoint.save_best(self.progress.step, self._model.parameters)
        if below and not last:
            self.progress.ended = "below_base"
        elif self.progress.stale >= self._options["patience"] and not last:
            self.progress.ended = "early_stop"
