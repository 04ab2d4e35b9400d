"""The door of the worker: claims stdout for events before any import can print there, then runs one job.

run: python -I -u worker.py --job job.json
"""
import os
import sys

EVENTS = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
os.dup2(2, 1)  # a stray print, of ours or of a library or grandchild, lands in the log and cannot break the protocol
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # -I leaves it out

from rerank_tune_worker.launch import read_launch  # noqa: E402
from rerank_tune_worker.runner import main  # noqa: E402

code = main(sys.argv[1:], EVENTS)
if read_launch(os.environ).world > 1:
    EVENTS.flush()
    sys.stderr.flush()
    os._exit(code)  # taking a process group down took seconds, for nothing: all that counts is written
sys.exit(code)
