"""What happens to the best weights before they are scored and saved: adapters merged, mixed with the base's, scores calibrated."""
from __future__ import annotations

from typing import Any

import torch

from ..base_model import load_base
from ..pairs import EncodedPair
from ..reporter import JobError
from .calibration import Affine, calibrate, flipped, fold
from .encoder_parts import last_linear
from .evaluate import DevSet
from .history import Progress
from .interpolation import NEAR, Sweep, interpolate
from .run_context import Run, interpolates

MERGE_PARITY = 1e-5  # |logit difference| of adapters before and after they are merged, fp32
CHECKED_QUERIES = 64  # of dev, whose order must be the same after calibration


def merge_adapters(run: Run, pairs: list[EncodedPair]) -> None:
    """Makes a model with adapters plain. Raises JobError WORKER_FAILED when that changes scores."""
    if not run.options["lora"]:
        return
    before = _exact(run, pairs)
    run.model.merge_adapters()
    difference = max(abs(old - new) for old, new in zip(before, _exact(run, pairs), strict=True))
    if not difference <= MERGE_PARITY:
        raise JobError("WORKER_FAILED", f"merging the adapters of train.lora changed a score by {difference:.1e}, more than {MERGE_PARITY:g}", "train without `train.lora`, and report this with records/worker.log")


def interpolate_weights(run: Run, progress: Progress, *, averaged: bool) -> Sweep | None:
    """On the dev queries of the evaluations. None where there is nothing to mix: a fresh head, switched off, or weights that fell far below the base.

    Where no step was kept, only alphas up to `NEAR` are tried: between two models that dev cannot tell apart the middle is mostly better than both.

    `averaged`: the weights are not those of `progress`, but an average over seeds. Merged adapters are measured again too: merging rounds.
    """
    if not interpolates(run.options, run.base) or progress.weights_step == 0:
        return None
    alphas = [alpha for alpha in run.options["interpolate"]["alphas"] if progress.best_step > 0 or alpha <= NEAR]
    run.phase("interpolate")
    known = {0.0: progress.base_values}
    if progress.best_step > 0 and not averaged and not run.options["lora"]:
        known[1.0] = progress.best_values
    sweep = interpolate(run.model, _base_weights(run), run.dev, run.guards, {**run.options["interpolate"], "alphas": alphas}, run.tokens, _mixtures(run), known)
    run.record("interpolation.json", {"queries": len(run.dev.groups), **sweep.record()})
    run.reporter.log(sweep.message(), "info" if sweep.chosen.alpha else "warning", "train")
    return sweep


def calibrate_scores(run: Run, top_label: float) -> Affine | None:
    """None where it is not asked for, and where the scores do not rise with relevance."""
    if not run.options["calibrate"]:
        return None
    run.phase("calibrate")
    dev = DevSet(run.splits["dev"], run.encoder)
    before = run.model.score(dev.pairs, exact=True, tokens=run.tokens, between=run.between(len(dev.pairs)))
    affine, record = calibrate(before, dev.grades(top_label), dev.sizes)
    run.record("calibration.json", record)
    if affine is None:
        run.reporter.log("scores are not calibrated: on dev they do not rise with relevance", "warning", "train")
        return None
    fold(last_linear(run.model.module)[1], affine)
    _check_order(run, dev, before, affine)
    run.reporter.log(_calibrated(affine, record), "info", "train")
    return affine


def _base_weights(run: Run) -> dict[str, torch.Tensor]:
    """Of the trained parameters; read again, so that no copy takes memory while training goes on."""
    module = load_base(run.base, seed=run.options["seed"], attention="eager")
    trained = run.model.parameters
    return {name: parameter.detach() for name, parameter in module.named_parameters() if name in trained}


def _mixtures(run: Run):
    shown = -1

    def between(done: int, total: int) -> None:
        nonlocal shown
        run.reporter.check_cancelled()
        if done > shown:
            shown = done
            run.reporter.progress(done, total, "mixtures")

    return between


def _check_order(run: Run, dev: DevSet, before: list[float], affine: Affine) -> None:
    """Raises JobError WORKER_FAILED when calibration moved one passage past another."""
    sizes = dev.sizes[:CHECKED_QUERIES]
    count = sum(sizes)
    changed = flipped(before[:count], _exact(run, dev.pairs[:count]), sizes, affine)
    if changed:
        raise JobError("WORKER_FAILED", f"calibration changed the order of {changed} pairs of passages", "use `--set train.calibrate=false`, and report this with records/worker.log")


def _exact(run: Run, pairs: list[EncodedPair]) -> list[float]:
    return run.model.score(pairs, exact=True, tokens=run.tokens, between=lambda done: run.reporter.check_cancelled())


def _calibrated(affine: Affine, record: dict[str, Any]) -> str:
    after = record["after_out_of_sample"] or record["after"]
    kind = "out of sample" if record["after_out_of_sample"] else "on the same queries"
    return f"scores calibrated on dev: {affine.a:.4g} * score + {affine.b:.4g}; calibration error {100 * record['before']['ece']:.1f} % before, {100 * after['ece']:.1f} % {kind}"
