"""What a job uses to talk to the outside: events out, cancellation in. Standard library only."""
from __future__ import annotations

import json
import math
import signal
import sys
import threading
import time
from typing import Any, TextIO

from . import protocol

# Seconds between signs of life; src/worker/watchdog.ts takes twenty times as long without any for a frozen process.
ALIVE_SECONDS = 15.0
RESUME_HINT = "read records/worker.log of each machine for why, then run the same command again: it resumes at the last checkpoint"


class Cancelled(Exception):
    """The parent asked to stop, or is gone. A job lets this pass after saving what it must."""


class JobError(Exception):
    """A failure with a code of src/errors.ts and a hint that the user can type."""

    retryable = False

    def __init__(self, code: str, message: str, hint: str):
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


class RankLost(JobError):
    """Another process of this training is gone. `where`: "at step 12"."""

    retryable = True

    def __init__(self, who: str, where: str):
        super().__init__("WORKER_CRASHED", f"{who} was lost {where}", RESUME_HINT)


class Reporter:
    """Thread-safe sender of events; progress is limited to four a second."""

    def __init__(self, stream: TextIO, job: str):
        self._stream, self._job, self._seq = stream, job, 0
        self._lock = threading.Lock()
        self._last_progress = 0.0
        self._cancelled = threading.Event()
        self._ended = threading.Event()

    def send(self, event: protocol.Event) -> None:
        with self._lock:
            if self._ended.is_set() and isinstance(event, protocol.Alive):
                return  # nothing may follow the event that ends the talk
            if isinstance(event, protocol.Done | protocol.Error):
                self._ended.set()
            self._stream.write(protocol.encode(event, seq=self._seq, time=round(time.time(), 3), job=self._job) + "\n")
            self._stream.flush()
            self._seq += 1

    def phase(self, name: str, index: int, count: int) -> None:
        self.send(protocol.Phase(name, index, count))

    def progress(self, completed: float, total: float, unit: str) -> None:
        now = time.monotonic()
        if completed < total and now - self._last_progress < 0.25:
            return
        self._last_progress = now
        self.send(protocol.Progress(completed, total, unit))

    def metric(self, name: str, value: float, *, step: int, split: str) -> None:
        self.send(protocol.Metric(name, value if math.isfinite(value) else None, step, split))

    def log(self, message: str, level: str = "info", logger: str = "worker") -> None:
        self.send(protocol.Log(level, message, logger))

    def check_cancelled(self) -> None:
        """Call it between steps. Raises Cancelled once the parent asked to stop."""
        if self._cancelled.is_set():
            raise Cancelled()

    def cancel(self) -> None:
        """As if the parent had asked to stop; from any thread."""
        self._cancelled.set()

    def listen(self) -> None:
        """Watches stdin for the cancel message or its end (the parent died), and SIGTERM; none of them interrupts a step."""
        signal.signal(signal.SIGTERM, lambda *_: self._cancelled.set())
        signal.signal(signal.SIGINT, lambda *_: self._cancelled.set())
        threading.Thread(target=self._watch_stdin, daemon=True).start()

    def keep_alive(self, seconds: float = ALIVE_SECONDS) -> None:
        """Sends a sign of life so often, from a thread of its own, until the job ends: long steps leave the parent without any other."""
        threading.Thread(target=self._beat, args=(seconds,), daemon=True).start()

    def _beat(self, seconds: float) -> None:
        while not self._ended.wait(seconds):
            try:
                self.send(protocol.Alive())
            except (OSError, ValueError):  # the parent is gone, which `listen` notices, or the stream is closed
                return

    def _watch_stdin(self) -> None:
        for line in sys.stdin:
            if _is_cancel(line):
                break
        self._cancelled.set()


class FollowerReporter(Reporter):
    """What ranks other than 0 speak through: errors, into the log, and nothing else. They stop when rank 0 does, whoever sends signals."""

    def __init__(self, rank: int, job: str):
        super().__init__(sys.stderr, job)
        self._rank = rank

    def send(self, event: protocol.Event) -> None:
        if isinstance(event, protocol.Error):
            print(f"rank {self._rank}: {event.code}: {event.message}; {event.hint}", file=sys.stderr, flush=True)

    def listen(self) -> None:
        """Reads no stdin, which is rank 0's: a line that two processes wait for reaches either of them."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def keep_alive(self, seconds: float = ALIVE_SECONDS) -> None:
        """Rank 0 speaks for all; it notices by itself when another rank is lost."""


def _is_cancel(line: str) -> bool:
    try:
        message: Any = json.loads(line)
    except ValueError:
        return False
    return isinstance(message, dict) and message.get("type") == "cancel"
