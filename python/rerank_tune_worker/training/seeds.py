"""Trains once with each seed, one after another, all from the same start. After a kill it goes on in the seed where it was."""
from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace

from ..reporter import JobError, Reporter
from .budget import TokenBudget
from .checkpoint import tensors_of
from .data import PairCache, StepPlan, step_plan
from .distributed import Follower
from .history import Progress
from .loop import TrainingLoop, Work
from .outcome import Outcome, read_outcome, seed_checkpoint, write_outcome
from .run_context import Run
from .seed_reporter import SeedReporter
from .weights import put, save_weights


@dataclass
class Trained:
    """`work` and `seconds` (wall time of training with its evaluations) are those of this process, not of one that was killed."""

    outcomes: list[Outcome] = field(default_factory=list)
    work: Work = field(default_factory=Work)
    seconds: float = 0.0

    def add(self, work: Work, seconds: float) -> None:
        self.work = replace(work, seconds=self.work.seconds + work.seconds, tokens=self.work.tokens + work.tokens, pairs=self.work.pairs + work.pairs)
        self.seconds += seconds


def halved_file(run: Run) -> str:
    """Where the budgets of tokens of all seeds keep their halvings."""
    return run.path("checkpoint", "halved.json")


def train_seeds(run: Run) -> Trained:
    """Ends the phase `score_base` and goes through `train`. With one seed the model holds its best weights afterwards.

    Raises Cancelled after a checkpoint, and JobError TRAINING_COLLAPSED when no seed is left.
    """
    trained, cache = Trained(work=Work(run.ranks.world)), PairCache(run.splits["train"], run.encoder)
    run.ranks.share_scores([float(read_outcome(seed_checkpoint(run, seed), seed) is not None) for seed in run.seeds])
    start = run.path("checkpoint", "start.safetensors")
    if len(run.seeds) > 1 and not os.path.isfile(start):
        save_weights(start, run.model)
    for number, seed in enumerate(run.seeds):
        plan = step_plan(run.options, run.splits["train"], seed)
        reporter = run.reporter if len(run.seeds) == 1 else SeedReporter(run.reporter, number, len(run.seeds), plan.total)
        outcome = read_outcome(seed_checkpoint(run, seed), seed)
        if outcome is not None:
            _take_up(run, outcome, reporter, first=number == 0)
        else:
            if number > 0:
                put(run.model, tensors_of(start))
            outcome = _train(run, seed, plan, cache, reporter, trained)
            _explain(run, outcome)
        trained.outcomes.append(outcome)
    _check_any_left(trained.outcomes)
    return trained


def follow_seeds(run: Run, leader: Follower) -> None:
    """All that a rank other than 0 does: its share of every seed that rank 0 still has to train. Raises Cancelled, RankLost."""
    cache = PairCache(run.splits["train"], run.encoder)
    done = leader.scores()  # numbers of rank 0: which seeds are done
    for seed in (seed for seed, over in zip(run.seeds, done, strict=True) if not over):
        _loop(run, seed, step_plan(run.options, run.splits["train"], seed), cache, run.reporter).follow(leader)


def _take_up(run: Run, outcome: Outcome, reporter: Reporter, *, first: bool) -> None:
    """What a killed run had done."""
    run.reporter.log(f"{_name(run, outcome.seed)}resumed at step {outcome.progress.step}", "info", "train")
    _show_last(reporter, outcome.progress)
    if first:
        run.phase("train")
    if len(run.seeds) == 1:
        put(run.model, seed_checkpoint(run, outcome.seed).best_tensors(outcome.progress.weights_step))


def _train(run: Run, seed: int, plan: StepPlan, cache: PairCache, reporter: Reporter, trained: Trained) -> Outcome:
    """The loop and its optimizer end with this function, so that there is never a second one in memory."""
    loop = _loop(run, seed, plan, cache, reporter)
    _begin(run, seed, loop, trained)
    _show_last(reporter, loop.progress)
    if not trained.outcomes:
        run.phase("train")
    started, collapsed = time.monotonic(), ("", "")
    try:
        loop.run()
        loop.use_best()
    except JobError as error:
        if error.code != "TRAINING_COLLAPSED" or len(run.seeds) == 1:
            raise
        collapsed = error.message, error.hint
        run.ranks.end_loop()
    trained.add(loop.work, time.monotonic() - started)
    outcome = Outcome(seed, loop.progress, *collapsed)
    write_outcome(seed_checkpoint(run, seed), outcome)
    return outcome


def _loop(run: Run, seed: int, plan: StepPlan, cache: PairCache, reporter: Reporter) -> TrainingLoop:
    """Ranks other than 0 keep no files."""
    options = {**run.options, "seed": seed, "micro_batch_tokens": run.tokens}
    budget = TokenBudget(run.tokens, options, seed=seed, reporter=run.reporter, path=halved_file(run) if run.ranks.rank == 0 else None)
    return TrainingLoop(run.model, plan, cache, run.dev, options, seed_checkpoint(run, seed), reporter, is_reranker=run.starts_ranking, ranks=run.ranks, budget=budget)


def _begin(run: Run, seed: int, loop: TrainingLoop, trained: Trained) -> None:
    """From the checkpoint, or from step 0, whose NDCG@10 is the same for every seed and measured once."""
    loop.score_base(lambda done, total: run.between(total)(done), run.teacher.pairs if run.teacher else None)
    if loop.restore():
        run.reporter.log(f"{_name(run, seed)}resumed at step {loop.progress.step}", "info", "train")
    elif trained.outcomes:
        loop.start(trained.outcomes[0].progress.base_values)
    else:
        loop.start(run.dev.values(run.model, run.tokens, run.between(len(run.dev.pairs))))


def _show_last(reporter: Reporter, progress: Progress) -> None:
    last = progress.rows[-1]
    reporter.metric("ndcg@10", last["dev_ndcg@10"], step=last["step"], split="dev")


def _explain(run: Run, outcome: Outcome) -> None:
    if outcome.explanation():
        run.reporter.log(f"{_name(run, outcome.seed)}{outcome.explanation()}", "warning", "train")


def _name(run: Run, seed: int) -> str:
    return f"seed {seed}: " if len(run.seeds) > 1 else ""


def _check_any_left(outcomes: list[Outcome]) -> None:
    """Raises JobError TRAINING_COLLAPSED when every seed collapsed."""
    if all(outcome.collapsed for outcome in outcomes):
        seeds = ", ".join(str(outcome.seed) for outcome in outcomes)
        raise JobError("TRAINING_COLLAPSED", f"Training collapsed with each of the seeds {seeds}; with {outcomes[0].seed}: {outcomes[0].collapsed}", outcomes[0].hint)
