"""What one seed among several reports, counted over all of them."""
from __future__ import annotations

from typing import Any

from ..reporter import Reporter


class SeedReporter:
    """Steps count on from the seeds before it, `number` of them, each as if it had gone through all its steps. All else passes."""

    def __init__(self, reporter: Reporter, number: int, seeds: int, steps: int):
        self._reporter, self._before, self._total = reporter, number * steps, seeds * steps

    def progress(self, completed: float, total: float, unit: str) -> None:
        whole = (self._before + completed, self._total) if unit == "steps" else (completed, total)
        self._reporter.progress(*whole, unit)

    def metric(self, name: str, value: float, *, step: int, split: str) -> None:
        self._reporter.metric(name, value, step=self._before + step, split=split)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reporter, name)
