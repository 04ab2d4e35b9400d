"""Which of several processes this one is, as torchrun tells it, and how it ends when its launcher stops it or is gone. Standard library only."""
from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from typing import Callable, Mapping

PATIENCE = 20.0  # seconds from SIGTERM to giving up; torchrun and Kubernetes kill after 30


@dataclass(frozen=True)
class Launch:
    """`rank` of `world` processes on all machines; `local_rank` of `local_world` on this one. Without torchrun: one process."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1


def read_launch(environment: Mapping[str, str]) -> Launch:
    """TORCHELASTIC_RUN_ID is torchrun's own: job operators set RANK and WORLD_SIZE in pods too, for whatever runs in them."""
    if "TORCHELASTIC_RUN_ID" not in environment:
        return Launch()
    return Launch(*(int(environment[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")))


def end_with_launcher(seconds: float = 1.0) -> None:
    """Ends this process once its parent is gone: torchrun starts each rank in a session of its own, where nothing else would end it."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(seconds)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def when_stuck(report: Callable[[], None], seconds: float = PATIENCE) -> None:
    """Calls `report` and ends this process when it still runs so long after SIGTERM.

    A handler in Python waits for the main thread, which may sit in a collective that a lost rank never joins; the wake-up pipe does not.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def watch() -> None:
        while signal.SIGTERM not in os.read(reading, 64):
            pass
        time.sleep(seconds)
        report()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
