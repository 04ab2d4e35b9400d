"""Texts to token ids with the very tokenizer.json that ships. transformers' AutoTokenizer rebuilds it and gave other ids for 27 of 800 real pairs."""
from __future__ import annotations

import os
from dataclasses import dataclass

from tokenizers import Tokenizer

from .reporter import JobError


@dataclass(frozen=True)
class EncodedPair:
    """Token ids of one pair with its template; `type_ids` are the segment numbers of BERT-like models."""

    ids: list[int]
    type_ids: list[int]


class PairEncoder:
    """Longest-first truncation to `max_length` tokens, no padding. An empty passage still makes a pair, as in TEI."""

    def __init__(self, folder: str, max_length: int):
        path = os.path.join(folder, "tokenizer.json")
        if not os.path.isfile(path):
            raise JobError("MODEL_NOT_FOUND", f"{path} is missing", "use a base model with a fast tokenizer (tokenizer.json)")
        self._tokenizer = Tokenizer.from_file(path)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length, strategy="longest_first")
        self.max_length = max_length

    def encode(self, pairs: list[tuple[str, str]]) -> list[EncodedPair]:
        return [EncodedPair(e.ids, e.type_ids) for e in self._tokenizer.encode_batch(pairs)]
