"""The score job: raw logits of a plain *ForSequenceClassification folder for groups of passages, in blocks, so that memory stays bounded."""
from __future__ import annotations

import json
import os
import time
from typing import Iterator

from ..base_model import BaseModel, inspect_base, load_base
from ..pairs import PairEncoder
from ..protocol import Done, Job
from ..reporter import JobError, Reporter
from ..serving import as_tei_on_gpu

PHASES = ("load_model", "score")
SCORES_FILE = "scores.tsv"
PARITY_PAIRS = 8
# Pairs that are encoded and sorted by length together; 8,192 pairs of 512 tokens take some 70 MB as Python lists.
BLOCK_PAIRS = 8192

# query id, query, passages (id, text)
Row = tuple[str, str, list[tuple[str, str]]]


def run(job: Job, reporter: Reporter) -> Done:
    """inputs: model (folder), groups (JSONL of query_id, query, passages with id and text). options: max_length, device, batch_tokens.

    `served_as` "tei_gpu": scores as that server would (serving.py); `max_pairs`: only the first whole groups up to so many pairs, one at least.
    Writes scores.tsv (query_id, passage_id, score) in the order of the groups; a score reads back to the very float32.
    Raises JobError MODEL_NOT_FOUND, MODEL_UNSUPPORTED, DATA_NOT_FOUND, DATA_INVALID; Cancelled.
    """
    from ..training.device import choose_device
    from ..training.model import PairModel

    started, options = time.monotonic(), job.options
    reporter.phase(PHASES[0], 1, len(PHASES))
    base = inspect_base(job.inputs["model"])
    _check_model(base, options["max_length"])
    # Before the model, so that a wrong line costs no time.
    most = options.get("max_pairs")
    total = sum(len(passages) for _, _, passages in _first(read_rows(job.inputs["groups"]), most))
    encoder = PairEncoder(base.folder, options["max_length"])
    device = choose_device(options["device"])
    module = load_base(base, seed=0, attention="sdpa" if device == "cuda" else "eager")
    replaced = as_tei_on_gpu(module, device) if options.get("served_as") == "tei_gpu" else 0
    model = PairModel(module, base.model_type, device=device, bf16=False, freeze_embeddings=True, dropout=False)
    reporter.check_cancelled()
    reporter.phase(PHASES[1], 2, len(PHASES))
    scoring = _Scoring(model, encoder, reporter, total, options["batch_tokens"], most)
    seconds = scoring.write(job.inputs["groups"], os.path.join(job.out_dir, SCORES_FILE))
    outputs = {"pairs": scoring.done, "pairs_at_max_length": scoring.at_max_length, "seconds": seconds, "device": model.device.type, "activations_replaced": replaced}
    return Done(outputs, {}, {"score": seconds, "total": time.monotonic() - started})


def read_rows(path: str) -> Iterator[Row]:
    """Group by group. Raises JobError DATA_NOT_FOUND, or DATA_INVALID with the line; quotes no text."""
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _row(path, number, line)
    except FileNotFoundError as error:
        raise JobError("DATA_NOT_FOUND", f"{path} does not exist", "run the same command again") from error


def _first(rows: Iterator[Row], most: int | None) -> Iterator[Row]:
    """Whole groups while all of them together have at most `most` pairs, the first one in any case; None is all."""
    count = 0
    for row in rows:
        count += len(row[2])
        if most is not None and 0 < count - len(row[2]) and count > most:
            return
        yield row


def _row(path: str, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
        parsed = str(row["query_id"]), _text(row["query"]), [(str(p["id"]), _text(p["text"])) for p in row["passages"]]
    except (ValueError, KeyError, TypeError) as error:
        raise JobError("DATA_INVALID", f"{path}:{number} is not a group of query_id, query and passages with id and text ({type(error).__name__})", "write one JSON object a line") from error
    if any(mark in name for name in (parsed[0], *(identifier for identifier, _ in parsed[2])) for mark in "\t\n\r"):
        raise JobError("DATA_INVALID", f"{path}:{number} has a tab or line break in an id", "use ids without tabs and line breaks")
    return parsed


def _text(value: object) -> str:
    """JSON may carry half a surrogate pair, which the tokenizer refuses; it becomes U+FFFD, as in a UTF-8 file."""
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _check_model(base: BaseModel, max_length: int) -> None:
    if base.labels > 1:
        raise JobError("MODEL_UNSUPPORTED", f"{base.folder} ({base.architecture}) classifies into {base.labels} labels, so it has no one score to rank by", "name a reranker: a *ForSequenceClassification folder with one label")
    if not base.is_reranker:
        raise JobError("MODEL_UNSUPPORTED", f"{base.folder} is a {base.architecture} without a classification head, so it cannot score pairs", "train it first with `rerank-tune run RECIPE`, or name a reranker: a *ForSequenceClassification folder with one label")
    if max_length > base.max_tokens:
        raise JobError("MODEL_UNSUPPORTED", f"{max_length} tokens are more than the {base.max_tokens} of {base.model_type} at {base.folder}", f"use --max-length {base.max_tokens} or less")


class _Scoring:
    """State of one pass over the groups. `done`: pairs scored; `at_max_length`: those that fill it, nearly all of them cut."""

    def __init__(self, model, encoder: PairEncoder, reporter: Reporter, total: int, batch_tokens: int, most: int | None):
        self._model, self._encoder, self._reporter = model, encoder, reporter
        self._total, self._batch_tokens, self._most = total, batch_tokens, most
        self.done = self.at_max_length = 0
        self._checked = False

    def write(self, groups: str, path: str) -> float:
        """Returns the seconds from the first token to the last score."""
        seconds = 0.0
        partial = f"{path}.partial"
        with open(partial, "w", encoding="utf-8", newline="\n") as file:
            for block in _blocks(_first(read_rows(groups), self._most)):
                started = time.perf_counter()
                scores = self._score([(query, text) for _, query, passages in block for _, text in passages])
                seconds += time.perf_counter() - started
                names = [(query_id, identifier) for query_id, _, passages in block for identifier, _ in passages]
                file.writelines(f"{query}\t{passage}\t{score!r}\n" for (query, passage), score in zip(names, scores, strict=True))
        os.replace(partial, path)
        return seconds

    def _score(self, texts: list[tuple[str, str]]) -> list[float]:
        pairs = self._encoder.encode(texts)
        if not self._checked and pairs:
            self._checked = True
            self._check_parity(pairs[:PARITY_PAIRS])
        scores = self._model.score(pairs, exact=True, tokens=self._batch_tokens, between=self._report)
        self.done += len(pairs)
        self.at_max_length += sum(len(pair.ids) >= self._encoder.max_length for pair in pairs)
        return scores

    def _check_parity(self, pairs) -> None:
        difference = self._model.check_parity(pairs)
        if difference is not None and not self._model.packs:
            self._reporter.log(f"packed scoring differs from transformers by {difference:.1e}; the slower padded form is used", "warning", "score")

    def _report(self, done: int) -> None:
        self._reporter.check_cancelled()
        self._reporter.progress(self.done + done, self._total, "pairs")


def _blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Whole groups in their order; a block is closed once it holds BLOCK_PAIRS pairs."""
    block: list[Row] = []
    count = 0
    for row in rows:
        block.append(row)
        count += len(row[2])
        if count >= BLOCK_PAIRS:
            yield block
            block, count = [], 0
    if block:
        yield block
