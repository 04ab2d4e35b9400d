"""Runs one job and reports exactly one outcome: done, error, or (when cancelled) exit code 130 without a terminal event."""
from __future__ import annotations

import importlib
import os
import platform
import traceback
from importlib import metadata
from typing import TextIO

from . import __version__, protocol
from .launch import PATIENCE, Launch, end_with_launcher, read_launch, when_stuck
from .reporter import RESUME_HINT, Cancelled, FollowerReporter, JobError, Reporter

JOB_KINDS = ("train", "export", "quantize", "describe", "score")
# What makes room, by the kind of job; the rest is training.
OUT_OF_MEMORY_HINTS = {"score": "use a smaller --max-length, or close other programs"}
PINNED = ("torch", "transformers", "tokenizers", "safetensors", "onnx", "onnxruntime", "numpy")


def _packages() -> dict[str, str]:
    found = {}
    for name in PINNED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return found


def main(arguments: list[str], stream: TextIO) -> int:
    if len(arguments) != 2 or arguments[0] != "--job":
        print("usage: worker.py --job job.json")
        return 2
    job = protocol.read_job(arguments[1])
    launch = read_launch(os.environ)
    reporter = Reporter(stream, job.id) if launch.rank == 0 else FollowerReporter(launch.rank, job.id)
    reporter.send(protocol.Hello(__version__, platform.python_version(), _packages(), "cpu"))
    reporter.listen()
    reporter.keep_alive()
    if launch.world > 1:
        _watch_launcher(launch, reporter)
    name = f"traceback-{launch.rank}.txt" if launch.rank > 0 else "traceback.txt"
    traceback_file = os.path.join(os.path.dirname(os.path.abspath(arguments[1])), name)
    try:
        if job.kind not in JOB_KINDS:
            raise JobError("WORKER_FAILED", f"unknown job kind {job.kind!r}", "install rerank-tune again")
        if launch.world > 1 and job.kind != "train":
            raise JobError("WORKER_FAILED", f"the job {job.kind} runs in one process, not in {launch.world}", "start worker.py without torchrun")
        module = importlib.import_module(f"rerank_tune_worker.jobs.{job.kind}")
        reporter.send(module.run(job, reporter))
        return 0
    except Cancelled:
        return 130
    except JobError as error:
        reporter.send(protocol.Error(error.code, error.message, error.hint, error.retryable, None))
    except Exception as error:  # the last door: everything unexpected becomes one event with its traceback kept in a file
        with open(traceback_file, "w", encoding="utf-8") as file:
            file.write(traceback.format_exc())
        reporter.send(_unexpected(error, job.kind, traceback_file))
    return 1


def _watch_launcher(launch: Launch, reporter: Reporter) -> None:
    """torchrun sends SIGTERM when another rank failed; rank 0 has to say so even if it hangs."""
    end_with_launcher()
    if launch.rank == 0:
        message = f"training in {launch.world} processes was told to stop, as torchrun does when one of them is lost, and did not within {PATIENCE:.0f} seconds"
        when_stuck(lambda: reporter.send(protocol.Error("WORKER_CRASHED", message, hint, True, None)))


def _unexpected(error: Exception, kind: str, traceback_file: str) -> protocol.Error:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        hint = OUT_OF_MEMORY_HINTS.get(kind, "lower `train.micro_batch_tokens` or `train.max_length`")
        return protocol.Error("WORKER_OUT_OF_MEMORY", f"out of memory: {error}", hint, True, traceback_file)
    if isinstance(error, OSError) and error.errno == 28:
        return protocol.Error("DISK_FULL", f"no space left on the disk: {error.filename}", "free space and run the same command again", True, traceback_file)
    return protocol.Error("WORKER_FAILED", f"{type(error).__name__}: {error}", f"read {traceback_file}", False, traceback_file)
