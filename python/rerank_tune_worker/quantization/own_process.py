"""Runs a script in a process of its own: two versions of one library, or two sets of threads, do not live well in one interpreter."""
from __future__ import annotations

import json
import os
import subprocess
import sys

from ..reporter import JobError


def answer_of(runtime: str, script: str, folder: str, graph: str, *others: str, hint: str) -> dict:
    """The JSON object in the last line that `script FOLDER GRAPH OTHERS…` prints. Raises JobError MODEL_UNSUPPORTED, with the last line of what went wrong, where it fails.

    `folder` holds the packages of the runtime, and `runtime` is its name for people.
    """
    run = subprocess.run([sys.executable, "-I", script, folder, graph, *others], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        last = (run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1]
        raise JobError("MODEL_UNSUPPORTED", f"{runtime} does not run {os.path.basename(graph)}: {last[:300]}", hint)
    return json.loads(run.stdout.strip().splitlines()[-1])
