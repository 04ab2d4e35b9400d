"""Runs one job and reports exactly one outcome: done, error, or (when cancelled) exit code 130 without a terminal event."""
from __future__ import annotations

import importlib
import os
import platform
import traceback
from importlib import metadata
from typing import TextIO

from . import __version__, protocol
from .reporter import Cancelled, JobError, Reporter

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
    reporter = Reporter(stream, job.id)
    reporter.send(protocol.Hello(__version__, platform.python_version(), _packages(), "cpu"))
    reporter.listen()
    traceback_file = os.path.join(os.path.dirname(os.path.abspath(arguments[1])), "traceback.txt")
    try:
        if job.kind not in JOB_KINDS:
            raise JobError("WORKER_FAILED", f"unknown job kind {job.kind!r}", "install rerank-tune again")
        module = importlib.import_module(f"rerank_tune_worker.jobs.{job.kind}")
        reporter.send(module.run(job, reporter))
        return 0
    except Cancelled:
        return 130
    except JobError as error:
        reporter.send(protocol.Error(error.code, error.message, error.hint, False, None))
    except Exception as error:  # the last door: everything unexpected becomes one event with its traceback kept in a file
        with open(traceback_file, "w", encoding="utf-8") as file:
            file.write(traceback.format_exc())
        reporter.send(_unexpected(error, job.kind, traceback_file))
    return 1


def _unexpected(error: Exception, kind: str, traceback_file: str) -> protocol.Error:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        hint = OUT_OF_MEMORY_HINTS.get(kind, "lower `train.micro_batch_tokens` or `train.max_length`")
        return protocol.Error("WORKER_OUT_OF_MEMORY", f"out of memory: {error}", hint, True, traceback_file)
    if isinstance(error, OSError) and error.errno == 28:
        return protocol.Error("DISK_FULL", f"no space left on the disk: {error.filename}", "free space and run the same command again", True, traceback_file)
    return protocol.Error("WORKER_FAILED", f"{type(error).__name__}: {error}", f"read {traceback_file}", False, traceback_file)
