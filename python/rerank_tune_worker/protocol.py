"""Every message between TypeScript and this worker; mirrors src/worker/protocol.ts. Standard library only.

The goldens in test/contract are read and written back equal by both languages, so that neither can drift.
"""
from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

PROTOCOL_VERSION = 1


@dataclass(frozen=True)
class Hello:
    worker_version: str
    python: str
    packages: dict[str, str]
    device: str


@dataclass(frozen=True)
class Alive:
    """The process lives. No sign of progress: every other event is one."""


@dataclass(frozen=True)
class Phase:
    name: str
    index: int
    count: int


@dataclass(frozen=True)
class Progress:
    completed: float
    total: float
    unit: str


@dataclass(frozen=True)
class Metric:
    name: str
    value: float | None
    step: int
    split: str


@dataclass(frozen=True)
class Log:
    level: str
    message: str
    logger: str


@dataclass(frozen=True)
class Artifact:
    role: str
    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Error:
    code: str
    message: str
    hint: str
    retryable: bool
    traceback_file: str | None


@dataclass(frozen=True)
class Done:
    outputs: dict[str, Any]
    metrics: dict[str, float | None]
    durations: dict[str, float]


Event = Hello | Alive | Phase | Progress | Metric | Log | Artifact | Error | Done
EVENT_TYPES: dict[str, type] = {cls.__name__.lower(): cls for cls in (Hello, Alive, Phase, Progress, Metric, Log, Artifact, Error, Done)}


@dataclass(frozen=True)
class Job:
    """One task. Paths are absolute; `options` and `inputs` are checked by the job's own module."""

    v: int
    id: str
    kind: str
    out_dir: str
    inputs: dict[str, str]
    options: dict[str, Any]


def encode(event: Event, *, seq: int, time: float, job: str) -> str:
    """One line of JSON without a line break. NaN and infinity are refused: JSON has no word for them, send None instead."""
    body = {"v": PROTOCOL_VERSION, "seq": seq, "time": time, "job": job, "type": type(event).__name__.lower(), **dataclasses.asdict(event)}
    return json.dumps(body, ensure_ascii=False, allow_nan=False)


def decode(line: str) -> tuple[Event, dict[str, Any]]:
    """The event of a line and its envelope (v, seq, time, job). Unknown fields are ignored."""
    body = json.loads(line)
    cls = EVENT_TYPES[body["type"]]
    names = {field.name for field in dataclasses.fields(cls)}
    return cls(**{key: value for key, value in body.items() if key in names}), {key: body[key] for key in ("v", "seq", "time", "job")}


def read_job(path: str) -> Job:
    with open(path, encoding="utf-8") as file:
        body = json.load(file)
    if body.get("v") != PROTOCOL_VERSION:
        raise ValueError(f"job speaks protocol {body.get('v')}, this worker speaks {PROTOCOL_VERSION}")
    return Job(**{field.name: body[field.name] for field in dataclasses.fields(Job)})
